//! The family of tests that are asked together, and p-values adjusted for it.
//!
//! Every arm with every metric is one family, unless the config names a primary metric: then the tests of that one are
//! a family, and the exploratory others another. Invariant: tests that could not be made are counted and in no family.

use trialbook_stats::{Correction, adjust};

use super::Request;
use super::effects::RANK_BISERIAL;
use crate::finding::{Contrast, Family, FamilyOf, MetricFinding, Outcome, Tested};
use crate::measure::Measure;

/// Adjusts all p-values and says which differences are told from chance.
pub(super) fn adjust_all(metrics: &mut [MetricFinding], request: &Request) -> Option<Family> {
    let contrasts = || metrics.iter().flat_map(|metric| &metric.contrasts);
    let all = contrasts().count() as u64;
    let tested = |contrast: &&Contrast| match contrast.outcome {
        Outcome::Tested(_) => true,
        Outcome::CannotTest { .. } => false,
    };
    let made = contrasts().filter(tested).count() as u64;
    if all == 0 {
        return None;
    }
    let primary = metrics.iter().find(|metric| metric.primary);
    let primary = primary.map(|metric| metric.measure.key.clone());
    let mut of_primary = 0;
    for is_primary in [true, false] {
        let mut group: Vec<&mut Tested> = metrics
            .iter_mut()
            .filter(|metric| metric.primary == is_primary)
            .flat_map(|metric| &mut metric.contrasts)
            .filter_map(|contrast| match &mut contrast.outcome {
                Outcome::Tested(tested) => Some(&mut **tested),
                Outcome::CannotTest { .. } => None,
            })
            .collect();
        if is_primary {
            of_primary = group.len() as u64;
        }
        adjust_group(&mut group, (request.correction, request.alpha));
    }
    // Which direction is better is said, or was asked for by who named the metric; a guess names no better one.
    let is_judged =
        |measure: &Measure| measure.is_directed() || request.metrics.contains(&measure.key);
    for metric in metrics.iter_mut().filter(|it| is_judged(&it.measure)) {
        name_the_better(&metric.measure, &mut metric.contrasts);
    }
    let of = match primary {
        Some(metric) => FamilyOf::Primary {
            metric,
            others: made - of_primary,
        },
        None => FamilyOf::AllMetrics,
    };
    Some(Family {
        correction: request
            .correction
            .map_or("none", Correction::word)
            .to_owned(),
        size: match &of {
            FamilyOf::AllMetrics => made,
            FamilyOf::Primary { .. } => of_primary,
        },
        undefined: all - made,
        of,
    })
}

/// Adjusts the p-values of a family and says which differences are told from chance.
pub(crate) fn adjust_group(
    group: &mut [&mut Tested],
    (correction, alpha): (Option<Correction>, f64),
) {
    let raw: Vec<f64> = group.iter().map(|tested| tested.p).collect();
    let adjusted = match correction {
        // Only an empty family has no answer.
        Some(correction) => adjust(&raw, correction).unwrap_or_default(),
        None => raw,
    };
    for (tested, adjusted) in group.iter_mut().zip(adjusted) {
        tested.p_adjusted = adjusted;
        tested.differs = adjusted < alpha;
    }
}

impl Tested {
    /// A number with the sign of what was tested: ranks are, where medians may say otherwise.
    fn direction(&self) -> f64 {
        let ranks = self.effect.as_ref();
        let ranks = ranks.filter(|effect| effect.name == RANK_BISERIAL);
        ranks.map_or(self.difference, |effect| effect.estimate)
    }
}

/// Names the better of two that differ, by the goal.
pub(crate) fn name_the_better(measure: &Measure, contrasts: &mut [Contrast]) {
    for contrast in contrasts {
        if let Outcome::Tested(tested) = &mut contrast.outcome
            && tested.differs
            && !tested.medians_disagree
        {
            let direction = tested.direction();
            let better = if measure.is_better(direction, 0.0) {
                Some(&contrast.arm)
            } else if measure.is_better(0.0, direction) {
                Some(&contrast.baseline)
            } else {
                None
            };
            tested.better = better.cloned();
        }
    }
}
