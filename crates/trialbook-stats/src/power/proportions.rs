//! Power of the comparison of two rates.

use super::{SampleSize, probit, share, smallest_n};
use crate::special::{Tail, Urn, binomial_mass, ln_hypergeometric_mass, normal, normal_quantile};
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

/// The most trials a group for which the power of Fisher's test is searched.
pub const FISHER_MOST: u64 = 500;

/// The chance that Fisher's exact test, two-sided, gives a p below alpha where the rates are `p1` and `p2`, with `n`
/// trials each: all tables are enumerated.
///
/// # Errors
/// As [`proportion_power`].
pub fn fisher_power((p1, p2): (f64, f64), n: u64, alpha: f64) -> Result<f64, Undefined> {
    Rates::of(p1, p2, alpha)?;
    if n == 0 {
        return Err(Undefined::TooFewObservations);
    }
    let masses = |p: f64| (0..=n).map(move |k| binomial_mass(k, n, p));
    let first = masses(p1).collect::<Result<Vec<f64>, Undefined>>()?;
    let second = masses(p2).collect::<Result<Vec<f64>, Undefined>>()?;
    let mut power = 0.0;
    for successes in 0..=2 * n {
        let urn = Urn {
            marked: successes,
            unmarked: 2 * n - successes,
            drawn: n,
        };
        let low = urn.range()?.0;
        for a in low..low + told_apart(urn, alpha)? {
            // Of equal groups a table and its mirror image are equally likely.
            let (a, b) = (a as usize, (successes - a) as usize);
            power += first[a] * second[b] + first[b] * second[a];
        }
    }
    Ok(power.min(1.0))
}

/// How many of the least first counts have a p below alpha, given the margins, half of them drawn.
fn told_apart(urn: Urn, alpha: f64) -> Result<u64, Undefined> {
    let (low, _) = urn.range()?;
    // Hoeffding: further from the mean than this lies no mass that counts, and it would round to 0.
    let few = urn.marked.min(urn.unmarked) as f64;
    let mean = urn.marked as f64 / 2.0;
    let start = low.max((mean - 4.5 * few.sqrt()).max(0.0) as u64);
    let mut mass = ln_hypergeometric_mass(start, urn).map(libm::exp)?;
    let (mut below, mut at) = (mass, start);
    while 2 * at < urn.marked && 2.0 * below < alpha {
        mass *= urn.ratio(at);
        below += mass;
        at += 1;
    }
    Ok(at - low)
}

/// How many trials a group Fisher's exact test needs to tell the rates apart with this power, searched upwards from
/// what the arcsine scale says; `None` beyond [`FISHER_MOST`].
///
/// # Errors
/// As [`proportion_sample_size`].
pub fn fisher_sample_size(
    (p1, p2): (f64, f64),
    power: f64,
    alpha: f64,
) -> Result<Option<u64>, Undefined> {
    let arcsine = proportion_sample_size((p1, p2), power, alpha)?.arcsine.n;
    for n in arcsine..=FISHER_MOST {
        if fisher_power((p1, p2), n, alpha)? >= power {
            return Ok(Some(n));
        }
    }
    Ok(None)
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
