//! Units: reading them, converting between those of one dimension, assuming one from a metric's name.
//!
//! Not here: the unit that a metric is defined to have, which may be any text; only known units convert.
//! Invariant: what is assumed says from which suffix, so that every place can say "assumed".

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A unit that can be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// 10⁻⁹ s.
    Nanosecond,
    /// 10⁻⁶ s.
    Microsecond,
    /// 10⁻³ s.
    Millisecond,
    /// Second.
    Second,
    /// 60 s.
    Minute,
    /// 3,600 s.
    Hour,
    /// 86,400 s.
    Day,
    /// A share of one.
    Ratio,
    /// A hundredth.
    Percent,
    /// Byte.
    Byte,
    /// 1,000 bytes.
    Kilobyte,
    /// 10⁶ bytes.
    Megabyte,
    /// 10⁹ bytes.
    Gigabyte,
    /// US dollar.
    Usd,
}

/// What a unit measures; only units of one dimension convert into one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Duration.
    Time,
    /// Share of a whole.
    Share,
    /// Amount of data.
    Data,
    /// Money.
    Money,
}

/// A unit taken from a metric's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assumed {
    /// The unit.
    pub unit: Unit,
    /// The suffix that says so, such as `_ms`.
    pub suffix: &'static str,
}

/// Suffixes that say a unit. `_m` and `_min` are left out: metres, minimum.
const SUFFIXES: [(&str, Unit); 22] = [
    ("_ns", Unit::Nanosecond),
    ("_nanoseconds", Unit::Nanosecond),
    ("_us", Unit::Microsecond),
    ("_microseconds", Unit::Microsecond),
    ("_ms", Unit::Millisecond),
    ("_millis", Unit::Millisecond),
    ("_milliseconds", Unit::Millisecond),
    ("_s", Unit::Second),
    ("_sec", Unit::Second),
    ("_secs", Unit::Second),
    ("_seconds", Unit::Second),
    ("_minutes", Unit::Minute),
    ("_hours", Unit::Hour),
    ("_days", Unit::Day),
    ("_percent", Unit::Percent),
    ("_pct", Unit::Percent),
    ("_usd", Unit::Usd),
    ("_dollars", Unit::Usd),
    ("_bytes", Unit::Byte),
    ("_kb", Unit::Kilobyte),
    ("_mb", Unit::Megabyte),
    ("_gb", Unit::Gigabyte),
];

/// The unit that a metric's name says by its suffix, in any case; `None` where it says none.
pub fn assumed(key: &str) -> Option<Assumed> {
    let at = key.rfind('_')?;
    let (stem, ending) = key.split_at(at);
    if stem.is_empty() {
        return None;
    }
    SUFFIXES
        .iter()
        .find(|(suffix, _)| suffix.eq_ignore_ascii_case(ending))
        .map(|&(suffix, unit)| Assumed { unit, suffix })
}

impl Unit {
    /// All units.
    pub const ALL: [Self; 14] = [
        Self::Nanosecond,
        Self::Microsecond,
        Self::Millisecond,
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Ratio,
        Self::Percent,
        Self::Byte,
        Self::Kilobyte,
        Self::Megabyte,
        Self::Gigabyte,
        Self::Usd,
    ];

    /// The short form, which [`Unit::parse`] reads back.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nanosecond => "ns",
            Self::Microsecond => "us",
            Self::Millisecond => "ms",
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Ratio => "ratio",
            Self::Percent => "%",
            Self::Byte => "B",
            Self::Kilobyte => "kB",
            Self::Megabyte => "MB",
            Self::Gigabyte => "GB",
            Self::Usd => "USD",
        }
    }

    /// Reads a unit as people write it: `ms`, `s`, `m`, `h`, `%` and their longer names.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "ns" | "nanosecond" | "nanoseconds" => Self::Nanosecond,
            "us" | "µs" | "μs" | "microsecond" | "microseconds" => Self::Microsecond,
            "ms" | "millis" | "millisecond" | "milliseconds" => Self::Millisecond,
            "s" | "sec" | "secs" | "second" | "seconds" => Self::Second,
            "m" | "min" | "mins" | "minute" | "minutes" => Self::Minute,
            "h" | "hr" | "hour" | "hours" => Self::Hour,
            "d" | "day" | "days" => Self::Day,
            "ratio" | "fraction" | "share" => Self::Ratio,
            "%" | "percent" | "pct" => Self::Percent,
            "b" | "byte" | "bytes" => Self::Byte,
            "kb" => Self::Kilobyte,
            "mb" => Self::Megabyte,
            "gb" => Self::Gigabyte,
            "usd" | "$" | "dollar" | "dollars" => Self::Usd,
            _ => return None,
        })
    }

    /// What it measures.
    pub const fn dimension(self) -> Dimension {
        self.scale().0
    }

    /// The dimension and how many of its smallest units make one.
    const fn scale(self) -> (Dimension, f64) {
        match self {
            Self::Nanosecond => (Dimension::Time, 1.0),
            Self::Microsecond => (Dimension::Time, 1e3),
            Self::Millisecond => (Dimension::Time, 1e6),
            Self::Second => (Dimension::Time, 1e9),
            Self::Minute => (Dimension::Time, 60e9),
            Self::Hour => (Dimension::Time, 3_600e9),
            Self::Day => (Dimension::Time, 86_400e9),
            Self::Ratio => (Dimension::Share, 100.0),
            Self::Percent => (Dimension::Share, 1.0),
            Self::Byte => (Dimension::Data, 1.0),
            Self::Kilobyte => (Dimension::Data, 1e3),
            Self::Megabyte => (Dimension::Data, 1e6),
            Self::Gigabyte => (Dimension::Data, 1e9),
            Self::Usd => (Dimension::Money, 1.0),
        }
    }

    /// The value in another unit, rounded once; `None` between dimensions.
    pub fn convert(self, value: f64, to: Self) -> Option<f64> {
        let ((dimension, from_scale), (target, to_scale)) = (self.scale(), to.scale());
        if dimension != target {
            return None;
        }
        // One of the two quotients is a whole number: one rounding, and 5 % is 0.05 to the last bit.
        Some(if from_scale >= to_scale {
            value * (from_scale / to_scale)
        } else {
            value / (to_scale / from_scale)
        })
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let refuse = || serde::de::Error::custom(format!("`{word}` is not a unit"));
        Self::parse(&word).ok_or_else(refuse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_read_back() {
        for unit in Unit::ALL {
            assert_eq!(Unit::parse(unit.word()), Some(unit));
        }
        assert_eq!(Unit::parse("minutes"), Some(Unit::Minute));
        assert_eq!(Unit::parse("furlong"), None);
    }

    #[test]
    fn suffixes_say_units() {
        let check = |key, unit| assert_eq!(assumed(key).map(|it| it.unit), unit, "{key}");
        check("completion_time_ms", Some(Unit::Millisecond));
        check("train/LATENCY_MS", Some(Unit::Millisecond));
        check("wall_s", Some(Unit::Second));
        check("idle_time_percent", Some(Unit::Percent));
        check("cost_usd", Some(Unit::Usd));
        check("peak_bytes", Some(Unit::Byte));
        check("loss_min", None);
        check("alarms", None);
        check("_ms", None);
        check("naïve_é", None);
        assert_eq!(assumed("a_ms").unwrap().suffix, "_ms");
    }

    #[test]
    fn conversions_are_exact_where_they_can_be() {
        assert_eq!(
            Unit::Second.convert(60.0, Unit::Millisecond),
            Some(60_000.0)
        );
        assert_eq!(Unit::Millisecond.convert(90_000.0, Unit::Minute), Some(1.5));
        assert_eq!(Unit::Percent.convert(5.0, Unit::Ratio), Some(0.05));
        assert_eq!(Unit::Ratio.convert(0.05, Unit::Percent), Some(5.0));
        assert_eq!(Unit::Hour.convert(2.0, Unit::Second), Some(7200.0));
        assert_eq!(Unit::Second.convert(1.0, Unit::Percent), None);
        assert!(Unit::Second.convert(f64::NAN, Unit::Hour).unwrap().is_nan());
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_within_a_rounding(
            value in -1e12..1e12_f64,
            from in 0..Unit::ALL.len(),
            to in 0..Unit::ALL.len(),
        ) {
            let (from, to) = (Unit::ALL[from], Unit::ALL[to]);
            let there = from.convert(value, to);
            prop_assert_eq!(there.is_some(), from.dimension() == to.dimension());
            if let Some(there) = there {
                let back = to.convert(there, from).unwrap();
                prop_assert!((back - value).abs() <= value.abs() * 4.0 * f64::EPSILON);
            }
        }

        #[test]
        fn any_name_is_judged(key in any::<String>()) {
            if let Some(found) = assumed(&key) {
                prop_assert!(key.to_ascii_lowercase().ends_with(found.suffix));
            }
        }
    }
}
