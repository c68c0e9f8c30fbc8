//! Kruskal & Wallis' H of several independent samples.

use crate::probability::PValue;
use crate::ranking::{Ranking, tie_term};
use crate::special::chi_squared;
use crate::undefined::Undefined;

/// Kruskal & Wallis' test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KruskalWallis {
    /// H, corrected for ties.
    pub statistic: f64,
    /// Groups less one.
    pub df: usize,
    /// By the χ² distribution.
    pub p: PValue,
    /// What H was divided by: 1 − Σ(t³ − t) / (N³ − N).
    pub tie_correction: f64,
    /// H / (N − 1).
    pub epsilon_squared: f64,
    /// (H − k + 1) / (N − k), not clamped; none where every group is one value.
    pub eta_squared: Option<f64>,
}

/// Whether any of several independent samples tends to be greater (Kruskal & Wallis 1952).
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::TooFewObservations`] for an empty group, [`Undefined::TooFewGroups`]
/// for fewer than two, [`Undefined::AllTies`] where all values are equal. There are fewer than 2³² values, else
/// [`Undefined::DomainError`].
pub fn kruskal_wallis<G: AsRef<[f64]>>(groups: &[G]) -> Result<KruskalWallis, Undefined> {
    let groups: Vec<&[f64]> = groups.iter().map(AsRef::as_ref).collect();
    let values = groups.concat();
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    if u32::try_from(values.len()).is_err() {
        return Err(Undefined::DomainError);
    }
    if groups.iter().any(|group| group.is_empty()) {
        return Err(Undefined::TooFewObservations);
    }
    if groups.len() < 2 {
        return Err(Undefined::TooFewGroups);
    }
    let ranking = Ranking::of(values.iter().copied());
    let all = values.len() as u128;
    let cube = all * all * all - all;
    let untied = cube - tie_term(&ranking.ties);
    if untied == 0 {
        return Err(Undefined::AllTies);
    }
    // Distances of rank sums from their means are integers when doubled, so that nothing cancels.
    let (mut sum, mut first) = (0.0, 0);
    for group in &groups {
        let ranks: u128 = ranking.doubled[first..first + group.len()]
            .iter()
            .map(|&rank| u128::from(rank))
            .sum();
        let distance = ranks as i128 - group.len() as i128 * (all as i128 + 1);
        sum += distance as f64 * distance as f64 / group.len() as f64;
        first += group.len();
    }
    let n = all as f64;
    let tie_correction = untied as f64 / cube as f64;
    let statistic = 3.0 / (n * (n + 1.0)) * sum / tie_correction;
    let k = groups.len();
    let tails = chi_squared(statistic, (k - 1) as f64);
    Ok(KruskalWallis {
        statistic,
        df: k - 1,
        p: PValue::new(tails.upper, tails.ln_upper),
        tie_correction,
        epsilon_squared: statistic / (n - 1.0),
        eta_squared: (values.len() > k)
            .then(|| (statistic - k as f64 + 1.0) / (values.len() - k) as f64),
    })
}
