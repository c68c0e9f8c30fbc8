//! Whether arms differ in how often their trials complete.
//!
//! Each arm is held against the baseline; these tests are adjusted among themselves, as they ask another thing than
//! those of metrics. Invariant: where every trial completed, or none did, nothing is tested.

use trialbook_model::record::Goal;
use trialbook_stats::{Correction, Level, ProportionMethod, Rate, proportion_interval};

use crate::analysis::family::{adjust_group, name_the_better};
use crate::analysis::rates;
use crate::finding::{self, Contrast, Outcome, Span, Success, Tested};
use crate::measure::Measure;

/// What the rate is called.
pub const KEY: &str = "success rate";

/// How sure one wants to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Asked {
    pub(crate) alpha: f64,
    pub(crate) level: Level,
    pub(crate) correction: Option<Correction>,
}

/// The rate as a metric: more is better.
pub fn measure() -> Measure {
    Measure {
        key: KEY.to_owned(),
        unit: None,
        unit_assumed: false,
        goal: Goal::Max,
        goal_assumed: None,
    }
}

/// A share with Wilson's interval; none of nothing.
pub(crate) fn rate(hits: u64, n: u64, level: Level) -> Option<finding::Rate> {
    (n > 0).then(|| finding::Rate {
        hits,
        n,
        estimate: hits as f64 / n as f64,
        interval: proportion_interval(Rate::new(hits, n), ProportionMethod::Wilson, level)
            .ok()
            .map(|interval| Span::of(interval, "Wilson")),
    })
}

/// Tests the rates of arms, by name, against that of the baseline.
pub(crate) fn judge(arms: &[(String, Rate)], baseline: usize, asked: Asked) -> Option<Success> {
    let ended: u64 = arms.iter().map(|(_, rate)| rate.trials).sum();
    let completed: u64 = arms.iter().map(|(_, rate)| rate.successes).sum();
    if arms.len() < 2 || completed == 0 || completed == ended {
        return None;
    }
    let (base_name, base) = &arms[baseline];
    let contrast = |(name, rate): &(String, Rate)| Contrast {
        arm: name.clone(),
        baseline: base_name.clone(),
        n: [rate.trials, base.trials],
        pairs: None,
        correlation: None,
        outcome: outcome([*rate, *base], asked),
    };
    let others = arms.iter().enumerate().filter(|(at, _)| *at != baseline);
    let mut contrasts: Vec<Contrast> = others.map(|(_, arm)| contrast(arm)).collect();
    let mut tested: Vec<&mut Tested> = contrasts
        .iter_mut()
        .filter_map(|contrast| match &mut contrast.outcome {
            Outcome::Tested(tested) => Some(&mut **tested),
            Outcome::CannotTest { .. } => None,
        })
        .collect();
    let family = tested.len() as u64;
    adjust_group(&mut tested, (asked.correction, asked.alpha));
    name_the_better(&measure(), &mut contrasts);
    let rates: Vec<Rate> = arms.iter().map(|(_, rate)| *rate).collect();
    Some(Success {
        omnibus: (arms.len() > 2).then(|| rates::omnibus(&rates)),
        contrasts,
        family,
    })
}

fn outcome(rates: [Rate; 2], asked: Asked) -> Outcome {
    let share = |rate: Rate| (rate.trials > 0).then(|| rate.successes as f64 / rate.trials as f64);
    let [arm, base] = rates.map(share);
    match rates::independent(rates, (asked.alpha, asked.level)) {
        Ok(found) => {
            let mut tested = Tested::from(found);
            let relative = base.map(|base| tested.difference / base);
            tested.relative = relative.filter(|share| share.is_finite());
            Outcome::Tested(Box::new(tested))
        }
        Err(reason) => Outcome::CannotTest {
            cannot_test: reason.word(),
            reason: if arm.is_some() && base.is_some() {
                "all trials of both ended alike".to_owned()
            } else {
                reason.to_string()
            },
            difference: arm.zip(base).map(|(arm, base)| arm - base),
            a12: None,
        },
    }
}
