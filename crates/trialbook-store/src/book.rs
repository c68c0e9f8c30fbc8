//! An embedded book: one folder with spools, a database, artifacts.
//!
//! `book.db` is written by nobody but the holder of `seal.lock`; each writer has a spool of its own; readers
//! take no lock that a writer could wait for. Not here: SQL, packing, what operations mean.
//! Invariant: opening for reading makes and changes nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trialbook_model::id::{Uid, WriterUid};
use trialbook_spool::files::{above, write_all};
use trialbook_spool::{Files, Liveness, SystemFiles, is_network};

use crate::backend::{Backend, Change};
use crate::indexes::Indexes;
use crate::memory::MemoryBackend;
use crate::seal::{self, Ground, first_change};
use crate::sqlite::SqliteBackend;

use crate::artifacts::Artifacts;
use crate::error::BookError;
use crate::folders::{make_dir, sync_dir};
use crate::recorder::{Recorder, RecorderOptions};
use crate::view::BookView;

/// What a book is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only reading: nothing is made or changed, and a read-only folder will do.
    Read,
    /// Recording and sealing too.
    Write,
}

/// When sealing is worth its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Only with 16 MB of unsealed records or 64 spools of dead writers.
    IfLarge,
    /// Whatever there is.
    All,
}

/// How a seal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SealOutcome {
    /// Everything that was there is sealed.
    Sealed,
    /// There was too little, or nothing, to be worth it.
    #[default]
    NotNeeded,
    /// Somebody else is sealing.
    Busy,
}

/// What a seal did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SealReport {
    /// How it ended.
    pub outcome: SealOutcome,
    /// Records that were sealed.
    pub records: u64,
    /// Spools that were removed, being sealed and their writers dead.
    pub removed: u64,
}

/// What keeps the rows of a book.
enum Rows {
    Database(SqliteBackend),
    Memory(Arc<MemoryBackend>),
}

/// An embedded book.
pub struct Book {
    path: PathBuf,
    access: Access,
    files: Arc<dyn Files>,
    rows: Rows,
    indexes: Arc<Indexes>,
}

impl Book {
    /// Makes a book in a folder that may exist, or opens the one that is there.
    pub fn create(path: &Path) -> Result<Self, BookError> {
        let files = SystemFiles::shared();
        make_dir(files.as_ref(), path)?;
        refuse_network(path)?;
        make_folders(files.as_ref(), path)?;
        let first = first_rows(files.as_ref(), path)?;
        let database = path.join(DATABASE);
        let rows = match SqliteBackend::make(&database, &first) {
            // What stands there was never finished, or this file system has no links.
            Err(BookError::Missing { .. }) => {
                let lease = path.join(LEASE);
                let Some(_lease) = seal::lease_at(files.as_ref(), &lease)? else {
                    return Err(BookError::Restless);
                };
                SqliteBackend::make_in_place(&database, &first)?
            }
            made => made?,
        };
        let rows = Rows::Database(rows);
        sync_dir(files.as_ref(), path)?;
        Ok(Self::over(path, Access::Write, rows, files))
    }

    /// Opens a book.
    pub fn open(path: &Path, access: Access) -> Result<Self, BookError> {
        let missing = || BookError::Missing {
            path: path.to_owned(),
        };
        if !path.is_dir() {
            return Err(missing());
        }
        // What may not be looked into is there all the same: nobody should make a book in its place.
        if let Err(denied) = fs::read_dir(path)
            && denied.kind() == io::ErrorKind::PermissionDenied
        {
            return Err(BookError::io("open", path)(denied));
        }
        if access == Access::Write {
            refuse_network(path)?;
        }
        let rows = Rows::Database(SqliteBackend::open(&path.join(DATABASE))?);
        Ok(Self::over(path, access, rows, SystemFiles::shared()))
    }

    /// A book for simulations: its spools are on a file system that is given, its rows in memory, where a
    /// seal is one step.
    pub fn simulated(path: &Path, files: Arc<dyn Files>) -> Result<Self, BookError> {
        make_folders(files.as_ref(), path)?;
        let first = first_rows(files.as_ref(), path)?;
        let rows = Rows::Memory(Arc::default());
        let book = Self::over(path, Access::Write, rows, files);
        book.backend().commit(&first)?;
        Ok(book)
    }

    /// The same simulated book as another process sees it. A book on a disk is to be opened again instead.
    #[must_use]
    pub fn in_process(&self, files: Arc<dyn Files>) -> Option<Self> {
        match &self.rows {
            Rows::Memory(rows) => {
                let rows = Rows::Memory(Arc::clone(rows));
                Some(Self::over(&self.path, self.access, rows, files))
            }
            Rows::Database(_) => None,
        }
    }

    fn over(path: &Path, access: Access, rows: Rows, files: Arc<dyn Files>) -> Self {
        let indexes = match &rows {
            Rows::Database(_) => Indexes::at(path.join(INDEX)),
            Rows::Memory(_) => Indexes::default(),
        };
        Self {
            path: path.to_owned(),
            access,
            files,
            rows,
            indexes: Arc::new(indexes),
        }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    pub(crate) fn shared_files(&self) -> Arc<dyn Files> {
        Arc::clone(&self.files)
    }

    pub(crate) fn backend(&self) -> &dyn Backend {
        match &self.rows {
            Rows::Database(database) => database,
            Rows::Memory(rows) => rows.as_ref(),
        }
    }

    /// The database, where the rows are in one.
    pub(crate) fn database(&self) -> Option<&SqliteBackend> {
        match &self.rows {
            Rows::Database(database) => Some(database),
            Rows::Memory(_) => None,
        }
    }

    pub(crate) fn indexes(&self) -> Arc<Indexes> {
        Arc::clone(&self.indexes)
    }

    /// Where writers spool.
    pub(crate) fn spool_folder(&self) -> PathBuf {
        self.path.join("spool")
    }

    /// A new writer with a spool of its own.
    pub fn recorder(&self, options: RecorderOptions) -> Result<Recorder, BookError> {
        self.writable()?;
        Recorder::open(Arc::clone(&self.files), &self.spool_folder(), options)
    }

    /// A consistent look at everything acknowledged so far.
    pub fn view(&self) -> Result<BookView<'_>, BookError> {
        BookView::open(self)
    }

    /// Whether a writer of this book may still be at work: it is here and lives, or its spool is held by
    /// somebody of whom nothing is known.
    pub fn is_writing(&self, writer: WriterUid) -> Result<bool, BookError> {
        let spools = trialbook_spool::list(self.files(), &self.spool_folder())?;
        Ok(spools.iter().any(|spool| {
            spool.liveness != Liveness::Dead
                && spool
                    .header
                    .as_ref()
                    .is_some_and(|header| header.writer == writer)
        }))
    }

    /// Bytes of the snapshot of its column index; 0 where there is none.
    pub fn index_bytes(&self) -> u64 {
        fs::metadata(self.path.join(INDEX)).map_or(0, |about| about.len())
    }

    /// Its files.
    pub fn artifacts(&self) -> Artifacts {
        Artifacts::new(self.shared_files(), self.path.join("artifacts"))
    }

    /// Moves spooled records into the database. Never waits: somebody else's seal is as good.
    pub fn seal(&self, effort: Effort) -> Result<SealReport, BookError> {
        self.writable()?;
        let report = self.with_ground(|ground| seal::seal(ground, effort))?;
        if report.outcome == SealOutcome::Sealed {
            self.artifacts().clean();
        }
        Ok(report)
    }

    /// Gives the places that sealing needs to `work`.
    pub(crate) fn with_ground<T>(&self, work: impl FnOnce(Ground<'_>) -> T) -> T {
        let (spools, lease) = (self.spool_folder(), self.path.join(LEASE));
        work(Ground {
            files: self.files(),
            spools: &spools,
            lease: &lease,
            backend: self.backend(),
            indexes: &self.indexes,
        })
    }

    pub(crate) fn writable(&self) -> Result<(), BookError> {
        match self.access {
            Access::Write => Ok(()),
            Access::Read => Err(BookError::ReadOnly {
                path: self.path.clone(),
            }),
        }
    }
}

/// The database's name in the folder.
pub(crate) const DATABASE: &str = "book.db";

/// The snapshot of the column index.
const INDEX: &str = "index.snapshot";

/// The file whose lock is the lease to seal.
const LEASE: &str = "seal.lock";

/// Makes the folders that every book has, such that they survive a power cut.
fn make_folders(files: &dyn Files, path: &Path) -> Result<(), BookError> {
    make_dir(files, path)?;
    // Also where it was there: whoever made it may not have come as far. One that nobody may look into cannot
    // be synced either.
    match files.sync_dir(above(path)) {
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {
            return Err(BookError::io("sync", above(path))(error));
        }
        Ok(()) | Err(_) => {}
    }
    let ignore = path.join(".gitignore");
    match files.create_new(&ignore) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|file| write_all(file.as_ref(), b"*\n", 0)),
    }
    .map_err(BookError::io("write", &ignore))?;
    make_dir(files, &path.join("spool"))?;
    sync_dir(files, path)
}

/// A database is not safe where other machines may write too.
fn refuse_network(path: &Path) -> Result<(), BookError> {
    if is_network(path) {
        return Err(BookError::NetworkFolder {
            path: path.to_owned(),
        });
    }
    Ok(())
}

/// The rows that every book has, with an identity that no other has.
fn first_rows(files: &dyn Files, path: &Path) -> Result<Change, BookError> {
    let mut uid = [0; 16];
    files
        .random(&mut uid)
        .map_err(BookError::io("name", path))?;
    first_change(Uid(uid))
}

#[cfg(test)]
mod tests;
