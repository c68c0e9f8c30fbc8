//! A look at the rows of the SQLite back end: a read transaction.
//!
//! Not here: SQL. Invariant: a connection is given back when its look ends.

use rusqlite::Connection;
use trialbook_model::id::{
    EntryNo, EntryUid, ExperimentNo, ExperimentUid, OperationUid, RunNo, RunUid, Uid, WriterUid,
};
use trialbook_model::record::{Signed, Subject};

use super::{Reader, SqliteBackend, chunks, entries, experiments, ledger, runs, unknown};
use crate::backend::{
    ChunkRecord, Counters, EntryRecord, ExperimentRecord, Experiments, Look, Part, ProjectRecord,
    RunRecord, SpoolRecord, Wanted, WantedEntries,
};
use crate::error::BookError;
use crate::sequences::Numbers;

/// A read transaction.
pub(super) struct SqliteLook<'a> {
    /// Given back when the look ends.
    pub(super) reader: Option<Reader>,
    pub(super) backend: &'a SqliteBackend,
}

impl SqliteLook<'_> {
    fn connection(&self) -> &Connection {
        let reader = self.reader.as_ref();
        let reader = reader.expect("a look has its connection until it is dropped");
        &reader.connection
    }
}

impl Drop for SqliteLook<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take()
            && reader.connection.execute_batch("COMMIT").is_ok()
        {
            self.backend.give_back(reader);
        }
    }
}

impl Look for SqliteLook<'_> {
    fn uid(&self) -> Result<Uid, BookError> {
        ledger::uid(self.connection()).map_err(BookError::database("read"))
    }

    fn changed_since(&self, rev: u64) -> Result<u64, BookError> {
        runs::changed_since(self.connection(), rev).map_err(BookError::database("read"))
    }

    fn removed_since(&self, rev: u64) -> Result<Vec<RunNo>, BookError> {
        runs::removed_since(self.connection(), rev).map_err(BookError::database("read"))
    }

    fn counters(&self) -> Result<Counters, BookError> {
        ledger::counters(self.connection()).map_err(BookError::database("read"))
    }

    fn names(&self, from: u32) -> Result<Vec<(u32, String)>, BookError> {
        ledger::names(self.connection(), from).map_err(BookError::database("read"))
    }

    fn spool(&self, name: &str) -> Result<Option<SpoolRecord>, BookError> {
        ledger::spool(self.connection(), name).map_err(BookError::database("read"))
    }

    fn sequence(&self, writer: WriterUid) -> Result<Numbers, BookError> {
        ledger::sequence(self.connection(), writer).map_err(BookError::database("read"))
    }

    fn broken_sequences(&self) -> Result<Vec<WriterUid>, BookError> {
        ledger::broken_sequences(self.connection()).map_err(BookError::database("read"))
    }

    fn spools(&self) -> Result<Vec<SpoolRecord>, BookError> {
        ledger::spools(self.connection()).map_err(BookError::database("read"))
    }

    fn experiment_no(&self, uid: ExperimentUid) -> Result<Option<ExperimentNo>, BookError> {
        experiments::number_of(self.connection(), uid).map_err(BookError::database("read"))
    }

    fn experiments_named(&self, project: &str, name: &str) -> Result<Vec<ExperimentNo>, BookError> {
        experiments::named(self.connection(), project, name).map_err(BookError::database("read"))
    }

    fn experiments(&self, wanted: Experiments) -> Result<Vec<ExperimentRecord>, BookError> {
        experiments::read(self.connection(), wanted).map_err(BookError::database("read"))
    }

    fn run_no(&self, uid: RunUid) -> Result<Option<RunNo>, BookError> {
        runs::number_of(self.connection(), uid).map_err(BookError::database("read"))
    }

    fn runs_between(&self, uids: (RunUid, RunUid), limit: usize) -> Result<Vec<RunNo>, BookError> {
        runs::between(self.connection(), uids, limit).map_err(BookError::database("read"))
    }

    fn runs(&self, wanted: Wanted<'_>) -> Result<Vec<RunRecord>, BookError> {
        runs::read(self.connection(), wanted).map_err(BookError::database("read"))
    }

    fn has_run(&self, no: RunNo) -> Result<bool, BookError> {
        runs::exists(self.connection(), no).map_err(BookError::database("read"))
    }

    fn numbered(
        &self,
        experiment: ExperimentNo,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, RunNo)>, BookError> {
        runs::numbered(self.connection(), experiment, from, limit)
            .map_err(BookError::database("read"))
    }

    fn projects(&self, only: Option<&str>) -> Result<Vec<ProjectRecord>, BookError> {
        experiments::projects(self.connection(), only).map_err(BookError::database("read"))
    }

    fn entry_no(&self, uid: EntryUid) -> Result<Option<EntryNo>, BookError> {
        entries::number_of(self.connection(), uid).map_err(BookError::database("read"))
    }

    fn entries_named(&self, project: &str, name: &str) -> Result<Vec<EntryNo>, BookError> {
        entries::named(self.connection(), project, name).map_err(BookError::database("read"))
    }

    fn entries(&self, wanted: WantedEntries) -> Result<Vec<EntryRecord>, BookError> {
        entries::read(self.connection(), wanted).map_err(BookError::database("read"))
    }

    fn versions(&self, of: EntryNo) -> Result<Vec<(u64, EntryNo)>, BookError> {
        entries::numbered(self.connection(), of).map_err(BookError::database("read"))
    }

    fn chunks(&self, range: (i64, i64), part: Part) -> Result<Vec<ChunkRecord>, BookError> {
        chunks::read(self.connection(), range, part).map_err(BookError::database("read"))
    }

    fn streams(&self) -> Result<Vec<u64>, BookError> {
        chunks::streams(self.connection()).map_err(BookError::database("read"))
    }

    fn snapshot(&self, sha256: &str) -> Result<Option<Vec<u8>>, BookError> {
        ledger::snapshot(self.connection(), sha256).map_err(BookError::database("read"))
    }

    fn is_applied(&self, operation: OperationUid) -> Result<bool, BookError> {
        ledger::is_applied(self.connection(), operation).map_err(BookError::database("read"))
    }

    fn unknown(&self) -> Result<Vec<Signed>, BookError> {
        unknown::read(self.connection()).map_err(BookError::database("read"))
    }

    fn is_purged(&self, subject: &Subject) -> Result<bool, BookError> {
        ledger::is_purged(self.connection(), subject).map_err(BookError::database("read"))
    }
}
