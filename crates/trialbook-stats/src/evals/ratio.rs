//! Ratios of means of pairs, such as cost by success.

use crate::exact::{scale_of, sum};
use crate::interval::Interval;
use crate::moments::{Moments, finite, within_floats};
use crate::probability::Level;
use crate::special::{Tail, normal_quantile, student_two_sided_quantile};
use crate::t_test::at_least;
use crate::undefined::Undefined;

/// A ratio of means and its intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioOfMeans {
    /// The mean of the numerators by that of the denominators.
    pub ratio: f64,
    /// The standard error by the delta method.
    pub se: f64,
    /// By the delta method and the normal distribution.
    pub delta: Interval,
    /// By Fieller's theorem and Student's t; [`Undefined::DenominatorNotSignificant`] where it is not bounded.
    pub fieller: Result<Interval, Undefined>,
}

/// The ratio of the means of pairs (Fieller 1954).
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::LengthMismatch`], [`Undefined::TooFewObservations`] for fewer than two
/// pairs, [`Undefined::DenominatorNotSignificant`] where the denominators' mean is 0, [`Undefined::DomainError`] where
/// a result leaves the floats.
pub fn ratio_of_means(
    numerators: &[f64],
    denominators: &[f64],
    level: Level,
) -> Result<RatioOfMeans, Undefined> {
    finite(&[numerators, denominators])?;
    if numerators.len() != denominators.len() {
        return Err(Undefined::LengthMismatch);
    }
    let (numerators, unit) = scaled(numerators);
    let (denominators, by) = scaled(denominators);
    let over = at_least(&numerators, 2)?;
    let under = at_least(&denominators, 2)?;
    let (x, y) = (over.mean(), under.mean());
    if y == 0.0 {
        return Err(Undefined::DenominatorNotSignificant);
    }
    let n = numerators.len() as f64;
    let ratio = x / y;
    let deviations =
        |moments: Moments, value: f64| moments.mean.negated().plus(value.into()).value();
    let pairs = || {
        numerators
            .iter()
            .zip(&denominators)
            .map(|(&a, &b)| (deviations(over, a), deviations(under, b)))
    };
    let scale = n * (n - 1.0);
    // Of numerator − ratio · denominator: nothing cancels.
    let residuals = pairs().map(|(a, b)| a - ratio * b);
    let variance = sum(residuals.map(|residual| residual * residual)).value() / scale;
    let covariance = sum(pairs().map(|(a, b)| a * b)).value() / scale;
    let se = variance.sqrt() / y.abs();
    let half = normal_quantile(Tail::Upper(level.outside() / 2.0)) * se;
    let t = student_two_sided_quantile(level.outside(), n - 1.0);
    let (vx, vy) = (over.sem() * over.sem(), under.sem() * under.sem());
    let square = t * t;
    let bounded = y * y - square * vy;
    let left = y * y * variance - square * (vx * vy - covariance * covariance);
    let fieller = if bounded > 0.0 && left >= 0.0 {
        let (centre, half) = (x * y - square * covariance, t * left.sqrt());
        Ok(Interval::new(
            (centre - half) / bounded,
            (centre + half) / bounded,
        ))
    } else {
        Err(Undefined::DenominatorNotSignificant)
    };
    let unscaled = |value: f64| value / by * unit;
    let interval = |ends: Interval| Interval::new(unscaled(ends.low), unscaled(ends.high));
    let delta = interval(Interval::new(ratio - half, ratio + half));
    within_floats(&[delta.low, delta.high])?;
    Ok(RatioOfMeans {
        ratio: unscaled(ratio),
        se: unscaled(se),
        delta,
        fieller: fieller.map(interval),
    })
}

/// In units of a power of two near the largest magnitude.
fn scaled(values: &[f64]) -> (Vec<f64>, f64) {
    let largest = values
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    let unit = scale_of(largest);
    (values.iter().map(|value| value / unit).collect(), unit)
}
