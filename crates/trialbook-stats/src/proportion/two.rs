//! Two independent proportions.

use super::one::{shares, wilson};
use super::{Rate, quantile_of};
use crate::interval::Interval;
use crate::probability::{Level, PValues};
use crate::rank_tests::Approximation;
use crate::undefined::Undefined;

/// What two independent proportions say about each other; differences are the first minus the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoProportions {
    /// The first proportion.
    pub p1: f64,
    /// The second proportion.
    pub p2: f64,
    /// Their difference.
    pub difference: f64,
    /// The score test with the pooled proportion; [`Undefined::ZeroVariance`] where all succeeded or none did.
    pub pooled: Result<Approximation, Undefined>,
    /// The interval of the difference from both Wilson intervals (Newcombe 1998b, method 10): what is meant where
    /// nobody chose.
    pub newcombe: Interval,
    /// The interval by the separate standard errors: covers too rarely, to compare with others only.
    pub wald: Interval,
    /// Wald's with two more trials each, one of them a success (Agresti & Caffo 2000).
    pub agresti_caffo: Interval,
    /// The difference of the arcsines: Cohen's h.
    pub cohen_h: f64,
    /// p1 / p2; none where nothing of the second succeeded.
    pub risk_ratio: Option<f64>,
    /// The interval of the risk ratio by its logarithm; none where either has no success.
    pub risk_ratio_interval: Option<Interval>,
    /// The ratio of the odds, with its interval by its logarithm; none where any count is 0.
    pub odds_ratio: Option<RatioInterval>,
}

/// A ratio and its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioInterval {
    /// The ratio.
    pub ratio: f64,
    /// Its interval.
    pub interval: Interval,
}

impl RatioInterval {
    /// By the normal distribution of the ratio's logarithm.
    fn of(ratio: f64, se: f64, z: f64) -> Self {
        let (ln, half) = (libm::log(ratio), z * se);
        Self {
            ratio,
            interval: Interval::new(libm::exp(ln - half), libm::exp(ln + half)),
        }
    }
}

/// Compares two independent proportions.
///
/// # Errors
/// [`Undefined::DomainError`] where successes exceed trials, or these 2⁴⁰; [`Undefined::EmptyInput`] without trials.
pub fn two_proportions(
    first: Rate,
    second: Rate,
    level: Level,
) -> Result<TwoProportions, Undefined> {
    first.check()?;
    second.check()?;
    let z = quantile_of(level);
    let ((p1, q1), (p2, q2)) = (shares(first), shares(second));
    let difference = difference(first, second);
    let (w1, w2) = (wilson(first, z), wilson(second, z));
    let (n1, n2) = (first.trials as f64, second.trials as f64);
    let half = z * (p1 * q1 / n1 + p2 * q2 / n2).sqrt();
    let ratio = risk_ratio(first, second, z);
    Ok(TwoProportions {
        p1,
        p2,
        difference,
        pooled: pooled(first, second, difference),
        newcombe: Interval::new(
            difference - (p1 - w1.low).hypot(w2.high - p2),
            difference + (w1.high - p1).hypot(p2 - w2.low),
        ),
        wald: Interval::new(difference - half, difference + half),
        agresti_caffo: agresti_caffo(first, second, z),
        cohen_h: 2.0 * arcsine(p1, q1) - 2.0 * arcsine(p2, q2),
        risk_ratio: (second.successes > 0).then(|| p1 / p2),
        risk_ratio_interval: ratio.map(|ratio| ratio.interval),
        odds_ratio: odds_ratio(first, second, z),
    })
}

/// k1/n1 − k2/n2 over the common denominator.
fn difference(first: Rate, second: Rate) -> f64 {
    let cross = |a: u64, b: u64| i128::from(a) * i128::from(b);
    let over = cross(first.successes, second.trials) - cross(second.successes, first.trials);
    over as f64 / cross(first.trials, second.trials) as f64
}

fn pooled(first: Rate, second: Rate, difference: f64) -> Result<Approximation, Undefined> {
    let all = (first.trials + second.trials) as f64;
    let successes = (first.successes + second.successes) as f64 / all;
    let failures = (first.failures() + second.failures()) as f64 / all;
    if successes == 0.0 || failures == 0.0 {
        return Err(Undefined::ZeroVariance);
    }
    let spread = 1.0 / first.trials as f64 + 1.0 / second.trials as f64;
    let z = difference / (successes * failures * spread).sqrt();
    Ok(Approximation {
        z,
        p: PValues::of_normal(z),
    })
}

fn agresti_caffo(first: Rate, second: Rate, z: f64) -> Interval {
    let more = |rate: Rate| Rate::new(rate.successes + 1, rate.trials + 2);
    let (first, second) = (more(first), more(second));
    let ((p1, q1), (p2, q2)) = (shares(first), shares(second));
    let centre = difference(first, second);
    let half = z * (p1 * q1 / first.trials as f64 + p2 * q2 / second.trials as f64).sqrt();
    Interval::new((centre - half).max(-1.0), (centre + half).min(1.0))
}

/// The arcsine of √p, from whichever of p and 1 − p is small.
fn arcsine(p: f64, q: f64) -> f64 {
    if p <= 0.5 {
        libm::asin(p.sqrt())
    } else {
        libm::acos(q.sqrt())
    }
}

fn risk_ratio(first: Rate, second: Rate, z: f64) -> Option<RatioInterval> {
    if first.successes == 0 || second.successes == 0 {
        return None;
    }
    // 1/k − 1/n = failures / (k n).
    let part = |rate: Rate| rate.failures() as f64 / rate.successes as f64 / rate.trials as f64;
    let se = (part(first) + part(second)).sqrt();
    Some(RatioInterval::of(first.share() / second.share(), se, z))
}

fn odds_ratio(first: Rate, second: Rate, z: f64) -> Option<RatioInterval> {
    let counts = [
        first.successes,
        first.failures(),
        second.successes,
        second.failures(),
    ];
    if counts.contains(&0) {
        return None;
    }
    let [a, b, c, d] = counts.map(|count| count as f64);
    let se = (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt();
    Some(RatioInterval::of(a * d / (b * c), se, z))
}
