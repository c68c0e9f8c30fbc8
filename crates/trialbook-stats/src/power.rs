//! Power of a planned test, the sample it needs, and the effect it can detect.
//!
//! Power belongs to a planned effect. The power of the effect that was observed says no more than its p-value, and is
//! not offered as evidence.
//!
//! Invariant: both rejection tails count in a two-sided test, so that the power at no effect is the level itself.

mod groups;
mod proportions;
#[cfg(test)]
mod tests;

pub use groups::{anova_power, anova_sample_size, chi_squared_power};
pub use proportions::{
    FISHER_MOST, ProportionPower, ProportionSampleSize, fisher_power, fisher_sample_size,
    proportion_power, proportion_sample_size,
};

use crate::probability::Alternative;
use crate::special::{
    Tail, noncentral_student_upper, normal_quantile, steep_root, student_two_sided_quantile,
};
use crate::undefined::Undefined;

/// What a t test is planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Design {
    /// One sample or pairs; the effect is in units of the sd of the values or of the differences.
    OneSample,
    /// Two samples of one size; the effect is in units of the common sd.
    TwoSamples,
}

/// A planned t test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TPlan {
    /// Its design.
    pub design: Design,
    /// What it is to detect.
    pub alternative: Alternative,
    /// Its level: the chance of a false alarm, inside 0..1.
    pub alpha: f64,
}

/// The size of a sample for a wanted power.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleSize {
    /// Where the power is just reached.
    pub real: f64,
    /// The next whole number.
    pub n: u64,
}

impl SampleSize {
    fn of(real: f64) -> Self {
        Self {
            real,
            n: real.ceil() as u64,
        }
    }
}

impl TPlan {
    /// A two-sided test of two samples at the level 0.05.
    pub const USUAL: Self = Self {
        design: Design::TwoSamples,
        alternative: Alternative::TwoSided,
        alpha: 0.05,
    };

    /// The chance to reject with `n` values (a group) where the standardized effect is `d`.
    ///
    /// # Errors
    /// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where the level is not inside 0..1;
    /// [`Undefined::TooFewObservations`] with fewer than two values.
    pub fn power(&self, d: f64, n: u64) -> Result<f64, Undefined> {
        self.check(d)?;
        if n < 2 {
            return Err(Undefined::TooFewObservations);
        }
        Ok(self.at(d, n as f64))
    }

    /// The chance to reject with two samples of different sizes.
    ///
    /// # Errors
    /// As [`TPlan::power`], with fewer than three values together or none in one; [`Undefined::DomainError`] also
    /// where the design has one sample.
    pub fn power_of_two(&self, d: f64, n1: u64, n2: u64) -> Result<f64, Undefined> {
        self.check(d)?;
        if self.design == Design::OneSample {
            return Err(Undefined::DomainError);
        }
        let (n1, n2) = (n1 as f64, n2 as f64);
        if n1 < 1.0 || n2 < 1.0 || n1 + n2 < 3.0 {
            return Err(Undefined::TooFewObservations);
        }
        Ok(self.reject(d * (n1 / (n1 + n2) * n2).sqrt(), n1 + n2 - 2.0))
    }

    /// How many values (a group) give this power where the standardized effect is `d`; at least two.
    ///
    /// # Errors
    /// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where the level or the power is not inside 0..1, or no
    /// number of values gives this power: no effect, an effect on the other side, one of more than 10¹² values.
    pub fn sample_size(&self, d: f64, power: f64) -> Result<SampleSize, Undefined> {
        self.check(d)?;
        share(power)?;
        let effect = match self.alternative {
            Alternative::TwoSided => d.abs(),
            Alternative::Greater => d,
            Alternative::Less => -d,
        };
        if effect <= 0.0 {
            return Err(Undefined::DomainError);
        }
        let wanted = self.shift_for(power) / effect;
        let guess = match self.design {
            Design::OneSample => wanted * wanted,
            Design::TwoSamples => 2.0 * wanted * wanted,
        };
        smallest_n(guess, power, |n| self.at(d, n))
    }

    /// The smallest standardized effect that `n` values (a group) detect with this power; its size, without a sign.
    ///
    /// # Errors
    /// As [`TPlan::sample_size`]; [`Undefined::TooFewObservations`] with fewer than two values;
    /// [`Undefined::DomainError`] where the power does not exceed the level.
    pub fn detectable(&self, n: u64, power: f64) -> Result<f64, Undefined> {
        self.check(0.0)?;
        share(power)?;
        if n < 2 {
            return Err(Undefined::TooFewObservations);
        }
        if power <= self.alpha {
            return Err(Undefined::DomainError);
        }
        let n = n as f64;
        let guess = self.shift_for(power) / self.shift(1.0, n);
        let sign = if self.alternative == Alternative::Less {
            -1.0
        } else {
            1.0
        };
        let target = probit(power);
        Ok(steep_root((guess, guess / 4.0), |d| {
            probit(self.at(sign * d.abs(), n)) - target
        })
        .abs())
    }

    fn check(&self, d: f64) -> Result<(), Undefined> {
        share(self.alpha)?;
        if d.is_finite() {
            Ok(())
        } else {
            Err(Undefined::NonFiniteInput)
        }
    }

    /// The noncentrality of an effect.
    fn shift(&self, d: f64, n: f64) -> f64 {
        match self.design {
            Design::OneSample => d * n.sqrt(),
            Design::TwoSamples => d * (n / 2.0).sqrt(),
        }
    }

    /// The noncentrality that gives a power, were the variance known.
    fn shift_for(&self, power: f64) -> f64 {
        let alpha = match self.alternative {
            Alternative::TwoSided => self.alpha / 2.0,
            Alternative::Less | Alternative::Greater => self.alpha,
        };
        let shift = normal_quantile(Tail::Upper(alpha)) + probit(power);
        shift.max(0.1)
    }

    fn at(&self, d: f64, n: f64) -> f64 {
        let df = match self.design {
            Design::OneSample => n - 1.0,
            Design::TwoSamples => 2.0 * n - 2.0,
        };
        self.reject(self.shift(d, n), df)
    }

    fn reject(&self, shift: f64, df: f64) -> f64 {
        let above = |critical: f64| noncentral_student_upper(critical, df, shift);
        let below = |critical: f64| noncentral_student_upper(critical, df, -shift);
        match self.alternative {
            Alternative::TwoSided => {
                let critical = student_two_sided_quantile(self.alpha, df);
                (above(critical) + below(critical)).min(1.0)
            }
            Alternative::Greater => above(self.one_sided_quantile(df)),
            Alternative::Less => below(self.one_sided_quantile(df)),
        }
    }

    fn one_sided_quantile(&self, df: f64) -> f64 {
        if self.alpha <= 0.5 {
            student_two_sided_quantile(2.0 * self.alpha, df)
        } else {
            -student_two_sided_quantile(2.0 * (1.0 - self.alpha), df)
        }
    }
}

/// Refuses what is not inside 0..1.
fn share(value: f64) -> Result<(), Undefined> {
    if value.is_nan() {
        Err(Undefined::NonFiniteInput)
    } else if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        Err(Undefined::DomainError)
    }
}

/// The normal quantile of a power: on this scale it is nearly linear in the root of the sample's size.
fn probit(power: f64) -> f64 {
    /// Beyond this a power is 0 or 1 for a float.
    const FAR: f64 = 38.0;
    normal_quantile(Tail::Lower(power)).clamp(-FAR, FAR)
}

/// The size from which on an increasing power exceeds the wanted one, near a guess; at least two.
fn smallest_n(guess: f64, power: f64, at: impl Fn(f64) -> f64) -> Result<SampleSize, Undefined> {
    const LEAST: f64 = 2.0;
    /// What nobody will collect.
    const MOST: f64 = 1e12;
    let target = probit(power);
    if guess.is_nan() || guess >= MOST {
        return Err(Undefined::DomainError);
    }
    if at(LEAST) >= power {
        return Ok(SampleSize::of(LEAST));
    }
    let start = guess.max(LEAST).sqrt();
    let root = steep_root((start, start / 4.0), |root| {
        // Below the least size the line goes on, so that the search is not led astray by a flat function.
        let size = (root * root).max(LEAST);
        probit(at(size)) - target + (root - size.sqrt()).min(0.0)
    });
    let real = root * root;
    if real < MOST {
        Ok(SampleSize::of(real.max(LEAST)))
    } else {
        Err(Undefined::DomainError)
    }
}
