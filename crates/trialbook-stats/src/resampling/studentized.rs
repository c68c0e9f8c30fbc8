//! Bootstrap-t: the mean's own standard error in every resample.

use super::Draws;
use super::bootstrap::check;
use super::interval::select_quantile;
use super::kernels::{Centred, each_drawn, root_of};
use crate::interval::Interval;
use crate::moments::within_floats;
use crate::probability::Level;
use crate::random::SplitMix64;
use crate::undefined::Undefined;

/// A bootstrap-t interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Studentized {
    /// The mean, or the difference of means, of the sample.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
    /// The level of the interval.
    pub level: Level,
    /// The interval.
    pub interval: Interval,
    /// Replicates that were left out, because no value of theirs varied.
    pub dropped: u32,
    /// How the replicates were drawn.
    pub draws: Draws,
}

/// The bootstrap-t interval of a mean (Efron & Tibshirani 1993, section 12.5): the estimate minus the quantiles of
/// (mean* − mean) / se*, times the standard error. For skewed samples such as costs; not for rates.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::EmptyInput`],
/// [`Undefined::TooFewObservations`] for one value, [`Undefined::ZeroVariance`] where no value varies,
/// [`Undefined::DegenerateBootstrap`] where fewer than two replicates are left, [`Undefined::DomainError`] where a result
/// leaves the floats.
pub fn bootstrap_t(values: &[f64], level: Level, draws: Draws) -> Result<Studentized, Undefined> {
    check(values)?;
    let sample = Centred::of(values);
    let of = |drawn: Drawn| (drawn.mean, drawn.variance);
    let own = of(Drawn::sample(&sample));
    let replicates = draws.collect(|| (), |(), random| ratio(of(Drawn::from(&sample, random))));
    finish(
        (sample.mean(0.0), own.1.sqrt() * sample.scale),
        replicates,
        level,
        draws,
    )
}

/// The bootstrap-t interval of the difference of the means of two independent samples, first minus second, with
/// Welch's standard error.
///
/// # Errors
/// As [`bootstrap_t`], for either sample; [`Undefined::ZeroVariance`] only where neither varies.
pub fn bootstrap_t_difference(
    samples: (&[f64], &[f64]),
    level: Level,
    draws: Draws,
) -> Result<Studentized, Undefined> {
    check(samples.0)?;
    check(samples.1)?;
    let (first, second) = (Centred::of(samples.0), Centred::of(samples.1));
    let scale = first.scale.max(second.scale);
    let (one, other) = (first.scale / scale, second.scale / scale);
    let of = |a: Drawn, b: Drawn| {
        let variance = a.variance * one * one + b.variance * other * other;
        (a.mean * one - b.mean * other, variance)
    };
    let own = of(Drawn::sample(&first), Drawn::sample(&second));
    let replicates = draws.collect(
        || (),
        |(), random| {
            let drawn = Drawn::from(&first, random);
            ratio(of(drawn, Drawn::from(&second, random)))
        },
    );
    finish(
        (first.mean(0.0) - second.mean(0.0), own.1.sqrt() * scale),
        replicates,
        level,
        draws,
    )
}

/// A mean's distance from the sample's, and its squared standard error, in the sample's scale.
struct Drawn {
    mean: f64,
    variance: f64,
}

impl Drawn {
    fn of_sums(sum: f64, squares: f64, n: usize) -> Self {
        let sd = root_of(sum, squares, n);
        Self {
            mean: sum / n as f64,
            variance: sd * sd / n as f64,
        }
    }

    fn sample(sample: &Centred) -> Self {
        let deviations = &sample.deviations;
        let squares = deviations.iter().map(|deviation| deviation * deviation);
        Self::of_sums(0.0, squares.sum(), deviations.len())
    }

    fn from(sample: &Centred, random: &mut SplitMix64) -> Self {
        let n = sample.deviations.len();
        let (mut sum, mut squares) = (0.0, 0.0);
        each_drawn(random, n, |at| {
            let deviation = sample.deviations[at];
            sum += deviation;
            squares += deviation * deviation;
        });
        Self::of_sums(sum, squares, n)
    }
}

/// The studentized distance; `None` of a resample that does not vary.
fn ratio((distance, variance): (f64, f64)) -> Option<f64> {
    (variance > 0.0).then(|| distance / variance.sqrt())
}

fn finish(
    (estimate, se): (f64, f64),
    replicates: Vec<Option<f64>>,
    level: Level,
    draws: Draws,
) -> Result<Studentized, Undefined> {
    if se == 0.0 {
        return Err(Undefined::ZeroVariance);
    }
    let all = replicates.len();
    let mut kept: Vec<f64> = replicates.into_iter().flatten().collect();
    if kept.len() < 2 {
        return Err(Undefined::DegenerateBootstrap);
    }
    let outside = level.outside() / 2.0;
    let high = estimate - se * select_quantile(&mut kept, outside);
    let low = estimate - se * select_quantile(&mut kept, 1.0 - outside);
    within_floats(&[estimate, se, low, high])?;
    Ok(Studentized {
        estimate,
        se,
        level,
        interval: Interval::new(low, high),
        dropped: (all - kept.len()) as u32,
        draws,
    })
}
