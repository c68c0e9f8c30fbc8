//! Kolmogorov & Smirnov's test: whether two samples differ in any way.

use crate::probability::PValue;
use crate::ranking::sorted_keys;
use crate::special::binomial_mass;
use crate::undefined::Undefined;

/// Kolmogorov & Smirnov's test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KolmogorovSmirnov {
    /// The greatest distance of the empirical distribution functions.
    pub statistic: f64,
    /// By counting lattice paths, up to a million pairs; conservative where values are tied.
    pub exact: Option<PValue>,
    /// By the distribution of one sample of n1 n2 / (n1 + n2) values.
    pub approximate: PValue,
}

/// Most pairs whose paths are counted.
const MOST_PATHS: u64 = 1_000_000;

/// Whether two samples come from different distributions (Kolmogorov 1933; Smirnov 1939), two-sided.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::TooFewObservations`] for an empty sample; a sample has fewer than 2³¹
/// values, else [`Undefined::DomainError`].
pub fn kolmogorov_smirnov(x: &[f64], y: &[f64]) -> Result<KolmogorovSmirnov, Undefined> {
    if x.iter().chain(y).any(|value| !value.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    if i32::try_from(x.len().max(y.len())).is_err() {
        return Err(Undefined::DomainError);
    }
    if x.is_empty() || y.is_empty() {
        return Err(Undefined::TooFewObservations);
    }
    let distance = largest_distance(&sorted_keys(x), &sorted_keys(y));
    let pairs = x.len() as u64 * y.len() as u64;
    let statistic = distance as f64 / pairs as f64;
    let effective = (pairs as f64 / (x.len() + y.len()) as f64).round_ties_even();
    Ok(KolmogorovSmirnov {
        statistic,
        exact: (pairs <= MOST_PATHS)
            .then(|| PValue::of(touching_paths(x.len(), y.len(), distance))),
        approximate: one_sample(effective.max(1.0), statistic),
    })
}

/// The greatest |i n2 − j n1| where the samples have i and j values up to a point.
fn largest_distance(x: &[u64], y: &[u64]) -> u64 {
    let (mut i, mut j, mut largest) = (0, 0, 0);
    while i < x.len() && j < y.len() {
        let key = x[i].min(y[j]);
        i += x[i..].iter().take_while(|&&value| value == key).count();
        j += y[j..].iter().take_while(|&&value| value == key).count();
        largest = largest.max((i as u64 * y.len() as u64).abs_diff(j as u64 * x.len() as u64));
    }
    largest
}

/// The share of the paths from (0, 0) to (n1, n2) that touch a point with |i n2 − j n1| ≥ distance: only sums of
/// positive numbers.
fn touching_paths(n1: usize, n2: usize, distance: u64) -> f64 {
    let touches =
        |i: usize, j: usize| (i as u64 * n2 as u64).abs_diff(j as u64 * n1 as u64) >= distance;
    // The share of the paths to each point of the row that have touched.
    let mut row = vec![0.0; n2 + 1];
    for i in 0..=n1 {
        for j in 0..=n2 {
            row[j] = if touches(i, j) {
                1.0
            } else if i + j == 0 {
                0.0
            } else {
                let from_below = if i > 0 { row[j] } else { 0.0 };
                let from_left = if j > 0 { row[j - 1] } else { 0.0 };
                (from_below * i as f64 + from_left * j as f64) / (i + j) as f64
            };
        }
    }
    row[n2]
}

/// P(D ≥ d) of one sample of `n` values against the true distribution.
fn one_sample(n: f64, d: f64) -> PValue {
    /// From n d² on the two one-sided tails do not overlap within the digits that are asked for.
    const SEPARATE: f64 = 4.0;
    /// Up to this many values the matrix of Marsaglia, Tsang & Wang is small.
    const FEW: f64 = 500.0;
    if d <= 0.0 {
        return PValue::new(1.0, 0.0);
    }
    if d >= 1.0 {
        // Only where every value lies beyond: 2 · 0ⁿ.
        return PValue::new(0.0, f64::NEG_INFINITY);
    }
    if n > FEW {
        return limit(n, d);
    }
    if n * d * d >= SEPARATE || d >= 0.5 {
        return PValue::of(2.0 * one_sided(n as u64, d));
    }
    PValue::of(1.0 - within(n as usize, d))
}

/// P(D⁺ ≥ d) (Birnbaum & Tingey 1951): Σ C(n, j) (d + j/n)^(j−1) (1 − d − j/n)^(n−j) d.
fn one_sided(n: u64, d: f64) -> f64 {
    (0..=n)
        .map_while(|j| {
            let p = d + j as f64 / n as f64;
            (p <= 1.0).then(|| binomial_mass(j, n, p).unwrap_or(0.0) * d / p)
        })
        .sum()
}

/// P(D < d) of a small sample (Marsaglia, Tsang & Wang 2003).
fn within(n: usize, d: f64) -> f64 {
    let place = n as f64 * d;
    let k = place.floor() as usize + 1;
    let size = 2 * k - 1;
    let rest = k as f64 - place;
    let mut matrix = vec![vec![0.0; size]; size];
    for (i, row) in matrix.iter_mut().enumerate() {
        for (j, cell) in row.iter_mut().enumerate() {
            *cell = f64::from(i + 1 >= j);
        }
    }
    for (row, power) in matrix.iter_mut().zip(1..) {
        row[0] -= rest.powi(power);
    }
    for (cell, power) in matrix[size - 1].iter_mut().rev().zip(1..) {
        *cell -= rest.powi(power);
    }
    if 2.0 * rest > 1.0 {
        matrix[size - 1][0] += (2.0 * rest - 1.0).powi(size as i32);
    }
    for (i, row) in matrix.iter_mut().enumerate() {
        for (j, cell) in row.iter_mut().enumerate() {
            for factor in 1..=(i + 1).saturating_sub(j) {
                *cell /= factor as f64;
            }
        }
    }
    // Row k of the matrix's n-th power, one step at a time; each step is scaled by its share of n!/nⁿ.
    let mut row = vec![0.0; size];
    row[k - 1] = 1.0;
    for step in 1..=n {
        let mut next = vec![0.0; size];
        for (value, cells) in row.iter().zip(&matrix) {
            for (sum, cell) in next.iter_mut().zip(cells) {
                *sum += value * cell;
            }
        }
        for value in &mut next {
            *value *= step as f64 / n as f64;
        }
        row = next;
    }
    row[k - 1]
}

/// P(D ≥ d) of a large sample: Kolmogorov's series, at the argument corrected by Vrbik 2018.
fn limit(n: f64, d: f64) -> PValue {
    /// Below this the alternating series needs many terms, and p is 1 to all digits.
    const NEAR: f64 = 0.2;
    let root = n.sqrt();
    let x = d * root + 1.0 / (6.0 * root) + (d * root - 1.0) / (4.0 * n);
    if x < NEAR {
        return PValue::new(1.0, 0.0);
    }
    let ln_first = std::f64::consts::LN_2 - 2.0 * x * x;
    // Σ (−1)^(j−1) exp(−2 (j² − 1) x²)
    let series: f64 = (1..100)
        .map(|j| {
            let j = f64::from(j);
            let term = libm::exp(-2.0 * (j * j - 1.0) * x * x);
            if j % 2.0 == 1.0 { term } else { -term }
        })
        .sum();
    let ln_p = (ln_first + libm::log(series)).min(0.0);
    PValue::new(libm::exp(ln_p), ln_p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_meet() {
        for d in [0.01, 0.02, 0.04, 0.06, 0.08, 0.1] {
            let (small, large) = (one_sample(500.0, d), limit(500.0, d));
            assert!(
                (small.p / large.p - 1.0).abs() < 0.02,
                "{d}: {small:?} {large:?}"
            );
        }
        // Where the two one-sided tails begin to count as separate.
        let both = 1.0 - within(100, 0.2);
        assert!((both / (2.0 * one_sided(100, 0.2)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_value_is_uniform() {
        // |F − U| ≥ d of one value: 2 (1 − d) from a half on.
        assert!((one_sample(1.0, 0.75).p - 0.5).abs() < 1e-15);
        assert_eq!(one_sample(1.0, 0.4).p, 1.0);
    }
}
