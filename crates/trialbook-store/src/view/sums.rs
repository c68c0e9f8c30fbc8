//! Exact sums of a column by groups, several times as fast as adding number by number.
//!
//! Where the exponents of a column lie close together, as those of a measured quantity do, its numbers are
//! whole multiples of one power of two and are added as integers. Invariant: the sums are those that
//! [`ExactSum::add`] gives.

use trialbook_model::exact_sum::ExactSum;

use crate::pack::NumberColumn;

/// The sum of those numbers that are finite, and how many they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    pub(super) finite: u64,
    pub(super) sum: ExactSum,
}

impl Sum {
    /// Adds a number, if there is one.
    pub(super) fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.finite += 1;
            self.sum.add(value);
        }
    }

    /// Takes in another sum.
    pub(super) fn merge(&mut self, other: &Self) {
        self.finite += other.finite;
        self.sum.merge(&other.sum);
    }

    /// The mean, if there is a number.
    pub(super) fn mean(&self) -> Option<f64> {
        self.sum.mean(self.finite)
    }
}

/// Explicit bits of a 64-bit float.
const FRACTION_BITS: u32 = 52;

/// Distance of exponents up to which mantissas of 53 bits are added in 128 bits, a million times.
const CLOSE: u32 = 50;

/// Exponents from which the sum of a million numbers may be beyond all floats.
const HUGE: u32 = 1900;

/// Bits that one float takes over from an integer sum.
const PIECE_BITS: u32 = 50;

/// Sums of one column by groups.
pub(super) enum GroupSums {
    /// Whole multiples of 2^(`lowest` − 1075), where a biased exponent of 0 counts as 1.
    Close { lowest: u32, sums: Vec<(u64, i128)> },
    /// Anything.
    Far(Vec<Sum>),
}

impl GroupSums {
    /// Sums a column; `groups` has the group of each item, of which there are `count`.
    pub(super) fn of(column: &NumberColumn, groups: &[u32], count: usize) -> Self {
        match exponents(&column.values) {
            Some((lowest, highest))
                if column.is_whole() && highest - lowest <= CLOSE && highest < HUGE =>
            {
                let mut sums = vec![(0, 0); count];
                for (value, group) in column.values.iter().zip(groups) {
                    let (finite, sum) = &mut sums[*group as usize];
                    *finite += 1;
                    *sum += whole(*value, lowest);
                }
                Self::Close { lowest, sums }
            }
            Some(_) | None => {
                let mut sums = vec![Sum::default(); count];
                for (value, group) in column.optional().zip(groups) {
                    sums[*group as usize].add(value);
                }
                Self::Far(sums)
            }
        }
    }

    /// Adds the sum of a group to another one.
    pub(super) fn add_to(&self, group: usize, to: &mut Sum) {
        match self {
            Self::Close { lowest, sums } => {
                let (finite, sum) = sums[group];
                to.finite += finite;
                add_whole(sum, *lowest, &mut to.sum);
            }
            Self::Far(sums) => {
                to.finite += sums[group].finite;
                to.sum.merge(&sums[group].sum);
            }
        }
    }
}

/// Biased exponent, at least 1.
fn exponent(value: f64) -> u32 {
    ((value.to_bits() >> FRACTION_BITS) as u32 & 0x7ff).max(1)
}

/// The least and the greatest exponent of the numbers that are not zero; `None` where some are not finite.
fn exponents(values: &[f64]) -> Option<(u32, u32)> {
    let (mut lowest, mut highest) = (u32::MAX, 0);
    for value in values {
        let exponent = exponent(*value);
        highest = highest.max(exponent);
        lowest = lowest.min(if *value == 0.0 { u32::MAX } else { exponent });
    }
    if highest == 0x7ff {
        return None;
    }
    Some((lowest.min(highest), highest))
}

/// A number as a multiple of the unit in the last place of exponent `lowest`.
fn whole(value: f64, lowest: u32) -> i128 {
    if value == 0.0 {
        return 0;
    }
    let bits = value.to_bits();
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let normal = bits >> FRACTION_BITS & 0x7ff != 0;
    let mantissa = fraction | u64::from(normal) << FRACTION_BITS;
    let magnitude = i128::from(mantissa) << (exponent(value) - lowest);
    if value < 0.0 { -magnitude } else { magnitude }
}

/// Adds a multiple of a unit in pieces that floats hold exactly.
fn add_whole(sum: i128, lowest: u32, to: &mut ExactSum) {
    let negative = sum < 0;
    let mut rest = sum.unsigned_abs();
    let mut shift = 0;
    while rest != 0 {
        let piece = (rest & ((1 << PIECE_BITS) - 1)) as u64;
        // 2^(lowest + shift − 1075), in two factors: each of them, and the product, is exact.
        let unit = i64::from(lowest) + i64::from(shift) - 1075;
        let scaled = piece as f64 * power(unit / 2) * power(unit - unit / 2);
        to.add(if negative { -scaled } else { scaled });
        rest >>= PIECE_BITS;
        shift += PIECE_BITS;
    }
}

/// 2 to a power between −1022 and 1023.
fn power(of: i64) -> f64 {
    f64::from_bits(((of + 1023) as u64) << FRACTION_BITS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => -1e6_f64..1e6,
            1 => Just(0.0),
            1 => Just(-5e-324),
            1 => any::<f64>(),
        ]
    }

    proptest! {
        #[test]
        fn groups_have_their_exact_sums(
            values in prop_oneof![
                proptest::collection::vec(value(), 0..40),
                proptest::collection::vec(1.0_f64..1e9, 0..40),
                proptest::collection::vec((0_u64..1 << 53).prop_map(f64::from_bits), 0..40),
                proptest::collection::vec(f64::MAX / 4.0..f64::MAX, 0..40),
            ],
        ) {
            let groups: Vec<u32> = (0..values.len() as u32).map(|at| at % 3).collect();
            let items: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
            let sums = GroupSums::of(&NumberColumn::from(items), &groups, 3);
            for group in 0..3 {
                let mut expected = Sum::default();
                let own = values.iter().skip(group).step_by(3);
                own.for_each(|value| expected.add(Some(*value)));
                let mut found = Sum::default();
                sums.add_to(group, &mut found);
                prop_assert_eq!((found.finite, found.sum), (expected.finite, expected.sum));
            }
        }
    }
}
