//! A decimal number kept exactly: sign, digits and power of ten.
//!
//! Not here: arithmetic, except moving the point. Invariant: `digits` has neither leading nor trailing
//! zeros, and zero is the empty text of digits without a sign, so equal numbers are equal values.

use std::fmt;

/// `±0.digits × 10^point`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: String,
    point: i64,
}

impl Decimal {
    /// Reads `[+-] digits [. digits] [e [+-] digits]`, with digits on at least one side of the point.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => (&unsigned[..at], read_exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let leading = all.len() - digits.len();
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits: String::new(),
                point: 0,
            });
        }
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()?;
        Some(Self {
            negative,
            digits: digits.to_owned(),
            point: point.checked_add(exponent)?,
        })
    }

    /// The number times `10^places`.
    pub(crate) fn shift(&self, places: i32) -> Self {
        let mut moved = self.clone();
        if !moved.digits.is_empty() {
            moved.point = moved.point.saturating_add(i64::from(places));
        }
        moved
    }

    /// The nearest double.
    pub(crate) fn to_f64(&self) -> f64 {
        // Rust reads every text that this type prints.
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let well_formed = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // The bound keeps sums of exponent and length far from overflow; nobody means such a number.
    let exponent: i64 = well_formed.then(|| text.parse().ok()).flatten()?;
    (exponent.abs() <= 1_000_000_000).then_some(exponent)
}

impl fmt::Display for Decimal {
    /// As ECMAScript prints numbers: plain between 1e-6 and 1e21, scientific outside.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let count = self.digits.len() as i64;
        match self.point {
            point if (count..=21).contains(&point) => {
                f.write_str(&self.digits)?;
                f.write_str(&"0".repeat((point - count) as usize))
            }
            point if (1..=21).contains(&point) => {
                let (whole, fraction) = self.digits.split_at(point as usize);
                write!(f, "{whole}.{fraction}")
            }
            point if (-5..=0).contains(&point) => {
                f.write_str("0.")?;
                f.write_str(&"0".repeat(point.unsigned_abs() as usize))?;
                f.write_str(&self.digits)
            }
            // A whole number that is not a multiple of a power of ten is never cut: `point == count`
            // beyond 21 digits still prints every digit, in the scientific form.
            point => {
                let (first, rest) = self.digits.split_at(1);
                let dot = if rest.is_empty() { "" } else { "." };
                write!(f, "{first}{dot}{rest}e{:+}", point - 1)
            }
        }
    }
}
