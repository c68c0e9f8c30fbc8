//! The distributions that the tests stand on: both tails, their logarithms, and quantiles.
//!
//! Not here: tests and intervals. Invariant: the smaller tail is computed directly and is never one minus the other,
//! so that it keeps its digits down to the smallest float; below that its logarithm goes on.

mod beta;
mod central;
mod discrete;
mod gamma;
mod legendre;
mod loader;
mod noncentral;
mod normal;
mod root;
#[cfg(test)]
mod tests;

use crate::undefined::Undefined;

pub use discrete::{Urn, binomial, binomial_mass, hypergeometric, hypergeometric_mass};
pub use noncentral::{noncentral_chi_squared, noncentral_f, noncentral_t};
pub use normal::normal_density;

pub(crate) use central::{
    chi_squared, chi_squared_quantile, fisher, fisher_upper_quantile, student, student_two_sided,
    student_two_sided_quantile,
};
pub(crate) use discrete::ln_hypergeometric_mass;
pub(crate) use loader::ln_gamma_ratio;
pub(crate) use noncentral::{
    noncentral_chi_squared_upper, noncentral_fisher_upper, noncentral_student_upper,
};
pub(crate) use normal::{normal, normal_quantile, normal_two_sided};
pub(crate) use root::{Slope, newton, steep_root};

/// The probabilities on both sides of a point, and their natural logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tails {
    /// P(X ≤ x).
    pub lower: f64,
    /// P(X > x).
    pub upper: f64,
    /// ln P(X ≤ x): also where the probability itself is below the smallest float.
    pub ln_lower: f64,
    /// ln P(X > x).
    pub ln_upper: f64,
}

impl Tails {
    /// From the lower tail, which must be the one that was computed directly.
    pub(crate) fn of_lower(ln_lower: f64, lower: f64) -> Self {
        let lower = lower.clamp(0.0, 1.0);
        Self {
            lower,
            upper: 1.0 - lower,
            ln_lower: ln_lower.min(0.0),
            ln_upper: libm::log1p(-lower),
        }
    }

    /// From the lower tail as a product of which the first factor may be below the smallest float.
    pub(crate) fn of_lower_product(ln_front: f64, factor: f64) -> Self {
        /// Below this the exponential loses digits, and the logarithms are added first.
        const SMALL: f64 = -690.0;
        let ln_lower = ln_front + libm::log(factor);
        let lower = if ln_front < SMALL {
            libm::exp(ln_lower)
        } else {
            libm::exp(ln_front) * factor
        };
        Self::of_lower(ln_lower, lower)
    }

    /// From both tails, each computed directly.
    pub(crate) fn of_both(lower: f64, upper: f64) -> Self {
        let (lower, upper) = (lower.clamp(0.0, 1.0), upper.clamp(0.0, 1.0));
        let ln = |tail: f64, other: f64| {
            if tail < 0.5 {
                libm::log(tail)
            } else {
                libm::log1p(-other)
            }
        };
        Self {
            lower,
            upper,
            ln_lower: ln(lower, upper),
            ln_upper: ln(upper, lower),
        }
    }

    /// The tails of −X.
    pub(crate) const fn swapped(self) -> Self {
        Self {
            lower: self.upper,
            upper: self.lower,
            ln_lower: self.ln_upper,
            ln_upper: self.ln_lower,
        }
    }

    /// Of a point left of the whole distribution.
    pub(crate) const fn below_all() -> Self {
        Self {
            lower: 0.0,
            upper: 1.0,
            ln_lower: f64::NEG_INFINITY,
            ln_upper: 0.0,
        }
    }
}

/// A probability, given as the tail that is known exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tail {
    /// P(X ≤ x).
    Lower(f64),
    /// P(X > x).
    Upper(f64),
}

impl Tail {
    /// Its probability.
    pub const fn probability(self) -> f64 {
        match self {
            Self::Lower(p) | Self::Upper(p) => p,
        }
    }

    /// The other tail at the same point.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Lower(p) => Self::Upper(1.0 - p),
            Self::Upper(p) => Self::Lower(1.0 - p),
        }
    }

    /// The same point, told by the tail that is at most one half.
    pub(crate) const fn smaller(self) -> Self {
        if self.probability() > 0.5 {
            self.other()
        } else {
            self
        }
    }
}

/// A continuous distribution that has quantiles here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distribution {
    /// The standard normal.
    Normal,
    /// Student's t.
    StudentT {
        /// Degrees of freedom, greater than 0.
        df: f64,
    },
    /// χ².
    ChiSquared {
        /// Degrees of freedom, greater than 0.
        df: f64,
    },
    /// Fisher's F.
    F {
        /// Degrees of freedom of the numerator, greater than 0.
        df1: f64,
        /// Degrees of freedom of the denominator, greater than 0.
        df2: f64,
    },
    /// The beta distribution on 0..=1.
    Beta {
        /// The first shape, greater than 0.
        a: f64,
        /// The second shape, greater than 0.
        b: f64,
    },
}

impl Distribution {
    /// The probabilities on both sides of `x`, to about 1e-13 of each of them.
    ///
    /// # Errors
    /// [`Undefined::NonFiniteInput`] where `x` or a parameter is NaN, [`Undefined::DomainError`] where a parameter is
    /// not greater than 0 or infinite.
    pub fn tails(self, x: f64) -> Result<Tails, Undefined> {
        self.check()?;
        if x.is_nan() {
            return Err(Undefined::NonFiniteInput);
        }
        Ok(match self {
            Self::Normal => normal(x),
            Self::StudentT { df } => student(x, df),
            Self::ChiSquared { df } => chi_squared(x, df),
            Self::F { df1, df2 } => fisher(x, df1, df2),
            Self::Beta { a, b } => beta::tails(a, b, x, 1.0 - x),
        })
    }

    /// The point with this tail; infinite where the probability is 0 and the distribution unbounded.
    ///
    /// # Errors
    /// As [`Distribution::tails`]; also where the probability is not in 0..=1.
    pub fn quantile(self, tail: Tail) -> Result<f64, Undefined> {
        self.check()?;
        let p = tail.probability();
        if p.is_nan() {
            return Err(Undefined::NonFiniteInput);
        }
        if !(0.0..=1.0).contains(&p) {
            return Err(Undefined::DomainError);
        }
        Ok(match self {
            Self::Normal => normal_quantile(tail),
            Self::StudentT { df } => central::student_quantile(tail, df),
            Self::ChiSquared { df } => central::chi_squared_quantile(tail, df),
            Self::F { df1, df2 } => central::fisher_quantile(tail, df1, df2),
            Self::Beta { a, b } => beta::quantile(a, b, tail),
        })
    }

    fn check(self) -> Result<(), Undefined> {
        match self {
            Self::Normal => Ok(()),
            Self::StudentT { df } | Self::ChiSquared { df } => positive(&[df]),
            Self::F { df1, df2 } => positive(&[df1, df2]),
            Self::Beta { a, b } => positive(&[a, b]),
        }
    }
}

/// Parameters that have to be greater than 0.
fn positive(parameters: &[f64]) -> Result<(), Undefined> {
    /// Beyond this a product of parameters leaves the floats.
    const LARGEST: f64 = 1e100;
    if parameters.iter().any(|value| value.is_nan()) {
        Err(Undefined::NonFiniteInput)
    } else if parameters
        .iter()
        .any(|&value| value <= 0.0 || value > LARGEST)
    {
        Err(Undefined::DomainError)
    } else {
        Ok(())
    }
}
