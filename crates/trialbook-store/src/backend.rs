//! The port to whatever keeps the rows of a book: a look that does not change, and one atomic change.
//!
//! The same rows stand in SQLite and in memory, and can stand in any database with transactions. Not here:
//! what is in the blobs, spools, locks. Invariant: a [`Look`] sees all of a [`Change`] or nothing of it.

use trialbook_model::id::{
    EntryNo, EntryUid, ExperimentNo, ExperimentUid, OperationUid, RunNo, RunUid, Uid, WriterUid,
};
use trialbook_model::record::{EntryKind, Signed, Subject};

use crate::error::BookError;
use crate::nouns::Owner;
use crate::sequences::Numbers;

/// The next numbers that the book has not given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Raised by each change; rows carry the one that changed them last.
    pub(crate) rev: u64,
    pub(crate) run: u64,
    pub(crate) experiment: u64,
    pub(crate) entry: u64,
    /// Block of 64 series numbers.
    pub(crate) block: u64,
    /// Drawn anew by whatever keeps the rows with each change, so that two changes of one base differ.
    pub(crate) mark: u64,
}

impl Default for Counters {
    /// Of a book that holds only the experiment `Default`.
    fn default() -> Self {
        Self {
            rev: 0,
            run: 1,
            experiment: 1,
            entry: 1,
            block: 0,
            mark: 0,
        }
    }
}

/// A row of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunRecord {
    pub(crate) no: RunNo,
    pub(crate) uid: RunUid,
    pub(crate) experiment: ExperimentNo,
    pub(crate) number: Option<u64>,
    pub(crate) rev: u64,
    /// Packed state and directory.
    pub(crate) state: Vec<u8>,
}

/// A row of an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExperimentRecord {
    pub(crate) no: ExperimentNo,
    /// Present project and name, for finding it.
    pub(crate) project: String,
    pub(crate) name: Option<String>,
    pub(crate) rev: u64,
    /// Packed state and directory.
    pub(crate) state: Vec<u8>,
}

/// A row of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectRecord {
    pub(crate) name: String,
    pub(crate) rev: u64,
    /// Packed state and directory.
    pub(crate) state: Vec<u8>,
}

/// A row of an entry of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryRecord {
    pub(crate) no: EntryNo,
    pub(crate) uid: EntryUid,
    pub(crate) kind: Option<EntryKind>,
    /// What it belongs to.
    pub(crate) of: Option<Owner>,
    /// Project and name by which it is found now; `None` for what is not found by its name.
    pub(crate) project: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) number: Option<u64>,
    pub(crate) rev: u64,
    /// Packed state and directory.
    pub(crate) state: Vec<u8>,
}

/// A row of a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ChunkRecord {
    /// Series and place in it.
    pub(crate) id: i64,
    /// For values: the chunk of their axis.
    pub(crate) axis: Option<i64>,
    /// What can be read without the rest.
    pub(crate) roll: Vec<u8>,
    /// The rest.
    pub(crate) data: Vec<u8>,
}

/// What of a chunk is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Only `roll`.
    Roll,
    /// Only `data`.
    Data,
    /// Both.
    Both,
}

/// How far a spool is sealed; the row stays when the file is gone, so that it is never sealed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpoolRecord {
    /// The file's name.
    pub(crate) name: String,
    /// Everything before this offset is sealed.
    pub(crate) offset: u64,
    /// Records that damage had destroyed.
    pub(crate) lost: u64,
    /// What was damaged, for people; empty where nothing was.
    pub(crate) damage: String,
}

/// Which runs are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// These, in this order.
    Numbers(&'a [RunNo]),
    /// Those changed after a revision, by number.
    Since(u64),
}

/// Which experiments are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Experiments {
    /// All, by number.
    All,
    /// This one.
    One(ExperimentNo),
    /// Those changed after a revision, by number.
    Since(u64),
}

/// Which entries of the register are wanted, each by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WantedEntries {
    /// All.
    All,
    /// This one.
    One(EntryNo),
    /// Those of a kind.
    Kind(EntryKind),
    /// Those of a kind that belong to an entry.
    Below(EntryKind, EntryNo),
    /// Those of a kind that belong to an experiment.
    In(EntryKind, ExperimentNo),
}

/// What a seal changes, all at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    /// The book's identity, where it gets one.
    pub(crate) uid: Option<Uid>,
    /// What it was made from; it is refused where the rows are others by now.
    pub(crate) base: Option<Counters>,
    pub(crate) counters: Counters,
    pub(crate) names: Vec<(u32, String)>,
    pub(crate) experiments: Vec<ExperimentRecord>,
    pub(crate) experiment_uids: Vec<(ExperimentUid, ExperimentNo)>,
    pub(crate) removed_runs: Vec<RunNo>,
    pub(crate) runs: Vec<RunRecord>,
    pub(crate) projects: Vec<ProjectRecord>,
    pub(crate) removed_entries: Vec<EntryNo>,
    pub(crate) entries: Vec<EntryRecord>,
    pub(crate) entry_uids: Vec<(EntryUid, EntryNo)>,
    /// Ranges of chunks, first and last, that go before others are written.
    pub(crate) removed_chunks: Vec<(i64, i64)>,
    pub(crate) chunks: Vec<ChunkRecord>,
    /// Documents by their sum, packed.
    pub(crate) snapshots: Vec<(String, Vec<u8>)>,
    pub(crate) operations: Vec<OperationUid>,
    pub(crate) purged: Vec<Subject>,
    pub(crate) spools: Vec<SpoolRecord>,
    /// Records of kinds that this version does not know.
    pub(crate) unknown: Vec<Signed>,
    /// All records that are sealed then of the writers that the change speaks of.
    pub(crate) sequences: Vec<(WriterUid, Numbers)>,
}

impl Change {
    /// Whether it is the one that makes an empty book.
    pub(crate) fn makes_book(&self) -> bool {
        let makes = |(uid, _): &(ExperimentUid, ExperimentNo)| *uid == ExperimentUid::default();
        self.uid.is_some() && self.experiment_uids.iter().any(makes)
    }
}

/// A look at the rows that does not change while others write.
pub(crate) trait Look {
    /// The book's identity.
    fn uid(&self) -> Result<Uid, BookError>;
    /// The next numbers.
    fn counters(&self) -> Result<Counters, BookError>;
    /// Names from a number on.
    fn names(&self, from: u32) -> Result<Vec<(u32, String)>, BookError>;
    /// How far a spool is sealed.
    fn spool(&self, name: &str) -> Result<Option<SpoolRecord>, BookError>;
    /// Which records of a writer are sealed.
    fn sequence(&self, writer: WriterUid) -> Result<Numbers, BookError>;
    /// Writers of whose records some are not sealed that stand before others that are.
    fn broken_sequences(&self) -> Result<Vec<WriterUid>, BookError>;
    /// How far each spool is sealed, by name: also those that are gone long since.
    fn spools(&self) -> Result<Vec<SpoolRecord>, BookError>;
    /// The experiment of a uid.
    fn experiment_no(&self, uid: ExperimentUid) -> Result<Option<ExperimentNo>, BookError>;
    /// Experiments of a project by their present name, by number.
    fn experiments_named(&self, project: &str, name: &str) -> Result<Vec<ExperimentNo>, BookError>;
    /// Experiments.
    fn experiments(&self, wanted: Experiments) -> Result<Vec<ExperimentRecord>, BookError>;
    /// The run of a uid.
    fn run_no(&self, uid: RunUid) -> Result<Option<RunNo>, BookError>;
    /// Runs whose uid is from the first to the last, by uid, at most so many.
    fn runs_between(&self, uids: (RunUid, RunUid), limit: usize) -> Result<Vec<RunNo>, BookError>;
    /// Runs; those that do not exist are passed over.
    fn runs(&self, wanted: Wanted<'_>) -> Result<Vec<RunRecord>, BookError>;
    /// How many runs changed after a revision.
    fn changed_since(&self, rev: u64) -> Result<u64, BookError>;
    /// Runs that were removed for good after a revision.
    fn removed_since(&self, rev: u64) -> Result<Vec<RunNo>, BookError>;
    /// Whether a run exists.
    fn has_run(&self, no: RunNo) -> Result<bool, BookError>;
    /// Runs of an experiment by falling `run-NNN`, from the greatest that is at most `from`.
    fn numbered(
        &self,
        experiment: ExperimentNo,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, RunNo)>, BookError>;
    /// One project, or all by name.
    fn projects(&self, only: Option<&str>) -> Result<Vec<ProjectRecord>, BookError>;
    /// The entry of a uid.
    fn entry_no(&self, uid: EntryUid) -> Result<Option<EntryNo>, BookError>;
    /// Entries that are found by a name in a project now, by number.
    fn entries_named(&self, project: &str, name: &str) -> Result<Vec<EntryNo>, BookError>;
    /// Entries.
    fn entries(&self, wanted: WantedEntries) -> Result<Vec<EntryRecord>, BookError>;
    /// The numbers of the versions of a collection.
    fn versions(&self, of: EntryNo) -> Result<Vec<(u64, EntryNo)>, BookError>;
    /// Chunks with ids from the first to the last, in order.
    fn chunks(&self, range: (i64, i64), part: Part) -> Result<Vec<ChunkRecord>, BookError>;
    /// Streams that have chunks, by their book-wide numbers.
    fn streams(&self) -> Result<Vec<u64>, BookError>;
    /// A packed document.
    fn snapshot(&self, sha256: &str) -> Result<Option<Vec<u8>>, BookError>;
    /// Whether an operation was applied.
    fn is_applied(&self, operation: OperationUid) -> Result<bool, BookError>;
    /// Records of kinds that the version that sealed them did not know, by writer and number.
    fn unknown(&self) -> Result<Vec<Signed>, BookError>;
    /// Whether a subject was removed for good.
    fn is_purged(&self, subject: &Subject) -> Result<bool, BookError>;
}

/// What keeps the rows.
pub(crate) trait Backend: Send + Sync {
    /// A look at the rows as they are now.
    fn look(&self) -> Result<Box<dyn Look + '_>, BookError>;
    /// Makes a change durable, all of it or nothing. Only for the holder of the lease; should there be two
    /// all the same, the later one's change is refused as [`BookError::Restless`].
    fn commit(&self, change: &Change) -> Result<(), BookError>;
    /// Moves what was committed to where it stays, as far as open looks allow. Only for the holder of the
    /// lease.
    fn settle(&self, wish: Settle) -> Result<Settled, BookError>;
}

/// How much is to be moved to where it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settle {
    /// Only where much waits.
    WhenLong,
    /// Everything: before the spools that it came from are removed.
    Whole,
}

/// How much was moved to where it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Everything.
    Whole,
    /// Not all: it is durable, but in a log beside.
    Partly,
}
