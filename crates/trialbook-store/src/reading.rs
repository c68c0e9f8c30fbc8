//! The one way to read a book, whatever keeps it.
//!
//! The embedded book and the in-memory reference model both implement [`Reading`]; the contract suite holds
//! the one against the other. Invariant: an answer contains every acknowledged record, sealed or not.

use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::filter::KeyKind;
use trialbook_model::id::{EntryNo, EntryUid, ExperimentNo, RunNo, RunUid};
use trialbook_model::record::{SeriesKey, Signed};
use trialbook_model::state::ProjectState;
use trialbook_spool::codec::{BucketSpec, Buckets};

use crate::index::ExperimentFacts;
use crate::nouns::{
    AssessRecord, EntryRow, EventRecord, ExperimentRow, ItemRecord, LogRecord, Owner, RunRow,
    Series, SpanRecord,
};
use crate::query::{Entries, Hits, ItemGroup, Query};

/// A consistent look at a book.
pub trait Reading {
    /// Why reading can fail.
    type Error: std::error::Error + Send + Sync + 'static;

    /// All experiments by number, those in the bin too.
    fn experiments(&self) -> Result<Vec<ExperimentRow>, Self::Error>;

    /// One experiment.
    fn experiment(&self, no: ExperimentNo) -> Result<Option<ExperimentRow>, Self::Error>;

    /// A project; the empty state where nothing was said of it.
    fn project(&self, name: &str) -> Result<ProjectState, Self::Error>;

    /// The names of all projects that have an experiment or a state.
    fn projects(&self) -> Result<Vec<String>, Self::Error>;

    /// The number of an entry of the register.
    fn entry_no(&self, uid: EntryUid) -> Result<Option<EntryNo>, Self::Error>;

    /// One entry.
    fn entry(&self, no: EntryNo) -> Result<Option<EntryRow>, Self::Error>;

    /// Entries by number, those in the bin too.
    fn entries(&self, wanted: &Entries) -> Result<Vec<EntryRow>, Self::Error>;

    /// The collection that bears a name in a project and is not in the bin.
    fn collection(&self, project: &str, name: &str) -> Result<Option<EntryNo>, Self::Error>;

    /// The number of a run.
    fn run_no(&self, uid: RunUid) -> Result<Option<RunNo>, Self::Error>;

    /// Runs whose id begins with some hexadecimal digits, by number; where there are many, at least `limit` of them.
    /// What is not such a beginning begins none.
    fn runs_beginning(&self, digits: &str, limit: usize) -> Result<Vec<RunNo>, Self::Error>;

    /// Runs by number, in the order asked for; numbers that do not exist are passed over.
    fn runs(&self, numbers: &[RunNo]) -> Result<Vec<RunRow>, Self::Error>;

    /// Searches runs.
    fn search(&self, query: &Query) -> Result<Hits, Self::Error>;

    /// How many runs each experiment has that are not in the bin; experiments without any are left out.
    fn count_runs(&self) -> Result<BTreeMap<ExperimentNo, u64>, Self::Error>;

    /// All points of a series; the empty series where there is none.
    fn series(&self, of: &Owner, key: &SeriesKey) -> Result<Series, Self::Error>;

    /// A series in buckets along its step or time. Where the spec's `from` is greater than its `to` the whole
    /// range of the series is meant.
    fn buckets(
        &self,
        of: &Owner,
        key: &SeriesKey,
        spec: BucketSpec,
    ) -> Result<Buckets, Self::Error>;

    /// The series of one key of several subjects, each as [`Reading::buckets`] gives it, in their order.
    fn buckets_each(
        &self,
        of: &[Owner],
        key: &SeriesKey,
        spec: BucketSpec,
    ) -> Result<Vec<Buckets>, Self::Error> {
        of.iter().map(|of| self.buckets(of, key, spec)).collect()
    }

    /// Events, oldest first.
    fn events(&self, of: &Owner) -> Result<Vec<EventRecord>, Self::Error>;

    /// Spans of traces, oldest first.
    fn spans(&self, of: &Owner) -> Result<Vec<SpanRecord>, Self::Error>;

    /// Console output, oldest first.
    fn logs(&self, run: RunNo) -> Result<Vec<LogRecord>, Self::Error>;

    /// Judged items, oldest first.
    fn items(&self, run: RunNo) -> Result<Vec<ItemRecord>, Self::Error>;

    /// Later judgements, oldest first.
    fn assessments(&self, run: RunNo) -> Result<Vec<AssessRecord>, Self::Error>;

    /// Counts the items of runs by the values of labels, sorted by those values.
    fn group_items(&self, runs: &[RunNo], labels: &[String])
    -> Result<Vec<ItemGroup>, Self::Error>;

    /// Records of kinds that this version does not know, by writer and number.
    fn unknown(&self) -> Result<Vec<Signed>, Self::Error>;

    /// The document of a snapshot, by the SHA-256 of its canonical JSON in 64 hex digits.
    fn snapshot(&self, sha256: &str) -> Result<Option<serde_json::Value>, Self::Error>;

    /// How many runs there are, those in the bin too.
    fn run_count(&self) -> Result<u64, Self::Error>;

    /// The runs seen last, newest first, those in the bin too.
    fn newest(&self, limit: usize) -> Result<Vec<RunNo>, Self::Error>;

    /// Names, projects and flags of all experiments by number.
    fn experiment_facts(&self) -> Result<Vec<ExperimentFacts>, Self::Error>;

    /// Names that runs have for their metrics, params or tags; perhaps some that they had.
    fn key_names(&self, kind: KeyKind) -> Result<BTreeSet<String>, Self::Error>;

    /// Runs whose rows are damaged: no answer has them, or only with what was recorded since.
    fn damaged(&self) -> Result<BTreeSet<RunNo>, Self::Error>;

    /// The run of a uid.
    fn run_by_uid(&self, uid: RunUid) -> Result<Option<RunRow>, Self::Error> {
        match self.run_no(uid)? {
            Some(no) => Ok(self.runs(&[no])?.pop()),
            None => Ok(None),
        }
    }
}

/// The first and the last id that begin with some hexadecimal digits.
pub(crate) fn uids_beginning(digits: &str) -> Option<(RunUid, RunUid)> {
    const DIGITS: usize = 32;
    let missing = DIGITS.checked_sub(digits.len())?;
    let bound = |filler: &str| {
        let whole = format!("{}{}", digits.to_ascii_lowercase(), filler.repeat(missing));
        whole.parse().ok()
    };
    Some((bound("0")?, bound("f")?))
}
