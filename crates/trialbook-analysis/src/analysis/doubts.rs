//! What to be careful about: what was found in the trials that an answer may lean on too much.
//!
//! Invariant: each warning carries the numbers that it rests on; the order is that of their weight, then of metrics
//! and arms.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trialbook_model::status::RunStatus;
use trialbook_stats::{RankVariant, describe, shape};
use trialbook_store::reading::Reading;

use super::Request;
use super::collecting::{Collected, Values, is_result};
use super::samples::retried;
use super::{resampled, samples};
use crate::arms::Arm;
use crate::comparison::flattened;
use crate::finding::{Contrast, MetricFinding, Outcome, Success, Test, Warning};
use crate::history::Past;
use crate::measure::Agg;
use crate::success;

/// Completed trials of an arm from which a comparison needs no warning of few.
const ENOUGH: u64 = 10;
/// A variance is much greater than another when it is more than so many times as great.
const RATIO: f64 = 4.0;
/// Values from which a share needs no warning of few.
const ENOUGH_FOR_RATES: u64 = 30;
/// Values below which the normal distribution is too rough for ranks.
const FEW_RANKS: u64 = 20;
/// A greater share of tied values makes ranks say little.
const TIED: f64 = 0.5;
/// The kind under which a run keeps its surroundings.
const ENVIRONMENT: &str = "environment";

/// All warnings.
pub(super) fn warnings<R: Reading>(
    reading: &R,
    collected: &Collected,
    (metrics, success): (&[MetricFinding], Option<&Success>),
    (past, request): (Past, &Request),
) -> Result<Vec<Warning>, R::Error> {
    let mut found = Vec::new();
    if past.look > 1 {
        found.push(Warning::Peeked { look: past.look });
    }
    if past.question > 1 {
        found.push(Warning::OtherQuestions {
            question: past.question,
        });
    }
    found.extend(few(collected));
    for arm in &collected.arms.arms {
        found.extend(excluded(arm));
    }
    if collected.arms.outside > 0 {
        found.push(Warning::Outside {
            runs: collected.arms.outside,
        });
    }
    if collected.arms.archived > 0 {
        found.push(Warning::Archived {
            runs: collected.arms.archived,
        });
    }
    found.extend(environment(reading, collected)?);
    found.extend(retries(collected));
    if request.agg == Agg::Best {
        found.push(Warning::BestOfSeries);
    }
    if success.is_some() {
        let ended = samples::arms(collected);
        let rates = ended.iter().filter_map(|arm| {
            let rate = arm.success.as_ref()?;
            Some((arm.name.clone(), rate.hits, rate.n))
        });
        of_rates(&mut found, success::KEY, &rates.collect::<Vec<_>>());
    }
    for (metric, values) in metrics.iter().zip(&collected.values) {
        of_metric(&mut found, metric, values);
        of_contrasts(&mut found, metric, (collected, values), request);
    }
    Ok(found)
}

fn few(collected: &Collected) -> Option<Warning> {
    let arms = &collected.arms.arms;
    let completed = |arm: &Arm| arm.runs.iter().filter(|run| is_result(run)).count() as u64;
    let arms = arms.iter().map(|arm| (arm.name.clone(), completed(arm)));
    let arms: Vec<(String, u64)> = arms.filter(|(_, trials)| *trials < ENOUGH).collect();
    (!arms.is_empty()).then_some(Warning::FewTrials {
        arms,
        enough: ENOUGH,
    })
}

fn excluded(arm: &Arm) -> Option<Warning> {
    let count = |wanted: &[RunStatus]| {
        let runs = arm
            .runs
            .iter()
            .filter(|run| wanted.contains(&run.state.status()));
        runs.count() as u64
    };
    let failed = count(&[RunStatus::Failed]);
    let cancelled = count(&[RunStatus::Cancelled]);
    let open = count(&[RunStatus::Queued, RunStatus::Running]);
    (failed + cancelled + open > 0).then(|| Warning::Excluded {
        arm: arm.name.clone(),
        failed,
        cancelled,
        open,
    })
}

fn retries(collected: &Collected) -> Option<Warning> {
    let arms = &collected.arms.arms;
    let arms = arms.iter().map(|arm| (arm.name.clone(), retried(arm)));
    let arms: Vec<(String, u64)> = arms.filter(|(_, trials)| *trials > 0).collect();
    (!arms.is_empty()).then_some(Warning::Retried { arms })
}

/// Whether completed trials ran in different surroundings, and whether that goes with the arms.
fn environment<R: Reading>(
    reading: &R,
    collected: &Collected,
) -> Result<Option<Warning>, R::Error> {
    let mut of_arms: Vec<BTreeSet<&str>> = Vec::new();
    for arm in &collected.arms.arms {
        let runs = arm.runs.iter().filter(|run| is_result(run));
        let sums = runs.filter_map(|run| run.state.snapshots.get(ENVIRONMENT));
        let sums: BTreeSet<&str> = sums.map(|sum| sum.value.as_str()).collect();
        if !sums.is_empty() {
            of_arms.push(sums);
        }
    }
    let all: BTreeSet<&str> = of_arms.iter().flatten().copied().collect();
    if all.len() < 2 {
        return Ok(None);
    }
    let mut values: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
    let mut documents = Vec::new();
    for sum in &all {
        documents.push(flattened(&reading.snapshot(sum)?.unwrap_or(Value::Null)));
    }
    let keys: BTreeSet<&String> = documents.iter().flat_map(BTreeMap::keys).collect();
    for key in keys {
        let held = documents.iter().map(|document| document.get(key).cloned());
        values.insert(key.clone(), held.collect());
    }
    values.retain(|_, held| held.len() > 1);
    Ok(Some(Warning::ChangedEnvironment {
        different: all.len() as u64,
        keys: values.into_keys().collect(),
        between_arms: of_arms.iter().any(|sums| *sums != of_arms[0]),
    }))
}

/// What the values of each arm show.
fn of_metric(found: &mut Vec<Warning>, metric: &MetricFinding, values: &[Values]) {
    let key = || metric.measure.key.clone();
    let counted = |number: fn(&Values) -> u64| -> Vec<(String, u64)> {
        let arms = metric.arms.iter().zip(values);
        arms.map(|(sample, values)| (sample.arm.clone(), number(values)))
            .filter(|(_, number)| *number > 0)
            .collect()
    };
    let missing = counted(|values| values.missing);
    if !missing.is_empty() {
        found.push(Warning::Missing {
            metric: key(),
            arms: missing,
        });
    }
    let not_finite = counted(|values| values.not_finite);
    if !not_finite.is_empty() {
        found.push(Warning::NotFinite {
            metric: key(),
            arms: not_finite,
        });
    }
    let constant = |values: &Values| {
        values.finite.len() > 1 && values.finite.iter().all(|it| *it == values.finite[0])
    };
    let arms = || metric.arms.iter().zip(values);
    let identical = arms().filter(|(_, values)| constant(values));
    let identical: Vec<String> = identical.map(|(sample, _)| sample.arm.clone()).collect();
    if !identical.is_empty() && !metric.rate {
        found.push(Warning::Identical {
            metric: key(),
            arms: identical,
        });
    }
    if metric.rate {
        let rates = metric.arms.iter().filter_map(|sample| {
            let share = sample.described.as_ref()?.mean;
            let hits = (share * sample.n as f64).round() as u64;
            Some((sample.arm.clone(), hits, sample.n))
        });
        of_rates(found, &metric.measure.key, &rates.collect::<Vec<_>>());
    } else {
        of_shape(found, metric, values);
    }
}

/// What shares lean on, by arms, hits and values: enough of them, and hits and misses both.
fn of_rates(found: &mut Vec<Warning>, metric: &str, arms: &[(String, u64, u64)]) {
    let few = arms.iter().filter(|(_, _, n)| *n < ENOUGH_FOR_RATES);
    let few: Vec<(String, u64)> = few.map(|(arm, _, n)| (arm.clone(), *n)).collect();
    if !few.is_empty() {
        found.push(Warning::FewForRate {
            metric: metric.to_owned(),
            arms: few,
            enough: ENOUGH_FOR_RATES,
        });
    }
    let at_end = arms.iter().filter(|(_, hits, n)| *hits == 0 || hits == n);
    let at_end: Vec<(String, u64, u64)> = at_end.cloned().collect();
    if !at_end.is_empty() {
        found.push(Warning::AllOrNone {
            metric: metric.to_owned(),
            arms: at_end,
        });
    }
}

/// What the distribution and the order of the values show.
fn of_shape(found: &mut Vec<Warning>, metric: &MetricFinding, values: &[Values]) {
    let key = || metric.measure.key.clone();
    let mut skewed = Vec::new();
    for (sample, values) in metric.arms.iter().zip(values) {
        let Ok(shape) = shape(&values.finite) else {
            continue;
        };
        let skewness = resampled::skewness(&values.finite);
        skewed.extend(skewness.map(|skewness| (sample.arm.clone(), skewness)));
        let bound = 2.0 / (values.finite.len() as f64).sqrt();
        let alike = shape.lag1_autocorrelation;
        found.extend(
            alike
                .filter(|correlation| correlation.abs() > bound)
                .map(|correlation| Warning::Autocorrelated {
                    metric: key(),
                    arm: sample.arm.clone(),
                    correlation,
                }),
        );
    }
    if !skewed.is_empty() {
        found.push(Warning::Skewed {
            metric: key(),
            arms: skewed,
        });
    }
}

/// What a test of ranks leans on: few ties, and values enough for the normal distribution where that gives p.
fn of_ranks(
    found: &mut Vec<Warning>,
    metric: &MetricFinding,
    contrast: &Contrast,
    sides: [Option<&[f64]>; 2],
) {
    let Outcome::Tested(tested) = &contrast.outcome else {
        return;
    };
    let Some(variant) = tested.variant else {
        return;
    };
    let n = contrast.n[0].min(contrast.n[1]);
    if variant == RankVariant::NormalCorrected.word() && n < FEW_RANKS {
        found.push(Warning::NormalRanks {
            metric: metric.measure.key.clone(),
            arm: contrast.arm.clone(),
            n,
        });
    }
    let mut values: Vec<f64> = sides.into_iter().flatten().flatten().copied().collect();
    if contrast.pairs.is_some() || values.is_empty() {
        return;
    }
    values.sort_unstable_by(f64::total_cmp);
    let groups = values.chunk_by(|one, other| one == other);
    let tied: usize = groups.map(<[f64]>::len).filter(|len| *len > 1).sum();
    let share = tied as f64 / values.len() as f64;
    if share > TIED {
        found.push(Warning::Tied {
            metric: metric.measure.key.clone(),
            arm: contrast.arm.clone(),
            share,
        });
    }
}

/// What the comparison with the baseline leans on.
fn of_contrasts(
    found: &mut Vec<Warning>,
    metric: &MetricFinding,
    (collected, values): (&Collected, &[Values]),
    request: &Request,
) {
    let key = || metric.measure.key.clone();
    let of_arm = |name: &String| {
        let at = collected.arms.arms.iter().position(|arm| arm.name == *name);
        at.map(|at| &values[at].finite[..])
    };
    for contrast in &metric.contrasts {
        let arm = contrast.arm.clone();
        if let Some(pairs) = contrast.pairs.as_ref().filter(|pairs| pairs.unmatched > 0) {
            found.push(Warning::Unmatched {
                metric: key(),
                arm: arm.clone(),
                values: pairs.unmatched,
            });
        }
        if let Some(correlation) = contrast.correlation.filter(|it| *it < 0.0) {
            found.push(Warning::NegativePairs {
                metric: key(),
                arm: arm.clone(),
                correlation,
            });
        }
        of_ranks(
            found,
            metric,
            contrast,
            [&arm, &contrast.baseline].map(of_arm),
        );
        let variance = |name: &String| describe(of_arm(name)?).ok()?.variance;
        let variances = variance(&arm).zip(variance(&contrast.baseline));
        let by_variance = contrast.pairs.is_none() && !metric.rate;
        let Some((one, other)) = variances.filter(|_| by_variance) else {
            continue;
        };
        let ratio = one.max(other) / one.min(other);
        if !ratio.is_finite() || ratio <= RATIO {
            continue;
        }
        let metric = key();
        if request.test == Test::Student {
            found.push(Warning::PooledVariance { metric, arm, ratio });
        } else if contrast.n[0] != contrast.n[1] {
            found.push(Warning::UnequalVariance { metric, arm, ratio });
        }
    }
}
