//! Wilcoxon's signed ranks of paired differences.

use super::{Approximation, RankPValues};
use crate::counting::{self, MOST_SCORED};
use crate::ranking::{Ranking, tie_term};
use crate::undefined::Undefined;

/// Wilcoxon's test, with both ways to treat differences of 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// Differences.
    pub n: usize,
    /// Those that are 0.
    pub zeros: usize,
    /// Without the zeros (Wilcoxon 1945): what is meant where nobody chose.
    pub dropped: Zeros,
    /// With the zeros ranked and then left out of the sums (Pratt 1959).
    pub pratt: Zeros,
}

/// The result of one way to treat zeros.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zeros {
    /// The sum of the ranks of positive differences.
    pub r_plus: f64,
    /// The sum of the ranks of negative differences.
    pub r_minus: f64,
    /// Differences other than 0.
    pub used: usize,
    /// Whether any two of them are equally large.
    pub has_ties: bool,
    /// (R⁺ − R⁻) / (R⁺ + R⁻).
    pub rank_biserial: f64,
    /// The p-values: `greater` is small where differences tend to be positive.
    pub p: RankPValues,
}

/// Whether differences tend to be positive or negative (Wilcoxon 1945): exact up to 60 differences other than 0, and
/// by the normal distribution with its variance corrected for ties (Cureton 1967 with zeros ranked).
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::TooFewObservations`] for no difference, [`Undefined::AllTies`] where
/// every difference is 0. There are fewer than 2³², else [`Undefined::DomainError`].
pub fn signed_rank(differences: &[f64]) -> Result<SignedRank, Undefined> {
    if differences.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    if u32::try_from(differences.len()).is_err() {
        return Err(Undefined::DomainError);
    }
    if differences.is_empty() {
        return Err(Undefined::TooFewObservations);
    }
    let other: Vec<f64> = differences
        .iter()
        .copied()
        .filter(|&difference| difference != 0.0)
        .collect();
    if other.is_empty() {
        return Err(Undefined::AllTies);
    }
    Ok(SignedRank {
        n: differences.len(),
        zeros: differences.len() - other.len(),
        dropped: of_ranked(&other),
        pratt: of_ranked(differences),
    })
}

/// Of all differences that are ranked; at least one is not 0.
fn of_ranked(differences: &[f64]) -> Zeros {
    let ranking = Ranking::of(differences.iter().map(|difference| difference.abs()));
    let zeros = differences.iter().filter(|&&value| value == 0.0).count();
    let (mut plus, mut minus) = (0_u128, 0_u128);
    let mut ranks = Vec::new();
    for (&difference, &rank) in differences.iter().zip(&ranking.doubled) {
        if difference > 0.0 {
            plus += u128::from(rank);
        } else if difference < 0.0 {
            minus += u128::from(rank);
        }
        if difference != 0.0 && ranks.len() <= MOST_SCORED {
            ranks.push(rank);
        }
    }
    // The zeros, if any, are the smallest tie.
    let ties = &ranking.ties[usize::from(zeros > 0)..];
    let has_ties = ties.iter().any(|&size| size > 1);
    let squares = |n: u128| n * (n + 1) * (2 * n + 1);
    let untied = squares(differences.len() as u128) - squares(zeros as u128);
    let variance = (2 * untied - tie_term(ties)) as f64 / 48.0;
    let distance = (plus as i128 - minus as i128) as f64 / 4.0;
    let (normal, normal_corrected) = Approximation::both(distance, variance);
    let exact =
        (ranks.len() <= MOST_SCORED).then(|| counting::signed_sum(&ranks, plus as u64).p_values());
    let untied = !has_ties && zeros == 0;
    Zeros {
        r_plus: plus as f64 / 2.0,
        r_minus: minus as f64 / 2.0,
        used: differences.len() - zeros,
        has_ties,
        rank_biserial: (plus as i128 - minus as i128) as f64 / (plus + minus) as f64,
        p: RankPValues {
            normal,
            normal_corrected,
            exact: exact.filter(|_| untied),
            exact_conditional: exact.filter(|_| !untied),
        },
    }
}
