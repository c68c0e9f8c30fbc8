//! Intervals out of replicates of a statistic, whichever way they were drawn.

use crate::interval::Interval;
use crate::moments::within_floats;
use crate::probability::Level;
use crate::special::{Tail, normal, normal_quantile};
use crate::undefined::Undefined;

/// What replicates say about a statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapIntervals {
    /// The standard deviation of the replicates.
    pub se: f64,
    /// Between the replicates' quantiles (type 7).
    pub percentile: Interval,
    /// The percentile interval mirrored at the statistic.
    pub basic: Interval,
    /// The percentile interval corrected for bias and acceleration.
    pub bca: Result<Bca, Undefined>,
}

/// A bias-corrected and accelerated interval (Efron 1987).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bca {
    /// The interval.
    pub interval: Interval,
    /// The bias correction: the normal quantile of (replicates below + ½ replicates equal) / replicates.
    pub z0: f64,
    /// The acceleration: a sixth of the skewness of the jackknife's terms.
    pub acceleration: f64,
    /// The replicates' quantile at the low end.
    pub alpha_low: f64,
    /// The replicates' quantile at the high end.
    pub alpha_high: f64,
}

impl Bca {
    /// Whether the ends lie beyond what this many replicates can tell: then more are needed.
    pub fn needs_more(&self, replicates: usize) -> bool {
        let least = 1.0 / (replicates as f64 + 1.0);
        self.alpha_low < least || self.alpha_high > 1.0 - least
    }
}

/// Intervals of a statistic from its value, its replicates (at least two) and its values without one observation
/// each.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::TooFewObservations`] for fewer than two replicates,
/// [`Undefined::DomainError`] where a result leaves the floats. BCa alone may be
/// [`Undefined::DegenerateBootstrap`]: all replicates on one side of the statistic, or a jackknife without spread.
pub fn intervals_from_replicates(
    statistic: f64,
    replicates: &[f64],
    jackknife: &[f64],
    level: Level,
) -> Result<BootstrapIntervals, Undefined> {
    if !statistic.is_finite() || jackknife.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    let mean = jackknife.iter().sum::<f64>() / jackknife.len() as f64;
    let terms: Vec<f64> = jackknife.iter().map(|value| mean - value).collect();
    intervals(statistic, replicates.to_vec(), &terms, level)
}

/// As [`intervals_from_replicates`], with the terms mean − value of the jackknife.
pub(super) fn intervals(
    statistic: f64,
    mut replicates: Vec<f64>,
    terms: &[f64],
    level: Level,
) -> Result<BootstrapIntervals, Undefined> {
    if replicates.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    if replicates.len() < 2 {
        return Err(Undefined::TooFewObservations);
    }
    let outside = level.outside() / 2.0;
    let se = spread(&replicates);
    let share = share_below(statistic, &replicates);
    let percentile = Interval::new(
        select_quantile(&mut replicates, outside),
        select_quantile(&mut replicates, 1.0 - outside),
    );
    let basic = Interval::new(
        2.0 * statistic - percentile.high,
        2.0 * statistic - percentile.low,
    );
    within_floats(&[se, basic.low, basic.high])?;
    Ok(BootstrapIntervals {
        se,
        percentile,
        basic,
        bca: bca(share, &mut replicates, terms, outside),
    })
}

/// The quantile of type 7 of unsorted numbers, at least one; their order changes.
pub(super) fn select_quantile(values: &mut [f64], p: f64) -> f64 {
    let place = (values.len() - 1) as f64 * p;
    let (_, below, rest) = values.select_nth_unstable_by(place.floor() as usize, f64::total_cmp);
    let below = *below;
    let above = rest.iter().copied().fold(f64::INFINITY, f64::min);
    let part = place - place.floor();
    if part == 0.0 || rest.is_empty() {
        return below;
    }
    // Not `below + part * (above − below)`: the difference may overflow.
    (below * (1.0 - part) + above * part).clamp(below, above)
}

/// The standard deviation of at least two numbers, with a second pass against cancellation.
fn spread(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let first = values[0];
    let mean = first + values.iter().map(|value| value - first).sum::<f64>() / n;
    let (mut sum, mut squares) = (0.0, 0.0);
    for value in values {
        let deviation = value - mean;
        sum += deviation;
        squares += deviation * deviation;
    }
    ((squares - sum * sum / n).max(0.0) / (n - 1.0)).sqrt()
}

/// The share of the replicates below the statistic, those that equal it counted by half. Replicates are sums that
/// were added up in another order, so that equality is meant within a rounding of their spread.
fn share_below(statistic: f64, replicates: &[f64]) -> f64 {
    /// Of the replicates' range.
    const ROUNDING: f64 = 1e-12;
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &value in replicates {
        low = low.min(value);
        high = high.max(value);
    }
    let slack = (high - low) * ROUNDING;
    let (mut less, mut equal) = (0_u64, 0_u64);
    for &value in replicates {
        let over = value - statistic;
        less += u64::from(over < -slack);
        equal += u64::from(over.abs() <= slack);
    }
    (less as f64 + equal as f64 / 2.0) / replicates.len() as f64
}

fn bca(share: f64, replicates: &mut [f64], terms: &[f64], outside: f64) -> Result<Bca, Undefined> {
    if share <= 0.0 || share >= 1.0 {
        return Err(Undefined::DegenerateBootstrap);
    }
    let acceleration = acceleration(terms)?;
    let z0 = normal_quantile(Tail::Lower(share));
    let quantile = normal_quantile(Tail::Upper(outside));
    let alpha = |z: f64| {
        let shifted = z0 + z;
        let room = 1.0 - acceleration * shifted;
        // Beyond the pole the correction has turned round: the end is the replicates' own.
        if room <= 0.0 {
            return f64::from(shifted > 0.0);
        }
        normal(z0 + shifted / room).lower
    };
    let (alpha_low, alpha_high) = (alpha(-quantile), alpha(quantile));
    Ok(Bca {
        interval: Interval::new(
            select_quantile(replicates, alpha_low),
            select_quantile(replicates, alpha_high),
        ),
        z0,
        acceleration,
        alpha_low,
        alpha_high,
    })
}

/// Σ term³ / (6 (Σ term²)^1.5); the terms are scaled first, so that cubes of extreme ones stay floats.
fn acceleration(terms: &[f64]) -> Result<f64, Undefined> {
    let largest = terms
        .iter()
        .fold(0.0_f64, |most, term| most.max(term.abs()));
    if largest == 0.0 {
        return Err(Undefined::DegenerateBootstrap);
    }
    let (mut squares, mut cubes) = (0.0, 0.0);
    for term in terms {
        let term = term / largest;
        squares += term * term;
        cubes += term * term * term;
    }
    Ok(cubes / (6.0 * squares * squares.sqrt()))
}
