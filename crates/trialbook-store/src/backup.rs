//! Backup and restore: the database as it is at one moment, the spools and the artifacts beside it.
//!
//! Writers go on meanwhile. Invariant: the database is copied before the spools, so that every record is in
//! one of them; sealing what both hold takes it once.

use std::fs;
use std::io;
use std::path::Path;

use crate::artifacts::{make_dir, sync_dir};
use crate::book::{Book, SealOutcome};
use crate::error::BookError;
use crate::seal::take_lease;
use crate::sqlite::SqliteBackend;

impl Book {
    /// Copies the book to a folder that does not exist yet. Never waits: somebody who seals has the lease.
    /// A simulated book has nothing to copy.
    pub fn backup(&self, to: &Path) -> Result<SealOutcome, BookError> {
        self.writable()?;
        let Some(_lease) = self.with_ground(take_lease)? else {
            return Ok(SealOutcome::Busy);
        };
        let Some(database) = self.database() else {
            return Ok(SealOutcome::NotNeeded);
        };
        if to.exists() {
            let taken = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(BookError::io("make", to)(taken));
        }
        make_dir(to)?;
        database.copy_to(&to.join(super::book::DATABASE))?;
        // The copy lives on as a database of its own, with a log like this one.
        SqliteBackend::create(&to.join(super::book::DATABASE))?;
        copy_folder(&self.spool_folder(), &to.join("spool"))?;
        let artifacts = self.path().join("artifacts");
        for sum in self.artifacts().list()? {
            let shelf = Path::new(&sum[..2]);
            make_dir(&to.join("artifacts").join(shelf))?;
            let from = artifacts.join(shelf).join(&sum);
            copy_file(&from, &to.join("artifacts").join(shelf).join(&sum))?;
        }
        fs::write(to.join(".gitignore"), "*\n").map_err(BookError::io("write", to))?;
        sync_dir(to)?;
        Ok(SealOutcome::Sealed)
    }

    /// Puts the database and the spools of a backup in the place of this book's. Spools that are here and
    /// not in the backup stay: what they hold behind the backup's offsets is sealed again.
    pub fn restore(&self, from: &Path) -> Result<SealOutcome, BookError> {
        self.writable()?;
        let Some(_lease) = self.with_ground(take_lease)? else {
            return Ok(SealOutcome::Busy);
        };
        let Some(held) = self.database() else {
            return Ok(SealOutcome::NotNeeded);
        };
        let database = self.path().join(super::book::DATABASE);
        let draft = self.path().join("restored.tmp");
        if draft.exists() {
            fs::remove_file(&draft).map_err(BookError::io("remove", &draft))?;
        }
        SqliteBackend::open(&from.join(super::book::DATABASE))?.copy_to(&draft)?;
        held.forget();
        self.indexes().forget()?;
        // A log that belongs to another database must never meet this one.
        for ending in ["-wal", "-shm"] {
            let log = self
                .path()
                .join(format!("{}{ending}", super::book::DATABASE));
            if log.exists() {
                fs::remove_file(&log).map_err(BookError::io("remove", &log))?;
            }
        }
        fs::rename(&draft, &database).map_err(BookError::io("rename", &draft))?;
        sync_dir(self.path())?;
        SqliteBackend::create(&database)?;
        let spools = from.join("spool");
        if spools.is_dir() {
            copy_folder(&spools, &self.spool_folder())?;
        }
        Ok(SealOutcome::Sealed)
    }
}

/// Copies files that are not there yet.
fn copy_folder(from: &Path, to: &Path) -> Result<(), BookError> {
    make_dir(to)?;
    for entry in fs::read_dir(from).map_err(BookError::io("list", from))? {
        let entry = entry.map_err(BookError::io("list", from))?;
        let target = to.join(entry.file_name());
        if !target.exists() {
            copy_file(&entry.path(), &target)?;
        }
    }
    sync_dir(to)
}

/// Copies a file that may go away meanwhile: then what it held is sealed.
fn copy_file(from: &Path, to: &Path) -> Result<(), BookError> {
    match fs::copy(from, to) {
        Ok(_) => {
            let file = fs::File::open(to).map_err(BookError::io("open", to))?;
            file.sync_all().map_err(BookError::io("sync", to))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(BookError::io("copy", from)(error)),
    }
}
