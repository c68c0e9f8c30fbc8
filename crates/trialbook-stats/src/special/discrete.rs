//! The binomial and the hypergeometric distribution.

use super::loader::{deviance, stirling_error};
use super::{Tails, beta};
use crate::undefined::Undefined;

/// P(X = k) of n trials with success probability `p`: Loader's saddle-point form.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where `p` is not in 0..=1 or `k` exceeds `n`.
pub fn binomial_mass(k: u64, n: u64, p: f64) -> Result<f64, Undefined> {
    check(k, n, p)?;
    Ok(libm::exp(ln_mass(k as f64, n as f64, (p, 1.0 - p))))
}

/// P(X ≤ k) and P(X > k) of n trials with success probability `p`.
///
/// # Errors
/// As [`binomial_mass`].
pub fn binomial(k: u64, n: u64, p: f64) -> Result<Tails, Undefined> {
    check(k, n, p)?;
    if k == n {
        return Ok(Tails::below_all().swapped());
    }
    // P(X > k) = I_p(k + 1, n − k).
    Ok(beta::tails((k + 1) as f64, (n - k) as f64, p, 1.0 - p).swapped())
}

fn check(k: u64, n: u64, p: f64) -> Result<(), Undefined> {
    if p.is_nan() {
        Err(Undefined::NonFiniteInput)
    } else if k > n || !(0.0..=1.0).contains(&p) {
        Err(Undefined::DomainError)
    } else {
        Ok(())
    }
}

/// ln P(X = k) of n trials, with both probabilities.
fn ln_mass(k: f64, n: f64, (p, q): (f64, f64)) -> f64 {
    if p == 0.0 || q == 0.0 {
        let certain = if p == 0.0 { k == 0.0 } else { k == n };
        return if certain { 0.0 } else { f64::NEG_INFINITY };
    }
    if k == 0.0 {
        return n * libm::log1p(-p);
    }
    if k == n {
        return n * if p > 0.5 {
            libm::log1p(-q)
        } else {
            libm::log(p)
        };
    }
    let rest = n - k;
    let d = if q < p { n * q - rest } else { k - n * p };
    stirling_error(n)
        - stirling_error(k)
        - stirling_error(rest)
        - deviance(k, n * p, d)
        - deviance(rest, n * q, -d)
        + 0.5 * libm::log(n / k / rest / std::f64::consts::TAU)
}

/// An urn, and what is drawn from it without putting back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Urn {
    /// Balls that count.
    pub marked: u64,
    /// Balls that do not.
    pub unmarked: u64,
    /// Balls drawn.
    pub drawn: u64,
}

impl Urn {
    fn size(self) -> Result<u64, Undefined> {
        let size = self.marked.checked_add(self.unmarked);
        size.filter(|&size| self.drawn <= size)
            .ok_or(Undefined::DomainError)
    }

    /// The smallest and the greatest number of marked balls that can be drawn.
    ///
    /// # Errors
    /// [`Undefined::DomainError`] where more are drawn than there are.
    pub fn range(self) -> Result<(u64, u64), Undefined> {
        self.size()?;
        Ok((
            self.drawn.saturating_sub(self.unmarked),
            self.drawn.min(self.marked),
        ))
    }

    /// The likeliest number of marked balls.
    pub(crate) fn mode(self) -> u64 {
        let over = (u128::from(self.drawn) + 1) * (u128::from(self.marked) + 1);
        let size = u128::from(self.marked) + u128::from(self.unmarked);
        (over / (size + 2)) as u64
    }

    /// P(k + 1) / P(k).
    pub(crate) fn ratio(self, k: u64) -> f64 {
        let (k, drawn) = (k as f64, self.drawn as f64);
        (self.marked as f64 - k) / (k + 1.0)
            * ((drawn - k) / (self.unmarked as f64 - drawn + k + 1.0))
    }
}

/// P(k marked balls are drawn): a ratio of three binomial masses, after Loader.
///
/// # Errors
/// [`Undefined::DomainError`] where more are drawn than there are.
pub fn hypergeometric_mass(k: u64, urn: Urn) -> Result<f64, Undefined> {
    ln_hypergeometric_mass(k, urn).map(libm::exp)
}

/// ln P(k marked balls are drawn).
///
/// # Errors
/// As [`hypergeometric_mass`].
pub(crate) fn ln_hypergeometric_mass(k: u64, urn: Urn) -> Result<f64, Undefined> {
    let size = urn.size()? as f64;
    let (low, high) = urn.range()?;
    if k < low || k > high {
        return Ok(f64::NEG_INFINITY);
    }
    let (k, drawn) = (k as f64, urn.drawn as f64);
    let shares = (drawn / size, (size - drawn) / size);
    if urn.drawn == 0 || urn.drawn == urn.marked + urn.unmarked {
        return Ok(0.0);
    }
    Ok(
        ln_mass(k, urn.marked as f64, shares) + ln_mass(drawn - k, urn.unmarked as f64, shares)
            - ln_mass(drawn, size, shares),
    )
}

/// P(at most k are drawn) and P(more are drawn): the tail that leads away from the likeliest number is the sum of its
/// own terms, in units of the first of them, so that it goes on below every float.
///
/// # Errors
/// As [`hypergeometric_mass`].
pub fn hypergeometric(k: u64, urn: Urn) -> Result<Tails, Undefined> {
    let (low, high) = urn.range()?;
    if k < low {
        return Ok(Tails::below_all());
    }
    if k >= high {
        return Ok(Tails::below_all().swapped());
    }
    if k < urn.mode() {
        let sum = falling_sum((low..k).rev().map(|at| 1.0 / urn.ratio(at)));
        let ln_mass = ln_hypergeometric_mass(k, urn)?;
        return Ok(Tails::of_lower_product(ln_mass, sum));
    }
    let sum = falling_sum((k + 1..high).map(|at| urn.ratio(at)));
    let ln_mass = ln_hypergeometric_mass(k + 1, urn)?;
    Ok(Tails::of_lower_product(ln_mass, sum).swapped())
}

/// 1 and the terms that follow by these factors, which fall and end below 1.
fn falling_sum(factors: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for factor in factors {
        term *= factor;
        sum += term;
        if factor < 1.0 && term <= sum * (f64::EPSILON / 16.0) {
            break;
        }
    }
    sum
}
