//! Metrics whose values are all 0 or 1: shares, compared as shares.
//!
//! Not here: which metrics are rates ([`super::collecting`]). Invariant: intervals lie within 0 and 1, those of
//! differences within −1 and 1.

use trialbook_stats::{
    Interval, Level, Magnitude, PValue, PairedTable, ProportionMethod, Rate, Undefined,
    chi_squared_independence, fisher_exact, paired_proportions, proportion_interval,
    two_proportions,
};

use super::effects;
use crate::finding::{CHI_SQUARED, DIFFERENCE_OF_SHARES, Effect, Omnibus, Power, Span, Tested};

/// Expected counts below this are too small for χ².
const EXPECTED: f64 = 5.0;

/// Two shares compared.
pub(crate) struct Compared {
    test: &'static str,
    difference: f64,
    interval: Span,
    statistic: Option<f64>,
    df: Option<f64>,
    p: PValue,
    effect: Effect,
    power: Option<Power>,
}

impl From<Compared> for Tested {
    fn from(found: Compared) -> Self {
        Self {
            interval: Some(found.interval),
            df: found.df,
            effect: Some(found.effect),
            power: found.power,
            ..Self::of(
                (found.test, DIFFERENCE_OF_SHARES),
                found.difference,
                (found.statistic, found.p),
            )
        }
    }
}

/// How many of the values are 1.
pub(crate) fn rate(values: &[f64]) -> Rate {
    let hits = values.iter().filter(|value| **value == 1.0).count();
    Rate::new(hits as u64, values.len() as u64)
}

/// Whether all values are 0 or 1.
pub(crate) fn are_rates(values: &[f64]) -> bool {
    values.iter().all(|value| *value == 0.0 || *value == 1.0)
}

/// Wilson's interval of a share.
pub(crate) fn interval(values: &[f64], level: Level) -> Option<Span> {
    let found = proportion_interval(rate(values), ProportionMethod::Wilson, level);
    found.ok().map(|it| Span::of(it, "Wilson"))
}

/// Two independent shares, with what more trials would tell.
pub(crate) fn independent(
    rates: [Rate; 2],
    (alpha, level): (f64, Level),
) -> Result<Compared, Undefined> {
    let found = unpaired(rates, level)?;
    let power = if found.test == CHI_SQUARED {
        effects::of_rates(rates, alpha)
    } else {
        effects::of_few(rates, alpha)
    };
    Ok(Compared { power, ..found })
}

/// Two independent shares: Fisher's exact test where an expected count is small, else χ² without correction.
pub(crate) fn unpaired(rates: [Rate; 2], level: Level) -> Result<Compared, Undefined> {
    if rates.iter().any(|rate| rate.trials == 0) {
        return Err(Undefined::TooFewObservations);
    }
    let table = rates.map(|rate| [rate.successes, rate.failures()]);
    let found = two_proportions(rates[0], rates[1], level)?;
    let independence = chi_squared_independence(&table)?;
    let pearson = independence.pearson;
    let (test, statistic, df, p) = if independence.smallest_expected < EXPECTED {
        let p = fisher_exact(table)?.p.two_sided;
        ("Fisher's exact test", None, None, p)
    } else {
        let df = Some(pearson.df as f64);
        (CHI_SQUARED, Some(pearson.statistic), df, pearson.p)
    };
    Ok(Compared {
        test,
        difference: found.difference,
        interval: newcombe(found.newcombe, "Newcombe"),
        statistic,
        df,
        p,
        effect: cohen_h(found.cohen_h),
        power: None,
    })
}

/// Two shares of the same pairs: McNemar's exact test.
pub(crate) fn paired(arm: &[f64], baseline: &[f64], level: Level) -> Result<Compared, Undefined> {
    if arm.is_empty() {
        return Err(Undefined::TooFewObservations);
    }
    let pairs = arm.iter().zip(baseline);
    let table = PairedTable::of(pairs.map(|(one, other)| (*one == 1.0, *other == 1.0)));
    let found = paired_proportions(table, level)?;
    let apart = two_proportions(rate(arm), rate(baseline), level)?;
    Ok(Compared {
        test: "McNemar's exact test",
        difference: found.difference,
        interval: newcombe(found.newcombe, "Newcombe, paired"),
        statistic: None,
        df: None,
        p: found.mcnemar.exact.two_sided,
        effect: cohen_h(apart.cohen_h),
        power: None,
    })
}

/// An interval of a difference of shares; rounding may leave −1 to 1 by a hair.
fn newcombe(found: Interval, method: &'static str) -> Span {
    let within = Interval::new(found.low.max(-1.0), found.high.min(1.0));
    Span::of(within, method)
}

fn cohen_h(estimate: f64) -> Effect {
    Effect {
        name: "cohen_h",
        estimate,
        interval: None,
        word: Some(Magnitude::of(estimate).word()),
    }
}

/// Whether several shares differ at all: χ², but not where an expected count is so small that it says "differ" too often.
pub(crate) fn omnibus(groups: &[Rate]) -> Omnibus {
    let table: Vec<[u64; 2]> = groups
        .iter()
        .map(|rate| [rate.successes, rate.failures()])
        .collect();
    match chi_squared_independence(&table) {
        Ok(found) if found.smallest_expected < EXPECTED => Omnibus::CannotTest {
            cannot_test: Undefined::TooFewObservations.word(),
            reason: format!(
                "the smallest expected count is {:.1}, and χ² needs {EXPECTED}",
                // Rounded down: what is too few shall not read as enough.
                (found.smallest_expected * 10.0).floor() / 10.0
            ),
        },
        Ok(found) => Omnibus::Tested {
            test: CHI_SQUARED,
            statistic: found.pearson.statistic,
            df: vec![found.pearson.df as f64],
            p: found.pearson.p.p,
            ln_p: found.pearson.p.ln_p,
            eta_squared: None,
            omega_squared: None,
        },
        Err(reason) => Omnibus::CannotTest {
            cannot_test: reason.word(),
            reason: reason.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// χ² would reject 8.2% of three arms of three trials that are alike.
    #[test]
    fn small_counts_of_several_arms_are_not_tested_by_chi_squared() {
        let rates = |hits: [u64; 3], n: u64| hits.map(|hits| Rate::new(hits, n));
        let Omnibus::CannotTest {
            cannot_test,
            reason,
        } = omnibus(&rates([0, 3, 3], 3))
        else {
            panic!("tested")
        };
        assert_eq!(cannot_test, "too_few_observations");
        assert_eq!(reason, "the smallest expected count is 1.0, and χ² needs 5");
        // scipy.stats.chi2_contingency([[5, 5], [5, 5], [5, 5]]): p = 1.
        let Omnibus::Tested { p, .. } = omnibus(&rates([5, 5, 5], 10)) else {
            panic!("not tested")
        };
        assert!((p - 1.0).abs() < 1e-12);
    }
}
