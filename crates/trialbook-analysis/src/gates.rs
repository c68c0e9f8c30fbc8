//! The quality gates of a run (T-23): is it logged, measured, kept, repeatable, documented?
//!
//! Not here: words. Invariant: every gate has an outcome; a gate that does not apply says so and fails nothing.

use std::collections::BTreeSet;

use serde::Serialize;
use trialbook_model::filter::{self, Dialect, Expr};
use trialbook_model::id::RunUid;
use trialbook_model::record::{LinkKind, SeriesKey};
use trialbook_model::state::SUMMARIES;
use trialbook_model::system;
use trialbook_store::nouns::{ExperimentRow, Owner, RunRow};
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;

/// Series of fewer points have no regular steps.
const SHORTEST: u64 = 3;
/// What rounding may add to a tolerance.
const SLACK: f64 = 1e-9;

/// A gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// It has a name.
    Named,
    /// It or its experiment has tags.
    Tagged,
    /// Its params were recorded before its first metric.
    ParamsFirst,
    /// It has metrics.
    Measured,
    /// Its series have a value at every step.
    WithoutGaps,
    /// It has artifacts.
    Artifacts,
    /// It has a best and a last checkpoint.
    Checkpoints,
    /// The commit is recorded.
    Commit,
    /// The command is recorded.
    Command,
    /// The surroundings are recorded.
    Environment,
    /// The data are recorded.
    Data,
    /// A reproduction agrees within the tolerance.
    Reproduced,
    /// There is a baseline to compare it with.
    Baseline,
    /// It has a note that somebody wrote.
    Noted,
}

impl Gate {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Named,
        Self::Tagged,
        Self::ParamsFirst,
        Self::Measured,
        Self::WithoutGaps,
        Self::Artifacts,
        Self::Checkpoints,
        Self::Commit,
        Self::Command,
        Self::Environment,
        Self::Data,
        Self::Reproduced,
        Self::Baseline,
        Self::Noted,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Tagged => "tagged",
            Self::ParamsFirst => "params_first",
            Self::Measured => "measured",
            Self::WithoutGaps => "without_gaps",
            Self::Artifacts => "artifacts",
            Self::Checkpoints => "checkpoints",
            Self::Commit => "commit",
            Self::Command => "command",
            Self::Environment => "environment",
            Self::Data => "data",
            Self::Reproduced => "reproduced",
            Self::Baseline => "baseline",
            Self::Noted => "noted",
        }
    }

    /// The gate of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gate| gate.word() == word)
    }
}

/// How a gate came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Outcome {
    /// It is passed; what was found.
    Passed {
        /// Names or values.
        found: Vec<String>,
    },
    /// It is not passed; what is missing or wrong.
    Failed {
        /// Names or values.
        wrong: Vec<String>,
    },
    /// There is nothing that it could be applied to.
    NotApplicable,
    /// It was left out on request.
    Skipped,
}

/// A gate with its outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checked {
    /// The gate.
    pub gate: Gate,
    /// How it came out.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Checks a run. `tolerance` is the relative difference that a reproduction may have.
///
/// # Errors
/// What the reading says.
pub fn check<R: Reading>(
    reading: &R,
    (run, experiment): (&RunRow, &ExperimentRow),
    tolerance: f64,
    skipped: &BTreeSet<Gate>,
) -> Result<Vec<Checked>, R::Error> {
    let mut all = Vec::new();
    for gate in Gate::ALL {
        let outcome = if skipped.contains(&gate) {
            Outcome::Skipped
        } else {
            match gate {
                Gate::WithoutGaps => gaps(reading, run)?,
                Gate::Commit => environment(reading, run, "git_commit")?,
                Gate::Environment => environment(reading, run, "platform")?,
                Gate::Reproduced => reproduced(reading, run, tolerance)?,
                Gate::Baseline => baseline(reading, experiment)?,
                Gate::Named
                | Gate::Tagged
                | Gate::ParamsFirst
                | Gate::Measured
                | Gate::Artifacts
                | Gate::Checkpoints
                | Gate::Command
                | Gate::Data
                | Gate::Noted => of_state(gate, run, experiment),
            }
        };
        all.push(Checked { gate, outcome });
    }
    Ok(all)
}

fn passed_if_any(found: Vec<String>) -> Outcome {
    if found.is_empty() {
        Outcome::Failed { wrong: found }
    } else {
        Outcome::Passed { found }
    }
}

/// Gates for which the state of the run is enough.
fn of_state(gate: Gate, run: &RunRow, experiment: &ExperimentRow) -> Outcome {
    let state = &run.state;
    match gate {
        Gate::Named => passed_if_any(state.name().map(str::to_owned).into_iter().collect()),
        Gate::Tagged => {
            let tags = state.annotations.tags();
            let tags = tags.chain(experiment.state.annotations.tags());
            passed_if_any(tags.map(|(tag, _)| tag.to_owned()).collect())
        }
        Gate::ParamsFirst => params_first(run),
        Gate::Measured => {
            let keys = state.records.series.keys();
            let keys = keys.filter(|key| !system::is_system(&key.key));
            passed_if_any(keys.map(ToString::to_string).collect())
        }
        Gate::Artifacts => {
            let artifacts = state.records.artifacts();
            passed_if_any(artifacts.map(|held| held.value.path.clone()).collect())
        }
        Gate::Checkpoints => {
            let roles: BTreeSet<&str> = state.records.roles().collect();
            let wanted = ["best", "last"]
                .iter()
                .filter(|role| !roles.contains(**role));
            let wrong: Vec<String> = wanted.map(|role| (*role).to_owned()).collect();
            if wrong.is_empty() {
                Outcome::Passed { found: Vec::new() }
            } else {
                Outcome::Failed { wrong }
            }
        }
        Gate::Command => {
            let command = state.start().map(|start| start.command.join(" "));
            passed_if_any(command.into_iter().filter(|it| !it.is_empty()).collect())
        }
        Gate::Data => {
            let sum = state.snapshots.get("dataset").map(|sum| sum.value.clone());
            passed_if_any(sum.into_iter().collect())
        }
        Gate::Noted => {
            let notes = state.annotations.notes.values();
            // What is written by itself says nothing of whether somebody looked at it.
            let texts = notes
                .filter(|note| note.value.text.is_some())
                .filter(|note| note.value.namespace != SUMMARIES);
            passed_if_any(texts.map(|note| note.value.key.clone()).collect())
        }
        Gate::WithoutGaps
        | Gate::Commit
        | Gate::Environment
        | Gate::Reproduced
        | Gate::Baseline => Outcome::NotApplicable,
    }
}

fn params_first(run: &RunRow) -> Outcome {
    let state = &run.state;
    let series = state.records.series.values();
    let first_metric = series.map(|summary| summary.first_time).min();
    if state.params.is_empty() {
        return Outcome::Failed { wrong: Vec::new() };
    }
    let late = |(key, held): (&String, &trialbook_model::state::WriteOnce)| {
        let is_late = first_metric.is_some_and(|first| held.stamp().time > first);
        is_late.then(|| key.clone())
    };
    let wrong: Vec<String> = state.params.iter().filter_map(late).collect();
    if wrong.is_empty() {
        Outcome::Passed {
            found: state.params.keys().cloned().collect(),
        }
    } else {
        Outcome::Failed { wrong }
    }
}

/// Series whose steps leave out one of their usual distance.
fn gaps<R: Reading>(reading: &R, run: &RunRow) -> Result<Outcome, R::Error> {
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for (key, summary) in &run.state.records.series {
        if summary.count < SHORTEST || system::is_system(&key.key) {
            continue;
        }
        looked_at += 1;
        if has_gap(reading, run, key)? {
            wrong.push(key.to_string());
        }
    }
    Ok(if looked_at == 0 {
        Outcome::NotApplicable
    } else if wrong.is_empty() {
        Outcome::Passed { found: Vec::new() }
    } else {
        Outcome::Failed { wrong }
    })
}

fn has_gap<R: Reading>(reading: &R, run: &RunRow, key: &SeriesKey) -> Result<bool, R::Error> {
    let mut steps = reading.series(&Owner::Run(run.no), key)?.steps;
    steps.sort_unstable();
    steps.dedup();
    let mut distances: Vec<i64> = steps
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]))
        .collect();
    let widest = distances.iter().copied().max();
    distances.sort_unstable();
    let usual = distances.get(distances.len() / 2).copied();
    Ok(widest
        .zip(usual)
        .is_some_and(|(widest, usual)| widest > usual))
}

fn environment<R: Reading>(reading: &R, run: &RunRow, key: &str) -> Result<Outcome, R::Error> {
    let Some(sum) = run.state.snapshots.get("environment") else {
        return Ok(Outcome::Failed { wrong: Vec::new() });
    };
    let document = reading.snapshot(&sum.value)?;
    let value = document.as_ref().and_then(|it| it[key].as_str());
    Ok(passed_if_any(
        value.map(str::to_owned).into_iter().collect(),
    ))
}

fn baseline<R: Reading>(reading: &R, experiment: &ExperimentRow) -> Result<Outcome, R::Error> {
    let project = reading.project(experiment.state.project())?;
    let own = project.baseline_of(&experiment.state).is_some();
    let config = crate::variations::config_of(experiment);
    let in_config = config.is_some_and(|it| it.variations.iter().any(|it| it.baseline));
    let named = project.baselines().map(|(name, _)| name.to_owned()).next();
    let found = (own || in_config).then(|| "of the experiment".to_owned());
    Ok(passed_if_any(found.or(named).into_iter().collect()))
}

/// Whether a completed run that reproduces this one, or that this one reproduces, has the same last values.
fn reproduced<R: Reading>(reading: &R, run: &RunRow, tolerance: f64) -> Result<Outcome, R::Error> {
    let hits = reading.search(&Query {
        filter: completed_reproductions(run.uid),
        shown: Shown::WithArchived,
        ..Query::all()
    })?;
    let mut others: Vec<RunRow> = reading.runs(&hits.runs)?;
    for (kind, uid) in run.state.start().into_iter().flat_map(|start| &start.links) {
        if *kind == LinkKind::Reproduces
            && let Some(no) = reading.run_no(*uid)?
        {
            others.extend(reading.runs(&[no])?);
        }
    }
    let mut wrong = Vec::new();
    let mut compared = 0;
    for other in &others {
        for (key, summary) in &run.state.records.series {
            // What the processes used is no result that could be reproduced.
            let found = other.state.records.series.get(key);
            let Some(found) = found.filter(|_| !system::is_system(&key.key)) else {
                continue;
            };
            compared += 1;
            if !agrees(summary.last.value, found.last.value, tolerance) {
                wrong.push(format!(
                    "{key}: {} and {}",
                    summary.last.value, found.last.value
                ));
            }
        }
    }
    Ok(if compared == 0 || !wrong.is_empty() {
        Outcome::Failed { wrong }
    } else {
        Outcome::Passed {
            found: others.iter().map(|other| other.uid.to_string()).collect(),
        }
    })
}

/// The completed runs that say that they reproduce a run, of whichever experiment.
fn completed_reproductions(uid: RunUid) -> Expr {
    // Ids are of one length, so that none is a part of another.
    let text = format!("reproduces LIKE '%{uid}%' AND status = 'completed'");
    filter::parse(&text, Dialect::Native).expect("an id needs no quoting")
}

/// Relative to the original; where that is 0, absolute.
fn agrees(original: f64, found: f64, tolerance: f64) -> bool {
    if original == found || original.is_nan() && found.is_nan() {
        return true;
    }
    let unit = if original == 0.0 { 1.0 } else { original.abs() };
    (found - original).abs() / unit <= tolerance + SLACK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_is_relative_but_at_zero() {
        assert!(agrees(100.0, 101.0, 0.01) && !agrees(100.0, 101.1, 0.01));
        assert!(!agrees(0.92, 0.91, 0.01), "1.087 %");
        assert!(agrees(0.0, 0.01, 0.01) && !agrees(0.0, 0.02, 0.01));
        assert!(agrees(f64::NAN, f64::NAN, 0.01) && !agrees(1.0, f64::NAN, 0.01));
        assert!(agrees(f64::INFINITY, f64::INFINITY, 0.01));
    }

    #[test]
    fn words_are_read_back() {
        for gate in Gate::ALL {
            assert_eq!(Gate::parse(gate.word()), Some(gate));
        }
    }
}
