//! Kendall's correlation of the order of pairs.

use super::check;
use crate::counting::{self, MOST_INVERTED};
use crate::probability::PValues;
use crate::rank_tests::Approximation;
use crate::ranking::Ranking;
use crate::undefined::Undefined;

/// Kendall's correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kendall {
    /// Corrected for ties.
    pub tau_b: f64,
    /// Not corrected for ties.
    pub tau_a: f64,
    /// Pairs of pairs in the same order.
    pub concordant: u64,
    /// Pairs of pairs in opposite order.
    pub discordant: u64,
    /// Concordant less discordant.
    pub s: i64,
    /// By the normal distribution, its variance corrected for ties, without continuity correction.
    pub normal: Approximation,
    /// By all orders, without ties up to 40 pairs.
    pub exact: Option<PValues>,
}

impl Kendall {
    /// The exact p-values where there are some, else the normal ones.
    pub fn preferred(&self) -> PValues {
        self.exact.unwrap_or(self.normal.p)
    }
}

/// Kendall's correlation of pairs (Kendall 1938, 1970), counted by sorting (Knight 1966).
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::LengthMismatch`], [`Undefined::TooFewObservations`] for fewer than two
/// pairs, [`Undefined::ZeroVariance`] where either sample is constant. There are fewer than 2³² pairs, else
/// [`Undefined::DomainError`].
pub fn kendall(x: &[f64], y: &[f64]) -> Result<Kendall, Undefined> {
    check(x, y)?;
    let n = x.len();
    let (x, y) = (
        Ranking::of(x.iter().copied()),
        Ranking::of(y.iter().copied()),
    );
    let mut pairs: Vec<(u64, u64)> = x.doubled.iter().copied().zip(y.doubled).collect();
    pairs.sort_unstable();
    let tied = |sizes: &mut dyn Iterator<Item = u64>| sizes.map(two_of).sum::<u64>();
    let tied_both = tied(&mut pairs.chunk_by(|a, b| a == b).map(|run| run.len() as u64));
    let (tied_x, tied_y) = (
        tied(&mut x.ties.iter().copied()),
        tied(&mut y.ties.iter().copied()),
    );
    let mut second: Vec<u64> = pairs.into_iter().map(|(_, y)| y).collect();
    let discordant = inversions(&mut second);
    let all = two_of(n as u64);
    let concordant = (all + tied_both) - (tied_x + tied_y) - discordant;
    let s = concordant as i64 - discordant as i64;
    let z = s as f64 / variance(n as u64, &x.ties, &y.ties).sqrt();
    let untied = tied_x == 0 && tied_y == 0;
    Ok(Kendall {
        tau_b: s as f64 / ((all - tied_x) as f64).sqrt() / ((all - tied_y) as f64).sqrt(),
        tau_a: s as f64 / all as f64,
        concordant,
        discordant,
        s,
        normal: Approximation {
            z,
            p: PValues::of_normal(z),
        },
        exact: (untied && n <= MOST_INVERTED).then(|| {
            // Many inversions are a small S.
            counting::inversions(n, discordant as usize)
                .turned()
                .p_values()
        }),
    })
}

/// Pairs of `n` things.
const fn two_of(n: u64) -> u64 {
    n * n.saturating_sub(1) / 2
}

/// The variance of S given the sizes of ties.
fn variance(n: u64, x: &[u64], y: &[u64]) -> f64 {
    let sum = |sizes: &[u64], term: fn(f64) -> f64| {
        sizes.iter().map(|&size| term(size as f64)).sum::<f64>()
    };
    let fives = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
    let twos = |t: f64| t * (t - 1.0);
    let threes = |t: f64| t * (t - 1.0) * (t - 2.0);
    let n = n as f64;
    let plain = (fives(n) - sum(x, fives) - sum(y, fives)) / 18.0;
    let both = sum(x, twos) * sum(y, twos) / (2.0 * twos(n));
    let triples = if n > 2.0 {
        sum(x, threes) * sum(y, threes) / (9.0 * threes(n))
    } else {
        0.0
    };
    plain + both + triples
}

/// How many pairs stand in falling order; the values are sorted by merging ever longer runs.
fn inversions(values: &mut Vec<u64>) -> u64 {
    let n = values.len();
    let mut merged = Vec::with_capacity(n);
    let (mut count, mut width) = (0, 1);
    while width < n {
        merged.clear();
        for both in values.chunks(2 * width) {
            let (mut left, mut right) = both.split_at(width.min(both.len()));
            while let (Some((&a, rest)), Some((&b, later))) =
                (left.split_first(), right.split_first())
            {
                if a <= b {
                    merged.push(a);
                    left = rest;
                } else {
                    merged.push(b);
                    count += left.len() as u64;
                    right = later;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(values, &mut merged);
        width *= 2;
    }
    count
}
