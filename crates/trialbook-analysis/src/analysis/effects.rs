//! How large a difference is, and what more trials would tell of one as large.
//!
//! Not here: tests. Invariant: the power of what was observed is never given, only the trials that a planned test of a
//! difference of that size needs.

use trialbook_stats::{Alternative, Design, Magnitude, TPlan, effect_size, paired_effect_size};

use super::samples::LEVEL;
use crate::finding::{Effect, Power, Span, Test};

/// The power that is aimed at.
const POWER: f64 = 0.8;

/// The standardized difference of means: Hedges' g of two samples, of pairs in units of their differences' sd.
pub(super) fn of_means(test: Test, arm: &[f64], baseline: &[f64]) -> Option<Effect> {
    if test.is_paired() {
        let found = paired_effect_size(arm, baseline, LEVEL).ok()?;
        let j = found.hedges_j;
        let scaled = |interval: trialbook_stats::Interval| {
            j.map(|j| trialbook_stats::Interval::new(interval.low * j, interval.high * j))
        };
        return Some(match found.hedges_gz {
            Some(g) => effect("hedges_gz", g, scaled(found.dz_interval)),
            None => effect("cohen_dz", found.cohen_dz, Some(found.dz_interval)),
        });
    }
    let found = effect_size(arm, baseline, LEVEL).ok()?;
    Some(match found.hedges_g {
        Some(g) => effect("hedges_g", g, found.g_interval),
        None => effect("cohen_d", found.cohen_d, Some(found.d_interval)),
    })
}

fn effect(
    name: &'static str,
    estimate: f64,
    interval: Option<trialbook_stats::Interval>,
) -> Effect {
    Effect {
        name,
        estimate,
        interval: interval
            .filter(|it| it.low.is_finite() && it.high.is_finite())
            .map(|it| Span::of(it, "noncentral t")),
        word: Some(Magnitude::of(estimate).word()),
    }
}

/// The rank-biserial correlation, which has no agreed words.
pub(super) const fn of_ranks(rank_biserial: f64) -> Effect {
    Effect {
        name: "rank_biserial",
        estimate: rank_biserial,
        interval: None,
        word: None,
    }
}

/// What a t test of a difference of the observed size needs, by the unadjusted alpha.
pub(super) fn power(test: Test, alpha: f64, (arm, baseline): (&[f64], &[f64])) -> Option<Power> {
    let (design, d) = match test {
        Test::Paired => {
            let found = paired_effect_size(arm, baseline, LEVEL).ok()?;
            (Design::OneSample, found.cohen_dz)
        }
        Test::Auto | Test::Welch | Test::Student => {
            let found = effect_size(arm, baseline, LEVEL).ok()?;
            (Design::TwoSamples, found.cohen_d)
        }
        // The plan of a t test is none of a test of ranks.
        Test::MannWhitney | Test::Wilcoxon => return None,
    };
    let plan = TPlan {
        design,
        alternative: Alternative::TwoSided,
        alpha,
    };
    let present = arm.len().min(baseline.len()) as u64;
    let needed = plan.sample_size(d, POWER).ok().map(|size| size.n);
    Some(Power {
        target: POWER,
        needed,
        more: needed.map(|needed| needed.saturating_sub(present)),
        detectable: plan.detectable(present, POWER).ok(),
    })
}
