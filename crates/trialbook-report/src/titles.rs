//! What runs and experiments are called when they are told to people.
//!
//! Invariant: a title that is shown can be typed again.

use std::collections::BTreeMap;

use trialbook_model::handle;
use trialbook_model::id::{ExperimentUid, Uid};
use trialbook_model::record::EntryKind;
use trialbook_store::nouns::{EntryRow, ExperimentRow, RunRow};

/// Digits of an id where nothing else asks for more.
const SHORT: usize = 8;

/// `EXP-001/run-014`, with the experiment's name where it has no id of its own; the id where the run has
/// no number yet.
pub fn run(run: &RunRow, experiment: Option<&ExperimentRow>) -> String {
    match (run.number, experiment) {
        (Some(number), Some(row)) => {
            format!("{}/{}", path(row), handle::run_label(number))
        }
        (Some(_), None) | (None, _) => run.uid.0.short(),
    }
}

/// The same with the project, as runs of different projects may be called alike.
pub fn placed(of: &RunRow, experiment: Option<&ExperimentRow>) -> String {
    let title = run(of, experiment);
    match (of.number, experiment) {
        (Some(_), Some(row)) => format!("{}/{title}", row.state.project()),
        (Some(_), None) | (None, _) => title,
    }
}

/// A run in a list of those that a text may mean.
pub fn told(of: &RunRow, experiment: Option<&ExperimentRow>) -> String {
    let name = of.state.name().unwrap_or_default();
    let status = of.state.status();
    format!("{}  {}  {name}  {status}", of.uid, run(of, experiment))
}

/// The short way to an experiment: its own id, else its name.
pub fn path(row: &ExperimentRow) -> &str {
    row.state
        .handle()
        .or_else(|| row.state.name())
        .unwrap_or("unnamed")
}

/// `project/name`, and its own id if it has one.
pub fn experiment(row: &ExperimentRow) -> String {
    let name = row.state.name().unwrap_or("unnamed");
    let full = format!("{}/{name}", row.state.project());
    match row.state.handle() {
        Some(own) => format!("{full} ({own})"),
        None => full,
    }
}

/// The uid of an experiment; the first of those that writers gave it.
pub fn experiment_uid(row: &ExperimentRow) -> ExperimentUid {
    row.state.uids.first().copied().unwrap_or_default()
}

/// Short forms of some uids: 8 digits, more where two of them begin alike.
pub fn short_ids(uids: impl Iterator<Item = Uid>) -> BTreeMap<Uid, String> {
    let mut sorted: Vec<Uid> = uids.collect();
    sorted.sort();
    sorted.dedup();
    let short = |uid: &Uid| (*uid, handle::short(&sorted, *uid));
    sorted.iter().map(short).collect()
}

/// The short form of one uid alone.
pub fn short_id(uid: Uid) -> String {
    uid.to_string()[..SHORT].to_owned()
}

/// An entry of the register, such as `version 3` or `collection churn`.
pub fn entry(row: &EntryRow) -> String {
    let kind = row
        .state
        .kind()
        .map_or("entry", EntryKind::word)
        .replace('_', " ");
    match (row.state.name(), row.number) {
        (Some(name), _) => format!("{kind} {name}"),
        (None, Some(number)) => format!("{kind} {number}"),
        (None, None) => format!("{kind} {}", row.uid.0.short()),
    }
}
