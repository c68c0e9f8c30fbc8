//! What the trials of each arm amount to: how they ended, and each metric with its interval.
//!
//! Invariant: what cannot be computed is absent, never 0; the interval of a mean is the t interval, that of a share
//! Wilson's.

use trialbook_stats::{Level, describe};

use super::Request;
use super::collecting::{Collected, Values};
use super::{rates, resampled};
use crate::arms::Arm;
use crate::finding::{ArmFinding, Described, MetricFinding, Sample, Span, Success};
use crate::success::{self, Asked};
use crate::variations::Statuses;

fn statuses(arm: &Arm) -> Statuses {
    let mut statuses = Statuses::default();
    for run in &arm.runs {
        statuses.count(run.state.status());
    }
    statuses
}

/// Whether the arms differ in how often their trials completed.
pub(super) fn success(
    collected: &Collected,
    baseline: usize,
    request: &Request,
) -> Option<Success> {
    let rate = |arm: &Arm| {
        let statuses = statuses(arm);
        let rate = trialbook_stats::Rate::new(statuses.completed, statuses.ended());
        (arm.name.clone(), rate)
    };
    let rates: Vec<_> = collected.arms.arms.iter().map(rate).collect();
    let asked = Asked {
        alpha: request.alpha,
        level: collected.level,
        correction: request.correction,
    };
    success::judge(&rates, baseline, asked)
}

/// How the trials of each arm ended.
pub(super) fn arms(collected: &Collected) -> Vec<ArmFinding> {
    let of = |arm: &Arm| {
        let statuses = statuses(arm);
        ArmFinding {
            name: arm.name.clone(),
            success: success::rate(statuses.completed, statuses.ended(), collected.level),
            statuses,
            retried: retried(arm),
            superseded: arm.superseded,
        }
    };
    collected.arms.arms.iter().map(of).collect()
}

/// Trials that took more than one attempt.
pub(super) fn retried(arm: &Arm) -> u64 {
    let attempts = arm.runs.iter().filter_map(|run| run.state.start()?.attempt);
    attempts.filter(|attempt| *attempt > 1).count() as u64
}

/// Each metric of each arm.
pub(super) fn metrics(collected: &Collected, request: &Request) -> Vec<MetricFinding> {
    let measures = collected.measures.iter().zip(&collected.values);
    let rates = collected.rates(request);
    let finding = measures.zip(rates).map(|((measure, values), rate)| {
        let arms = collected.arms.arms.iter().zip(values);
        MetricFinding {
            measure: measure.clone(),
            primary: collected.primary.as_ref() == Some(&measure.key),
            rate,
            arms: arms
                .map(|(arm, values)| {
                    let mut sample = sample(arm, values, collected.level);
                    if let Some(described) = sample.described.as_mut().filter(|_| rate) {
                        described.interval = rates::interval(&values.finite, collected.level);
                        described.bootstrap_t = None;
                    }
                    sample
                })
                .collect(),
            omnibus: None,
            contrasts: Vec::new(),
        }
    });
    finding.collect()
}

fn sample(arm: &Arm, values: &Values, level: Level) -> Sample {
    let described = describe(&values.finite).ok().map(|it| Described {
        mean: it.mean,
        sd: it.sd.filter(|sd| sd.is_finite()),
        sem: it.sem.filter(|sem| sem.is_finite()),
        interval: it
            .mean_interval(level)
            .filter(|interval| interval.low.is_finite() && interval.high.is_finite())
            .map(|interval| Span::of(interval, "t")),
        bootstrap_t: resampled::of_mean(&values.finite, level),
        min: it.min,
        median: it.median,
        max: it.max,
    });
    Sample {
        arm: arm.name.clone(),
        n: values.finite.len() as u64,
        missing: values.missing,
        not_finite: values.not_finite,
        described,
    }
}

impl Span {
    pub(crate) const fn of(interval: trialbook_stats::Interval, method: &'static str) -> Self {
        Self {
            low: interval.low,
            high: interval.high,
            method,
        }
    }
}
