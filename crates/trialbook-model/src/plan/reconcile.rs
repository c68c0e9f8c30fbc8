//! What is still to do: the plan held against the runs that exist.
//!
//! Plain resuming starts what never finished: what is not there, what was cancelled, what lost its
//! process. Failed runs have finished; they are started again only when asked. Not here: deciding
//! whether a running run still lives; the caller says so.
//! Invariant: a completed run is started again only by [`Mode::Rerun`] or where a later attempt at the same
//! failed, a living one never; the answer does not depend on the order of the existing runs.

use std::collections::{BTreeMap, BTreeSet};

use super::PlannedRun;
use crate::id::RunUid;
use crate::nearest::nearest;

/// The state of a run that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExistingState {
    /// Planned and waiting.
    Queued,
    /// Running with a sign of life.
    Running,
    /// Running without a sign of life.
    Stale,
    /// Ended as intended.
    Completed,
    /// Ended by an error.
    Failed,
    /// Ended on request.
    Cancelled,
}

/// A run that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingRun {
    /// Its identity.
    pub run: RunUid,
    /// The key of what it does.
    pub key: String,
    /// Its attempt, from 1.
    pub attempt: u64,
    /// Its state.
    pub state: ExistingState,
}

/// The kind of the error of runs that lost their process: they have not ended by themselves.
pub const INTERRUPTED: &str = "interrupted";

/// Where the attempt that counts stands among the attempts at one trial, the latest last. A completed
/// attempt counts until a later one ended by itself, well or not: one that waits, runs or was stopped
/// takes no result away. Without a result that counts, the latest attempt does. `None` when there are none.
pub fn counting(attempts: &[ExistingState]) -> Option<usize> {
    match ended_by_itself(attempts) {
        Some(at) if attempts[at] == ExistingState::Completed => Some(at),
        Some(_) | None => attempts.len().checked_sub(1),
    }
}

fn ended_by_itself(attempts: &[ExistingState]) -> Option<usize> {
    attempts
        .iter()
        .rposition(|state| matches!(state, ExistingState::Completed | ExistingState::Failed))
}

/// Which finished runs are started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// None.
    #[default]
    Resume,
    /// The failed ones.
    RetryFailed,
    /// All.
    Rerun,
}

/// What the user chose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Which finished runs are started again.
    pub mode: Mode,
    /// Only these variations; empty means all.
    pub only: Vec<String>,
}

/// Why a run is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// It was never run.
    NeverRun,
    /// The attempt before failed, and failed ones were asked for.
    Failed,
    /// The attempt before lost its process.
    Interrupted,
    /// The attempt before was cancelled.
    Cancelled,
    /// It was asked for again, whatever came of it before.
    Rerun,
}

impl Why {
    /// The word used in every face.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NeverRun => "never_run",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
            Self::Rerun => "rerun",
        }
    }

    /// Why one is started after an attempt in a state.
    const fn after(state: ExistingState, mode: Mode) -> Self {
        match (state, mode) {
            (ExistingState::Queued | ExistingState::Running, _) => Self::NeverRun,
            (ExistingState::Stale, _) => Self::Interrupted,
            (ExistingState::Cancelled, _) => Self::Cancelled,
            (ExistingState::Completed, _) | (ExistingState::Failed, Mode::Rerun) => Self::Rerun,
            (ExistingState::Failed, Mode::Resume | Mode::RetryFailed) => Self::Failed,
        }
    }
}

/// What to do about one planned run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Start a new run.
    Start {
        /// Its attempt, from 1.
        attempt: u64,
        /// The attempt before, if there was one.
        after: Option<RunUid>,
        /// What asks for it.
        why: Why,
    },
    /// Start the run that waits already.
    Take {
        /// The waiting run.
        run: RunUid,
        /// Its attempt.
        attempt: u64,
    },
    /// Nothing: it is completed.
    Done {
        /// The completed run.
        run: RunUid,
    },
    /// Nothing: it failed, and failed runs were not asked for.
    Failed {
        /// The failed run.
        run: RunUid,
    },
    /// Nothing: it is running now.
    Busy {
        /// The running run.
        run: RunUid,
    },
    /// Nothing: its variation was not chosen.
    NotChosen,
}

/// A planned run and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The run.
    pub planned: PlannedRun,
    /// What to do.
    pub action: Action,
}

/// What to do about a whole plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decisions {
    /// One decision a planned run, in the order of the plan.
    pub decisions: Vec<Decision>,
    /// Existing runs that the plan does not ask for (any more), in their order of identity.
    pub unplanned: Vec<RunUid>,
}

/// How many planned runs are in which state, for lines such as `28 of 30 done`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All planned runs of the chosen variations.
    pub chosen: usize,
    /// Completed.
    pub done: usize,
    /// Failed and left as they are.
    pub failed: usize,
    /// Running now.
    pub busy: usize,
    /// To be started.
    pub to_start: usize,
}

/// Why nothing can be decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A chosen variation does not exist.
    #[error("there is no variation `{name}`")]
    NoSuchVariation {
        /// The name.
        name: String,
        /// The most alike one.
        nearest: Option<String>,
        /// All variations.
        known: Vec<String>,
    },
}

impl PlanError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NoSuchVariation { nearest, known, .. } => match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("there is {}", known.join(", ")),
            },
        }
    }
}

impl Decisions {
    /// Counts the decisions.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for decision in &self.decisions {
            let counter = match decision.action {
                Action::Start { .. } | Action::Take { .. } => &mut tally.to_start,
                Action::Done { .. } => &mut tally.done,
                Action::Failed { .. } => &mut tally.failed,
                Action::Busy { .. } => &mut tally.busy,
                Action::NotChosen => continue,
            };
            *counter += 1;
            tally.chosen += 1;
        }
        tally
    }
}

/// Decides about every planned run.
pub fn reconcile(
    plan: &[PlannedRun],
    existing: &[ExistingRun],
    choice: &Choice,
) -> Result<Decisions, PlanError> {
    let mut known: Vec<&str> = plan.iter().map(|run| run.variation.as_str()).collect();
    known.dedup();
    check_names(&known, &choice.only)?;
    let mut attempts: BTreeMap<&str, Vec<&ExistingRun>> = BTreeMap::new();
    for run in existing {
        attempts.entry(&run.key).or_default().push(run);
    }
    for runs in attempts.values_mut() {
        runs.sort_by_key(|run| (run.attempt, run.run));
    }
    let planned: BTreeSet<&str> = plan.iter().map(|run| run.key.as_str()).collect();
    let unplanned: BTreeSet<RunUid> = existing
        .iter()
        .filter(|run| !planned.contains(run.key.as_str()))
        .map(|run| run.run)
        .collect();
    let decide = |run: &PlannedRun| {
        let is_chosen = choice.only.is_empty() || choice.only.contains(&run.variation);
        let attempts = attempts
            .get(run.key.as_str())
            .map_or(&[][..], Vec::as_slice);
        Decision {
            planned: run.clone(),
            action: if is_chosen {
                action(attempts, choice.mode)
            } else {
                Action::NotChosen
            },
        }
    };
    Ok(Decisions {
        decisions: plan.iter().map(decide).collect(),
        unplanned: unplanned.into_iter().collect(),
    })
}

/// Whether each chosen variation is among those that are known.
pub fn check_names(known: &[&str], only: &[String]) -> Result<(), PlanError> {
    match only.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(PlanError::NoSuchVariation {
            name: name.clone(),
            nearest: nearest(name, known).map(str::to_owned),
            known: known.iter().map(|&name| name.to_owned()).collect(),
        }),
    }
}

/// `attempts` are those of one planned run, the latest last.
fn action(attempts: &[&ExistingRun], mode: Mode) -> Action {
    let states: Vec<ExistingState> = attempts.iter().map(|run| run.state).collect();
    if let Some(at) = states.iter().rposition(|it| *it == ExistingState::Running) {
        let run = attempts[at].run;
        return Action::Busy { run };
    }
    if let Some(counting) = counting(&states).map(|at| attempts[at])
        && counting.state == ExistingState::Completed
        && mode != Mode::Rerun
    {
        return Action::Done { run: counting.run };
    }
    // One that waits since before a later attempt ended waits for nothing.
    let since = ended_by_itself(&states).map_or(0, |at| at + 1);
    let mut waiting = attempts[since..].iter().rev();
    if let Some(run) = waiting.find(|run| run.state == ExistingState::Queued) {
        let (run, attempt) = (run.run, run.attempt);
        return Action::Take { run, attempt };
    }
    match attempts.last() {
        Some(latest) if latest.state == ExistingState::Failed && mode == Mode::Resume => {
            Action::Failed { run: latest.run }
        }
        Some(latest) => Action::Start {
            attempt: latest.attempt.saturating_add(1),
            after: Some(latest.run),
            why: Why::after(latest.state, mode),
        },
        None => Action::Start {
            attempt: 1,
            after: None,
            why: Why::NeverRun,
        },
    }
}
