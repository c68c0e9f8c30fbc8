//! Analysis of variance: do the means of several groups differ?
//!
//! Welch's is the default, as for two groups; the one-way analysis gives the shares of variance (η², ω², ε²), which
//! are reported raw, negative ones too.
//!
//! Not here: which groups differ. Invariant: group means are compared in twice the precision, so that an offset of
//! all values costs no digits.

mod repeated;
#[cfg(test)]
mod tests;

pub use repeated::{RepeatedMeasures, repeated_measures_anova};

use crate::exact::{Double, scale_of};
use crate::moments::{Moments, finite, within_floats};
use crate::probability::PValue;
use crate::special::fisher;
use crate::undefined::Undefined;

/// What a one-way analysis with a common variance found (Fisher 1925).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OneWayAnova {
    /// Groups.
    pub groups: usize,
    /// Values of all groups.
    pub n: usize,
    /// The statistic F.
    pub statistic: f64,
    /// Degrees of freedom between groups.
    pub df_between: f64,
    /// Degrees of freedom within groups.
    pub df_within: f64,
    /// Sum of squares between groups.
    pub ss_between: f64,
    /// Sum of squares within groups.
    pub ss_within: f64,
    /// Mean square between groups.
    pub ms_between: f64,
    /// Mean square within groups.
    pub ms_within: f64,
    /// The p-value.
    pub p: PValue,
    /// The share of the groups in the sample's variance.
    pub eta_squared: f64,
    /// The share in the population's variance, less biased (Hays 1963); may be negative.
    pub omega_squared: f64,
    /// The same by Kelley 1935; may be negative.
    pub epsilon_squared: f64,
    /// Cohen's f, √(η²/(1 − η²)).
    pub cohen_f: f64,
    /// The sd within groups.
    pub residual_sd: f64,
}

impl OneWayAnova {
    /// The name used in results.
    pub const NAME: &'static str = "one-way ANOVA";
}

/// What a one-way analysis without a common variance found (Welch 1951).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WelchAnova {
    /// Groups.
    pub groups: usize,
    /// Values of all groups.
    pub n: usize,
    /// The statistic F.
    pub statistic: f64,
    /// Degrees of freedom between groups.
    pub df_between: f64,
    /// Degrees of freedom within groups.
    pub df_within: f64,
    /// The p-value.
    pub p: PValue,
}

impl WelchAnova {
    /// The name used in results.
    pub const NAME: &'static str = "Welch's ANOVA";
}

/// Compares the means of groups with a common variance.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::TooFewObservations`] where a group is empty or none has a second value;
/// [`Undefined::TooFewGroups`] with fewer than two; [`Undefined::ZeroVariance`] where each group is constant;
/// [`Undefined::DomainError`] where a result leaves the floats.
pub fn one_way_anova<G: AsRef<[f64]>>(groups: &[G]) -> Result<OneWayAnova, Undefined> {
    let moments = moments(groups, 1)?;
    let n: usize = moments.iter().map(|group| group.n).sum();
    if n == moments.len() && n > 0 {
        return Err(Undefined::TooFewObservations);
    }
    if moments.len() < 2 {
        return Err(Undefined::TooFewGroups);
    }
    if moments.iter().all(Moments::is_constant) {
        return Err(Undefined::ZeroVariance);
    }
    let grand = grand_mean(&moments, n);
    let distance = |group: &Moments| group.mean.plus(grand.negated()).value();
    // Squares in a unit near the greatest deviation neither over- nor underflow.
    let unit = scale_of(moments.iter().fold(0.0_f64, |most, group| {
        most.max(group.sd).max(distance(group).abs())
    }));
    let square = |value: f64| (value / unit) * (value / unit);
    let between: f64 = moments
        .iter()
        .map(|group| group.n as f64 * square(distance(group)))
        .sum();
    let within: f64 = moments
        .iter()
        .map(|group| (group.n - 1) as f64 * square(group.sd))
        .sum();
    let (df_between, df_within) = ((moments.len() - 1) as f64, (n - moments.len()) as f64);
    let (ms_between, ms_within) = (between / df_between, within / df_within);
    let statistic = ms_between / ms_within;
    within_floats(&[statistic])?;
    let tails = fisher(statistic, df_between, df_within);
    let total = between + within;
    let units = unit * unit;
    Ok(OneWayAnova {
        groups: moments.len(),
        n,
        statistic,
        df_between,
        df_within,
        ss_between: between * units,
        ss_within: within * units,
        ms_between: ms_between * units,
        ms_within: ms_within * units,
        p: PValue::new(tails.upper, tails.ln_upper),
        eta_squared: between / total,
        omega_squared: (between - df_between * ms_within) / (total + ms_within),
        epsilon_squared: (between - df_between * ms_within) / total,
        cohen_f: (between / within).sqrt(),
        residual_sd: ms_within.sqrt() * unit,
    })
}

/// Compares the means of groups, each with its own variance. The default.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::TooFewObservations`] where a group has fewer than two values;
/// [`Undefined::TooFewGroups`] with fewer than two; [`Undefined::ZeroVariance`] where a group is constant, which would
/// have infinite weight; [`Undefined::DomainError`] where a result leaves the floats.
pub fn welch_anova<G: AsRef<[f64]>>(groups: &[G]) -> Result<WelchAnova, Undefined> {
    let moments = moments(groups, 2)?;
    if moments.len() < 2 {
        return Err(Undefined::TooFewGroups);
    }
    if moments.iter().any(|group| group.sd == 0.0) {
        return Err(Undefined::ZeroVariance);
    }
    let n: usize = moments.iter().map(|group| group.n).sum();
    let unit = moments
        .iter()
        .map(Moments::sem)
        .fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = moments
        .iter()
        .map(|group| (unit / group.sem()) * (unit / group.sem()))
        .collect();
    let total: f64 = weights.iter().sum();
    // Means as distances from the first one, so that only digits that differ are weighed.
    let distances: Vec<f64> = moments
        .iter()
        .map(|group| group.difference(&moments[0]) / unit)
        .collect();
    let weighed = |values: &mut dyn Iterator<Item = f64>| -> f64 { values.sum() };
    let mean = weighed(&mut weights.iter().zip(&distances).map(|(w, d)| w * d)) / total;
    let between = weighed(
        &mut weights
            .iter()
            .zip(&distances)
            .map(|(w, d)| w * (d - mean) * (d - mean)),
    );
    let lambda = weighed(&mut weights.iter().zip(&moments).map(|(w, group)| {
        let rest = 1.0 - w / total;
        rest * rest / (group.n - 1) as f64
    }));
    let k = moments.len() as f64;
    let statistic = between / (k - 1.0) / (1.0 + 2.0 * (k - 2.0) / (k * k - 1.0) * lambda);
    let df_within = (k * k - 1.0) / (3.0 * lambda);
    within_floats(&[statistic, df_within])?;
    let tails = fisher(statistic, k - 1.0, df_within);
    Ok(WelchAnova {
        groups: moments.len(),
        n,
        statistic,
        df_between: k - 1.0,
        df_within,
        p: PValue::new(tails.upper, tails.ln_upper),
    })
}

/// The moments of each group, of which each has at least so many values.
fn moments<G: AsRef<[f64]>>(groups: &[G], least: usize) -> Result<Vec<Moments>, Undefined> {
    let groups: Vec<&[f64]> = groups.iter().map(AsRef::as_ref).collect();
    finite(&groups)?;
    groups
        .into_iter()
        .map(|group| crate::t_test::at_least(group, least))
        .collect()
}

/// The mean of all values.
fn grand_mean(moments: &[Moments], n: usize) -> Double {
    // Around the first group's mean, so that the sum does not leave the floats.
    let first = moments[0].mean;
    let total = moments.iter().fold(Double::default(), |total, group| {
        let distance = group.mean.plus(first.negated());
        total.plus(distance.times(group.n as f64 / n as f64))
    });
    first.plus(total)
}
