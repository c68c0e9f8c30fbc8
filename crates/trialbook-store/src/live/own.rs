//! The spool of the one who writes: which files it has, and how far each is written.
//!
//! Not here: others' spools. Invariant: everything written before a file's offset is folded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trialbook_model::id::WriterUid;
use trialbook_model::record::{Op, Signed};
use trialbook_model::state::Stamp;
use trialbook_spool::{Liveness, Note, SyncPoint};

use crate::backend::SpoolRecord;
use crate::book::Book;
use crate::error::BookError;
use crate::recorder::{Recorder, RecorderOptions};
use crate::tails::{TailRead, name_of};

/// How far a file is written and sealed.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    written: u64,
    sealed: u64,
}

/// The spool of the one who writes.
pub(super) struct Own {
    recorder: Recorder,
    actor: String,
    present: Option<PathBuf>,
    files: BTreeMap<PathBuf, Extent>,
}

impl Own {
    pub(super) fn open(book: &Book, options: RecorderOptions) -> Result<Self, BookError> {
        let actor = options.actor.clone();
        let mut own = Self {
            recorder: book.recorder(options)?,
            actor,
            present: None,
            files: BTreeMap::new(),
        };
        own.note();
        Ok(own)
    }

    /// Notes how far the present file is written.
    fn note(&mut self) {
        // A file that was left is as long as it was when it was noted last.
        self.present = self.recorder.path();
        if let Some(path) = &self.present {
            let written = self.recorder.bytes();
            self.files.entry(path.clone()).or_default().written = written;
        }
    }

    pub(super) fn record(&mut self, op: &Op, note: &Note) -> Result<Stamp, BookError> {
        let stamp = self.recorder.record_with(op, note)?;
        self.note_written();
        Ok(stamp)
    }

    /// Records what another one wrote, and gives its number here.
    pub(super) fn record_of(&mut self, signed: &Signed) -> Result<u64, BookError> {
        let seq = self.recorder.record_of(signed)?;
        self.note_written();
        Ok(seq)
    }

    fn note_written(&mut self) {
        if self.present == self.recorder.path()
            && let Some(extent) = self
                .present
                .as_ref()
                .and_then(|path| self.files.get_mut(path))
        {
            extent.written = self.recorder.bytes();
        } else {
            self.note();
        }
    }

    pub(super) fn actor(&self) -> Option<String> {
        (!self.actor.is_empty()).then(|| self.actor.clone())
    }

    pub(super) fn writer(&self) -> WriterUid {
        self.recorder.writer()
    }

    /// Bytes written to all files.
    pub(super) fn bytes(&self) -> u64 {
        self.files.values().map(|extent| extent.written).sum()
    }

    pub(super) fn sync_point(&self) -> Option<SyncPoint> {
        self.recorder.sync_point()
    }

    pub(super) fn has(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.files.keys().cloned()
    }

    /// For a seal: how far each file is written.
    pub(super) fn as_read(&self) -> Vec<TailRead> {
        let files = self.files.iter().filter_map(|(path, extent)| {
            Some(TailRead {
                path: path.clone(),
                liveness: if self.present.as_ref() == Some(path) {
                    Liveness::Alive
                } else {
                    Liveness::Dead
                },
                record: SpoolRecord {
                    name: name_of(path)?,
                    offset: extent.written,
                    lost: 0,
                    damage: String::new(),
                },
                bytes: 0,
                whole: true,
                changed: extent.written != extent.sealed,
            })
        });
        files.collect()
    }

    pub(super) fn mark_sealed(&mut self) {
        for extent in self.files.values_mut() {
            extent.sealed = extent.written;
        }
    }

    /// Forgets files that are gone.
    pub(super) fn forget_removed(&mut self, there: &[PathBuf]) {
        self.files.retain(|path, _| there.contains(path));
    }

    pub(super) fn finish(self) -> Result<(), BookError> {
        self.recorder.finish()
    }
}
