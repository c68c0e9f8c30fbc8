//! Power of comparisons of several groups, and of tests of counts.

use super::{SampleSize, probit, share, smallest_n};
use crate::special::{
    Tail, chi_squared_quantile, fisher_upper_quantile, noncentral_chi_squared_upper,
    noncentral_fisher_upper, normal_quantile,
};
use crate::undefined::Undefined;

/// Beyond this noncentrality any power is 1.
const FAR: f64 = 1e6;

/// The chance of a one-way analysis of `n_total` values in `groups` equal groups to reject where Cohen's f is `f`.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where `f` is negative or the level not inside 0..1;
/// [`Undefined::TooFewObservations`] where there are not more values than groups; [`Undefined::TooFewGroups`] with
/// fewer than two.
pub fn anova_power(f: f64, groups: u64, n_total: u64, alpha: f64) -> Result<f64, Undefined> {
    effect(f)?;
    share(alpha)?;
    if n_total <= groups {
        return Err(Undefined::TooFewObservations);
    }
    if groups < 2 {
        return Err(Undefined::TooFewGroups);
    }
    Ok(anova_at(f, groups as f64, n_total as f64, alpha))
}

/// How many values a group give a one-way analysis this power; at least two.
///
/// # Errors
/// As [`anova_power`]; [`Undefined::DomainError`] also where the power is not inside 0..1 or `f` is 0.
pub fn anova_sample_size(
    f: f64,
    groups: u64,
    power: f64,
    alpha: f64,
) -> Result<SampleSize, Undefined> {
    effect(f)?;
    share(alpha)?;
    share(power)?;
    if groups < 2 {
        return Err(Undefined::TooFewGroups);
    }
    if f == 0.0 {
        return Err(Undefined::DomainError);
    }
    let k = groups as f64;
    // As if two groups were compared: near enough for a search on a smooth scale.
    let shift = (normal_quantile(Tail::Upper(alpha / 2.0)) + probit(power)).max(0.1);
    let guess = shift * shift / (f * f) / k * (k - 1.0).sqrt();
    smallest_n(guess, power, |n| anova_at(f, k, k * n, alpha))
}

fn anova_at(f: f64, groups: f64, n_total: f64, alpha: f64) -> f64 {
    let df = (groups - 1.0, n_total - groups);
    let shift = f * f * n_total;
    if shift > FAR * groups {
        return 1.0;
    }
    noncentral_fisher_upper(fisher_upper_quantile(alpha, df.0, df.1), df, shift)
}

/// The chance of a χ² test of `n` counts with `df` degrees of freedom to reject where Cohen's w is `w`.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where `w` is negative, `df` is 0 or the level is not
/// inside 0..1; [`Undefined::TooFewObservations`] without counts.
pub fn chi_squared_power(w: f64, n: u64, df: u64, alpha: f64) -> Result<f64, Undefined> {
    effect(w)?;
    share(alpha)?;
    if df == 0 {
        return Err(Undefined::DomainError);
    }
    if n == 0 {
        return Err(Undefined::TooFewObservations);
    }
    let df = df as f64;
    let shift = n as f64 * w * w;
    if shift > FAR * (df + 1.0) {
        return Ok(1.0);
    }
    let critical = chi_squared_quantile(Tail::Upper(alpha), df);
    Ok(noncentral_chi_squared_upper(critical, df, shift))
}

/// Refuses an effect that is no size.
fn effect(size: f64) -> Result<(), Undefined> {
    if !size.is_finite() {
        Err(Undefined::NonFiniteInput)
    } else if size < 0.0 {
        Err(Undefined::DomainError)
    } else {
        Ok(())
    }
}
