//! How an experiment stands in a book: its document, its seed, the runs that its plan made.
//!
//! Not here: what is to be done about it. Invariant: reading changes nothing; runs that no plan made are
//! left out.

use std::collections::BTreeSet;

use serde_json::Value;
use trialbook_model::config::Params;
use trialbook_model::id::{ExperimentUid, RunUid};
use trialbook_model::plan::{ExistingRun, ExistingState, INTERRUPTED};
use trialbook_model::record::Subject;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;

/// The field of an experiment that holds the drawn base of its seeds.
pub const SEED_FIELD: &str = "random_seed";
/// The field of a run that says that the plan no longer asks for it.
pub const LEFT_OUT_FIELD: &str = "left_out";

/// The field of a run that says that a grid of the command line made it, beside those that the config names.
pub const BESIDE_FIELD: &str = "beside_config";

/// An experiment as it stands. The empty one is not in the book.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standing {
    /// Its uid in the book.
    pub uid: Option<ExperimentUid>,
    /// Whether it is in the bin.
    pub deleted: bool,
    /// Its config document.
    pub document: Option<Value>,
    /// The hash of its config.
    pub hash: Option<String>,
    /// The drawn base of its seeds.
    pub base_seed: Option<u64>,
    /// The runs that its plan made, by number.
    pub runs: Vec<StandingRun>,
    /// The highest number of any of its runs, planned or not.
    pub highest: u64,
    /// The snapshots of the surroundings of its completed runs, by SHA-256.
    pub environments: BTreeSet<String>,
    /// The snapshots of the data of its completed runs, by SHA-256.
    pub datasets: BTreeSet<String>,
}

/// A planned run as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingRun {
    /// Its uid.
    pub uid: RunUid,
    /// Its number in the experiment.
    pub number: u64,
    /// The key of what it does.
    pub key: String,
    /// Its attempt, from 1.
    pub attempt: u64,
    /// Its variation.
    pub variation: String,
    /// Its trial.
    pub trial: u64,
    /// Its seed.
    pub seed: Option<u64>,
    /// Its params as they are recorded.
    pub params: Params,
    /// Its state.
    pub status: RunStatus,
    /// Whether it was cut off rather than ended.
    pub interrupted: bool,
    /// Whether an earlier plan change left it out.
    pub left_out: bool,
    /// Whether it stands beside those that the config names.
    pub beside: bool,
    /// Its last sign of life.
    pub alive: Option<Timestamp>,
}

/// Whether another process executes the experiment now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// Nobody does: what is running has lost its process.
    Nobody,
    /// Somebody does: what is running may well be alive.
    Somebody,
}

impl Standing {
    /// Looks an experiment up by project and name.
    pub fn read<R: Reading>(book: &R, project: &str, name: &str) -> Result<Self, R::Error> {
        let is_meant = |row: &ExperimentRow| {
            row.state
                .place
                .as_ref()
                .is_some_and(|place| place.value.project == project && place.value.name == name)
        };
        let Some(row) = book.experiments()?.into_iter().find(is_meant) else {
            return Ok(Self::default());
        };
        let mut query = Query::all();
        query.experiments = Some(vec![row.no]);
        query.shown = Shown::All;
        let rows = book.runs(&book.search(&query)?.runs)?;
        Ok(Self::of(&row, &rows))
    }

    fn of(experiment: &ExperimentRow, rows: &[RunRow]) -> Self {
        let state = &experiment.state;
        let mut runs: Vec<StandingRun> = rows.iter().filter_map(StandingRun::of).collect();
        runs.sort_by_key(|run| (run.number, run.uid));
        Self {
            uid: state.uids.first().copied(),
            deleted: state.annotations.flag("deleted"),
            document: state.config().map(|config| config.document.clone()),
            hash: state.config().and_then(|config| config.hash.clone()),
            base_seed: state.annotations.field(SEED_FIELD).and_then(Value::as_u64),
            runs,
            environments: snapshots_of(rows, "environment"),
            datasets: snapshots_of(rows, "dataset"),
            highest: rows.iter().filter_map(|row| row.number).max().unwrap_or(0),
        }
    }

    /// The subject of operations on the experiment.
    pub(crate) fn subject(uid: ExperimentUid) -> Subject {
        Subject::Experiment(uid)
    }

    /// The highest trial of a variation that the book knows.
    pub fn highest_trial(&self, variation: &str) -> u64 {
        let of_it = self.runs.iter().filter(|run| run.variation == variation);
        of_it.map(|run| run.trial).max().unwrap_or(0)
    }
}

fn snapshots_of(rows: &[RunRow], kind: &str) -> BTreeSet<String> {
    rows.iter()
        .filter(|row| row.state.status() == RunStatus::Completed)
        .filter_map(|row| row.state.snapshots.get(kind))
        .map(|snapshot| snapshot.value.clone())
        .collect()
}

impl StandingRun {
    /// `None` for a run that no plan made, or that is in the bin.
    fn of(row: &RunRow) -> Option<Self> {
        let start = row.state.start()?;
        if row.state.annotations.flag("deleted") {
            return None;
        }
        let params = row.state.params.iter();
        Some(Self {
            uid: row.uid,
            number: row.number?,
            key: start.run_key.clone()?,
            attempt: start.attempt.unwrap_or(1),
            variation: start.variation.clone().unwrap_or_default(),
            trial: start.trial.unwrap_or(1),
            seed: start.seed,
            params: params
                .map(|(name, it)| (name.clone(), it.param().clone()))
                .collect(),
            status: row.state.status(),
            interrupted: row
                .state
                .error()
                .is_some_and(|error| error.kind == INTERRUPTED),
            left_out: row.state.annotations.flag(LEFT_OUT_FIELD),
            beside: row.state.annotations.flag(BESIDE_FIELD),
            alive: row.state.alive,
        })
    }

    /// The run as the plan looks at it. A failed run that was cut off has never finished.
    pub fn existing(&self, elsewhere: Elsewhere) -> ExistingRun {
        let state = match self.status {
            RunStatus::Queued => ExistingState::Queued,
            RunStatus::Running => match elsewhere {
                Elsewhere::Nobody => ExistingState::Stale,
                Elsewhere::Somebody => ExistingState::Running,
            },
            RunStatus::Completed => ExistingState::Completed,
            RunStatus::Failed if self.interrupted => ExistingState::Stale,
            RunStatus::Failed => ExistingState::Failed,
            RunStatus::Cancelled => ExistingState::Cancelled,
        };
        ExistingRun {
            run: self.uid,
            key: self.key.clone(),
            attempt: self.attempt,
            state,
        }
    }
}
