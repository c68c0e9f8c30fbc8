//! Mean and spread of a sample, fast where plain sums have the digits and in twice the precision where not.
//!
//! Not here: the checks of a procedure's input; samples are finite and not empty. Invariant: sums run in fixed blocks
//! and lanes, so that the same sample gives the same bits everywhere.

use crate::exact::{Double, scale_of, sum};
use crate::undefined::Undefined;

/// What the tests of means need of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moments {
    /// How many values.
    pub(crate) n: usize,
    /// Their mean, with the digits that cancel in a difference of means.
    pub(crate) mean: Double,
    /// The sample standard deviation; 0 for one value and exactly where all values are equal.
    pub(crate) sd: f64,
    /// The smallest and the greatest value.
    pub(crate) range: (f64, f64),
}

impl Moments {
    /// Of a finite sample; `None` where it is empty.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let &first = values.first()?;
        let range = extent(values, first);
        let n = values.len();
        if range.0 == range.1 {
            return Some(Self {
                n,
                mean: first.into(),
                sd: 0.0,
                range,
            });
        }
        let (mean, sd) = plain(values, range).unwrap_or_else(|| exact(values, range));
        Some(Self { n, mean, sd, range })
    }

    /// The mean, rounded; a rounded mean may lie beside the values.
    pub(crate) fn mean(&self) -> f64 {
        self.mean.value().clamp(self.range.0, self.range.1)
    }

    /// The sum; infinite where it leaves the floats.
    pub(crate) fn sum(&self) -> f64 {
        let (min, max) = self.range;
        let scale = scale_of(min.abs().max(max.abs()));
        self.mean.over(scale).times(self.n as f64).value() * scale
    }

    /// The standard error of the mean.
    pub(crate) fn sem(&self) -> f64 {
        self.sd / (self.n as f64).sqrt()
    }

    /// Whether all values are equal.
    pub(crate) fn is_constant(&self) -> bool {
        self.range.0 == self.range.1
    }

    /// This mean minus another.
    pub(crate) fn difference(&self, other: &Self) -> f64 {
        self.mean.plus(other.mean.negated()).value()
    }
}

/// Refuses samples that are not finite.
pub(crate) fn finite(samples: &[&[f64]]) -> Result<(), Undefined> {
    if samples.iter().all(|values| all_finite(values)) {
        Ok(())
    } else {
        Err(Undefined::NonFiniteInput)
    }
}

/// Refuses a result that left the range of the floats.
pub(crate) fn within_floats(results: &[f64]) -> Result<(), Undefined> {
    if results.iter().all(|result| result.is_finite()) {
        Ok(())
    } else {
        Err(Undefined::DomainError)
    }
}

/// A mean nearer to 0 than this part of the magnitudes has lost too much to rounding.
const CANCELLED: f64 = 2e-5;
/// Sums that run side by side.
const LANES: usize = 8;
/// Values whose plain sum is added up before it goes into a sum of twice the precision.
const BLOCK: usize = 1024;

fn all_finite(values: &[f64]) -> bool {
    const EXPONENT: u64 = 0x7FF0_0000_0000_0000;
    let not_finite = |value: &f64| value.to_bits() & EXPONENT == EXPONENT;
    let mut found = [false; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder().iter().any(not_finite);
    for chunk in chunks {
        for (found, value) in found.iter_mut().zip(chunk) {
            *found |= not_finite(value);
        }
    }
    !rest && found == [false; LANES]
}

fn extent(values: &[f64], first: f64) -> (f64, f64) {
    let (mut low, mut high) = ([first; LANES], [first; LANES]);
    for chunk in values.chunks(LANES) {
        for (at, &value) in chunk.iter().enumerate() {
            low[at] = if value < low[at] { value } else { low[at] };
            high[at] = if value > high[at] { value } else { high[at] };
        }
    }
    (
        low.iter().copied().fold(first, f64::min),
        high.iter().copied().fold(first, f64::max),
    )
}

/// Σ f over one block, in lanes.
fn lanes(block: &[f64], function: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; LANES];
    let chunks = block.chunks_exact(LANES);
    for (sum, &value) in sums.iter_mut().zip(chunks.remainder()) {
        *sum += function(value);
    }
    for chunk in chunks {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += function(value);
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

fn blocks(values: &[f64], function: impl Fn(f64) -> f64 + Copy) -> Double {
    sum(values.chunks(BLOCK).map(|block| lanes(block, function)))
}

/// Mean and sd from plain sums around a first mean; `None` where magnitudes or squares would cost digits.
fn plain(values: &[f64], (min, max): (f64, f64)) -> Option<(Double, f64)> {
    /// Magnitudes whose squares are normal floats.
    const SAFE: std::ops::Range<f64> = 1e-140..1e140;
    let magnitude = min.abs().max(max.abs());
    let n = values.len() as f64;
    if !SAFE.contains(&magnitude) {
        return None;
    }
    let first = blocks(values, |value| value).over(n).value();
    let rest = blocks(values, |value| value - first);
    let squares = blocks(values, |value| (value - first) * (value - first)).value();
    let mean = Double::from(first).plus(rest.over(n));
    let rest = rest.value();
    let sd = ((squares - rest * rest / n) / (n - 1.0)).sqrt();
    let kept = mean.value().abs() >= CANCELLED * magnitude && SAFE.contains(&sd);
    kept.then_some((mean, sd))
}

/// Mean and sd in twice the precision.
fn exact(values: &[f64], range: (f64, f64)) -> (Double, f64) {
    let deviations = Deviations::of(values, range);
    (deviations.mean, deviations.sd())
}

/// Deviations from the mean in twice the precision, in a unit near the widest of them.
pub(crate) struct Deviations<'values> {
    values: &'values [f64],
    /// The unit of the values.
    scale: f64,
    /// The mean in the unit of the values.
    centre: Double,
    /// The unit of the deviations, in the unit of the values.
    spread: f64,
    /// The mean.
    mean: Double,
}

impl<'values> Deviations<'values> {
    /// Of a finite sample that is not constant, with its smallest and its greatest value.
    pub(crate) fn of(values: &'values [f64], (min, max): (f64, f64)) -> Self {
        let scale = scale_of(min.abs().max(max.abs()));
        let centre = sum(values.iter().map(|value| value / scale)).over(values.len() as f64);
        let from_centre = |value: f64| Double::from(value / scale).plus(centre.negated()).value();
        let widest = from_centre(min).abs().max(from_centre(max).abs());
        Self {
            values,
            scale,
            centre,
            spread: scale_of(widest),
            mean: centre.times_power(scale),
        }
    }

    /// The deviations in their unit.
    pub(crate) fn each(&self) -> impl Iterator<Item = Double> + '_ {
        self.values.iter().map(|value| {
            Double::from(value / self.scale)
                .plus(self.centre.negated())
                .over(self.spread)
        })
    }

    /// The sample standard deviation.
    pub(crate) fn sd(&self) -> f64 {
        let squares = self.each().fold(Double::default(), |squares, deviation| {
            squares.plus(deviation.squared())
        });
        let variance = squares.over((self.values.len() - 1) as f64).value();
        variance.sqrt() * self.spread * self.scale
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_sums_have_the_digits_of_exact_ones(
            values in prop::collection::vec(-1.0..9.0_f64, 2..300),
            offset in prop_oneof![Just(0.0), Just(1e6), Just(-1e9)],
        ) {
            let values: Vec<_> = values.iter().map(|value| value + offset).collect();
            let moments = Moments::of(&values).unwrap();
            prop_assume!(moments.range.0 < moments.range.1);
            let (mean, sd) = exact(&values, moments.range);
            prop_assert!((moments.sd / sd - 1.0).abs() < 1e-13);
            let error = moments.mean.plus(mean.negated()).value();
            prop_assert!(error.abs() <= 1e-14 * sd, "{error}");
        }
    }

    #[test]
    fn extreme_scales_and_mixed_magnitudes_keep_their_digits() {
        let tiny = Moments::of(&[1e-300, 3e-300]).unwrap();
        assert!((tiny.sd / std::f64::consts::SQRT_2 / 1e-300 - 1.0).abs() < 1e-15);
        let mixed = Moments::of(&[1e16, 1.0, -1e16, 3.0]).unwrap();
        assert_eq!(mixed.mean(), 1.0);
    }

    #[test]
    fn a_value_that_is_not_finite_is_found_anywhere() {
        for at in 0..20 {
            let mut values = [1.0; 20];
            values[at] = f64::INFINITY;
            assert_eq!(finite(&[&values]), Err(Undefined::NonFiniteInput), "{at}");
        }
        assert_eq!(finite(&[&[1.0; 20], &[]]), Ok(()));
    }
}
