//! χ² tests of tables and of a distribution.

use crate::probability::PValue;
use crate::special::chi_squared;
use crate::undefined::Undefined;

/// A statistic that follows χ².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquaredTest {
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom.
    pub df: usize,
    /// Its p-value.
    pub p: PValue,
}

impl ChiSquaredTest {
    pub(super) fn new(statistic: f64, df: usize) -> Self {
        let tails = chi_squared(statistic, df as f64);
        Self {
            statistic,
            df,
            p: PValue::new(tails.upper, tails.ln_upper),
        }
    }
}

/// Whether rows and columns of a table are independent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Independence {
    /// Pearson's χ².
    pub pearson: ChiSquaredTest,
    /// Pearson's χ² with Yates' correction, of a table of two by two: too cautious, on request only.
    pub yates: Option<ChiSquaredTest>,
    /// The likelihood ratio G.
    pub likelihood_ratio: ChiSquaredTest,
    /// The smallest expected count: below 5 Fisher's exact test is better.
    pub smallest_expected: f64,
    /// Cramér's V; φ of a table of two by two.
    pub cramers_v: f64,
    /// Cramér's V without its bias (Bergsma 2013); none of a table so small that nothing is left.
    pub cramers_v_corrected: Option<f64>,
}

/// Tests the independence of the rows and columns of a table (Pearson 1900).
///
/// # Errors
/// [`Undefined::DomainError`] where the counts sum to more than 2⁴⁰, [`Undefined::LengthMismatch`] for rows of
/// different lengths, [`Undefined::TooFewGroups`] for fewer than two rows or columns, [`Undefined::ZeroVariance`]
/// where a row or a column is empty.
pub fn chi_squared_independence<R: AsRef<[u64]>>(table: &[R]) -> Result<Independence, Undefined> {
    let rows: Vec<&[u64]> = table.iter().map(AsRef::as_ref).collect();
    let Margins {
        rows: row_sums,
        columns,
        all,
    } = Margins::of(&rows)?;
    let n = all as f64;
    let (mut pearson, mut yates, mut likelihood) = (0.0, 0.0, 0.0);
    let mut smallest = f64::INFINITY;
    for (row, row_sum) in rows.iter().zip(&row_sums) {
        for (&count, column) in row.iter().zip(&columns) {
            // n times the expected count, and n times the distance from it.
            let margins = row_sum * column;
            let distance = i128::from(count) * all - margins;
            let unit = n * margins as f64;
            pearson += distance as f64 * distance as f64 / unit;
            let less = (2 * distance.abs() - all).max(0) as f64;
            yates += less * less / (4.0 * unit);
            if count > 0 {
                let ratio = distance as f64 / margins as f64;
                likelihood += 2.0 * count as f64 * libm::log1p(ratio);
            }
            smallest = smallest.min(margins as f64 / n);
        }
    }
    let (r, c) = (rows.len(), columns.len());
    let df = (r - 1) * (c - 1);
    let two_by_two = r == 2 && c == 2;
    Ok(Independence {
        pearson: ChiSquaredTest::new(pearson, df),
        yates: two_by_two.then(|| ChiSquaredTest::new(yates, df)),
        likelihood_ratio: ChiSquaredTest::new(likelihood.max(0.0), df),
        smallest_expected: smallest,
        cramers_v: (pearson / (n * (r - 1).min(c - 1) as f64)).sqrt(),
        cramers_v_corrected: corrected(pearson / n, n, (r as f64, c as f64)),
    })
}

/// Sums of the rows, the columns and the whole of a table.
struct Margins {
    rows: Vec<i128>,
    columns: Vec<i128>,
    all: i128,
}

impl Margins {
    fn of(rows: &[&[u64]]) -> Result<Self, Undefined> {
        /// Products of this and a count fit into the integers that are used.
        const MOST: i128 = 1 << 40;
        let width = rows.first().map_or(0, |row| row.len());
        let sum = |counts: &mut dyn Iterator<Item = u64>| counts.map(i128::from).sum::<i128>();
        let margins = Self {
            rows: rows
                .iter()
                .map(|row| sum(&mut row.iter().copied()))
                .collect(),
            columns: (0..width)
                .map(|at| sum(&mut rows.iter().filter_map(|row| row.get(at).copied())))
                .collect(),
            all: sum(&mut rows.iter().copied().flatten().copied()),
        };
        if margins.all > MOST {
            Err(Undefined::DomainError)
        } else if rows.iter().any(|row| row.len() != width) {
            Err(Undefined::LengthMismatch)
        } else if rows.len() < 2 || width < 2 {
            Err(Undefined::TooFewGroups)
        } else if margins.rows.contains(&0) || margins.columns.contains(&0) {
            Err(Undefined::ZeroVariance)
        } else {
            Ok(margins)
        }
    }
}

fn corrected(phi_squared: f64, n: f64, (r, c): (f64, f64)) -> Option<f64> {
    let less_one = n - 1.0;
    let phi_squared = (phi_squared - (r - 1.0) * (c - 1.0) / less_one).max(0.0);
    let size = |k: f64| k - (k - 1.0) * (k - 1.0) / less_one;
    let least = size(r).min(size(c));
    (least > 1.0).then(|| (phi_squared / (least - 1.0)).sqrt())
}

/// Tests counts against what a distribution expects (Pearson 1900).
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::DomainError`] where an expected count is not greater than 0 or the
/// expected counts do not sum to the observed ones; [`Undefined::LengthMismatch`]; [`Undefined::TooFewGroups`] for
/// fewer than two counts.
pub fn chi_squared_fit(observed: &[u64], expected: &[f64]) -> Result<ChiSquaredTest, Undefined> {
    /// Of the sum: how far the expected counts may be off by rounding.
    const ROUNDING: f64 = 1e-8;
    if expected.iter().any(|count| !count.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    let all: f64 = observed.iter().map(|&count| count as f64).sum();
    let off = (expected.iter().sum::<f64>() - all).abs() > ROUNDING * all;
    if expected.iter().any(|&count| count <= 0.0) || observed.len() == expected.len() && off {
        return Err(Undefined::DomainError);
    }
    if observed.len() != expected.len() {
        return Err(Undefined::LengthMismatch);
    }
    if observed.len() < 2 {
        return Err(Undefined::TooFewGroups);
    }
    let statistic = observed
        .iter()
        .zip(expected)
        .map(|(&count, expected)| {
            let distance = count as f64 - expected;
            distance * distance / expected
        })
        .sum();
    Ok(ChiSquaredTest::new(statistic, observed.len() - 1))
}
