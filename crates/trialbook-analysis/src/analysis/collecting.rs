//! What an analysis is made of: arms, metrics, the value of each trial, pairs.
//!
//! Not here: tests. Invariant: a trial gives a value only when it completed; the digest of the data says
//! whether anything that the answer rests on has changed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use trialbook_model::canonical;
use trialbook_model::config::Config;
use trialbook_model::filter::Key;
use trialbook_model::goal::Definitions;
use trialbook_model::nearest::nearest;
use trialbook_model::seed::SeedPolicy;
use trialbook_model::status::RunStatus;
use trialbook_stats::Level;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading;

use super::rates::are_rates;
use super::{AnalysisError, Request};
use crate::arms::{Arm, Arms, Lookup, arms};
use crate::finding::{Input, Inputs, Test};
use crate::measure::{self, Measure};
use crate::separation;
use crate::variations::config_of;

/// Everything that is analysed.
pub(super) struct Collected {
    /// The level of all intervals: what alpha leaves.
    pub(super) level: Level,
    pub(super) arms: Arms,
    pub(super) config: Option<Config>,
    pub(super) measures: Vec<Measure>,
    /// The metric that the experiment is about.
    pub(super) primary: Option<String>,
    pub(super) not_looked_at: Vec<String>,
    /// The key that makes pairs, and each run's value of it.
    pub(super) pairing: Option<Pairing>,
    /// For each metric, the values of each arm.
    pub(super) values: Vec<Vec<Values>>,
    pub(super) inputs: Inputs,
}

/// What makes pairs.
pub(super) struct Pairing {
    pub(super) key: String,
    of_runs: BTreeMap<trialbook_model::id::RunUid, String>,
}

/// The values of one arm for one metric.
#[derive(Default)]
pub(super) struct Values {
    /// Finite values, by trial.
    pub(super) finite: Vec<f64>,
    /// The values of each pair key.
    pub(super) by_pair: BTreeMap<String, Vec<f64>>,
    pub(super) missing: u64,
    pub(super) not_finite: u64,
}

impl Collected {
    pub(super) fn of<R: Reading>(
        reading: &R,
        experiment: &ExperimentRow,
        request: &Request,
        level: Level,
    ) -> Result<Self, AnalysisError<R::Error>> {
        let arms = arms(reading, experiment, &request.by)?;
        let config = config_of(experiment);
        let definitions =
            measure::definitions(reading, experiment).map_err(AnalysisError::Reading)?;
        let definitions: Vec<&Definitions> = definitions.iter().collect();
        let (keys, not_looked_at) = metrics(&arms, config.as_ref(), request)?;
        let measures: Vec<Measure> = keys
            .iter()
            .map(|key| Measure::of(key, &definitions))
            .collect();
        let project = reading
            .project(experiment.state.project())
            .map_err(AnalysisError::Reading)?;
        let lookup = Lookup::new(experiment, &project);
        let pairing = pairing(&arms, config.as_ref(), request, &lookup)?;
        let of = |measure: &Measure| {
            let arms = arms.arms.iter();
            arms.map(|arm| Values::of(arm, measure, request, pairing.as_ref()))
                .collect()
        };
        let values = measures.iter().map(of).collect();
        let inputs = inputs(&arms, &measures, request, pairing.as_ref());
        let primary = config.as_ref().and_then(primary_of);
        Ok(Self {
            level,
            primary: primary.filter(|key| keys.contains(key)),
            arms,
            config,
            measures,
            not_looked_at,
            pairing,
            values,
            inputs,
        })
    }

    /// Which metrics are rates: all finite values of all arms are 0 or 1, and no other test was asked for.
    pub(super) fn rates(&self, request: &Request) -> Vec<bool> {
        let is_rate = |arms: &Vec<Values>| {
            let has_values = arms.iter().any(|values| !values.finite.is_empty());
            has_values && arms.iter().all(|values| are_rates(&values.finite))
        };
        let metrics = self.values.iter();
        metrics
            .map(|arms| request.test == Test::Auto && is_rate(arms))
            .collect()
    }

    /// The test that is made of all metrics; the rule where rates among them are tested as such.
    pub(super) fn test(&self, request: &Request) -> Test {
        let has_rates = self.rates(request).contains(&true);
        match (request.test, &self.pairing) {
            (Test::Auto, _) if has_rates => Test::Auto,
            (Test::Auto, Some(_)) => Test::Paired,
            (Test::Auto, None) => Test::Welch,
            (asked, _) => asked,
        }
    }

    /// What the trials of an arm differ in.
    pub(super) fn varies_over(&self) -> &'static str {
        match self.config.as_ref().map(|config| config.seed_policy) {
            Some(SeedPolicy::Derived | SeedPolicy::Paired) => "seeds",
            Some(SeedPolicy::Fixed) => "runs with one seed",
            None => "runs",
        }
    }
}

fn primary_of(config: &Config) -> Option<String> {
    let primary = config.metrics.iter().find(|metric| metric.primary);
    primary.map(|metric| metric.key.clone())
}

/// The metrics that are looked at, and those that were recorded too.
fn metrics<E: std::error::Error>(
    arms: &Arms,
    config: Option<&Config>,
    request: &Request,
) -> Result<(Vec<String>, Vec<String>), AnalysisError<E>> {
    let runs = || arms.arms.iter().flat_map(|arm| &arm.runs);
    let logged = measure::logged_keys(runs());
    if !request.metrics.is_empty() {
        let mut known = logged;
        known.extend(measure::derived_keys(runs()));
        known.extend(
            config
                .iter()
                .flat_map(|it| &it.metrics)
                .map(|it| it.key.clone()),
        );
        let mut keys: Vec<String> = Vec::new();
        for key in &request.metrics {
            let is_derived = key
                .strip_prefix("derived.")
                .is_some_and(|it| known.contains(it));
            if !known.contains(key) && !is_derived {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                return Err(AnalysisError::NoSuchMetric {
                    key: key.clone(),
                    nearest: nearest(key, &names).map(str::to_owned),
                });
            }
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        return Ok((keys, Vec::new()));
    }
    let expected: Vec<String> = config
        .iter()
        .flat_map(|config| &config.metrics)
        .map(|metric| metric.key.clone())
        .collect();
    if !expected.is_empty() {
        let is_other = |key: &String| !expected.contains(key);
        let others = logged.into_iter().filter(is_other).collect();
        return Ok((expected, others));
    }
    if logged.is_empty() {
        let (once, again) = measure::measured_once(&runs().collect::<Vec<_>>());
        return Ok((once.into_iter().collect(), again.into_iter().collect()));
    }
    Ok((logged.into_iter().collect(), Vec::new()))
}

fn pairing<E: std::error::Error>(
    arms: &Arms,
    config: Option<&Config>,
    request: &Request,
    lookup: &Lookup,
) -> Result<Option<Pairing>, AnalysisError<E>> {
    let wanted = match request.test {
        Test::Auto | Test::Paired | Test::Wilcoxon => true,
        Test::Welch | Test::Student | Test::MannWhitney => false,
    };
    let by_design = separation::makes_pairs(config);
    let key = match &request.pair_by {
        Some(key) => key.clone(),
        None if wanted && by_design => {
            Key::new(trialbook_model::filter::KeyKind::Attribute, "trial")
        }
        None if request.test.is_paired() => return Err(AnalysisError::NothingPairs),
        None => return Ok(None),
    };
    if !wanted {
        return Err(AnalysisError::NotPaired { test: request.test });
    }
    let runs = arms.arms.iter().flat_map(|arm| &arm.runs);
    let of_runs: BTreeMap<_, _> = runs
        .filter_map(|run| Some((run.uid, lookup.text(run, &key)?)))
        .collect();
    if of_runs.is_empty() && request.pair_by.is_some() {
        return Err(AnalysisError::NoPairs {
            key: key.to_string(),
        });
    }
    Ok(Some(Pairing {
        key: key.name,
        of_runs,
    }))
}

impl Values {
    fn of(arm: &Arm, measure: &Measure, request: &Request, pairing: Option<&Pairing>) -> Self {
        let mut values = Self::default();
        for run in arm.runs.iter().filter(|run| is_result(run)) {
            match measure.value(run, request.agg) {
                Some(value) if value.is_finite() => {
                    values.finite.push(value);
                    if let Some(pair) = pairing.and_then(|it| it.of_runs.get(&run.uid)) {
                        values.by_pair.entry(pair.clone()).or_default().push(value);
                    }
                }
                Some(_) => values.not_finite += 1,
                None => values.missing += 1,
            }
        }
        values
    }
}

pub(super) fn is_result(run: &RunRow) -> bool {
    run.state.status() == RunStatus::Completed
}

/// What counts of each run, hashed, and the whole of it. A run that ended without giving a value is told of and changes
/// success rates: it makes other data too, as one that is open still does not.
fn inputs(
    arms: &Arms,
    measures: &[Measure],
    request: &Request,
    pairing: Option<&Pairing>,
) -> Inputs {
    let mut runs: BTreeSet<(String, String)> = BTreeSet::new();
    for arm in &arms.arms {
        for run in arm.runs.iter().filter(|run| run.state.status().is_final()) {
            let value = |measure: &Measure| {
                let value = measure.value(run, request.agg);
                let finite = value.filter(|value| value.is_finite());
                finite.map(|value| (measure.key.clone(), json!(value)))
            };
            // By name, so that the order in which metrics were asked for makes no other data.
            let values: serde_json::Map<String, Value> =
                measures.iter().filter_map(value).collect();
            let pair = pairing.and_then(|it| it.of_runs.get(&run.uid));
            let taken = if is_result(run) {
                json!([arm.name, pair, values])
            } else {
                json!([arm.name, run.state.status().word()])
            };
            runs.insert((run.uid.to_string(), canonical::hash(&taken)));
        }
    }
    let data = canonical::hash(&json!(runs));
    let runs = runs.into_iter().map(|(run, data)| Input { run, data });
    Inputs {
        data,
        runs: runs.collect(),
    }
}
