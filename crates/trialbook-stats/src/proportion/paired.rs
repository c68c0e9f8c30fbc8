//! The same items answered twice or more: McNemar, Newcombe's paired interval, Cochran's Q.

use super::chi_squared::ChiSquaredTest;
use super::one::wilson;
use super::{Rate, quantile_of};
use crate::coin::heads;
use crate::interval::Interval;
use crate::probability::{Level, PValue, PValues};
use crate::undefined::Undefined;

/// McNemar's test of the items that were answered rightly once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// Items that only the first answered rightly.
    pub first_only: u64,
    /// Items that only the second answered rightly.
    pub second_only: u64,
    /// The exact binomial p: `greater` is small where the first is right more often. 1 without discordant items.
    pub exact: PValues,
    /// The exact two-sided p with the observed table counted half (Fagerland, Lydersen & Laake 2013).
    pub mid_p: PValue,
    /// (b − c)² / (b + c); none without discordant items.
    pub asymptotic: Option<ChiSquaredTest>,
    /// max(0, |b − c| − 1)² / (b + c); none without discordant items.
    pub asymptotic_corrected: Option<ChiSquaredTest>,
    /// The ratio b / c; none where either is 0.
    pub odds_ratio: Option<f64>,
}

/// McNemar's test (McNemar 1947) of how many items only the first and only the second answered rightly.
///
/// # Errors
/// [`Undefined::DomainError`] where a count exceeds 2⁴⁰.
pub fn mcnemar(first_only: u64, second_only: u64) -> Result<McNemar, Undefined> {
    if first_only.max(second_only) > Rate::MOST {
        return Err(Undefined::DomainError);
    }
    let discordant = first_only + second_only;
    let apart = first_only.abs_diff(second_only);
    let statistic = |apart: u64| {
        let apart = apart as f64;
        (discordant > 0).then(|| ChiSquaredTest::new(apart * apart / discordant as f64, 1))
    };
    let exact = heads(first_only, discordant)?;
    Ok(McNemar {
        first_only,
        second_only,
        exact,
        mid_p: mid_p(first_only.min(second_only), discordant, exact),
        asymptotic: statistic(apart),
        asymptotic_corrected: statistic(apart.saturating_sub(1)),
        odds_ratio: (first_only > 0 && second_only > 0)
            .then(|| first_only as f64 / second_only as f64),
    })
}

/// 2 P(X ≤ k) − P(X = k), where k is the smaller count of `n`: the tail times 2 less the last term's part of it.
fn mid_p(k: u64, n: u64, exact: PValues) -> PValue {
    let tail = if exact.less.ln_p < exact.greater.ln_p {
        exact.less
    } else {
        exact.greater
    };
    if 2 * k == n {
        return PValue::new(1.0, 0.0);
    }
    // P(X ≤ k) / P(X = k)
    let (mut sum, mut term) = (1.0, 1.0);
    for at in (1..=k).rev() {
        term *= at as f64 / (n - at + 1) as f64;
        sum += term;
        if term <= sum * (f64::EPSILON / 16.0) {
            break;
        }
    }
    let factor = 2.0 - 1.0 / sum;
    PValue::new(
        (tail.p * factor).min(1.0),
        (tail.ln_p + libm::log(factor)).min(0.0),
    )
}

/// How the same items were answered by two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PairedTable {
    /// Right by both.
    pub both: u64,
    /// Right by the first only.
    pub first_only: u64,
    /// Right by the second only.
    pub second_only: u64,
    /// Wrong by both.
    pub neither: u64,
}

impl PairedTable {
    /// Counts pairs of answers, true being right.
    pub fn of(answers: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut table = Self {
            both: 0,
            first_only: 0,
            second_only: 0,
            neither: 0,
        };
        for answer in answers {
            let count = match answer {
                (true, true) => &mut table.both,
                (true, false) => &mut table.first_only,
                (false, true) => &mut table.second_only,
                (false, false) => &mut table.neither,
            };
            *count += 1;
        }
        table
    }

    /// How many items there are.
    pub const fn items(self) -> u64 {
        self.both + self.first_only + self.second_only + self.neither
    }
}

/// Two proportions of the same items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedProportions {
    /// The first's share of right answers.
    pub p1: f64,
    /// The second's share of right answers.
    pub p2: f64,
    /// First minus second.
    pub difference: f64,
    /// The interval of the difference (Newcombe 1998c, method 10).
    pub newcombe: Interval,
    /// The test of whether they differ.
    pub mcnemar: McNemar,
}

/// Compares two proportions of the same items: McNemar's exact test, and the interval from both Wilson intervals with
/// the correlation of the answers (Newcombe 1998, "Improved confidence intervals for the difference between binomial
/// proportions based on paired data", method 10).
///
/// # Errors
/// [`Undefined::DomainError`] where a count exceeds 2⁴⁰, [`Undefined::EmptyInput`] without items.
pub fn paired_proportions(
    table: PairedTable,
    level: Level,
) -> Result<PairedProportions, Undefined> {
    let PairedTable {
        both,
        first_only,
        second_only,
        neither,
    } = table;
    if [both, first_only, second_only, neither]
        .iter()
        .any(|&count| count > Rate::MOST)
    {
        return Err(Undefined::DomainError);
    }
    let n = table.items();
    if n == 0 {
        return Err(Undefined::EmptyInput);
    }
    let z = quantile_of(level);
    let first = Rate::new(both + first_only, n);
    let second = Rate::new(both + second_only, n);
    let (w1, w2) = (wilson(first, z), wilson(second, z));
    let (p1, p2) = (first.share(), second.share());
    let difference = (first_only as f64 - second_only as f64) / n as f64;
    let phi = correlation(table);
    let distance = |a: f64, b: f64| (a * a - 2.0 * phi * a * b + b * b).max(0.0).sqrt();
    Ok(PairedProportions {
        p1,
        p2,
        difference,
        newcombe: Interval::new(
            difference - distance(p1 - w1.low, w2.high - p2),
            difference + distance(p2 - w2.low, w1.high - p1),
        ),
        mcnemar: mcnemar(first_only, second_only)?,
    })
}

/// φ of the table, a positive one less n/2 in its numerator; 0 where a margin is empty.
fn correlation(table: PairedTable) -> f64 {
    let PairedTable {
        both,
        first_only,
        second_only,
        neither,
    } = table;
    let margins = [
        both + first_only,
        second_only + neither,
        both + second_only,
        first_only + neither,
    ];
    if margins.contains(&0) {
        return 0.0;
    }
    let cross = |a: u64, b: u64| i128::from(a) * i128::from(b);
    let mut doubled = 2 * (cross(both, neither) - cross(first_only, second_only));
    if doubled > 0 {
        doubled = (doubled - i128::from(table.items())).max(0);
    }
    let product: f64 = margins
        .iter()
        .map(|&margin| (margin as f64).sqrt())
        .product();
    doubled as f64 / 2.0 / product
}

/// Cochran's Q.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CochranQ {
    /// Q by the χ² distribution.
    pub test: ChiSquaredTest,
    /// Items that not all answered alike.
    pub discordant: usize,
}

/// Whether several answer the same items rightly equally often (Cochran 1950). Rows are items, columns who answered.
///
/// # Errors
/// [`Undefined::LengthMismatch`] for rows of different lengths, [`Undefined::TooFewObservations`] for no row,
/// [`Undefined::TooFewGroups`] for fewer than two columns, [`Undefined::ZeroVariance`] where every item was answered
/// alike by all.
pub fn cochran_q<R: AsRef<[bool]>>(rows: &[R]) -> Result<CochranQ, Undefined> {
    let rows: Vec<&[bool]> = rows.iter().map(AsRef::as_ref).collect();
    let k = rows.first().map_or(0, |row| row.len());
    if rows.iter().any(|row| row.len() != k) {
        return Err(Undefined::LengthMismatch);
    }
    if rows.is_empty() {
        return Err(Undefined::TooFewObservations);
    }
    if k < 2 {
        return Err(Undefined::TooFewGroups);
    }
    let mut columns = vec![0_i128; k];
    let (mut total, mut within, mut discordant) = (0_i128, 0_i128, 0);
    for row in &rows {
        let right = row.iter().filter(|&&right| right).count() as i128;
        total += right;
        within += right * (k as i128 - right);
        discordant += usize::from(right != 0 && right != k as i128);
        for (sum, &right) in columns.iter_mut().zip(*row) {
            *sum += i128::from(right);
        }
    }
    if within == 0 {
        return Err(Undefined::ZeroVariance);
    }
    let squares: i128 = columns.iter().map(|sum| sum * sum).sum();
    let over = (k as i128 - 1) * (k as i128 * squares - total * total);
    Ok(CochranQ {
        test: ChiSquaredTest::new(over as f64 / within as f64, k - 1),
        discordant,
    })
}
