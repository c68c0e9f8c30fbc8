//! Fisher's exact test of a table of two by two.

use crate::probability::{PValue, PValues};
use crate::special::{Slope, Tails, Urn, hypergeometric, ln_hypergeometric_mass, newton};
use crate::undefined::Undefined;

/// Fisher's exact test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FisherExact {
    /// Two-sided: all tables that are no more likely than the observed one. `greater` is small where the first row
    /// has more of the first column.
    pub p: PValues,
    /// The two-sided p with tables as likely as the observed one counted half.
    pub mid_p: PValue,
    /// The ratio of the odds of the table; infinite where it has a 0 in the denominator only, none where in both.
    pub odds_ratio: Option<f64>,
    /// The odds ratio under which the observed table is the expected one, given the margins; none where the margins
    /// leave one table only.
    pub conditional_odds_ratio: Option<f64>,
}

/// Two masses whose logarithms are this near are the same: the same integers, computed from either end.
const SAME: f64 = 1e-7;

/// Fisher's exact test of `[[a, b], [c, d]]` (Fisher 1935), given the margins.
///
/// # Errors
/// [`Undefined::DomainError`] where a count exceeds 2⁴⁰, [`Undefined::EmptyInput`] where all are 0.
pub fn fisher_exact(table: [[u64; 2]; 2]) -> Result<FisherExact, Undefined> {
    /// At most this large: sums and products of counts fit into the integers that are used.
    const MOST: u64 = 1 << 40;
    let [[a, b], [c, d]] = table;
    if [a, b, c, d].iter().any(|&count| count > MOST) {
        return Err(Undefined::DomainError);
    }
    if a + b + c + d == 0 {
        return Err(Undefined::EmptyInput);
    }
    let urn = Urn {
        marked: a + c,
        unmarked: b + d,
        drawn: a + b,
    };
    let (low, high) = urn.range()?;
    let up_to = hypergeometric(a, urn)?;
    let from = at_least(a, urn)?;
    let (two_sided, mid_p) = two_sided(a, urn, (up_to, from))?;
    let product = |x: u64, y: u64| x as f64 * y as f64;
    Ok(FisherExact {
        p: PValues {
            two_sided,
            less: PValue::new(up_to.lower, up_to.ln_lower),
            greater: PValue::new(from.lower, from.ln_lower),
        },
        mid_p,
        odds_ratio: match (product(a, d), product(b, c)) {
            (0.0, 0.0) => None,
            (over, under) => Some(over / under),
        },
        conditional_odds_ratio: if low == high {
            None
        } else if a == low {
            Some(0.0)
        } else if a == high {
            Some(f64::INFINITY)
        } else {
            let sample = libm::log(product(a, d) / product(b, c));
            Some(libm::exp(conditional_ln_odds(a, urn, sample)))
        },
    })
}

/// P(X ≥ k) as the lower tail.
fn at_least(k: u64, urn: Urn) -> Result<Tails, Undefined> {
    match k.checked_sub(1) {
        None => hypergeometric(urn.range()?.1, urn),
        Some(below) => Ok(hypergeometric(below, urn)?.swapped()),
    }
}

/// The two-sided p and its mid-p, from P(X ≤ a) and P(X ≥ a).
fn two_sided(
    a: u64,
    urn: Urn,
    (up_to, from): (Tails, Tails),
) -> Result<(PValue, PValue), Undefined> {
    let (low, high) = urn.range()?;
    let mode = urn.mode();
    let ln_mass = |k: u64| ln_hypergeometric_mass(k, urn).unwrap_or(f64::NEG_INFINITY);
    let observed = ln_mass(a);
    let unlikely = |k: u64| ln_mass(k) <= observed + SAME;
    let (own, other, end) = if unlikely(mode) {
        // The observed table is as likely as any.
        (Tails::below_all().swapped(), Tails::below_all(), None)
    } else if a < mode {
        // The first table beyond the mode that is no more likely.
        let end = first_where(mode, high + 1, unlikely);
        let tail = at_least(end, urn)?;
        (
            up_to,
            if end > high { Tails::below_all() } else { tail },
            Some(end),
        )
    } else {
        let steps = first_where(0, mode - low + 1, |step| unlikely(mode - step));
        let end = mode.checked_sub(steps).filter(|&end| end >= low);
        let tail = end.map_or(Ok(Tails::below_all()), |end| hypergeometric(end, urn))?;
        (from, tail, end)
    };
    let ln_p = ln_sum(own.ln_lower, other.ln_lower).min(0.0);
    let p = (own.lower + other.lower).min(1.0);
    let neighbours = [a.checked_sub(1), a.checked_add(1), end];
    let mut as_likely = vec![a];
    for k in neighbours.into_iter().flatten() {
        let same = (ln_mass(k) - observed).abs() <= SAME;
        if same && (low..=high).contains(&k) && !as_likely.contains(&k) {
            as_likely.push(k);
        }
    }
    // Half of their masses, as a part of p.
    let part = libm::exp(observed - ln_p) * as_likely.len() as f64 / 2.0;
    let mid = PValue::new(p * (1.0 - part), ln_p + libm::log1p(-part));
    Ok((PValue::new(p, ln_p), mid))
}

/// The first number of a range from which on a condition holds; the end of the range where it never does.
fn first_where(from: u64, to: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// ln(eᵃ + eᵇ).
fn ln_sum(a: f64, b: f64) -> f64 {
    let (most, least) = (a.max(b), a.min(b));
    if least == f64::NEG_INFINITY {
        return most;
    }
    most + libm::log1p(libm::exp(least - most))
}

/// The logarithm of the odds ratio under which `a` is the mean, by Newton's method from the sample's.
fn conditional_ln_odds(a: u64, urn: Urn, sample: f64) -> f64 {
    newton((f64::NEG_INFINITY, f64::INFINITY), sample, |ln_odds| {
        tilted(a, urn, libm::exp(ln_odds))
    })
}

/// The mean of the table's first count, less `a`, and its variance, where the odds ratio is `odds`: summed from the
/// likeliest count outwards.
fn tilted(a: u64, urn: Urn, odds: f64) -> Slope {
    /// Terms below this part of the largest one are under the last digit.
    const NEGLIGIBLE: f64 = 1e-20;
    let (low, high) = urn.range().unwrap_or((a, a));
    let mode = first_where(low, high, |k| urn.ratio(k) * odds < 1.0);
    let from_a = |k: u64| k as f64 - a as f64;
    let (mut sum, mut first, mut second) = (1.0, from_a(mode), from_a(mode) * from_a(mode));
    let mut add = |k: u64, term: f64| {
        sum += term;
        first += term * from_a(k);
        second += term * from_a(k) * from_a(k);
    };
    let mut term = 1.0;
    for k in mode..high {
        term *= urn.ratio(k) * odds;
        if term < NEGLIGIBLE {
            break;
        }
        add(k + 1, term);
    }
    term = 1.0;
    for k in (low..mode).rev() {
        term /= urn.ratio(k) * odds;
        if term < NEGLIGIBLE {
            break;
        }
        add(k, term);
    }
    let mean = first / sum;
    Slope {
        value: mean,
        slope: second / sum - mean * mean,
    }
}
