//! Numbers as people read them: as many digits as they are worth.
//!
//! A half-width has two digits that count and its estimate ends at the same place; percent have one decimal, and
//! none below a hundred trials; p has three decimals, then `< 0.001`. Numbers in JSON keep all digits. Invariant: NaN and infinities are shown; no p is shown as 0.

use serde_json::Value;
use trialbook_model::unit::Unit;

/// Digits that a number alone has at most.
const DIGITS: usize = 6;

/// A number alone: at most six digits that count.
pub fn short(value: f64) -> String {
    if !value.is_finite() {
        return not_finite(value).to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e9).contains(&magnitude) {
        let text = format!("{value:.*e}", DIGITS - 1);
        return match text.split_once('e') {
            Some((digits, power)) => format!("{}e{power}", trimmed(digits)),
            None => text,
        };
    }
    let whole_digits = if magnitude < 1.0 {
        1
    } else {
        magnitude.log10().floor() as usize + 1
    };
    let leading_zeros = if magnitude > 0.0 && magnitude < 0.1 {
        (-magnitude.log10()).floor() as usize
    } else {
        0
    };
    let decimals = (DIGITS + leading_zeros).saturating_sub(whole_digits.min(DIGITS));
    trimmed(&format!("{value:.decimals$}")).to_owned()
}

const fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "inf"
    } else {
        "-inf"
    }
}

/// The digits without the zeros at the end that say nothing.
pub fn trimmed(digits: &str) -> &str {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}

/// A place in a decimal number: so many digits behind the point, or zeros before it where negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(i32);

impl Place {
    /// The place of the second digit that counts of a half-width; `None` where it has none.
    pub fn of(half_width: f64) -> Option<Self> {
        if !half_width.is_finite() || half_width <= 0.0 {
            return None;
        }
        // As printed, so that 0.0996 counts as 0.10.
        let text = format!("{half_width:.1e}");
        let (_, power) = text.split_once('e')?;
        Some(Self(1 - power.parse::<i32>().ok()?))
    }

    /// The number up to this place.
    pub fn show(self, value: f64) -> String {
        if !value.is_finite() {
            return not_finite(value).to_owned();
        }
        let Self(place) = self;
        if !(-9..=9).contains(&place) {
            return short(value);
        }
        let text = if place >= 0 {
            format!("{value:.*}", place.unsigned_abs() as usize)
        } else {
            let unit = 10_f64.powi(-place);
            format!("{:.0}", (value / unit).round() * unit)
        };
        // There is no negative zero among people.
        let is_zero = text.trim_matches(['-', '0', '.']).is_empty();
        match text.strip_prefix('-') {
            Some(rest) if is_zero => rest.to_owned(),
            Some(_) | None => text,
        }
    }
}

/// A number up to the place of a half-width, or alone where there is none.
pub fn up_to(value: f64, half_width: Option<f64>) -> String {
    match half_width.and_then(Place::of) {
        Some(place) => place.show(value),
        None => short(value),
    }
}

/// An interval: `[0.12, 0.34]`, to the place of half its width.
pub fn interval(low: f64, high: f64) -> String {
    let half = Some((high - low) / 2.0);
    format!("[{}, {}]", up_to(low, half), up_to(high, half))
}

/// A number with its sign.
pub fn signed(text: &str) -> String {
    let is_zero = text.trim_matches(['0', '.']).is_empty();
    if text.starts_with('-') || is_zero || text == "NaN" {
        text.to_owned()
    } else {
        format!("+{text}")
    }
}

/// The text of a number with its unit: `45ms`, `15.3%`, `3 tasks/hour`.
pub fn with_unit(number: &str, unit: Option<&str>) -> String {
    match unit {
        None | Some("" | "ratio") => number.to_owned(),
        Some(unit) if Unit::parse(unit).is_some() && unit.chars().count() <= 2 => {
            format!("{number}{unit}")
        }
        Some(unit) => format!("{number} {unit}"),
    }
}

/// A difference with its unit; of percent in percentage points, which no relative change is.
pub fn difference_with_unit(number: &str, unit: Option<&str>) -> String {
    match unit {
        Some("%") => format!("{number} pp"),
        unit => with_unit(number, unit),
    }
}

/// `p = 0.012`, `p < 0.001`.
pub fn p(value: f64) -> String {
    p_equals(&p_number(value))
}

/// A number of a p behind its letter.
pub fn p_equals(number: &str) -> String {
    match number.strip_prefix('<') {
        Some(bound) => format!("p < {}", bound.trim()),
        None => format!("p = {number}"),
    }
}

/// `0.012`, `< 0.001`.
pub fn p_number(value: f64) -> String {
    if value < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{value:.3}")
    }
}

/// The number of a p with as many digits more as show on which side of alpha it is: `0.0497` where alpha is 0.05.
pub fn p_against(value: f64, alpha: f64) -> String {
    /// A float has no digits that matter beyond these.
    const MOST: usize = 17;
    let text = p_number(value);
    let shows = |text: &str| {
        let shown: Result<f64, _> = text.parse();
        shown.is_ok_and(|shown| (shown < alpha) == (value < alpha))
    };
    if text.starts_with('<') || shows(&text) {
        return text;
    }
    let longer = (4..=MOST).map(|decimals| format!("{value:.decimals$}"));
    longer.into_iter().find(|text| shows(text)).unwrap_or(text)
}

/// A share in percent: one decimal, none below a hundred.
pub fn percent(share: f64, n: u64) -> String {
    if n < 100 {
        format!("{:.0}%", 100.0 * share)
    } else {
        format!("{:.1}%", 100.0 * share)
    }
}

/// How much of a known whole is done or is right, in percent with one decimal: no estimate, whatever the whole counts.
pub fn done(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

/// A relative difference in percent, with its sign: one decimal, none below a hundred values. A difference that this
/// would round to nothing keeps the one digit that counts.
pub fn change(share: f64, n: u64) -> String {
    /// From here on digits are no help.
    const HUGE: f64 = 1e9;
    let percent = 100.0 * share;
    let decimals = usize::from(n >= 100);
    let text = format!("{percent:.decimals$}");
    let is_nothing = text.trim_matches(['-', '0', '.']).is_empty();
    let text = if is_nothing {
        let digit: Result<f64, _> = format!("{percent:.0e}").parse();
        digit.map_or(text, short)
    } else if percent.abs() >= HUGE {
        short(percent)
    } else {
        text
    };
    format!("{}%", signed(&text))
}

/// A difference of shares in percentage points, with its sign: one decimal, none below a hundred values.
pub fn points(share: f64, n: u64) -> String {
    let decimals = usize::from(n >= 100);
    let text = format!("{:.decimals$}", 100.0 * share);
    let is_nothing = text.trim_matches(['-', '0', '.']).is_empty();
    signed(if is_nothing {
        text.trim_start_matches('-')
    } else {
        &text
    })
}

/// A number in JSON: one that is not finite is the text `NaN`, `Infinity` or `-Infinity`.
pub fn json(value: f64) -> Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => Value::from("NaN"),
        None if value > 0.0 => Value::from("Infinity"),
        None => Value::from("-Infinity"),
    }
}

/// A count with its noun: `1 trial`, `2,000 trials`.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A whole number with commas between groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn estimates_end_where_their_half_width_does() {
        let check = |value, half, text: &str| assert_eq!(up_to(value, Some(half)), text);
        check(0.923_45, 0.0123, "0.923");
        check(0.923_45, 0.0996, "0.92");
        check(12_345.6, 1234.0, "12300");
        check(45.2, 3.0, "45.2");
        check(-0.0001, 0.12, "0.00");
        check(7.25, 0.0, "7.25");
        assert_eq!(interval(0.1234, 0.3456), "[0.12, 0.35]");
        assert_eq!(interval(-1.0, 1.0), "[-1.0, 1.0]");
    }

    #[test]
    fn p_is_never_zero() {
        assert_eq!(p(0.0), "p < 0.001");
        assert_eq!(p(0.012_34), "p = 0.012");
        assert_eq!(p_number(1e-30), "< 0.001");
        assert_eq!(p(0.9999), "p = 1.000");
        assert_eq!(p_against(0.0497, 0.05), "0.0497");
        assert_eq!(p_against(0.049_999_6, 0.05), "0.0499996");
        assert_eq!(p_against(0.0503, 0.05), "0.050");
        assert_eq!(p_against(0.0103, 0.01), "0.010");
        assert_eq!(p_against(1e-9, 0.05), "< 0.001");
    }

    #[test]
    fn units_stand_by_their_numbers() {
        assert_eq!(with_unit("45", Some("ms")), "45ms");
        assert_eq!(with_unit("3", Some("tasks/hour")), "3 tasks/hour");
        assert_eq!(with_unit("0.9", None), "0.9");
        assert_eq!(difference_with_unit("-16.5", Some("%")), "-16.5 pp");
        assert_eq!(difference_with_unit("-16.5", Some("ms")), "-16.5ms");
        assert_eq!(percent(0.875, 32), "88%");
        assert_eq!(percent(0.875, 320), "87.5%");
        assert_eq!(change(0.0337, 100), "+3.4%");
        assert_eq!(change(0.0337, 99), "+3%");
        assert_eq!(change(-0.5, 3), "-50%");
        assert_eq!(change(-0.0042, 20), "-0.4%");
        assert_eq!(change(0.000_12, 200), "+0.01%");
        assert_eq!(change(0.0, 5), "0%");
        assert_eq!(change(12.345, 5), "+1234%");
        assert_eq!(points(0.125, 40), "+12");
        assert_eq!(points(-0.001, 40), "0");
        assert_eq!(points(-0.225, 400), "-22.5");
        assert_eq!(done(1.0 / 3.0), "33.3%");
        assert_eq!(signed("0.00"), "0.00");
    }

    #[test]
    fn numbers_alone_read_well() {
        let check = |value, text| assert_eq!(short(value), text);
        check(0.0, "0");
        check(0.923_456_789, "0.92346");
        check(-1234.5678, "-1234.57");
        check(0.000_123_456_7, "0.00012346");
        check(2e-5, "2e-5");
        check(1.5e300, "1.5e300");
        check(f64::NAN, "NaN");
        check(f64::NEG_INFINITY, "-inf");
    }

    proptest! {
        #[test]
        fn any_number_is_shown(value in any::<f64>(), half in any::<f64>()) {
            let text = up_to(value, Some(half));
            prop_assert!(text.parse::<f64>().is_ok(), "{}", text);
            prop_assert!(!signed(&text).is_empty());
        }

        #[test]
        fn what_is_shown_is_as_near_as_the_half_width_asks(value in -1e6..1e6_f64, half in 1e-6..1e6_f64) {
            let back: f64 = up_to(value, Some(half)).parse().unwrap();
            prop_assert!((back - value).abs() <= half * 0.0504 + 1e-9 * value.abs(), "{value} {half} {back}");
        }
    }
}
