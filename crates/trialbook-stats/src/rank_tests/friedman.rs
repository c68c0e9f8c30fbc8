//! Friedman's test of several conditions in blocks.

use crate::probability::PValue;
use crate::ranking::{Ranking, tie_term};
use crate::special::{chi_squared, fisher};
use crate::undefined::Undefined;

/// Friedman's test.
#[derive(Debug, Clone, PartialEq)]
pub struct Friedman {
    /// Q, corrected for ties.
    pub statistic: f64,
    /// Conditions less one.
    pub df: usize,
    /// By the χ² distribution.
    pub p: PValue,
    /// The mean rank of each condition; 1 is the smallest value's.
    pub mean_ranks: Vec<f64>,
    /// Kendall's W: the agreement of the blocks, Q / (n (k − 1)).
    pub kendall_w: f64,
    /// The less conservative F form; undefined for one block.
    pub iman_davenport: Result<ImanDavenport, Undefined>,
}

/// Iman & Davenport's form of Friedman's test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImanDavenport {
    /// (n − 1) Q / (n (k − 1) − Q); infinite where all blocks agree.
    pub statistic: f64,
    /// Degrees of freedom of the numerator.
    pub df1: usize,
    /// Degrees of freedom of the denominator.
    pub df2: usize,
    /// By the F distribution.
    pub p: PValue,
}

/// Whether any condition tends to be greater within blocks (Friedman 1937; Iman & Davenport 1980). Rows are blocks,
/// columns conditions.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::LengthMismatch`] for rows of different lengths,
/// [`Undefined::TooFewObservations`] for no row, [`Undefined::TooFewGroups`] for fewer than three conditions (two
/// are for the sign or Wilcoxon's test), [`Undefined::AllTies`] where all values of every row are equal.
pub fn friedman<R: AsRef<[f64]>>(rows: &[R]) -> Result<Friedman, Undefined> {
    let rows: Vec<&[f64]> = rows.iter().map(AsRef::as_ref).collect();
    if rows
        .iter()
        .copied()
        .flatten()
        .any(|value| !value.is_finite())
    {
        return Err(Undefined::NonFiniteInput);
    }
    let Some(k) = rows.first().map(|row| row.len()) else {
        return Err(Undefined::TooFewObservations);
    };
    if rows.iter().any(|row| row.len() != k) {
        return Err(Undefined::LengthMismatch);
    }
    if k < 3 {
        return Err(Undefined::TooFewGroups);
    }
    let n = rows.len();
    let (mut doubled, mut ties) = (vec![0_i128; k], 0);
    for row in &rows {
        let ranking = Ranking::of(row.iter().copied());
        for (sum, rank) in doubled.iter_mut().zip(&ranking.doubled) {
            *sum += i128::from(*rank);
        }
        ties += tie_term(&ranking.ties) as i128;
    }
    let (blocks, conditions) = (n as i128, k as i128);
    // Q is a quotient of integers: 3 (k − 1) Σ d² over n k (k² − 1) − Σ(t³ − t), d being doubled distances of rank
    // sums from their mean.
    let untied = blocks * conditions * (conditions * conditions - 1) - ties;
    if untied == 0 {
        return Err(Undefined::AllTies);
    }
    let squares: i128 = doubled
        .iter()
        .map(|sum| sum - blocks * (conditions + 1))
        .map(|distance| distance * distance)
        .sum();
    let over = 3 * (conditions - 1) * squares;
    let statistic = over as f64 / untied as f64;
    let tails = chi_squared(statistic, (k - 1) as f64);
    Ok(Friedman {
        statistic,
        df: k - 1,
        p: PValue::new(tails.upper, tails.ln_upper),
        mean_ranks: doubled
            .iter()
            .map(|&sum| sum as f64 / 2.0 / n as f64)
            .collect(),
        kendall_w: statistic / (n * (k - 1)) as f64,
        iman_davenport: iman_davenport(over, untied, (n, k)),
    })
}

/// From Q = over / untied.
fn iman_davenport(
    over: i128,
    untied: i128,
    (n, k): (usize, usize),
) -> Result<ImanDavenport, Undefined> {
    if n < 2 {
        return Err(Undefined::TooFewObservations);
    }
    let left = (n * (k - 1)) as i128 * untied - over;
    let statistic = if left == 0 {
        f64::INFINITY
    } else {
        (n - 1) as f64 * (over as f64 / left as f64)
    };
    let (df1, df2) = (k - 1, (k - 1) * (n - 1));
    let tails = fisher(statistic, df1 as f64, df2 as f64);
    Ok(ImanDavenport {
        statistic,
        df1,
        df2,
        p: PValue::new(tails.upper, tails.ln_upper),
    })
}
