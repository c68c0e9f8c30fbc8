//! What a sample looks like beyond its mean and spread: robust measures, skewness, tails, order.
//!
//! Invariant: differences of values are taken in twice the precision, so that an offset costs no digits.

use super::sorted;
use crate::exact::{Double, sum};
use crate::moments::Deviations;
use crate::undefined::Undefined;

/// The shape of a sample. What needs values that vary, or more of them, is `None` without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// How many values.
    pub n: usize,
    /// The interquartile range.
    pub iqr: f64,
    /// The median absolute deviation from the median, unscaled.
    pub mad: f64,
    /// The interquartile mean: the mean without the lowest and the highest quarter.
    pub iqm: f64,
    /// The mean without the lowest and the highest tenth.
    pub trimmed_mean: f64,
    /// The skewness g₁ = m₃/m₂^1.5 of the sample's own moments; three values.
    pub skewness: Option<f64>,
    /// The skewness G₁, adjusted for the sample's size (Joanes & Gill 1998).
    pub skewness_adjusted: Option<f64>,
    /// The excess kurtosis g₂ = m₄/m₂² − 3 of the sample's own moments; three values.
    pub excess_kurtosis: Option<f64>,
    /// The excess kurtosis G₂, adjusted for the sample's size; four values.
    pub excess_kurtosis_adjusted: Option<f64>,
    /// The correlation of each value with the next one, around the common mean; three values.
    pub lag1_autocorrelation: Option<f64>,
    /// The geometric mean, where all values are greater than 0.
    pub geometric_mean: Option<f64>,
}

/// The shape of a sample; the order of the values matters to the autocorrelation alone.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::EmptyInput`].
pub fn shape(values: &[f64]) -> Result<Shape, Undefined> {
    let sorted = sorted(values)?;
    let n = values.len();
    let (min, max) = (sorted[0], sorted[n - 1]);
    let moments = (n > 2 && min < max).then(|| Standardized::of(values, (min, max)));
    let size = n as f64;
    Ok(Shape {
        n,
        iqr: place(&sorted, 0.75)
            .plus(place(&sorted, 0.25).negated())
            .value(),
        mad: median_deviation(&sorted),
        iqm: middle_mean(&sorted, n / 4),
        trimmed_mean: middle_mean(&sorted, cut(n, 0.1)),
        skewness: moments.map(|moments| moments.skewness),
        skewness_adjusted: moments
            .map(|moments| moments.skewness * (size * (size - 1.0)).sqrt() / (size - 2.0)),
        excess_kurtosis: moments.map(|moments| moments.kurtosis),
        excess_kurtosis_adjusted: moments.filter(|_| n > 3).map(|moments| {
            (size - 1.0) * ((size + 1.0) * moments.kurtosis + 6.0) / ((size - 2.0) * (size - 3.0))
        }),
        lag1_autocorrelation: moments.map(|moments| moments.lag1),
        geometric_mean: (min > 0.0).then(|| {
            let logs = sum(values.iter().map(|&value| libm::log(value)));
            libm::exp(logs.over(size).value()).clamp(min, max)
        }),
    })
}

/// The mean without a share of the values at each end, rounded down to whole values.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where the share is not in 0..0.5;
/// [`Undefined::EmptyInput`].
pub fn trimmed_mean(values: &[f64], share: f64) -> Result<f64, Undefined> {
    let sorted = sorted(values)?;
    if !(0.0..0.5).contains(&share) {
        return Err(Undefined::DomainError);
    }
    Ok(middle_mean(&sorted, cut(values.len(), share)))
}

fn cut(n: usize, share: f64) -> usize {
    (share * n as f64) as usize
}

/// The mean of sorted values without `cut` of them at each end.
fn middle_mean(sorted: &[f64], cut: usize) -> f64 {
    let middle = &sorted[cut..sorted.len() - cut];
    let (low, high) = (middle[0], middle[middle.len() - 1]);
    // Halves, so that two of the greatest floats do not leave the floats.
    let total = sum(middle.iter().map(|value| value / middle.len() as f64));
    let mean = if total.value().is_finite() && low.abs().max(high.abs()) > 1e290 {
        total
    } else {
        sum(middle.iter().copied()).over(middle.len() as f64)
    };
    mean.value().clamp(low, high)
}

/// A quantile of type 7 with the digits that cancel in a difference.
fn place(sorted: &[f64], p: f64) -> Double {
    let place = (sorted.len() - 1) as f64 * p;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    Double::from(below).plus(Double::from((above - below) * (place - place.floor())))
}

fn median_deviation(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    let halves = |values: &[f64]| {
        Double::from(values[(n - 1) / 2] / 2.0).plus(Double::from(values[n / 2] / 2.0))
    };
    let median = halves(sorted).negated();
    let mut deviations: Vec<_> = sorted
        .iter()
        .map(|&value| Double::from(value).plus(median).value().abs())
        .collect();
    deviations.sort_unstable_by(f64::total_cmp);
    halves(&deviations).value()
}

/// Moments of the deviations in units of the sd.
#[derive(Debug, Clone, Copy)]
struct Standardized {
    skewness: f64,
    kurtosis: f64,
    lag1: f64,
}

impl Standardized {
    fn of(values: &[f64], range: (f64, f64)) -> Self {
        let deviations: Vec<f64> = Deviations::of(values, range)
            .each()
            .map(Double::value)
            .collect();
        let n = values.len() as f64;
        let total = |function: fn(f64) -> f64| sum(deviations.iter().map(|&d| function(d))).value();
        let squares = total(|d| d * d);
        let m2 = squares / n;
        let m3 = total(|d| d * d * d) / n;
        let m4 = total(|d| d * d * d * d) / n;
        let next = sum(deviations.windows(2).map(|pair| pair[0] * pair[1])).value();
        Self {
            skewness: m3 / (m2 * m2.sqrt()),
            kurtosis: m4 / (m2 * m2) - 3.0,
            lag1: next / squares,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_offset_costs_a_range_no_digits() {
        let values = [1e9 + 0.25, 1e9 + 0.5, 1e9 + 0.75, 1e9 + 1.5];
        let shape = shape(&values).unwrap();
        assert_eq!((shape.iqr, shape.mad), (0.5, 0.25));
    }

    #[test]
    fn what_is_not_defined_is_none() {
        let constant = shape(&[0.1; 10]).unwrap();
        assert_eq!(constant.skewness, None);
        assert_eq!((constant.iqm, constant.geometric_mean), (0.1, Some(0.1)));
        assert_eq!(shape(&[-1.0, 2.0]).unwrap().geometric_mean, None);
        assert_eq!(trimmed_mean(&[1.0], 0.5), Err(Undefined::DomainError));
        assert_eq!(shape(&[]), Err(Undefined::EmptyInput));
    }

    proptest! {
        #[test]
        fn any_finite_sample_has_a_shape(values in prop::collection::vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 1..9)) {
            let shape = shape(&values).unwrap();
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!((low..=high).contains(&shape.iqm), "{shape:?}");
            prop_assert!((low..=high).contains(&shape.trimmed_mean));
            for value in [shape.iqr, shape.mad] {
                prop_assert!(value >= 0.0, "{shape:?}");
            }
            for value in [shape.skewness, shape.excess_kurtosis, shape.lag1_autocorrelation] {
                prop_assert!(value.is_none_or(f64::is_finite), "{shape:?}");
            }
        }

        #[test]
        fn a_mirrored_sample_is_skewed_the_other_way(values in prop::collection::vec(-9.0..9.0_f64, 4..40)) {
            let mirrored: Vec<_> = values.iter().map(|value| -value).collect();
            let (there, back) = (shape(&values).unwrap(), shape(&mirrored).unwrap());
            prop_assert_eq!(there.skewness, back.skewness.map(|g| -g));
            prop_assert_eq!(there.lag1_autocorrelation, back.lag1_autocorrelation);
        }
    }
}
