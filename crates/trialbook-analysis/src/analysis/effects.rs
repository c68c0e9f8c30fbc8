//! How large a difference is, and what more trials would tell of one as large.
//!
//! Not here: tests. Invariant: the power of what was observed is never given, only the trials that a planned test of a
//! difference of that size needs.

use trialbook_stats::{
    Alternative, Arrangements, Design, Draws, FISHER_MOST, Interval, Level, Magnitude, Rate, TPlan,
    brunner_munzel, describe, effect_size, fisher_sample_size, paired_effect_size, permute_signs,
    proportion_sample_size,
};

use crate::finding::{Effect, Power, Span, Test};

/// The name of the effect size of ranks.
pub(super) const RANK_BISERIAL: &str = "rank_biserial";
/// The power that is aimed at.
const POWER: f64 = 0.8;

/// The standardized difference of means, and what more trials would tell of one as large.
pub(super) fn of_means(
    test: Test,
    (alpha, level): (f64, Level),
    (arm, baseline): (&[f64], &[f64]),
) -> (Option<Effect>, Option<Power>) {
    let Some((effect, d)) = size((arm, baseline), Pairing::of(test), level) else {
        return (None, None);
    };
    let present = arm.len().min(baseline.len()) as u64;
    let design = match Pairing::of(test) {
        Pairing::Paired => Design::OneSample,
        Pairing::Apart => Design::TwoSamples,
    };
    (Some(effect), Some(power((design, d), alpha, present)))
}

/// Whether values are those of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pairing {
    /// Two samples.
    Apart,
    /// Equal places are a pair.
    Paired,
}

impl Pairing {
    const fn of(test: Test) -> Self {
        if test.is_paired() {
            Self::Paired
        } else {
            Self::Apart
        }
    }
}

/// The standardized difference of means: Hedges' g of two samples, of pairs in units of their differences' sd; and
/// Cohen's d, which plans take.
pub(crate) fn size(
    (arm, baseline): (&[f64], &[f64]),
    pairing: Pairing,
    level: Level,
) -> Option<(Effect, f64)> {
    match pairing {
        Pairing::Paired => {
            let found = paired_effect_size(arm, baseline, level).ok()?;
            let scaled =
                |j: f64| Interval::new(found.dz_interval.low * j, found.dz_interval.high * j);
            let effect = match found.hedges_gz {
                Some(g) => effect("hedges_gz", g, found.hedges_j.map(scaled)),
                None => effect("cohen_dz", found.cohen_dz, Some(found.dz_interval)),
            };
            Some((effect, found.cohen_dz))
        }
        Pairing::Apart => {
            let found = effect_size(arm, baseline, level).ok()?;
            let effect = match found.hedges_g {
                Some(g) => effect("hedges_g", g, found.g_interval),
                None => effect("cohen_d", found.cohen_d, Some(found.d_interval)),
            };
            Some((effect, found.cohen_d))
        }
    }
}

fn effect(name: &'static str, estimate: f64, interval: Option<Interval>) -> Effect {
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
        name: RANK_BISERIAL,
        estimate: rank_biserial,
        interval: None,
        word: None,
    }
}

/// What more trials would tell χ² of shares that differ as much.
pub(super) fn of_rates(rates: [Rate; 2], alpha: f64) -> Option<Power> {
    let needed = proportion_sample_size(shares(rates), POWER, alpha).ok()?;
    Some(of_needed(Some(needed.arcsine.n), rates))
}

/// The same of Fisher's exact test, which needs more.
pub(super) fn of_few(rates: [Rate; 2], alpha: f64) -> Option<Power> {
    let needed = fisher_sample_size(shares(rates), POWER, alpha).ok()?;
    Some(of_needed(needed, rates))
}

fn shares(rates: [Rate; 2]) -> (f64, f64) {
    (rates[0].share(), rates[1].share())
}

fn of_needed(needed: Option<u64>, rates: [Rate; 2]) -> Power {
    let present = rates[0].trials.min(rates[1].trials);
    Power {
        target: POWER,
        needed,
        needed_above: needed.is_none().then_some(FISHER_MOST),
        more: needed.map(|needed| needed.saturating_sub(present)),
        detectable: None,
    }
}

/// Brunner and Munzel's two-sided p, where the spreads differ so much that ranks alone could tell them apart.
pub(super) fn brunner_munzel_p((arm, baseline): (&[f64], &[f64])) -> Option<f64> {
    let found = spreads_differ((arm, baseline)).then(|| brunner_munzel(arm, baseline))?;
    Some(found.ok()?.p.two_sided.p)
}

/// Whether one sd is more than twice the other.
fn spreads_differ((arm, baseline): (&[f64], &[f64])) -> bool {
    /// The ratio of the greater sd to the smaller.
    const APART: f64 = 2.0;
    let sd = |values: &[f64]| describe(values).ok()?.sd;
    let both = sd(arm).zip(sd(baseline));
    both.is_some_and(|(one, other)| one.max(other) > APART * one.min(other))
}

/// Glass' Δ where the sds differ so much that neither is that of both.
pub(super) fn glass((arm, baseline): (&[f64], &[f64])) -> Option<f64> {
    let is_apart = spreads_differ((arm, baseline));
    let found = is_apart.then(|| effect_size(arm, baseline, Level::NINETY_FIVE))?;
    found.ok()?.glass_delta
}

/// The two-sided p of all signs that the differences of few pairs could have had.
pub(super) fn sign_flip((arm, baseline): (&[f64], &[f64])) -> Option<f64> {
    /// So many pairs have few enough signs to try them all.
    const FEW: usize = 20;
    if arm.len() > FEW {
        return None;
    }
    let pairs = arm.iter().zip(baseline);
    let differences: Vec<f64> = pairs.map(|(one, other)| one - other).collect();
    // Nothing is drawn: the seed is without effect.
    let found = permute_signs(&differences, Draws::new(0, Draws::TEST)).ok()?;
    match found.arrangements {
        Arrangements::All(_) => Some(found.p.two_sided.p),
        Arrangements::Drawn(_) => None,
    }
}

/// What a t test of a difference of the observed size needs, by the unadjusted alpha.
fn power((design, d): (Design, f64), alpha: f64, present: u64) -> Power {
    let plan = TPlan {
        design,
        alternative: Alternative::TwoSided,
        alpha,
    };
    let needed = plan.sample_size(d, POWER).ok().map(|size| size.n);
    Power {
        target: POWER,
        needed,
        needed_above: None,
        more: needed.map(|needed| needed.saturating_sub(present)),
        detectable: plan.detectable(present, POWER).ok(),
    }
}
