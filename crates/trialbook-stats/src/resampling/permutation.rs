//! Permutation tests of means: every arrangement where they are few, else some of them at random.
//!
//! Invariant: an arrangement whose sum equals the observed one, as printed decimals, counts as at least as extreme.

use super::Draws;
use super::arrangements::{Choice, Hits, MOST_TRIED, Signs};
use super::decimals::Integers;
use crate::counting::binomial;
use crate::probability::{PValue, PValues};
use crate::undefined::Undefined;

/// How arrangements were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangements {
    /// All of them, this many.
    All(u64),
    /// This many at random.
    Drawn(u32),
}

/// A permutation test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Permutation {
    /// The difference of means, or the mean difference.
    pub statistic: f64,
    /// How many arrangements were compared with the observed one.
    pub arrangements: Arrangements,
    /// The shares of arrangements with a statistic at most, at least, and (two-sided) as far from 0 as the observed
    /// one.
    pub p: PValues,
    /// Twice the smaller of the one-sided p, at most 1.
    pub p_doubled: PValue,
}

impl Permutation {
    /// The standard error of the two-sided p from drawing arrangements; 0 where all were tried.
    pub fn monte_carlo_error(&self) -> f64 {
        match self.arrangements {
            Arrangements::All(_) => 0.0,
            Arrangements::Drawn(draws) => {
                (self.p.two_sided.p * (1.0 - self.p.two_sided.p) / f64::from(draws)).sqrt()
            }
        }
    }

    fn new(statistic: f64, arrangements: Arrangements, hits: Hits) -> Self {
        let share = |hits: u64| match arrangements {
            Arrangements::All(all) => hits as f64 / all as f64,
            Arrangements::Drawn(draws) => (hits + 1) as f64 / (f64::from(draws) + 1.0),
        };
        let (less, greater) = (share(hits.less), share(hits.greater));
        Self {
            statistic,
            arrangements,
            p: PValues {
                two_sided: PValue::of(share(hits.far)),
                less: PValue::of(less),
                greater: PValue::of(greater),
            },
            p_doubled: PValue::of(2.0 * less.min(greater)),
        }
    }
}

/// The p of a Monte Carlo test: (hits + 1) / (draws + 1), never 0 (Phipson & Smyth 2010).
///
/// # Errors
/// [`Undefined::DomainError`] for more hits than draws.
pub fn monte_carlo_p(hits: u64, draws: u64) -> Result<f64, Undefined> {
    if hits > draws {
        return Err(Undefined::DomainError);
    }
    Ok((hits as f64 + 1.0) / (draws as f64 + 1.0))
}

/// Whether two samples could have come in any arrangement: the difference of means, first minus second, against all
/// (up to 2²⁰) or random exchanges of values between the samples (Fisher 1935; Pitman 1937).
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::TooFewObservations`] where a sample is empty or one draw is to be
/// made of none, [`Undefined::ZeroVariance`] where all values are equal.
pub fn permute_difference(x: &[f64], y: &[f64], draws: Draws) -> Result<Permutation, Undefined> {
    let pooled = [x, y].concat();
    check(&pooled, draws)?;
    if x.is_empty() || y.is_empty() {
        return Err(Undefined::TooFewObservations);
    }
    if pooled.iter().all(|value| *value == pooled[0]) {
        return Err(Undefined::ZeroVariance);
    }
    // The smaller sample is chosen; which of the two decides the direction.
    let swapped = y.len() < x.len();
    let (few, many) = if swapped { (y, x) } else { (x, y) };
    let values = [few, many].concat();
    let choice = Choice {
        integers: Integers::of(&values),
        chosen: few.len(),
    };
    let arrangements = binomial(values.len(), few.len());
    let (arrangements, mut hits) = if arrangements <= MOST_TRIED as f64 {
        choice.all()
    } else {
        choice.drawn(draws)
    };
    if swapped {
        std::mem::swap(&mut hits.less, &mut hits.greater);
    }
    let statistic = difference_of_means(x, y);
    Ok(Permutation::new(statistic, arrangements, hits))
}

/// Whether paired differences could have had any signs: their mean against all (up to 20 values) or random signs
/// (Fisher 1935).
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::EmptyInput`], [`Undefined::TooFewObservations`] where no draw is to
/// be made, [`Undefined::ZeroVariance`] where every difference is 0.
pub fn permute_signs(differences: &[f64], draws: Draws) -> Result<Permutation, Undefined> {
    check(differences, draws)?;
    if differences.is_empty() {
        return Err(Undefined::EmptyInput);
    }
    if differences.iter().all(|&difference| difference == 0.0) {
        return Err(Undefined::ZeroVariance);
    }
    let signs = Signs(Integers::of(differences));
    let (arrangements, hits) = if differences.len() <= MOST_TRIED.ilog2() as usize {
        signs.all()
    } else {
        signs.drawn(draws)
    };
    let statistic = difference_of_means(differences, &[0.0]);
    Ok(Permutation::new(statistic, arrangements, hits))
}

fn check(values: &[f64], draws: Draws) -> Result<(), Undefined> {
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    if u32::try_from(values.len()).is_err() {
        return Err(Undefined::DomainError);
    }
    if draws.replicates == 0 {
        return Err(Undefined::TooFewObservations);
    }
    Ok(())
}

/// As the decimals say where they can be added exactly.
fn difference_of_means(x: &[f64], y: &[f64]) -> f64 {
    let mean = |values: &[f64]| {
        let n = values.len() as f64;
        crate::exact::sum(values.iter().map(|value| value / n)).value()
    };
    mean(x) - mean(y)
}
