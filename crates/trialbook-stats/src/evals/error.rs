//! Standard errors of a mean, and of the difference of two means of the same items.

use std::collections::BTreeMap;

use crate::correlation::StudentForm;
use crate::exact::scale_of;
use crate::interval::Interval;
use crate::moments::{Moments, finite, within_floats};
use crate::probability::{Level, PValues};
use crate::rank_tests::Approximation;
use crate::special::student_two_sided_quantile;
use crate::t_test::{Pairs, TTest, at_least, paired_t_test};
use crate::undefined::Undefined;

/// The mean of scores of items, and its error bars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanError {
    /// Items.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// The standard error of independent items, sd / √n.
    pub se: f64,
    /// √(p (1 − p) / n), where every score is 0 or 1. The interval of such a mean is Wilson's.
    pub se_bernoulli: Option<f64>,
    /// With clusters, where there are some.
    pub clustered: Option<Clustered>,
}

/// A mean whose items come in clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clustered {
    /// Clusters.
    pub clusters: usize,
    /// The cluster-robust standard error without correction (CR0).
    pub se_cr0: f64,
    /// CR0 times √(G / (G − 1)); none of one cluster.
    pub se_cr1: Option<f64>,
    /// The form of Miller 2024, which mixes n − 1 and n: to compare with others only.
    pub se_miller: f64,
    /// CR1's variance over that of independent items; none where either is not defined or 0.
    pub design_effect: Option<f64>,
    /// By CR1 and Student's t with G − 1 degrees of freedom; none of one cluster.
    pub interval: Option<Interval>,
    /// The test of a mean of 0 by CR1 and Student's t with G − 1 degrees of freedom; [`Undefined::TooFewGroups`] of
    /// one cluster, [`Undefined::ZeroVariance`] where clusters do not differ.
    pub test: Result<StudentForm, Undefined>,
}

impl Clustered {
    /// From the scores' mean and the label of each.
    fn of<C: Ord>(
        values: &[f64],
        clusters: &[C],
        moments: &Moments,
        level: Level,
    ) -> Result<Self, Undefined> {
        let (deviations, unit) = deviations(values, moments);
        let mut sums = BTreeMap::<&C, (f64, f64)>::new();
        for (deviation, cluster) in deviations.into_iter().zip(clusters) {
            let (sum, squares) = sums.entry(cluster).or_default();
            *sum += deviation;
            *squares += deviation * deviation;
        }
        let n = values.len() as f64;
        let (mut between, mut cross) = (0.0, 0.0);
        for (sum, squares) in sums.values() {
            between += sum * sum;
            cross += sum * sum - squares;
        }
        let g = sums.len() as f64;
        let se_cr0 = between.sqrt() / n * unit;
        let se_cr1 = (sums.len() > 1).then(|| (g / (g - 1.0) * between).sqrt() / n * unit);
        let sem = moments.sem();
        let scaled = sem / unit;
        let se_miller = (scaled * scaled + cross / (n * n)).max(0.0).sqrt() * unit;
        let mean = moments.mean();
        // Where the clusters' sums cancel but for rounding they do not differ.
        let flat = se_cr0 <= sem * n.sqrt() * f64::EPSILON;
        let test = match se_cr1 {
            None => Err(Undefined::TooFewGroups),
            Some(_) if flat => Err(Undefined::ZeroVariance),
            Some(se) => Ok(StudentForm {
                t: mean / se,
                df: sums.len() - 1,
                p: PValues::of_student(mean / se, g - 1.0),
            }),
        };
        let interval = se_cr1.map(|se| {
            let half = se * student_two_sided_quantile(level.outside(), g - 1.0);
            Interval::new(mean - half, mean + half)
        });
        if let Some(Interval { low, high }) = interval {
            within_floats(&[low, high])?;
        }
        Ok(Self {
            clusters: sums.len(),
            se_cr0,
            se_cr1,
            se_miller,
            design_effect: se_cr1
                .filter(|_| sem > 0.0)
                .map(|se| (se / sem) * (se / sem)),
            interval,
            test,
        })
    }
}

/// Deviations from the mean in a unit near the widest of them, so that neither they nor their squares leave the floats.
fn deviations(values: &[f64], moments: &Moments) -> (Vec<f64>, f64) {
    let (low, high) = moments.range;
    let scale = scale_of(low.abs().max(high.abs()));
    let centre = moments.mean.times_power(1.0 / scale).negated();
    let from_mean = |value: f64| centre.plus((value / scale).into()).value();
    let widest = from_mean(low).abs().max(from_mean(high).abs());
    // A quarter, so that both units together are a float even where the sample spans all of them.
    let unit = scale_of(widest / 4.0);
    let each = values.iter().map(|&value| from_mean(value) / unit);
    (each.collect(), scale * unit)
}

/// The mean of scores and its standard errors (Miller 2024; Liang & Zeger 1986 for clusters). `clusters` gives the
/// label of each score.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::EmptyInput`], [`Undefined::LengthMismatch`] where there is not one
/// label for each score, [`Undefined::TooFewObservations`] for one score, [`Undefined::DomainError`] where a result
/// leaves the floats.
pub fn mean_error<C: Ord>(
    scores: &[f64],
    clusters: Option<&[C]>,
    level: Level,
) -> Result<MeanError, Undefined> {
    finite(&[scores])?;
    check(scores.len(), clusters)?;
    let moments = at_least(scores, 2)?;
    let (n, mean) = (scores.len() as f64, moments.mean());
    let binary = scores.iter().all(|&score| score == 0.0 || score == 1.0);
    within_floats(&[mean, moments.sem()])?;
    Ok(MeanError {
        n: scores.len(),
        mean,
        se: moments.sem(),
        se_bernoulli: binary.then(|| (mean * (1.0 - mean) / n).sqrt()),
        clustered: clusters
            .map(|labels| Clustered::of(scores, labels, &moments, level))
            .transpose()?,
    })
}

fn check<C>(n: usize, clusters: Option<&[C]>) -> Result<(), Undefined> {
    if n == 0 {
        return Err(Undefined::EmptyInput);
    }
    match clusters {
        Some(labels) if labels.len() != n => Err(Undefined::LengthMismatch),
        Some(_) | None => Ok(()),
    }
}

/// The difference of the means of the same items by two, first minus second, and its error bars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedError {
    /// Items.
    pub n: usize,
    /// The mean difference.
    pub difference: f64,
    /// Its standard error from the differences.
    pub se: f64,
    /// What it would be of two samples of different items: what pairing gains.
    pub se_unpaired: f64,
    /// The covariance of the scores.
    pub covariance: f64,
    /// Their correlation; none where either does not vary.
    pub correlation: Option<f64>,
    /// By the normal distribution; [`Undefined::ZeroVariance`] where all differences are equal.
    pub normal: Result<Approximation, Undefined>,
    /// By Student's t, with its interval; [`Undefined::ZeroVariance`] where all differences are equal.
    pub t: Result<TTest, Undefined>,
    /// With clusters, where there are some.
    pub clustered: Option<Clustered>,
}

/// Compares the scores of the same items by two (Miller 2024). `clusters` gives the label of each item.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::EmptyInput`], [`Undefined::LengthMismatch`],
/// [`Undefined::TooFewObservations`] for one item, [`Undefined::DomainError`] where a result leaves the floats.
pub fn paired_error<C: Ord>(
    first: &[f64],
    second: &[f64],
    clusters: Option<&[C]>,
    level: Level,
) -> Result<PairedError, Undefined> {
    finite(&[first, second])?;
    check(first.len().max(second.len()), clusters)?;
    let pairs = Pairs::of(first, second)?;
    let moments = at_least(&pairs.differences, 2)?;
    let n = first.len() as f64;
    let ((of_first, unit1), (of_second, unit2)) =
        (deviations(first, &pairs.x), deviations(second, &pairs.y));
    let products = of_first.iter().zip(&of_second).map(|(a, b)| a * b);
    let scaled = crate::exact::sum(products).value() / (n - 1.0);
    let covariance = scaled * unit1 * unit2;
    let se_unpaired = libm::hypot(pairs.x.sem(), pairs.y.sem());
    within_floats(&[moments.mean(), moments.sem(), covariance, se_unpaired])?;
    let vary = !pairs.x.is_constant() && !pairs.y.is_constant();
    let t = paired_t_test(first, second, level);
    Ok(PairedError {
        n: first.len(),
        difference: moments.mean(),
        se: moments.sem(),
        se_unpaired,
        covariance,
        correlation: vary.then(|| {
            let correlation = scaled / (pairs.x.sd / unit1) / (pairs.y.sd / unit2);
            correlation.clamp(-1.0, 1.0)
        }),
        normal: t.map(|t| Approximation {
            z: t.statistic,
            p: PValues::of_normal(t.statistic),
        }),
        t,
        clustered: clusters
            .map(|labels| Clustered::of(&pairs.differences, labels, &moments, level))
            .transpose()?,
    })
}

/// How much of a mean's variance comes from the items, and how much from answering each again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RepeatedError {
    /// The mean of the items' means.
    pub mean: f64,
    /// The mean variance of the answers to one item.
    pub within: f64,
    /// The variance of the items' means.
    pub of_means: f64,
    /// The variance between items without the part that the answers' own variance adds; may be negative.
    pub between: f64,
    /// The standard error of the mean.
    pub se: f64,
}

/// Splits the variance of items (rows) that were answered equally often (columns): Var(mean) = (between + within / K)
/// / n (Miller 2024).
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::EmptyInput`], [`Undefined::LengthMismatch`] for rows of different
/// lengths, [`Undefined::TooFewObservations`] for fewer than two rows or columns, [`Undefined::DomainError`] where a
/// result leaves the floats.
pub fn repeated_error<R: AsRef<[f64]>>(rows: &[R]) -> Result<RepeatedError, Undefined> {
    let rows: Vec<&[f64]> = rows.iter().map(AsRef::as_ref).collect();
    finite(&rows)?;
    let Some(k) = rows.first().map(|row| row.len()) else {
        return Err(Undefined::EmptyInput);
    };
    if rows.iter().any(|row| row.len() != k) {
        return Err(Undefined::LengthMismatch);
    }
    let items: Result<Vec<Moments>, Undefined> = rows.iter().map(|row| at_least(row, 2)).collect();
    let items = items?;
    let means: Vec<f64> = items.iter().map(Moments::mean).collect();
    let of_means = at_least(&means, 2)?;
    let variance = |moments: &Moments| moments.sd * moments.sd;
    let within = items.iter().map(variance).sum::<f64>() / rows.len() as f64;
    within_floats(&[within, variance(&of_means), of_means.mean()])?;
    Ok(RepeatedError {
        mean: of_means.mean(),
        within,
        of_means: variance(&of_means),
        between: variance(&of_means) - within / k as f64,
        se: of_means.sem(),
    })
}
