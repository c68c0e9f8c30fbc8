//! Mann & Whitney's U of two independent samples.

use super::{Approximation, RankPValues};
use crate::counting::{self, MOST_PAIRS, MOST_SCORED};
use crate::ranking::{Ranking, sorted_keys, tie_term};
use crate::undefined::Undefined;

/// Mann & Whitney's test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which the first sample's value is greater; equal ones count half.
    pub u1: f64,
    /// Pairs in which the second sample's value is greater; equal ones count half.
    pub u2: f64,
    /// All pairs.
    pub pairs: u64,
    /// Whether any two values are equal.
    pub has_ties: bool,
    /// The share of the pairs in which the first value is greater (Vargha & Delaney's A12; ties count half).
    pub a12: f64,
    /// 2 A12 − 1.
    pub rank_biserial: f64,
    /// The p-values: `greater` is small where the first sample tends to be greater.
    pub p: RankPValues,
}

/// Whether one sample tends to be greater than the other (Mann & Whitney 1947): exact without ties up to 20,000
/// pairs (Harding 1984), exact given the ties up to 60 values, and by the normal distribution with its variance
/// corrected for ties.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::TooFewObservations`] for an empty sample, [`Undefined::AllTies`]
/// where all values are equal. A sample has fewer than 2³² values, else [`Undefined::DomainError`].
pub fn mann_whitney(x: &[f64], y: &[f64]) -> Result<MannWhitney, Undefined> {
    if x.iter().chain(y).any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    if u32::try_from(x.len() + y.len()).is_err() {
        return Err(Undefined::DomainError);
    }
    if x.is_empty() || y.is_empty() {
        return Err(Undefined::TooFewObservations);
    }
    let (first, second) = (sorted_keys(x), sorted_keys(y));
    let Pairs { doubled_u1, ties } =
        Pairs::of_untied(&first, &second).unwrap_or_else(|| Pairs::of(&first, &second));
    let all = (x.len() + y.len()) as u128;
    let untied = all * all * all - all - ties;
    if untied == 0 {
        return Err(Undefined::AllTies);
    }
    let pairs = x.len() as u64 * y.len() as u64;
    // n1 n2 / 12 · (N + 1 − Σ(t³ − t) / (N (N − 1))), over a common denominator.
    let variance = pairs as f64 / 12.0 * (untied as f64 / (all * (all - 1)) as f64);
    let distance = (i128::from(doubled_u1) - i128::from(pairs)) as f64 / 2.0;
    let (normal, normal_corrected) = Approximation::both(distance, variance);
    let has_ties = ties > 0;
    let exact = (!has_ties && pairs <= MOST_PAIRS as u64)
        .then(|| counting::mann_whitney(x.len(), y.len(), doubled_u1 as usize / 2).p_values());
    let exact_conditional = (has_ties && all <= MOST_SCORED as u128).then(|| {
        let ranks = Ranking::of(x.iter().chain(y).copied()).doubled;
        let observed = ranks[..x.len()].iter().sum();
        counting::chosen_sum(&ranks, x.len(), observed).p_values()
    });
    Ok(MannWhitney {
        u1: doubled_u1 as f64 / 2.0,
        u2: (2 * u128::from(pairs) - u128::from(doubled_u1)) as f64 / 2.0,
        pairs,
        has_ties,
        a12: doubled_u1 as f64 / 2.0 / pairs as f64,
        rank_biserial: distance / (pairs as f64 / 2.0),
        p: RankPValues {
            normal,
            normal_corrected,
            exact,
            exact_conditional,
        },
    })
}

/// What pairs of values of two samples say.
struct Pairs {
    /// Twice the number of pairs in which the first is greater, and once the equal ones.
    doubled_u1: u64,
    /// Σ(t³ − t) over the ties of both samples together.
    ties: u128,
}

impl Pairs {
    /// Of sorted keys of which no two are equal, else `None`; no step depends on which sample comes first.
    fn of_untied(x: &[u64], y: &[u64]) -> Option<Self> {
        let repeats = |keys: &[u64]| keys.windows(2).any(|pair| pair[0] == pair[1]);
        if repeats(x) || repeats(y) {
            return None;
        }
        let (mut u1, mut tied) = (0, false);
        let (mut i, mut j) = (0, 0);
        while i < x.len() && j < y.len() {
            let (a, b) = (x[i], y[j]);
            tied |= a == b;
            let first = u64::from(a < b);
            u1 += first * j as u64;
            i += first as usize;
            j += 1 - first as usize;
        }
        u1 += (x.len() - i) as u64 * y.len() as u64;
        (!tied).then_some(Self {
            doubled_u1: 2 * u1,
            ties: 0,
        })
    }

    /// Of sorted keys.
    fn of(x: &[u64], y: &[u64]) -> Self {
        let (mut doubled_u1, mut ties) = (0, 0);
        let (mut i, mut j) = (0, 0);
        while i < x.len() || j < y.len() {
            let key = match (x.get(i), y.get(j)) {
                (Some(&a), Some(&b)) => a.min(b),
                (Some(&key), None) | (None, Some(&key)) => key,
                (None, None) => break,
            };
            let (first, second) = (i, j);
            while x.get(i) == Some(&key) {
                i += 1;
            }
            while y.get(j) == Some(&key) {
                j += 1;
            }
            let (in_x, in_y) = ((i - first) as u64, (j - second) as u64);
            doubled_u1 += in_x * (2 * second as u64 + in_y);
            if in_x + in_y > 1 {
                ties += tie_term(&[in_x + in_y]);
            }
        }
        Self { doubled_u1, ties }
    }
}
