//! Units of conditions and of metrics, and the way from one to the other.
//!
//! Not here: units of measures that no condition can have (bytes, money). Invariant: a conversion by a
//! power of ten is exact, since it moves the decimal point of the text.

use serde::{Deserialize, Serialize};

use crate::canonical::Decimal;

/// A unit that a condition can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millisecond,
    /// Seconds.
    #[serde(rename = "s")]
    Second,
    /// Minutes.
    #[serde(rename = "m")]
    Minute,
    /// Hours.
    #[serde(rename = "h")]
    Hour,
    /// Hundredths.
    #[serde(rename = "%")]
    Percent,
}

/// The unit of a metric and where it is known from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MetricUnit {
    /// The unit's word, such as `ms`, or `ratio` for a number where 1 is the whole.
    pub word: String,
    /// True when it was read off the metric's name and not declared.
    pub assumed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Time,
    Share,
}

/// `factor × 10^places` of the dimension's own unit (a second, a whole).
struct Scale {
    dimension: Dimension,
    factor: f64,
    places: i32,
}

/// What metrics call their units, in definitions and at the end of their names.
const WORDS: [(&[&str], &str); 8] = [
    (&["ns", "nanoseconds"], "ns"),
    (&["us", "µs", "microseconds"], "us"),
    (&["ms", "msec", "millis", "milliseconds"], "ms"),
    (&["s", "sec", "secs", "seconds"], "s"),
    (&["min", "mins", "minutes"], "min"),
    (&["h", "hr", "hrs", "hours"], "h"),
    (&["%", "percent", "pct"], "percent"),
    (&["rate", "ratio", "fraction", "share"], "ratio"),
];

impl Unit {
    /// All units.
    pub const ALL: [Self; 5] = [
        Self::Millisecond,
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::Percent,
    ];

    /// The word of the grammar.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Millisecond => "ms",
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Percent => "%",
        }
    }

    /// Reads the word of the grammar.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.word() == word)
    }

    /// All words, for hints.
    pub(super) fn words() -> String {
        Self::ALL.map(Self::word).join(", ")
    }

    /// The number in the metric's unit; `None` when the two measure different things.
    pub(super) fn convert(self, number: &Decimal, metric: &MetricUnit) -> Option<f64> {
        let (from, to) = (scale(self.scale_word())?, scale(&metric.word)?);
        if from.dimension != to.dimension {
            return None;
        }
        let moved = number.shift(from.places - to.places).to_f64();
        Some(moved * from.factor / to.factor)
    }

    const fn scale_word(self) -> &'static str {
        match self {
            Self::Millisecond => "ms",
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
            Self::Percent => "percent",
        }
    }
}

/// The unit of a metric: the declared one, else the one at the end of its name (`latency_ms`,
/// `idle_time_percent`, `error_rate`), which is assumed.
pub fn unit_of_name(metric: &str, declared: Option<&str>) -> Option<MetricUnit> {
    if let Some(declared) = declared {
        // In a definition `m` means minutes, as in the grammar of conditions; in a name it may be metres.
        let word = if declared == "m" {
            Some("min")
        } else {
            known_word(declared)
        };
        return Some(MetricUnit {
            word: word.unwrap_or(declared).to_owned(),
            assumed: false,
        });
    }
    let (_, ending) = metric.rsplit_once(['_', '.', '-', '/'])?;
    known_word(ending).map(|word| MetricUnit {
        word: word.to_owned(),
        assumed: true,
    })
}

fn known_word(text: &str) -> Option<&'static str> {
    let folded = text.to_lowercase();
    WORDS
        .iter()
        .find(|(words, _)| words.contains(&folded.as_str()))
        .map(|(_, word)| *word)
}

fn scale(word: &str) -> Option<Scale> {
    let (dimension, factor, places) = match word {
        "ns" => (Dimension::Time, 1.0, -9),
        "us" => (Dimension::Time, 1.0, -6),
        "ms" => (Dimension::Time, 1.0, -3),
        "s" => (Dimension::Time, 1.0, 0),
        "min" => (Dimension::Time, 60.0, 0),
        "h" => (Dimension::Time, 3600.0, 0),
        "percent" => (Dimension::Share, 1.0, -2),
        "ratio" => (Dimension::Share, 1.0, 0),
        _ => return None,
    };
    Some(Scale {
        dimension,
        factor,
        places,
    })
}
