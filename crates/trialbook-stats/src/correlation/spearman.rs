//! Spearman's correlation of ranks.

use super::check;
use super::pearson::{StudentForm, fisher_interval};
use crate::counting::Extremes;
use crate::interval::Interval;
use crate::probability::{Level, PValues};
use crate::ranking::Ranking;
use crate::undefined::Undefined;

/// Spearman's correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spearman {
    /// The correlation of the mid-ranks.
    pub rho: f64,
    /// Pairs.
    pub n: usize,
    /// Whether any two values of a sample are equal.
    pub has_ties: bool,
    /// The test of no correlation by Student's t; none of two pairs.
    pub test: Option<StudentForm>,
    /// The test by all orders of the ranks, up to 9 pairs.
    pub exact: Option<PValues>,
    /// By Fisher's z with the standard error of Bonett & Wright 2000; none of fewer than four pairs, or of a perfect
    /// correlation.
    pub interval: Option<Interval>,
}

impl Spearman {
    /// The exact p-values where there are some, else those of Student's t.
    pub fn preferred(&self) -> Option<PValues> {
        self.exact.or(self.test.map(|test| test.p))
    }
}

/// Most pairs of which all orders are tried.
const MOST_ORDERED: usize = 9;

/// Spearman's correlation of pairs (Spearman 1904).
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::LengthMismatch`], [`Undefined::TooFewObservations`] for fewer than two
/// pairs, [`Undefined::ZeroVariance`] where either sample is constant. There are fewer than 2³² pairs, else
/// [`Undefined::DomainError`].
pub fn spearman(x: &[f64], y: &[f64], level: Level) -> Result<Spearman, Undefined> {
    check(x, y)?;
    let n = x.len();
    let (x, y) = (
        Ranking::of(x.iter().copied()),
        Ranking::of(y.iter().copied()),
    );
    let (rho, unexplained) = correlation(&x.doubled, &y.doubled);
    let se = ((1.0 + rho * rho / 2.0) / (n as f64 - 3.0)).sqrt();
    Ok(Spearman {
        rho,
        n,
        has_ties: x.has_ties() || y.has_ties(),
        test: StudentForm::of(rho, unexplained, n),
        exact: (n <= MOST_ORDERED).then(|| all_orders(&x.doubled, &y.doubled).p_values()),
        interval: (n > 3)
            .then(|| fisher_interval(rho, unexplained, (se, level)))
            .flatten(),
    })
}

/// ρ and 1 − ρ², from integers.
fn correlation(x: &[u64], y: &[u64]) -> (f64, f64) {
    let mean = x.len() as i128 + 1;
    let (mut xx, mut yy, mut xy) = (0_i128, 0_i128, 0_i128);
    for (&a, &b) in x.iter().zip(y) {
        let (a, b) = (i128::from(a) - mean, i128::from(b) - mean);
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    let rho = (xy as f64 / (xx as f64).sqrt() / (yy as f64).sqrt()).clamp(-1.0, 1.0);
    // Where the products do not fit, a correlation that near 1 is not told from it.
    let unexplained = xx
        .checked_mul(yy)
        .zip(xy.checked_mul(xy))
        .map_or(1.0 - rho * rho, |(whole, explained)| {
            (whole - explained) as f64 / whole as f64
        });
    if unexplained == 0.0 {
        return (1.0_f64.copysign(rho), 0.0);
    }
    (rho, unexplained)
}

/// How extreme Σ rank · rank is among all orders of the second ranks (Heap 1963).
fn all_orders(x: &[u64], y: &[u64]) -> Extremes {
    let mut y = y.to_vec();
    let sum = |y: &[u64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<u64>();
    let observed = sum(&y);
    let (mut at_most, mut at_least, mut all) = (0_u32, 0_u32, 0_u32);
    let mut count = |y: &[u64]| {
        let sum = sum(y);
        at_most += u32::from(sum <= observed);
        at_least += u32::from(sum >= observed);
        all += 1;
    };
    count(&y);
    let mut turns = vec![0; y.len()];
    let mut at = 1;
    while at < y.len() {
        if turns[at] < at {
            y.swap(if at % 2 == 0 { 0 } else { turns[at] }, at);
            count(&y);
            turns[at] += 1;
            at = 1;
        } else {
            turns[at] = 0;
            at += 1;
        }
    }
    Extremes {
        at_most: f64::from(at_most) / f64::from(all),
        at_least: f64::from(at_least) / f64::from(all),
    }
}
