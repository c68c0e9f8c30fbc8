//! Values as integers, so that sums that are equal as decimals are equal: 0.1 + 0.2 is 0.3.
//!
//! Invariant: where the decimals fit, integers are the printed decimals exactly; else they are rounded, and sums
//! that lie within the rounding of each other count as equal.

/// A sample in units of a common power of ten, or of a fraction of its sum where that does not fit.
pub(super) struct Integers {
    /// The values in few bits: exact where `slack` is 0, else rounded.
    pub(super) quick: Vec<i64>,
    /// Sums of quick values this near each other may be equal.
    pub(super) slack: i64,
    /// The values exactly, where `quick` is rounded and more bits are enough.
    pub(super) exact: Option<Vec<i128>>,
}

/// Sums of magnitudes stay below this, so that sums of a whole sample, doubled, fit into 64 bits.
const QUICK: i128 = 1 << 61;
/// The same for 128 bits, with room for a product with a sample's size.
const EXACT: i128 = 1 << 92;

impl Integers {
    /// Of finite values, fewer than 2³².
    pub(super) fn of(values: &[f64]) -> Self {
        /// Of the sum of magnitudes: how near decimals that cannot be compared exactly have to be.
        const NEAR: f64 = 1e-12;
        let exact = decimals(values);
        if let Some(exact) = &exact
            && magnitude(exact) < QUICK
        {
            return Self {
                quick: exact.iter().map(|&value| value as i64).collect(),
                slack: 0,
                exact: None,
            };
        }
        let largest = values
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs()));
        let sum: f64 = values.iter().map(|value| (value / largest).abs()).sum();
        let unit = QUICK as f64 / (sum * 2.0);
        // Half a unit each, and the rounding of three products in 2⁶⁰ units, several times over because bounds are
        // computed from rounded sums too.
        let rounding = 4 * values.len() as i64 + (1 << 13);
        let near = (QUICK as f64 / 2.0 * NEAR) as i64;
        Self {
            quick: values
                .iter()
                .map(|value| (value / largest * unit).round() as i64)
                .collect(),
            slack: if exact.is_some() {
                rounding
            } else {
                rounding.max(near)
            },
            exact,
        }
    }
}

fn magnitude(values: &[i128]) -> i128 {
    values
        .iter()
        .fold(0, |sum, value| sum.saturating_add(value.abs()))
}

/// The shortest decimals that the values print as, in units of their smallest power of ten; `None` where their sum
/// would not fit.
fn decimals(values: &[f64]) -> Option<Vec<i128>> {
    let parts: Vec<(i128, i32)> = values.iter().map(|&value| decimal(value)).collect();
    let smallest = parts
        .iter()
        .filter(|(digits, _)| *digits != 0)
        .map(|&(_, exponent)| exponent)
        .min()
        .unwrap_or(0);
    let scaled: Option<Vec<i128>> = parts
        .into_iter()
        .map(|(digits, exponent)| {
            if digits == 0 {
                return Some(0);
            }
            let power = 10_i128.checked_pow((exponent - smallest) as u32)?;
            digits.checked_mul(power)
        })
        .collect();
    scaled.filter(|scaled| magnitude(scaled) < EXACT)
}

/// Digits and power of ten of the shortest decimal.
fn decimal(value: f64) -> (i128, i32) {
    let printed = format!("{value:e}");
    let (digits, exponent) = printed.split_once('e').expect("an exponent is printed");
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent: i32 = exponent.parse().expect("a printed exponent is a number");
    let digits = format!("{whole}{fraction}");
    let digits = digits
        .parse()
        .expect("at most seventeen digits are printed");
    (digits, exponent - fraction.len() as i32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_exact() {
        assert_eq!(Integers::of(&[0.1, 0.2, 0.3]).quick, [1, 2, 3]);
        assert_eq!(Integers::of(&[-1.5, 20.0, 0.0]).quick, [-15, 200, 0]);
        assert_eq!(decimal(1e-300), (1, -300));
    }

    #[test]
    fn long_decimals_take_more_bits() {
        let values = [0.123_456_789_012_345_67, 1e3, 2.5];
        let integers = Integers::of(&values);
        let exact = integers.exact.unwrap();
        assert_eq!(exact[1], 1000 * exact[2] * 2 / 5);
        assert!(integers.slack > 0);
    }

    proptest! {
        #[test]
        fn rounded_sums_are_within_the_slack(values in prop::collection::vec(-1e3..1e3_f64, 1..50)) {
            let integers = Integers::of(&values);
            if let Some(exact) = integers.exact {
                let unit = integers.quick.iter().map(|value| value.abs()).sum::<i64>() as f64
                    / exact.iter().map(|value| value.abs()).sum::<i128>() as f64;
                let (mut quick, mut sum) = (0, 0);
                for (&few, &many) in integers.quick.iter().zip(&exact) {
                    quick += few;
                    sum += many;
                    prop_assert!((quick as f64 - sum as f64 * unit).abs() <= integers.slack as f64);
                }
            }
        }

        #[test]
        fn any_values_fit(values in prop::collection::vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 1..50)) {
            let integers = Integers::of(&values);
            let sum = integers.quick.iter().map(|&value| i128::from(value).abs()).sum::<i128>();
            prop_assert!(sum <= QUICK);
        }
    }
}
