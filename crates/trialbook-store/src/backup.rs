//! Putting a backup in a book's place: the database as it was at one moment, the spools and the artifacts beside it.
//!
//! `archive.rs` makes backups, and unpacks them to the folder that is put back here. Writers go on meanwhile.
//! Invariant: a restore changes the database last and in one transaction: wherever it breaks off, the book is the
//! old one or the new one.

use std::fs;
use std::io;
use std::path::Path;

use trialbook_model::id::Uid;
use trialbook_spool::SystemFiles;

use crate::artifacts::Artifacts;
use crate::book::{Book, SealOutcome};
use crate::error::BookError;
use crate::folders::{make_dir, sync_dir};
use crate::seal::take_lease;
use crate::sqlite::SqliteBackend;

impl Book {
    /// Puts back the artifacts, the spools and the database of a backup. Spools and artifacts that are here
    /// and not in the backup stay: what spools hold behind the backup's offsets is sealed again. Others may
    /// read meanwhile: what they have open goes on, what they open next is the backup.
    pub fn restore(&self, from: &Path) -> Result<SealOutcome, BookError> {
        self.writable()?;
        let Some(_lease) = self.with_ground(take_lease)? else {
            return Ok(SealOutcome::Busy);
        };
        let Some(held) = self.database() else {
            return Ok(SealOutcome::NotNeeded);
        };
        let draft = self.path().join("restored.tmp");
        if draft.exists() {
            fs::remove_file(&draft).map_err(BookError::io("remove", &draft))?;
        }
        SqliteBackend::open(&from.join(super::book::DATABASE))?.copy_to(&draft)?;
        // Nothing that was found out about the book as it was may be taken for one about this one.
        let mut uid = [0; 16];
        self.files()
            .random(&mut uid)
            .map_err(BookError::io("name", self.path()))?;
        SqliteBackend::rename(&draft, Uid(uid))?;
        copy_artifacts(from, self.path())?;
        let spools = from.join("spool");
        if spools.is_dir() {
            copy_folder(&spools, &self.spool_folder())?;
        }
        held.replace_with(&draft)?;
        held.forget();
        self.indexes().forget()?;
        fs::remove_file(&draft).map_err(BookError::io("remove", &draft))?;
        Ok(SealOutcome::Sealed)
    }
}

/// Copies the artifacts of a book that are not in another one.
fn copy_artifacts(from: &Path, to: &Path) -> Result<(), BookError> {
    let (from, to) = (from.join("artifacts"), to.join("artifacts"));
    let there = Artifacts::new(SystemFiles::shared(), to.clone());
    for sum in Artifacts::new(SystemFiles::shared(), from.clone()).list()? {
        let shelf = to.join(&sum[..2]);
        make_dir(&SystemFiles, &shelf)?;
        // One that has changed since it was put is replaced.
        if there.verify(&sum).is_err() {
            copy_file(&from.join(&sum[..2]).join(&sum), &shelf, &sum)?;
        }
        sync_dir(&SystemFiles, &shelf)?;
    }
    Ok(())
}

/// Copies files that are not there yet.
fn copy_folder(from: &Path, to: &Path) -> Result<(), BookError> {
    make_dir(&SystemFiles, to)?;
    for entry in fs::read_dir(from).map_err(BookError::io("list", from))? {
        let entry = entry.map_err(BookError::io("list", from))?;
        let name = entry.file_name();
        if !to.join(&name).exists() {
            copy_file(&entry.path(), to, &name.to_string_lossy())?;
        }
    }
    sync_dir(&SystemFiles, to)
}

/// Copies a file that may go away meanwhile: then what it held is sealed. The copy has its name when it is
/// whole; a seal removes what is left of one that is not.
fn copy_file(from: &Path, to: &Path, name: &str) -> Result<(), BookError> {
    let draft = to.join(format!("{name}.tmp"));
    match fs::copy(from, &draft) {
        Ok(_) => {
            let file = fs::File::open(&draft).map_err(BookError::io("open", &draft))?;
            file.sync_all().map_err(BookError::io("sync", &draft))?;
            fs::rename(&draft, to.join(name)).map_err(BookError::io("rename", &draft))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(BookError::io("copy", from)(error)),
    }
}
