//! Power of the comparison of two rates.

use super::{SampleSize, probit, share, smallest_n};
use crate::special::{Tail, normal, normal_quantile};
use crate::undefined::Undefined;

/// The power of a two-sided comparison of two rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProportionPower {
    /// Cohen's h: the difference of the rates on the arcsine scale.
    pub cohen_h: f64,
    /// The power on the arcsine scale (Cohen 1988), both tails counted: the default.
    pub arcsine: f64,
    /// The power with a pooled variance under the null hypothesis and separate ones under the alternative
    /// (Fleiss 1981), one tail counted.
    pub unpooled: f64,
}

/// How many trials a group a two-sided comparison of two rates needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProportionSampleSize {
    /// By the arcsine scale: the default.
    pub arcsine: SampleSize,
    /// By pooled and separate variances.
    pub unpooled: SampleSize,
}

/// The chance to tell the rates `p1` and `p2` apart with `n` trials each.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where a rate is not in 0..=1 or the level not inside 0..1;
/// [`Undefined::TooFewObservations`] without trials.
pub fn proportion_power(
    (p1, p2): (f64, f64),
    n: u64,
    alpha: f64,
) -> Result<ProportionPower, Undefined> {
    let rates = Rates::of(p1, p2, alpha)?;
    if n == 0 {
        return Err(Undefined::TooFewObservations);
    }
    Ok(ProportionPower {
        cohen_h: rates.h,
        arcsine: rates.arcsine(n as f64),
        unpooled: rates.unpooled(n as f64),
    })
}

/// How many trials a group tell the rates `p1` and `p2` apart with this power; at least two.
///
/// # Errors
/// As [`proportion_power`]; [`Undefined::DomainError`] also where the power is not inside 0..1 or the rates are equal.
pub fn proportion_sample_size(
    (p1, p2): (f64, f64),
    power: f64,
    alpha: f64,
) -> Result<ProportionSampleSize, Undefined> {
    let rates = Rates::of(p1, p2, alpha)?;
    share(power)?;
    if p1 == p2 {
        return Err(Undefined::DomainError);
    }
    let shift = (rates.critical + probit(power)).max(0.1) / rates.h;
    let guess = 2.0 * shift * shift;
    Ok(ProportionSampleSize {
        arcsine: smallest_n(guess, power, |n| rates.arcsine(n))?,
        unpooled: smallest_n(guess, power, |n| rates.unpooled(n))?,
    })
}

struct Rates {
    p1: f64,
    p2: f64,
    h: f64,
    /// The normal quantile of half the level.
    critical: f64,
}

impl Rates {
    fn of(p1: f64, p2: f64, alpha: f64) -> Result<Self, Undefined> {
        share(alpha)?;
        if p1.is_nan() || p2.is_nan() {
            return Err(Undefined::NonFiniteInput);
        }
        if !(0.0..=1.0).contains(&p1) || !(0.0..=1.0).contains(&p2) {
            return Err(Undefined::DomainError);
        }
        let arcsine = |p: f64| 2.0 * libm::asin(p.sqrt());
        Ok(Self {
            p1,
            p2,
            h: arcsine(p1) - arcsine(p2),
            critical: normal_quantile(Tail::Upper(alpha / 2.0)),
        })
    }

    fn arcsine(&self, n: f64) -> f64 {
        let shift = self.h.abs() * (n / 2.0).sqrt();
        (normal(shift - self.critical).lower + normal(-shift - self.critical).lower).min(1.0)
    }

    fn unpooled(&self, n: f64) -> f64 {
        let (p1, p2) = (self.p1, self.p2);
        let together = p1 + p2;
        let null = self.critical * (together * (1.0 - together / 2.0)).sqrt();
        let above = n.sqrt() * (p1 - p2).abs() - null;
        let spread = (p1 * (1.0 - p1) + p2 * (1.0 - p2)).sqrt();
        if spread == 0.0 {
            return if above > 0.0 { 1.0 } else { 0.0 };
        }
        normal(above / spread).lower
    }
}
