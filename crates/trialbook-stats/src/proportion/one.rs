//! Intervals of one proportion.

use super::{Rate, quantile_of};
use crate::interval::Interval;
use crate::probability::Level;
use crate::special::{Distribution, Tail};
use crate::undefined::Undefined;

/// How the interval of a proportion is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProportionMethod {
    /// The proportions that a score test would not reject (Wilson 1927): what is meant where nobody chose.
    Wilson,
    /// Wilson's with a continuity correction (Newcombe 1998a, method 4).
    WilsonCorrected,
    /// By the binomial tails, never below its level (Clopper & Pearson 1934).
    ClopperPearson,
    /// By the posterior of Jeffreys' prior Beta(½, ½), open to 0 and 1 at the ends (Brown, Cai & DasGupta 2001).
    Jeffreys,
    /// Wald's around Wilson's centre (Agresti & Coull 1998).
    AgrestiCoull,
    /// p̂ ± z se, cut off at 0 and 1: covers too rarely, to compare with others only.
    Wald,
}

impl ProportionMethod {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Wilson,
        Self::WilsonCorrected,
        Self::ClopperPearson,
        Self::Jeffreys,
        Self::AgrestiCoull,
        Self::Wald,
    ];

    /// The word used in results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wilson => "wilson",
            Self::WilsonCorrected => "wilson_cc",
            Self::ClopperPearson => "clopper_pearson",
            Self::Jeffreys => "jeffreys",
            Self::AgrestiCoull => "agresti_coull",
            Self::Wald => "wald_clipped",
        }
    }
}

/// The interval of a proportion.
///
/// # Errors
/// [`Undefined::DomainError`] where the successes exceed the trials, or these 2⁴⁰; [`Undefined::EmptyInput`] without
/// trials.
pub fn proportion_interval(
    rate: Rate,
    method: ProportionMethod,
    level: Level,
) -> Result<Interval, Undefined> {
    rate.check()?;
    let z = quantile_of(level);
    Ok(match method {
        ProportionMethod::Wilson => wilson(rate, z),
        ProportionMethod::WilsonCorrected => wilson_corrected(rate, z),
        ProportionMethod::ClopperPearson => {
            // The ends' beta distributions have one success more or less.
            by_beta(rate, level, (0.0, 1.0), (1.0, 0.0))?
        }
        ProportionMethod::Jeffreys => by_beta(rate, level, (0.5, 0.5), (0.5, 0.5))?,
        ProportionMethod::AgrestiCoull => {
            let n = rate.trials as f64 + z * z;
            let centre = (rate.successes as f64 + z * z / 2.0) / n;
            clipped(centre, z * (centre * (1.0 - centre) / n).sqrt())
        }
        ProportionMethod::Wald => {
            let (p, q) = shares(rate);
            clipped(p, z * (p * q / rate.trials as f64).sqrt())
        }
    })
}

/// Both shares, each without the rounding of the other.
pub(super) fn shares(rate: Rate) -> (f64, f64) {
    let n = rate.trials as f64;
    (rate.successes as f64 / n, rate.failures() as f64 / n)
}

fn clipped(centre: f64, half: f64) -> Interval {
    Interval::new((centre - half).max(0.0), (centre + half).min(1.0))
}

/// Wilson's interval; the end that is a small difference comes from the product of the roots.
pub(super) fn wilson(rate: Rate, z: f64) -> Interval {
    let n = rate.trials as f64;
    let (p, q) = shares(rate);
    let scale = 1.0 + z * z / n;
    let half = z * (p * q / n + z * z / (4.0 * n * n)).sqrt();
    let end = |p: f64| p * p / (p + z * z / (2.0 * n) + half);
    if p < 0.5 {
        Interval::new(end(p), (p + z * z / (2.0 * n) + half) / scale)
    } else {
        Interval::new(
            1.0 - (q + z * z / (2.0 * n) + half) / scale,
            if q == 0.0 { 1.0 } else { 1.0 - end(q) },
        )
    }
}

fn wilson_corrected(rate: Rate, z: f64) -> Interval {
    let n = rate.trials as f64;
    let (p, q) = shares(rate);
    let square = z * z;
    let scale = 2.0 * (n + square);
    let low = if rate.successes == 0 {
        0.0
    } else {
        let root = (square - 2.0 - 1.0 / n + 4.0 * p * (n * q + 1.0))
            .max(0.0)
            .sqrt();
        (2.0 * n * p + square - 1.0 - z * root) / scale
    };
    let high = if rate.failures() == 0 {
        1.0
    } else {
        let root = (square + 2.0 - 1.0 / n + 4.0 * p * (n * q - 1.0))
            .max(0.0)
            .sqrt();
        (2.0 * n * p + square + 1.0 + z * root) / scale
    };
    Interval::new(low.max(0.0), high.min(1.0))
}

/// Between quantiles of beta distributions, whose shapes are the counts and what is added for either end.
fn by_beta(
    rate: Rate,
    level: Level,
    low: (f64, f64),
    high: (f64, f64),
) -> Result<Interval, Undefined> {
    let outside = level.outside() / 2.0;
    let (successes, failures) = (rate.successes as f64, rate.failures() as f64);
    let quantile = |added: (f64, f64), tail: Tail| {
        let (a, b) = (successes + added.0, failures + added.1);
        Distribution::Beta { a, b }.quantile(tail)
    };
    let low = if rate.successes == 0 {
        0.0
    } else {
        quantile(low, Tail::Lower(outside))?
    };
    let high = if rate.failures() == 0 {
        1.0
    } else {
        quantile(high, Tail::Upper(outside))?
    };
    Ok(Interval::new(low, high))
}
