//! The column index of a book in use: held in memory by long-lived programs, kept as a snapshot for short
//! ones.
//!
//! Not here: searching, what is not sealed. Invariant: the snapshot is a cache; whatever is wrong with it,
//! the rows give another one.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::BookError;
use crate::index::{Index, SnapshotError};
use crate::sealed::Sealed;
use crate::view::{build, changes_since};

/// Changed runs from which they are folded into the segments.
const MANY_CHANGES: usize = 4096;

/// Changed runs from which the snapshot is written again, in any case.
const FEW_CHANGES: usize = 256;

/// The snapshot is written again when one run in so many has changed.
const SHARE: u64 = 50;

/// The index of a book.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    /// Where the snapshot is; none is kept without one.
    path: Option<PathBuf>,
    held: Mutex<Option<Index>>,
    /// Whether the snapshot was found damaged, and not written again since.
    distrusted: AtomicBool,
}

impl Indexes {
    /// Kept at a path; it is written only by those who may write.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self {
            path: Some(path),
            ..Self::default()
        }
    }

    /// The index of what is sealed: the one held or the snapshot, brought up to date.
    pub(crate) fn known(&self, sealed: &Sealed<'_>) -> Result<Index, BookError> {
        let rev = sealed.counters().rev;
        let held = self
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // A restore gives the book another identity, and a rev that may be less.
        let book = sealed.look().uid()?;
        let known = held.filter(|index| index.book() == book && index.rev() <= rev);
        let known = match known {
            Some(index) => Some(index),
            None => self.open(sealed)?,
        };
        let Some(mut index) = known else {
            return self.anew(sealed);
        };
        if index.rev() < rev {
            index.apply(changes_since(sealed, index.rev())?);
        }
        if index.pending() > MANY_CHANGES && index.settle().is_err() {
            return self.anew(sealed);
        }
        self.hold(&index);
        Ok(index)
    }

    /// The index of what is sealed, from its rows.
    pub(crate) fn anew(&self, sealed: &Sealed<'_>) -> Result<Index, BookError> {
        let index = build(sealed)?;
        self.hold(&index);
        Ok(index)
    }

    /// Forgets the one held, and does without the snapshot until it is written again.
    pub(crate) fn distrust(&self) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.distrusted.store(true, Ordering::Relaxed);
    }

    /// Forgets the one held and the snapshot: the rows are other ones now, or it is damaged. Only for the
    /// holder of the lease.
    pub(crate) fn forget(&self) -> Result<(), BookError> {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.distrusted.store(false, Ordering::Relaxed);
        if let Some(path) = self.path.as_ref().filter(|path| path.exists()) {
            std::fs::remove_file(path).map_err(BookError::io("remove", path))?;
        }
        Ok(())
    }

    /// Writes the snapshot where much has changed since the last one. Only for the holder of the lease.
    pub(crate) fn refresh(&self, sealed: &Sealed<'_>) -> Result<(), BookError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let runs = sealed.counters().run;
        let snapshot = self.open(sealed)?;
        let changed = match &snapshot {
            Some(index) => sealed.look().changed_since(index.rev())?,
            None => runs,
        };
        let is_distrusted = self.distrusted.load(Ordering::Relaxed);
        if !is_distrusted && changed < (runs / SHARE).max(FEW_CHANGES as u64) {
            return Ok(());
        }
        let mut index = self.known(sealed)?;
        let mut written = index.write(path);
        if let Err(SnapshotError::Damaged(_)) = &written {
            index = self.anew(sealed)?;
            written = index.write(path);
        }
        // A snapshot that cannot be written is one that readers do without.
        if written.is_ok() {
            self.distrusted.store(false, Ordering::Relaxed);
            self.hold(&index);
        }
        Ok(())
    }

    fn open(&self, sealed: &Sealed<'_>) -> Result<Option<Index>, BookError> {
        let path = self.path.as_ref();
        let Some(path) = path.filter(|_| !self.distrusted.load(Ordering::Relaxed)) else {
            return Ok(None);
        };
        let opened = Index::open(path, sealed.look().uid()?);
        // Missing, damaged, of another version: all of them are built anew.
        Ok(opened
            .ok()
            .filter(|index| index.rev() <= sealed.counters().rev))
    }

    fn hold(&self, index: &Index) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_newer = |held: &Index| held.book() != index.book() || held.rev() <= index.rev();
        if held.as_ref().is_none_or(is_newer) {
            *held = Some(index.clone());
        }
    }
}
