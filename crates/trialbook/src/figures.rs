//! Numbers as people and programs read them.
//!
//! Invariant: NaN and infinities are shown, in text as `NaN`, `inf`, `-inf`, in JSON as the texts `NaN`,
//! `Infinity`, `-Infinity`; missing is missing, never 0.

use trialbook_report::figures::trimmed;
pub(crate) use trialbook_report::figures::{count, done, grouped, json, percent, short};

/// A number with all its digits, as CSV and texts hold it.
pub(crate) fn exact(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_finite() && (value == 0.0 || (1e-5..1e16).contains(&value.abs())) {
        format!("{value}")
    } else if value.is_finite() {
        format!("{value:e}")
    } else if value > 0.0 {
        "inf".to_owned()
    } else {
        "-inf".to_owned()
    }
}

/// Bytes in decimal units (T-4): `500MB`, `1.2kB`.
pub(crate) fn bytes(size: u64) -> String {
    let units = [(1_000_000_000_u64, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.iter().find(|(unit, _)| size >= *unit) {
        Some((unit, word)) => {
            let tenths = format!("{:.1}", size as f64 / *unit as f64);
            format!("{}{word}", trimmed(&tenths))
        }
        None => format!("{size}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_read_well() {
        let check = |value, text| assert_eq!(short(value), text);
        check(0.0, "0");
        check(3.0, "3");
        check(0.1, "0.1");
        check(0.923_456_789, "0.92346");
        check(-1234.5678, "-1234.57");
        check(1_234_567.0, "1234567");
        check(0.000_123_456_7, "0.00012346");
        check(2e-5, "2e-5");
        check(1.5e300, "1.5e300");
        check(f64::NAN, "NaN");
        check(f64::NEG_INFINITY, "-inf");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(count(1, "point"), "1 point");
        assert_eq!(bytes(500_000_000), "500MB");
        assert_eq!(bytes(1_234), "1.2kB");
        assert_eq!(bytes(999), "999B");
        assert_eq!(json(f64::NAN), "NaN");
    }

    proptest! {
        #[test]
        fn exact_reads_back(value in any::<f64>()) {
            let back: f64 = exact(value).parse().unwrap();
            prop_assert!(back.to_bits() == value.to_bits() || (back.is_nan() && value.is_nan()));
        }

        #[test]
        fn short_is_near(value in -1e12..1e12_f64) {
            let back: f64 = short(value).parse().unwrap();
            prop_assert!((back - value).abs() <= value.abs() * 1e-4 + 1e-12, "{value} {back}");
        }
    }
}
