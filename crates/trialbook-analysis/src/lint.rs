//! Practices that make an experiment worth its runs (M-28): names, params, repetitions, a baseline, notes.
//!
//! Not here: words. Invariant: a hint names what it is about.

use std::collections::BTreeMap;

use serde::Serialize;
use trialbook_model::status::RunStatus;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading;

use crate::arms::{Arm, ArmsError, arms};
use crate::measure::{self, Measure};
use crate::variations::{config_of, trials};

/// Completed runs of an arm that are enough not to be told of.
pub const ENOUGH: u64 = 3;
/// Names that say nothing.
const EMPTY_NAMES: [&str; 10] = [
    "default",
    "test",
    "tests",
    "exp",
    "experiment",
    "untitled",
    "tmp",
    "temp",
    "foo",
    "new",
];

/// Something that could be better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Hint {
    /// The name says nothing.
    Name {
        /// It.
        name: String,
    },
    /// Runs without a param.
    WithoutParams {
        /// How many.
        runs: u64,
        /// Of how many.
        of: u64,
    },
    /// Params that some runs lack.
    ParamsLacking {
        /// Params and runs without them.
        params: Vec<(String, u64)>,
        /// Of how many.
        of: u64,
    },
    /// Arms with too few completed runs.
    FewTrials {
        /// Arms and completed runs.
        arms: Vec<(String, u64)>,
    },
    /// Several params vary and nothing says which makes the arms, so repetitions cannot be counted.
    NoArms {
        /// The params.
        params: Vec<String>,
    },
    /// No baseline is marked.
    NoBaseline,
    /// There are no tags.
    NoTags,
    /// There is neither note nor description.
    NoNotes,
    /// Metrics of which nobody said which direction is better.
    GoalsAssumed {
        /// They.
        metrics: Vec<String>,
    },
    /// Nothing was run.
    NoRuns,
}

/// Looks at an experiment.
///
/// # Errors
/// What the reading says.
pub fn lint<R: Reading>(reading: &R, experiment: &ExperimentRow) -> Result<Vec<Hint>, R::Error> {
    let mut hints = Vec::new();
    let name = experiment.state.name().unwrap_or_default();
    if name.chars().count() < 3 || EMPTY_NAMES.contains(&name.to_ascii_lowercase().as_str()) {
        hints.push(Hint::Name {
            name: name.to_owned(),
        });
    }
    let config = config_of(experiment);
    let groups = trials(reading, experiment.no, config.as_ref())?.groups;
    let runs: Vec<_> = groups.iter().flat_map(|group| &group.runs).collect();
    if runs.is_empty() {
        hints.push(Hint::NoRuns);
    }
    hints.extend(params(&runs));
    hints.extend(repetitions(reading, experiment)?);
    let project = reading.project(experiment.state.project())?;
    let marked = config
        .as_ref()
        .is_some_and(|it| it.variations.iter().any(|it| it.baseline));
    if !marked && project.baseline_of(&experiment.state).is_none() {
        hints.push(Hint::NoBaseline);
    }
    hints.extend(words(experiment));
    let definitions = measure::definitions(reading, experiment)?;
    let definitions: Vec<_> = definitions.iter().collect();
    let keys = measure::logged_keys(runs.iter().copied());
    let assumed = keys.into_iter().filter(|key| {
        let measure = Measure::of(key, &definitions);
        measure.goal_assumed.is_some()
    });
    let metrics: Vec<String> = assumed.collect();
    if !metrics.is_empty() {
        hints.push(Hint::GoalsAssumed { metrics });
    }
    Ok(hints)
}

/// What is odd about the params of runs.
fn params(runs: &[&RunRow]) -> Vec<Hint> {
    let mut hints = Vec::new();
    let of = runs.len() as u64;
    let mut uses: BTreeMap<&str, u64> = BTreeMap::new();
    for run in runs {
        for key in run.state.params.keys() {
            *uses.entry(key).or_default() += 1;
        }
    }
    let bare = runs
        .iter()
        .filter(|run| run.state.params.is_empty())
        .count() as u64;
    if bare > 0 {
        hints.push(Hint::WithoutParams { runs: bare, of });
    }
    let with = of - bare;
    let lacking = uses.iter().filter(|(_, uses)| **uses < with);
    let lacking: Vec<(String, u64)> = lacking
        .map(|(key, uses)| ((*key).to_owned(), with - uses))
        .collect();
    if !lacking.is_empty() {
        hints.push(Hint::ParamsLacking {
            params: lacking,
            of: with,
        });
    }
    hints
}

fn repetitions<R: Reading>(
    reading: &R,
    experiment: &ExperimentRow,
) -> Result<Option<Hint>, R::Error> {
    let arms = match arms(reading, experiment, &[]) {
        Ok(arms) => arms,
        Err(ArmsError::Reading(error)) => return Err(error),
        Err(ArmsError::SeveralVary { params }) => return Ok(Some(Hint::NoArms { params })),
        Err(ArmsError::NoSuchKey { .. }) => return Ok(None),
    };
    let completed = |arm: &Arm| {
        let runs = arm.runs.iter();
        runs.filter(|run| run.state.status() == RunStatus::Completed)
            .count() as u64
    };
    let few = arms
        .arms
        .iter()
        .map(|arm| (arm.name.clone(), completed(arm)));
    let few: Vec<(String, u64)> = few.filter(|(_, runs)| *runs < ENOUGH).collect();
    Ok((!few.is_empty()).then_some(Hint::FewTrials { arms: few }))
}

fn words(experiment: &ExperimentRow) -> Vec<Hint> {
    let annotations = &experiment.state.annotations;
    let config = config_of(experiment);
    let about = config.as_ref().map(|config| &config.experiment);
    let mut hints = Vec::new();
    let in_config = about.is_some_and(|about| !about.tags.is_empty());
    if annotations.tags().next().is_none() && !in_config {
        hints.push(Hint::NoTags);
    }
    let noted = annotations
        .notes
        .values()
        .any(|note| note.value.text.is_some())
        || annotations.text("description").is_some()
        || annotations.text("notes").is_some()
        || about.is_some_and(|about| about.notes.is_some() || about.description.is_some());
    if !noted {
        hints.push(Hint::NoNotes);
    }
    hints
}
