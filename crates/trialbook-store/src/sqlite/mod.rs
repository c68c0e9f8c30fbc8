//! The SQLite back end: `book.db` in WAL mode, written by the lease holder alone.
//!
//! Readers never wait: a writer in the middle of its transaction, even a stopped one, holds nothing that
//! they need. No connection checkpoints when it closes, so that none of them locks the file; the sealer
//! does it, and only as far as readers let it. Not here: what is in blobs.
//! Invariant: SQL stands beside the rows it speaks of, in the modules below.

mod chunks;
mod copy;
mod entries;
mod experiments;
mod ledger;
mod look;
mod open;
mod program;
mod runs;
mod schema;
mod space;
mod unknown;

pub use program::program_of;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, TransactionBehavior};
use trialbook_model::id::Uid;

use crate::backend::{Backend, Change, Look, Settle, Settled};
use crate::error::BookError;

/// Connections kept for later looks.
const IDLE: usize = 4;

/// Frames of the write-ahead log above which a seal moves it into the database.
const CHECKPOINT_PAGES: i64 = 1000;

/// Opens a look: the first read fixes what it sees.
const BEGIN: &str = "BEGIN; SELECT count(*) FROM meta;";

/// What became of a change.
enum Written {
    /// It is there, or was made by somebody else.
    Whole,
    /// It was made from rows that are others by now.
    Refused,
    /// A newer version has changed the tables.
    Unknown(String),
}

/// The database of a book.
#[derive(Debug)]
pub(crate) struct SqliteBackend {
    path: PathBuf,
    idle: Mutex<Vec<Reader>>,
    /// A copy that had to be made because the folder is read-only and its log is open.
    copy: Mutex<Option<open::Copied>>,
}

/// A connection for looks.
#[derive(Debug)]
struct Reader {
    connection: Connection,
    /// The file that it reads, by device and number; `None` where it does not see what others write.
    file: Option<(u64, u64)>,
}

impl SqliteBackend {
    /// Opens the database, made with its first rows where there is none. It appears as a whole or not at
    /// all: a full disk and a kill leave none, and of several that make it at once the first one wins and
    /// nobody waits. Missing still where it can only be made in its place, which needs the lease.
    pub(crate) fn make(path: &Path, first: &Change) -> Result<Self, BookError> {
        match Self::open(path) {
            Err(BookError::Missing { .. }) => {}
            opened => return opened,
        }
        let draft = open::Draft::beside(path)?;
        let backend = Self::create(draft.path())?;
        backend.commit(first)?;
        drop(backend);
        draft.publish(path)?;
        Self::open(path)
    }

    /// Opens the database, made in its place where there is none or where it was never finished. Only for
    /// the holder of the lease.
    pub(crate) fn make_in_place(path: &Path, first: &Change) -> Result<Self, BookError> {
        match Self::open(path) {
            Err(BookError::Missing { .. }) => {}
            opened => return opened,
        }
        let backend = Self::create(path)?;
        backend.commit(first)?;
        Ok(backend)
    }

    /// Makes the database, or brings one that is there to the present schema.
    pub(crate) fn create(path: &Path) -> Result<Self, BookError> {
        open::create(path)?;
        Ok(Self::over(path))
    }

    /// Opens a database that is there.
    pub(crate) fn open(path: &Path) -> Result<Self, BookError> {
        open::check(path)?;
        let backend = Self::over(path);
        let reader = backend.reader()?;
        if open::is_unfinished(&reader.connection) {
            return Err(BookError::Missing {
                path: path.to_owned(),
            });
        }
        backend.give_back(reader);
        Ok(backend)
    }

    fn over(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            idle: Mutex::new(Vec::new()),
            copy: Mutex::new(None),
        }
    }

    fn reader(&self) -> Result<Reader, BookError> {
        // Before it is opened: a file that takes its place meanwhile is then not taken for it.
        let file = open::file_at(&self.path);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Another process may have put a backup in the database's place.
        idle.retain(|idle| idle.file == file);
        if let Some(reader) = idle.pop() {
            return Ok(reader);
        }
        drop(idle);
        let (connection, footing) = open::reader(&self.path, &self.copy)?;
        Ok(Reader {
            connection,
            file: match footing {
                open::Footing::Shared => file,
                open::Footing::Alone => None,
            },
        })
    }

    /// Keeps a connection for the next look, unless enough are kept. One that sees nothing of what others
    /// write must not be the base of anything later.
    fn give_back(&self, reader: Reader) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if reader.file.is_some() && idle.len() < IDLE {
            idle.push(reader);
        }
    }

    /// Closes the connections that are kept: another file takes the database's place.
    pub(crate) fn forget(&self) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// What SQLite itself finds wrong with the file.
    pub(crate) fn integrity(&self) -> Result<Vec<String>, BookError> {
        let connection = self.reader()?.connection;
        let checking = BookError::database("check");
        let findings = || -> rusqlite::Result<Vec<String>> {
            let mut check = connection.prepare("PRAGMA integrity_check(100)")?;
            let lines = check.query_map([], |row| row.get::<_, String>(0))?;
            lines.collect()
        };
        let mut findings = findings().map_err(checking)?;
        findings.retain(|line| line != "ok");
        Ok(findings)
    }

    /// Writes a copy of the database, as it is now.
    pub(crate) fn copy_to(&self, target: &Path) -> Result<(), BookError> {
        let connection = self.reader()?.connection;
        let name = target.to_string_lossy().into_owned();
        connection
            .execute("VACUUM INTO ?1", [&name])
            .map_err(BookError::database("copy"))?;
        let copy = std::fs::File::open(target).map_err(BookError::io("open", target))?;
        copy.sync_all().map_err(BookError::io("sync", target))
    }

    /// Gives a database that nobody else has open another identity.
    pub(crate) fn rename(path: &Path, uid: Uid) -> Result<(), BookError> {
        let rename = || ledger::rename(&Connection::open(path)?, uid);
        rename().map_err(BookError::database("write to"))
    }

    /// Replaces all that is in the database by what is in another one, in one transaction. Only for the
    /// holder of the lease.
    pub(crate) fn replace_with(&self, other: &Path) -> Result<(), BookError> {
        open::replace(&self.path, other)?;
        self.settle(Settle::Whole)?;
        Ok(())
    }
}

impl Backend for SqliteBackend {
    fn look(&self) -> Result<Box<dyn Look + '_>, BookError> {
        let reader = self.reader()?;
        let begun = reader.connection.execute_batch(BEGIN);
        begun.map_err(BookError::database("read"))?;
        // One that was kept may see tables that another version has changed since.
        open::refuse_unknown(&self.path, &reader.connection)?;
        Ok(Box::new(look::SqliteLook {
            reader: Some(reader),
            backend: self,
        }))
    }

    fn commit(&self, change: &Change) -> Result<(), BookError> {
        let mut connection = open::writer(&self.path)?;
        let failed = BookError::database("write to");
        let mut mark = [0; 8];
        getrandom::fill(&mut mark)
            .map_err(|error| BookError::io("name", &self.path)(std::io::Error::other(error)))?;
        // One bit less, so that it is a number for SQLite.
        let mark = u64::from_le_bytes(mark) >> 1;
        let write = |connection: &mut Connection| -> rusqlite::Result<Written> {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Of several that make one book at once, the first has done it for all.
            if change.makes_book() && !open::is_unfinished(&transaction) {
                transaction.rollback()?;
                return Ok(Written::Whole);
            }
            if let Some(migration) = schema::unknown(&transaction) {
                transaction.rollback()?;
                return Ok(Written::Unknown(migration));
            }
            if let Some(base) = change.base
                && ledger::counters(&transaction)? != base
            {
                transaction.rollback()?;
                return Ok(Written::Refused);
            }
            schema::migrate(&transaction)?;
            ledger::write(&transaction, change, mark)?;
            unknown::write(&transaction, change)?;
            experiments::write(&transaction, change)?;
            runs::write(&transaction, change)?;
            entries::write(&transaction, change)?;
            chunks::write(&transaction, change)?;
            transaction.commit()?;
            Ok(Written::Whole)
        };
        match write(&mut connection).map_err(failed)? {
            Written::Whole => Ok(()),
            Written::Refused => {
                // Whatever showed the old rows must not show them again.
                self.forget();
                Err(BookError::Restless)
            }
            Written::Unknown(migration) => Err(BookError::UnknownMigration {
                path: self.path.clone(),
                migration,
            }),
        }
    }

    fn settle(&self, wish: Settle) -> Result<Settled, BookError> {
        let pages = match wish {
            Settle::WhenLong => CHECKPOINT_PAGES,
            Settle::Whole => 0,
        };
        let whole = open::checkpoint(&open::writer(&self.path)?, pages);
        Ok(if whole {
            Settled::Whole
        } else {
            Settled::Partly
        })
    }
}
