//! The description of a sample: location, spread, quantiles, shape.
//!
//! Invariant: quantiles are of type 7 (Hyndman & Fan 1996), variances are divided by n − 1.

use crate::exact::{scale_of, sum};
use crate::interval::Interval;
use crate::moments::{Deviations, Moments, finite};
use crate::probability::Level;
use crate::ranking::{key_of, value_of};
use crate::special::student_two_sided_quantile;
use crate::undefined::Undefined;

mod shape;

pub use shape::{Shape, shape, trimmed_mean};

/// From so many values on, a sample is described without sorting it.
const MANY: usize = 4_096;

/// What a sample of finite numbers looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Description {
    /// How many values.
    pub n: usize,
    /// Their sum.
    pub sum: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The smallest value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
    /// The median: the mean of the two middle values where `n` is even.
    pub median: f64,
    /// The sample variance, Σ(x − mean)² / (n − 1); `None` for one value.
    pub variance: Option<f64>,
    /// The sample standard deviation, exact also where the variance overflows or underflows.
    pub sd: Option<f64>,
    /// The standard error of the mean, sd / √n.
    pub sem: Option<f64>,
}

impl Description {
    /// The t interval of the mean; `None` where the values do not vary or there is one.
    ///
    /// The mean has no bootstrap interval here: at ten values the best of them covers 88 % instead of 95 %.
    pub fn mean_interval(&self, level: Level) -> Option<Interval> {
        let sem = self.sem.filter(|&sem| sem > 0.0)?;
        let half = sem * student_two_sided_quantile(level.outside(), (self.n - 1) as f64);
        Some(Interval::new(self.mean - half, self.mean + half))
    }
}

/// Describes a sample. Sums are kept in twice the precision, in units of a power of two near the largest
/// magnitude, so that offsets, mixed magnitudes and extreme scales cost no digits.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::EmptyInput`].
pub fn describe(values: &[f64]) -> Result<Description, Undefined> {
    if values.len() >= MANY {
        return many(values);
    }
    let sorted = sorted(values)?;
    let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
    let n = values.len();
    let scale = scale_of(min.abs().max(max.abs()));
    let total = sum(values.iter().map(|value| value / scale));
    let sd = (n > 1).then(|| {
        if min == max {
            0.0
        } else {
            Deviations::of(values, (min, max)).sd()
        }
    });
    Ok(Description {
        n,
        sum: total.value() * scale,
        // The rounded mean of a constant may lie beside the constant.
        mean: (total.over(n as f64).value() * scale).clamp(min, max),
        min,
        max,
        median: of_sorted(&sorted, 0.5),
        variance: sd.map(|sd| sd * sd),
        sd,
        sem: sd.map(|sd| sd / (n as f64).sqrt()),
    })
}

/// As [`describe`], of values so many that their order as a whole and sums in twice the precision throughout take most of the time:
/// the middle is selected, and sums are plain within blocks where that costs no digits.
fn many(values: &[f64]) -> Result<Description, Undefined> {
    finite(&[values])?;
    let moments = Moments::of(values).ok_or(Undefined::EmptyInput)?;
    let n = values.len();
    let mut keys: Vec<u64> = values.iter().map(|&value| key_of(value)).collect();
    let (below, &mut upper, _) = keys.select_nth_unstable(n / 2);
    let lower = if n.is_multiple_of(2) {
        below.iter().copied().max().unwrap_or(upper)
    } else {
        upper
    };
    let varies = !moments.is_constant();
    let sd = if varies { moments.sd } else { 0.0 };
    Ok(Description {
        n,
        sum: moments.sum(),
        mean: moments.mean(),
        // Adding zero turns −0 into 0, so that no answer depends on which of them comes first.
        min: moments.range.0 + 0.0,
        max: moments.range.1 + 0.0,
        median: (value_of(lower) * 0.5 + value_of(upper) * 0.5)
            .clamp(moments.range.0, moments.range.1),
        variance: Some(sd * sd),
        sd: Some(sd),
        sem: Some(sd / (n as f64).sqrt()),
    })
}

/// The quantile of type 7 (Hyndman & Fan 1996): linear between the order statistics around `(n − 1) p`.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], also where `p` is not in 0..=1; [`Undefined::EmptyInput`].
pub fn quantile(values: &[f64], p: f64) -> Result<f64, Undefined> {
    if !(0.0..=1.0).contains(&p) {
        return Err(Undefined::NonFiniteInput);
    }
    Ok(of_sorted(&sorted(values)?, p))
}

/// The values in order, of which there is at least one and all are finite.
fn sorted(values: &[f64]) -> Result<Vec<f64>, Undefined> {
    finite(&[values])?;
    if values.is_empty() {
        return Err(Undefined::EmptyInput);
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(sorted)
}

fn of_sorted(sorted: &[f64], p: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * p;
    let below = sorted[place.floor() as usize];
    let above = sorted[place.ceil() as usize];
    let part = place - place.floor();
    // Not `below + part * (above − below)`: the difference may overflow.
    (below * (1.0 - part) + above * part).clamp(below, above)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ten_times_a_tenth_is_constant() {
        let description = describe(&[0.1; 10]).unwrap();
        assert_eq!((description.mean, description.sd), (0.1, Some(0.0)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn many_values_are_described_as_few_are(
            seed in any::<u64>(),
            n in MANY - 3..MANY + 3,
            offset in prop_oneof![Just(0.0), Just(-1e9), Just(1e150)],
            rounded in any::<bool>(),
        ) {
            let mut random = crate::random::SplitMix64::new(seed);
            let values: Vec<f64> = (0..n).map(|_| {
                let value = 100.0 * random.unit();
                offset + if rounded { value.round() } else { value }
            }).collect();
            let many = many(&values).unwrap();
            let sorted = sorted(&values).unwrap();
            prop_assert_eq!(many.median, of_sorted(&sorted, 0.5));
            prop_assert_eq!((many.min, many.max), (sorted[0], sorted[n - 1]));
            let all = sum(values.iter().copied());
            let near = |found: f64, expected: f64| (found - expected).abs() <= 4e-16 * expected.abs();
            prop_assert!(near(many.sum, all.value()), "{} {}", many.sum, all.value());
            prop_assert!(near(many.mean, all.over(n as f64).value()));
            let exact = if sorted[0] == sorted[n - 1] {
                0.0
            } else {
                Deviations::of(&values, (sorted[0], sorted[n - 1])).sd()
            };
            let sd = many.sd.unwrap();
            prop_assert!((sd - exact).abs() <= 1e-13 * exact, "{sd} {exact}");
        }
    }

    #[test]
    fn many_values_keep_the_digits_that_mixed_magnitudes_hide() {
        let mut values = vec![1.0; 5_000];
        values[7] = 1e17;
        values[4_001] = -1e17;
        let found = describe(&values).unwrap();
        assert_eq!((found.sum, found.median, found.n), (4_998.0, 1.0, 5_000));
        assert_eq!(
            describe(&vec![f64::NAN; 5_000]),
            Err(Undefined::NonFiniteInput)
        );
        assert_eq!(describe(&vec![0.1; 5_000]).unwrap().sd, Some(0.0));
    }

    #[test]
    fn one_value_has_no_spread() {
        let description = describe(&[7.25]).unwrap();
        assert_eq!((description.sd, description.variance), (None, None));
        assert_eq!(describe(&[]), Err(Undefined::EmptyInput));
        assert_eq!(describe(&[f64::NAN]), Err(Undefined::NonFiniteInput));
    }

    #[test]
    fn the_largest_floats_do_not_overflow_the_mean() {
        let description = describe(&[f64::MAX, f64::MAX, -f64::MAX]).unwrap();
        assert!((description.mean / (f64::MAX / 3.0) - 1.0).abs() < 1e-15);
        assert_eq!(quantile(&[-f64::MAX, f64::MAX], 0.5), Ok(0.0));
    }
}
