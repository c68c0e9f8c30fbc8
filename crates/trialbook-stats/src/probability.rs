//! p-values, their logarithms, and levels.
//!
//! Invariant: a p-value is never given without its logarithm, which stays finite where the value itself is below
//! every float.

use crate::special::{Tails, normal, normal_two_sided, student, student_two_sided};
use crate::undefined::Undefined;

/// The probability of a result at least as extreme as the observed one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PValue {
    /// The probability; 0 only where it is below the smallest float.
    pub p: f64,
    /// Its natural logarithm.
    pub ln_p: f64,
}

impl PValue {
    /// Of a tail that is known with its logarithm.
    pub(crate) const fn new(p: f64, ln_p: f64) -> Self {
        Self { p, ln_p }
    }

    /// Of a probability that is known to be a normal float.
    pub(crate) fn of(p: f64) -> Self {
        let p = p.clamp(0.0, 1.0);
        Self {
            p,
            ln_p: libm::log(p),
        }
    }
}

/// What speaks against the null hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alternative {
    /// A difference in either direction.
    TwoSided,
    /// The first sample tends to be smaller.
    Less,
    /// The first sample tends to be greater.
    Greater,
}

impl Alternative {
    /// The word used in results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TwoSided => "two-sided",
            Self::Less => "less",
            Self::Greater => "greater",
        }
    }
}

/// The p-values of a test for every alternative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PValues {
    /// Against a difference in either direction.
    pub two_sided: PValue,
    /// Against the first sample being smaller.
    pub less: PValue,
    /// Against the first sample being greater.
    pub greater: PValue,
}

impl PValues {
    /// Of a statistic that is standard normal under the null hypothesis.
    pub(crate) fn of_normal(z: f64) -> Self {
        Self::of_symmetric(normal(z), normal_two_sided(z))
    }

    /// Of a statistic that follows Student's t under the null hypothesis.
    pub(crate) fn of_student(t: f64, df: f64) -> Self {
        Self::of_symmetric(student(t, df), student_two_sided(t, df))
    }

    const fn of_symmetric(tails: Tails, (p, ln_p): (f64, f64)) -> Self {
        Self {
            two_sided: PValue::new(p, ln_p),
            less: PValue::new(tails.lower, tails.ln_lower),
            greater: PValue::new(tails.upper, tails.ln_upper),
        }
    }

    /// The p-value against this alternative.
    pub const fn against(&self, alternative: Alternative) -> PValue {
        match alternative {
            Alternative::TwoSided => self.two_sided,
            Alternative::Less => self.less,
            Alternative::Greater => self.greater,
        }
    }
}

/// The share of experiments in which an interval shall contain the truth; inside 0..1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    /// The usual level.
    pub const NINETY_FIVE: Self = Self(0.95);
    /// The level of the interval that belongs to an equivalence test at 0.05.
    pub const NINETY: Self = Self(0.9);

    /// From a share.
    ///
    /// # Errors
    /// [`Undefined::NonFiniteInput`] where it is not a number, [`Undefined::DomainError`] where it is not inside 0..1.
    pub fn new(share: f64) -> Result<Self, Undefined> {
        if !share.is_finite() {
            Err(Undefined::NonFiniteInput)
        } else if share > 0.0 && share < 1.0 {
            Ok(Self(share))
        } else {
            Err(Undefined::DomainError)
        }
    }

    /// The share.
    pub const fn share(self) -> f64 {
        self.0
    }

    /// What is left outside on both sides together.
    pub const fn outside(self) -> f64 {
        1.0 - self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_lies_inside_zero_and_one() {
        assert_eq!(Level::new(0.95), Ok(Level::NINETY_FIVE));
        assert_eq!(Level::new(1.0), Err(Undefined::DomainError));
        assert_eq!(Level::new(f64::NAN), Err(Undefined::NonFiniteInput));
    }

    #[test]
    fn the_two_sided_p_value_keeps_its_digits_near_one() {
        assert_eq!(PValues::of_normal(0.0).two_sided, PValue::new(1.0, 0.0));
        // P(|T| > t) with 4 degrees of freedom is 1 − 3t/4 for small t.
        let student = PValues::of_student(-1e-9, 4.0).two_sided;
        assert!((student.ln_p / -7.5e-10 - 1.0).abs() < 1e-9);
        let normal = PValues::of_normal(1e-9).two_sided;
        assert!((normal.ln_p / (-2e-9 * crate::normal_density(0.0)) - 1.0).abs() < 1e-9);
    }
}
