//! Which attempt at a trial counts, and the trials of an experiment by variation.
//!
//! Not here: what they amount to. Invariant: each trial of a variation is in its group once.

use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::config::Config;
use trialbook_model::id::ExperimentNo;
use trialbook_model::plan::{self, ExistingState, INTERRUPTED, counting};
use trialbook_model::status::RunStatus;
use trialbook_store::nouns::RunRow;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;

/// The trials of an experiment.
pub(crate) struct Trials {
    /// By variation; those of the config come first.
    pub(crate) groups: Vec<Group>,
    /// Runs that were archived, by hand or as a changed config left them out: they count nowhere.
    pub(crate) archived: u64,
}

/// The trials of one variation.
pub(crate) struct Group {
    pub(crate) name: Option<String>,
    /// The attempt that counts of each trial, in the order of the trials' first runs.
    pub(crate) runs: Vec<RunRow>,
    /// Attempts before those.
    pub(crate) superseded: u64,
}

/// The trials of one variation with all attempts at each.
#[derive(Default)]
struct Attempts {
    name: Option<String>,
    trials: Vec<Vec<RunRow>>,
    /// Where a trial stands in `trials`.
    places: BTreeMap<u64, usize>,
}

/// Reads the runs of an experiment; the variations of its config come first.
pub(crate) fn trials<R: Reading>(
    reading: &R,
    experiment: ExperimentNo,
    config: Option<&Config>,
) -> Result<Trials, R::Error> {
    let mut numbers = reading
        .search(&Query {
            experiments: Some(vec![experiment]),
            shown: Shown::WithArchived,
            ..Query::all()
        })?
        .runs;
    numbers.sort();
    let mut groups: Vec<Attempts> = config
        .into_iter()
        .flat_map(|config| &config.variations)
        .map(|variation| Attempts::named(Some(variation.name.clone())))
        .collect();
    let mut places: BTreeMap<Option<String>, usize> = groups
        .iter()
        .enumerate()
        .map(|(at, group)| (group.name.clone(), at))
        .collect();
    let mut archived = 0;
    for run in reading.runs(&numbers)? {
        // Put away by hand; or left out by a change of the config, as it did something else.
        let annotations = &run.state.annotations;
        if annotations.flag("archived") || annotations.flag("left_out") {
            archived += 1;
            continue;
        }
        let name = run.state.start().and_then(|start| start.variation.clone());
        let at = *places.entry(name.clone()).or_insert_with(|| {
            groups.push(Attempts::named(name));
            groups.len() - 1
        });
        groups[at].add(run);
    }
    let planned = planned_keys(config);
    let groups = groups.into_iter();
    Ok(Trials {
        groups: groups.map(|group| group.counted(&planned)).collect(),
        archived,
    })
}

/// The keys of the runs that the recorded config asks for.
fn planned_keys(config: Option<&Config>) -> BTreeSet<String> {
    let base = |config: &Config| config.random_seed.unwrap_or_default();
    let plan = config.map_or_else(Vec::new, |config| plan::expand(config, base(config)));
    plan.into_iter().map(|run| run.key).collect()
}

/// The state of an attempt as the plan looks at it.
fn state_of(run: &RunRow) -> ExistingState {
    match run.state.status() {
        RunStatus::Queued => ExistingState::Queued,
        RunStatus::Running => ExistingState::Running,
        RunStatus::Completed => ExistingState::Completed,
        RunStatus::Failed => match run.state.error() {
            Some(error) if error.kind == INTERRUPTED => ExistingState::Stale,
            Some(_) | None => ExistingState::Failed,
        },
        RunStatus::Cancelled => ExistingState::Cancelled,
    }
}

/// Whether a run completed or failed, and did not lose its process.
pub(super) fn ended_by_itself(run: &RunRow) -> bool {
    matches!(
        state_of(run),
        ExistingState::Completed | ExistingState::Failed
    )
}

impl Attempts {
    fn named(name: Option<String>) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    fn add(&mut self, run: RunRow) {
        let trial = run.state.start().and_then(|start| start.trial);
        if let Some(at) = trial.and_then(|trial| self.places.get(&trial)) {
            self.trials[*at].push(run);
            return;
        }
        if let Some(trial) = trial {
            self.places.insert(trial, self.trials.len());
        }
        self.trials.push(vec![run]);
    }

    fn counted(self, planned: &BTreeSet<String>) -> Group {
        let attempt = |run: &RunRow| run.state.start().and_then(|start| start.attempt);
        let key = |run: &RunRow| run.state.start().and_then(|start| start.run_key.clone());
        let mut group = Group {
            name: self.name,
            runs: Vec::with_capacity(self.trials.len()),
            superseded: 0,
        };
        for attempts in self.trials {
            // Runs of the same trial that do something else than what the recorded config asks for (or than the
            // latest one, where none does that) are no attempts at it.
            let asked = attempts
                .iter()
                .filter_map(key)
                .find(|key| planned.contains(key));
            let asked = asked.or_else(|| attempts.last().and_then(key));
            let (mut attempts, others): (Vec<_>, Vec<_>) =
                attempts.into_iter().partition(|run| key(run) == asked);
            group.superseded += others.len() as u64;
            attempts.sort_by_key(attempt);
            let states: Vec<ExistingState> = attempts.iter().map(state_of).collect();
            if let Some(at) = counting(&states) {
                group.superseded += at as u64;
                group.runs.push(attempts.swap_remove(at));
            }
        }
        group
    }
}

impl Group {
    /// The trials that ended by themselves.
    pub(super) fn ended(&self) -> impl Iterator<Item = &RunRow> {
        self.runs.iter().filter(|run| ended_by_itself(run))
    }

    /// Those that completed.
    pub(super) fn completed(&self) -> impl Iterator<Item = &RunRow> {
        self.runs
            .iter()
            .filter(|run| run.state.status() == RunStatus::Completed)
    }
}
