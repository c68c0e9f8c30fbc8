//! How large a difference is: standardized differences with their intervals, and chances of superiority.
//!
//! Signs follow the first sample minus the second. Intervals of standardized differences invert the noncentral t
//! distribution, which is exact for normal values.
//!
//! Not here: whether the difference is real. Invariant: Hedges' correction is the exact one; the usual approximation
//! stands beside it under its own name.

#[cfg(test)]
mod tests;

use crate::interval::Interval;
use crate::moments::{Deviations, Moments, finite, within_floats};
use crate::probability::Level;
use crate::special::{
    Tail, ln_gamma_ratio, noncentral_student_upper, normal, normal_quantile, steep_root,
};
use crate::t_test::{Pairs, at_least, pooled_sd};
use crate::undefined::Undefined;

/// A word for the size of a standardized difference (Cohen 1988).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Magnitude {
    /// |d| below 0.2.
    Negligible,
    /// |d| from 0.2.
    Small,
    /// |d| from 0.5.
    Medium,
    /// |d| from 0.8.
    Large,
}

impl Magnitude {
    /// Of a standardized difference.
    pub fn of(d: f64) -> Self {
        match d.abs() {
            size if size < 0.2 => Self::Negligible,
            size if size < 0.5 => Self::Small,
            size if size < 0.8 => Self::Medium,
            _ => Self::Large,
        }
    }

    /// The word used in results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Negligible => "negligible",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

/// The size of the difference of two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectSize {
    /// Values of the first sample.
    pub n1: usize,
    /// Values of the second sample.
    pub n2: usize,
    /// Cohen's d: the difference of the means in units of the pooled sd.
    pub cohen_d: f64,
    /// Its word.
    pub magnitude: Magnitude,
    /// The level of the intervals.
    pub level: Level,
    /// The interval of Cohen's d, by inverting the noncentral t.
    pub d_interval: Interval,
    /// Hedges' exact correction J for small samples; `None` with one degree of freedom.
    pub hedges_j: Option<f64>,
    /// Hedges' g = J d, nearly unbiased.
    pub hedges_g: Option<f64>,
    /// g with the approximation 1 − 3/(4 df − 1) of J.
    pub hedges_g_approx: f64,
    /// The interval of Hedges' g: that of d times J.
    pub g_interval: Option<Interval>,
    /// Glass' Δ: in units of the second sample's sd; `None` where that does not vary.
    pub glass_delta: Option<f64>,
    /// d in units of √((s₁² + s₂²)/2); `None` where a sample has one value.
    pub cohen_d_av: Option<f64>,
    /// P(X > Y) for normal distributions with these means and variances; `None` where a sample has one value.
    pub cles_normal: Option<f64>,
    /// ln of the quotient of the means, where both are greater than 0.
    pub ln_ratio_of_means: Option<f64>,
    /// Chances of superiority, which need no normal values.
    pub superiority: Superiority,
}

/// The chance that a value of the first sample exceeds one of the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Superiority {
    /// Vargha & Delaney's A₁₂ = P(X > Y) + P(X = Y)/2.
    pub a12: f64,
    /// Cliff's δ = P(X > Y) − P(X < Y).
    pub cliffs_delta: f64,
}

/// The size of the difference of two samples, with intervals at a level.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::TooFewObservations`] where a sample is empty or both have fewer than
/// three values together; [`Undefined::ZeroVariance`] where each is constant ([`superiority`] is defined still);
/// [`Undefined::DomainError`] where a result leaves the floats.
pub fn effect_size(x: &[f64], y: &[f64], level: Level) -> Result<EffectSize, Undefined> {
    let superiority = superiority(x, y)?;
    if x.len() + y.len() < 3 {
        return Err(Undefined::TooFewObservations);
    }
    let (first, second) = (at_least(x, 1)?, at_least(y, 1)?);
    let (n1, n2) = (first.n as f64, second.n as f64);
    let df = n1 + n2 - 2.0;
    let difference = first.difference(&second);
    let cohen_d = difference / pooled_sd(&first, &second)?;
    let unit = (1.0 / n1 + 1.0 / n2).sqrt();
    within_floats(&[cohen_d, cohen_d / unit])?;
    let d_interval = standardized_interval(cohen_d / unit, df, unit, level)?;
    let hedges_j = hedges_j(df).ok();
    let spreads = (first.n > 1 && second.n > 1).then(|| libm::hypot(first.sd, second.sd));
    let ratio = first.mean() / second.mean();
    let positive = first.mean() > 0.0 && second.mean() > 0.0 && ratio.is_normal();
    Ok(EffectSize {
        n1: first.n,
        n2: second.n,
        cohen_d,
        magnitude: Magnitude::of(cohen_d),
        level,
        d_interval,
        hedges_j,
        hedges_g: hedges_j.map(|j| j * cohen_d),
        hedges_g_approx: cohen_d * hedges_j_approx(df),
        g_interval: hedges_j.map(|j| Interval::new(d_interval.low * j, d_interval.high * j)),
        glass_delta: (second.sd > 0.0)
            .then(|| difference / second.sd)
            .filter(|delta| delta.is_finite()),
        cohen_d_av: spreads.map(|spread| difference / (spread * std::f64::consts::FRAC_1_SQRT_2)),
        cles_normal: spreads.map(|spread| normal(difference / spread).lower),
        ln_ratio_of_means: positive.then(|| libm::log(ratio)),
        superiority,
    })
}

/// The chance that a value of the first sample exceeds one of the second, from sorted samples.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::TooFewObservations`] where a sample is empty.
pub fn superiority(x: &[f64], y: &[f64]) -> Result<Superiority, Undefined> {
    finite(&[x, y])?;
    if x.is_empty() || y.is_empty() {
        return Err(Undefined::TooFewObservations);
    }
    let mut sorted = y.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (mut below, mut above) = (0_u64, 0_u64);
    for value in x {
        below += sorted.partition_point(|other| other < value) as u64;
        above += (sorted.len() - sorted.partition_point(|other| other <= value)) as u64;
    }
    let pairs = x.len() as f64 * y.len() as f64;
    let (below, above) = (below as f64, above as f64);
    Ok(Superiority {
        a12: f64::midpoint(below, pairs - above) / pairs,
        cliffs_delta: (below - above) / pairs,
    })
}

/// The size of the difference of pairs; definitions of Lakens 2013.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedEffectSize {
    /// Pairs.
    pub n: usize,
    /// d_z: the mean difference in units of the differences' sd.
    pub cohen_dz: f64,
    /// Its word.
    pub magnitude: Magnitude,
    /// The level of the interval.
    pub level: Level,
    /// The interval of d_z, by inverting the noncentral t.
    pub dz_interval: Interval,
    /// Hedges' exact correction J; `None` with two pairs.
    pub hedges_j: Option<f64>,
    /// J d_z.
    pub hedges_gz: Option<f64>,
    /// d_rm = d_z √(2 (1 − r)); `None` where one side does not vary.
    pub cohen_drm: Option<f64>,
    /// The mean difference in units of √((s₁² + s₂²)/2); `None` where neither side varies.
    pub cohen_d_av: Option<f64>,
    /// Pearson's correlation of the pairs; `None` where one side does not vary.
    pub correlation: Option<f64>,
}

/// The size of the difference of pairs.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::LengthMismatch`]; [`Undefined::TooFewObservations`] with fewer than two
/// pairs; [`Undefined::ZeroVariance`] where all differences are equal up to rounding; [`Undefined::DomainError`] where
/// a result leaves the floats.
pub fn paired_effect_size(
    x: &[f64],
    y: &[f64],
    level: Level,
) -> Result<PairedEffectSize, Undefined> {
    let pairs = Pairs::of(x, y)?;
    let moments = at_least(&pairs.differences, 2)?;
    if pairs.are_constant() {
        return Err(Undefined::ZeroVariance);
    }
    let n = moments.n as f64;
    let difference = moments.mean.value();
    let cohen_dz = difference / moments.sd;
    let root = n.sqrt();
    within_floats(&[cohen_dz, cohen_dz * root])?;
    let dz_interval = standardized_interval(cohen_dz * root, n - 1.0, 1.0 / root, level)?;
    let hedges_j = hedges_j(n - 1.0).ok();
    let distance = distance_from_one(&pairs, x, y);
    let spread = libm::hypot(pairs.x.sd, pairs.y.sd) * std::f64::consts::FRAC_1_SQRT_2;
    Ok(PairedEffectSize {
        n: moments.n,
        cohen_dz,
        magnitude: Magnitude::of(cohen_dz),
        level,
        dz_interval,
        hedges_j,
        hedges_gz: hedges_j.map(|j| j * cohen_dz),
        cohen_drm: distance.map(|distance| cohen_dz * (2.0 * distance).sqrt()),
        cohen_d_av: (spread > 0.0)
            .then(|| difference / spread)
            .filter(|d| d.is_finite()),
        correlation: distance.map(|distance| 1.0 - distance),
    })
}

/// 1 − r, from the distance of the standardized samples, so that nothing cancels near r = 1.
fn distance_from_one(pairs: &Pairs, x: &[f64], y: &[f64]) -> Option<f64> {
    if pairs.x.is_constant() || pairs.y.is_constant() {
        return None;
    }
    let standardized = |values: &[f64], moments: &Moments| -> Vec<f64> {
        let deviations: Vec<_> = Deviations::of(values, moments.range)
            .each()
            .map(crate::exact::Double::value)
            .collect();
        let length = deviations.iter().map(|d| d * d).sum::<f64>().sqrt();
        deviations.into_iter().map(|d| d / length).collect()
    };
    let (first, second) = (standardized(x, &pairs.x), standardized(y, &pairs.y));
    let squares: f64 = first
        .iter()
        .zip(&second)
        .map(|(a, b)| (a - b) * (a - b))
        .sum();
    Some((squares / 2.0).clamp(0.0, 2.0))
}

/// Hedges' exact correction J = Γ(df/2) / (Γ((df−1)/2) √(df/2)) of a standardized difference for small samples.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where `df` is not greater than 1.
pub fn hedges_j(df: f64) -> Result<f64, Undefined> {
    if !df.is_finite() {
        return Err(Undefined::NonFiniteInput);
    }
    if df <= 1.0 {
        return Err(Undefined::DomainError);
    }
    let ln = ln_gamma_ratio((df - 1.0) / 2.0, 0.5) - 0.5 * libm::log(df / 2.0);
    Ok(libm::exp(ln))
}

/// The usual approximation of J.
pub fn hedges_j_approx(df: f64) -> f64 {
    1.0 - 3.0 / (4.0 * df - 1.0)
}

/// The interval of a standardized difference `t · unit`: the noncentralities under which the observed `t` is just not
/// extreme, by inverting the noncentral t (Steiger & Fouladi 1997).
fn standardized_interval(t: f64, df: f64, unit: f64, level: Level) -> Result<Interval, Undefined> {
    let outside = level.outside() / 2.0;
    let target = -normal_quantile(Tail::Lower(outside));
    // On the scale of normal quantiles the tails are nearly linear in the noncentrality, with this slope.
    let width = target * (1.0 + t * t / (2.0 * df)).sqrt();
    let low = steep_root((t - width, width), |shift| {
        normal_quantile(Tail::Lower(noncentral_student_upper(t, df, shift))) + target
    });
    let high = steep_root((t + width, width), |shift| {
        let below = noncentral_student_upper(-t, df, -shift);
        -normal_quantile(Tail::Lower(below)) - target
    });
    within_floats(&[low * unit, high * unit])?;
    Ok(Interval::new(low * unit, high * unit))
}
