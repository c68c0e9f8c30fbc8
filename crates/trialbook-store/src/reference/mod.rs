//! The reference model: a book as plain collections in memory, as simple as its meaning allows.
//!
//! It is what the optimised book is held against: random operations go into both, and every answer must be
//! equal. Not here: speed, files. Invariant: everything is computed from what was sealed, in the plainest way.

mod entries;
mod fold;
mod read;
pub(crate) mod search;

use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::id::{
    EntryNo, EntryUid, ExperimentNo, ExperimentUid, OperationUid, RunUid, WriterUid,
};
use trialbook_model::record::{Assess, Event, Item, Log, SeriesKey, Signed, Span, Subject};
use trialbook_model::state::{ExperimentState, Point, ProjectState};

use crate::nouns::{EntryRow, ExperimentRow, Owner, Recorded, RunRow};

/// A book in memory.
#[derive(Debug, Clone)]
pub struct Reference {
    experiments: Vec<ExperimentRow>,
    /// Every uid that writers gave an experiment.
    experiment_numbers: BTreeMap<ExperimentUid, ExperimentNo>,
    /// Run `no` stands at `no − 1`; a purged run leaves `None`.
    runs: Vec<Option<RunRow>>,
    run_numbers: BTreeMap<RunUid, usize>,
    projects: BTreeMap<String, ProjectState>,
    /// Entry `no` stands at `no − 1`; a purged entry leaves `None`.
    entries: Vec<Option<EntryRow>>,
    /// Every uid that writers gave an entry.
    entry_numbers: BTreeMap<EntryUid, EntryNo>,
    points: BTreeMap<(Owner, SeriesKey), Vec<Point>>,
    events: BTreeMap<Owner, Vec<Recorded<Event>>>,
    logs: BTreeMap<Owner, Vec<Recorded<Log>>>,
    items: BTreeMap<Owner, Vec<Recorded<Item>>>,
    assessments: BTreeMap<Owner, Vec<Recorded<Assess>>>,
    spans: BTreeMap<Owner, Vec<Recorded<Span>>>,
    snapshots: BTreeMap<String, serde_json::Value>,
    purged: BTreeSet<Subject>,
    operations: BTreeSet<OperationUid>,
    /// What is of no known kind.
    unknown: BTreeMap<(WriterUid, u64), Signed>,
}

impl Default for Reference {
    fn default() -> Self {
        Self::new()
    }
}

impl Reference {
    /// An empty book: the experiment `Default` and nothing else.
    pub fn new() -> Self {
        Self {
            experiments: vec![ExperimentRow {
                no: ExperimentNo(0),
                state: ExperimentState::default_experiment(),
            }],
            experiment_numbers: BTreeMap::from([(ExperimentUid::default(), ExperimentNo(0))]),
            runs: Vec::new(),
            run_numbers: BTreeMap::new(),
            projects: BTreeMap::new(),
            entries: Vec::new(),
            entry_numbers: BTreeMap::new(),
            points: BTreeMap::new(),
            events: BTreeMap::new(),
            logs: BTreeMap::new(),
            items: BTreeMap::new(),
            assessments: BTreeMap::new(),
            spans: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            purged: BTreeSet::new(),
            operations: BTreeSet::new(),
            unknown: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests;
