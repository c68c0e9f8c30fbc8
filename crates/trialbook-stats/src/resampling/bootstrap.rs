//! Bootstrap intervals of a statistic: drawn, or of all resamples of a few values.

use super::Draws;
use super::interval::{Bca, BootstrapIntervals, intervals};
use super::kernels::{Any, Difference, Kernel, Ratio, Resampled};
use crate::interval::Interval;
use crate::probability::Level;
use crate::undefined::Undefined;

/// A statistic of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// The arithmetic mean.
    Mean,
    /// The standard deviation, with n − 1.
    Sd,
    /// The median.
    Median,
    /// The quantile of type 7, of a share in 0..=1.
    Quantile(f64),
    /// The mean without the lowest and the highest ⌊n · part⌋ values, for a part in 0..0.5.
    TrimmedMean(f64),
}

impl Statistic {
    /// The mean of the middle half.
    pub const INTERQUARTILE_MEAN: Self = Self::TrimmedMean(0.25);

    fn check(self) -> Result<(), Undefined> {
        match self {
            Self::Mean | Self::Sd | Self::Median => Ok(()),
            Self::Quantile(p) if (0.0..=1.0).contains(&p) => Ok(()),
            Self::TrimmedMean(part) if (0.0..0.5).contains(&part) => Ok(()),
            Self::Quantile(_) | Self::TrimmedMean(_) => Err(Undefined::DomainError),
        }
    }
}

/// A statistic, and what its resamples say about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrapped {
    /// How many observations (or clusters) were drawn from; of two samples together.
    pub n: usize,
    /// The statistic of the sample.
    pub estimate: f64,
    /// The level of the intervals.
    pub level: Level,
    /// How the replicates were drawn: with [`ENGINE`](crate::ENGINE) all that is needed to draw them again.
    pub draws: Draws,
    /// The standard error and the intervals.
    pub intervals: BootstrapIntervals,
}

impl Bootstrapped {
    /// BCa where it is defined, else the percentile interval.
    pub fn interval(&self) -> Interval {
        self.intervals
            .bca
            .map_or(self.intervals.percentile, |bca| bca.interval)
    }

    /// Whether BCa's ends lie beyond what the replicates can tell.
    pub fn needs_more_replicates(&self) -> bool {
        let replicates = self.draws.replicates as usize;
        self.intervals
            .bca
            .is_ok_and(|bca: Bca| bca.needs_more(replicates))
    }
}

/// Percentile, basic and BCa intervals of a statistic of independent observations (Efron 1987; Efron & Tibshirani
/// 1993, chapter 14).
///
/// The replicates of a mean of two different values, a rate, are binomial numbers; those of quantiles and trimmed
/// means are counted over the sorted sample.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::DomainError`] (the statistic's share),
/// [`Undefined::EmptyInput`], [`Undefined::TooFewObservations`] for one observation or fewer than two replicates. A
/// sample that does not vary has no BCa interval ([`Undefined::DegenerateBootstrap`] in its place).
pub fn bootstrap(
    values: &[f64],
    statistic: Statistic,
    level: Level,
    draws: Draws,
) -> Result<Bootstrapped, Undefined> {
    check_for(values, statistic)?;
    finish(&Kernel::of(values, statistic), values.len(), level, draws)
}

/// Intervals of the difference of a statistic of two independent samples, first minus second; the acceleration pools
/// the jackknife of both.
///
/// # Errors
/// As [`bootstrap`], for either sample.
pub fn bootstrap_difference(
    samples: (&[f64], &[f64]),
    statistic: Statistic,
    level: Level,
    draws: Draws,
) -> Result<Bootstrapped, Undefined> {
    check_for(samples.0, statistic)?;
    check_for(samples.1, statistic)?;
    let kernels = Difference(
        Kernel::of(samples.0, statistic),
        Kernel::of(samples.1, statistic),
    );
    finish(&kernels, samples.0.len() + samples.1.len(), level, draws)
}

/// Intervals of the ratio of the means of pairs, such as cost by success: pairs are drawn together.
///
/// # Errors
/// As [`bootstrap`]; [`Undefined::LengthMismatch`]; [`Undefined::DenominatorNotSignificant`] where the denominators
/// of the sample or of a resample sum to 0.
pub fn bootstrap_ratio(
    numerators: &[f64],
    denominators: &[f64],
    level: Level,
    draws: Draws,
) -> Result<Bootstrapped, Undefined> {
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    if !finite(numerators) || !finite(denominators) {
        return Err(Undefined::NonFiniteInput);
    }
    if numerators.len() != denominators.len() {
        return Err(Undefined::LengthMismatch);
    }
    check(numerators)?;
    let pairs = numerators.iter().copied().zip(denominators.iter().copied());
    let ratio = Ratio {
        pairs: pairs.collect(),
    };
    if !ratio.estimate().is_finite() {
        return Err(Undefined::DenominatorNotSignificant);
    }
    let found = finish(&ratio, numerators.len(), level, draws);
    if found == Err(Undefined::NonFiniteInput) {
        return Err(Undefined::DenominatorNotSignificant);
    }
    found
}

/// Intervals of any statistic of independent observations, which are drawn and left out whole.
///
/// # Errors
/// [`Undefined::NonFiniteInput`] where the statistic of the sample, of a resample or without one observation is not
/// finite; otherwise as [`bootstrap`].
pub fn bootstrap_with<T: Clone + Sync>(
    observations: &[T],
    statistic: impl Fn(&[T]) -> f64 + Sync,
    level: Level,
    draws: Draws,
) -> Result<Bootstrapped, Undefined> {
    check_size(observations.len())?;
    let any = Any {
        observations,
        statistic,
    };
    finish(&any, observations.len(), level, draws)
}

/// Intervals of a statistic of observations in clusters: clusters are drawn and left out whole.
///
/// # Errors
/// As [`bootstrap`], where there are too few clusters; [`Undefined::LengthMismatch`].
pub fn bootstrap_clusters<C: Ord>(
    values: &[f64],
    clusters: &[C],
    statistic: Statistic,
    level: Level,
    draws: Draws,
) -> Result<Bootstrapped, Undefined> {
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    statistic.check()?;
    if values.len() != clusters.len() {
        return Err(Undefined::LengthMismatch);
    }
    let mut groups = std::collections::BTreeMap::<&C, Vec<f64>>::new();
    for (&value, cluster) in values.iter().zip(clusters) {
        groups.entry(cluster).or_default().push(value);
    }
    let groups: Vec<Vec<f64>> = groups.into_values().collect();
    // One value may be left of a cluster's resample: then a spread is 0.
    let of = |groups: &[Vec<f64>]| value_of(&groups.concat(), statistic);
    bootstrap_with(&groups, of, level, draws)
}

/// Most observations of which all resamples are made.
pub const MOST_ENUMERATED: usize = 7;

/// A statistic, and what all of its resamples say about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Enumerated {
    /// The statistic of the sample.
    pub estimate: f64,
    /// How many resamples there are.
    pub resamples: usize,
    /// The standard error and the intervals.
    pub intervals: BootstrapIntervals,
}

/// Intervals of a statistic from all nⁿ resamples of at most [`MOST_ENUMERATED`] observations: without chance.
///
/// # Errors
/// As [`bootstrap`]; [`Undefined::DomainError`] for more observations.
pub fn bootstrap_exact(
    values: &[f64],
    statistic: Statistic,
    level: Level,
) -> Result<Enumerated, Undefined> {
    check_for(values, statistic)?;
    let n = values.len();
    if n > MOST_ENUMERATED {
        return Err(Undefined::DomainError);
    }
    let mut resample = vec![0.0; n];
    let replicates: Vec<f64> = (0..n.pow(n as u32))
        .map(|mut number| {
            for value in &mut resample {
                *value = values[number % n];
                number /= n;
            }
            value_of(&resample, statistic)
        })
        .collect();
    let terms = Kernel::of(values, statistic).terms();
    let estimate = value_of(values, statistic);
    Ok(Enumerated {
        estimate,
        resamples: replicates.len(),
        intervals: intervals(estimate, replicates, &terms, level)?,
    })
}

/// The statistic of a sample; 0 for the spread of one value.
pub(super) fn value_of(values: &[f64], statistic: Statistic) -> f64 {
    if values.len() < 2 && statistic == Statistic::Sd {
        return 0.0;
    }
    Kernel::of(values, statistic).estimate()
}

fn check_for(values: &[f64], statistic: Statistic) -> Result<(), Undefined> {
    if values.iter().all(|value| value.is_finite()) {
        statistic.check()?;
    }
    check(values)
}

/// What every sample that is drawn from has to be: finite, at least two values.
pub(super) fn check(values: &[f64]) -> Result<(), Undefined> {
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    check_size(values.len())
}

fn check_size(n: usize) -> Result<(), Undefined> {
    if u32::try_from(n).is_err() {
        return Err(Undefined::DomainError);
    }
    match n {
        0 => Err(Undefined::EmptyInput),
        1 => Err(Undefined::TooFewObservations),
        _ => Ok(()),
    }
}

fn finish(
    resampled: &impl Resampled,
    n: usize,
    level: Level,
    draws: Draws,
) -> Result<Bootstrapped, Undefined> {
    let estimate = resampled.estimate();
    let terms = resampled.terms();
    if !estimate.is_finite() || terms.iter().any(|term| !term.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    let replicates = draws.collect(
        || resampled.scratch(),
        |scratch, random| resampled.replicate(scratch, random),
    );
    Ok(Bootstrapped {
        n,
        estimate,
        level,
        draws,
        intervals: intervals(estimate, replicates, &terms, level)?,
    })
}
