//! The spool of another process, followed as it grows.
//!
//! Not here: what its records mean. Invariant: whether something is new is found out without reading what is
//! known.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use trialbook_model::id::WriterUid;
use trialbook_spool::{Access, FileHandle, Files, Liveness, Past, SpoolReader, inspect};

use crate::backend::{Look, SpoolRecord};
use crate::error::BookError;
use crate::fold::Collector;
use crate::sequences::{Known, Numbers};
use crate::tails::{TailRead, Walked, name_of, reader_at, walk};

/// Bytes read at once of a spool that grows; longer ones are met with longer pieces.
const PIECE: usize = 16 << 10;

/// Where reading a spool stands, for whoever only wants to know whether it grew.
#[derive(Clone)]
pub(super) struct Watched {
    file: Arc<dyn FileHandle>,
    offset: u64,
}

impl Watched {
    /// Whether something stands behind what was read. A file that cannot be read is left to whoever reads it.
    pub(super) fn has_grown(&self) -> bool {
        let mut word = [0; 4];
        let read = self.file.read_at(&mut word, self.offset);
        read.map_or(true, |some| some > 0 && word != [0; 4])
    }
}

/// The spool of another process.
pub(super) struct Tail {
    path: PathBuf,
    pub(super) writer: WriterUid,
    liveness: Liveness,
    past: Past,
    reader: Option<SpoolReader>,
    watched: Watched,
    /// As it stands when everything read is sealed.
    pub(super) record: SpoolRecord,
    /// As it is sealed.
    sealed: SpoolRecord,
    whole: bool,
}

impl Tail {
    /// Finds out about a spool; `None` where it is gone, or no spool any more.
    pub(super) fn open(
        files: &dyn Files,
        path: &Path,
        look: &dyn Look,
    ) -> Result<Option<Self>, BookError> {
        let Some(name) = name_of(path) else {
            return Ok(None);
        };
        let Some(spool) = inspect(files, path)? else {
            return Ok(None);
        };
        let Some(header) = spool.header else {
            return Ok(None);
        };
        let Ok(file) = files.open(path, Access::Read) else {
            return Ok(None);
        };
        let sealed = look.spool(&name)?.unwrap_or(SpoolRecord {
            name,
            offset: 0,
            lost: 0,
            damage: String::new(),
        });
        Ok(Some(Self {
            path: path.to_owned(),
            writer: header.writer,
            liveness: spool.liveness,
            past: spool.past,
            reader: None,
            watched: Watched { file, offset: 0 },
            record: sealed.clone(),
            sealed,
            whole: false,
        }))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Goes back to where reading stood: it is read again.
    pub(super) fn rewind(&mut self, record: SpoolRecord) {
        self.record = record;
        self.reader = None;
        self.whole = false;
    }

    /// Looks again whether its writer lives. What is found out is told to the reader: the end of a dead
    /// writer's file means something else.
    pub(super) fn look_after(&mut self, files: &dyn Files) -> Result<(), BookError> {
        if self.liveness == Liveness::Dead {
            return Ok(());
        }
        if let Some(spool) = inspect(files, &self.path)? {
            let died = spool.liveness == Liveness::Dead;
            self.liveness = spool.liveness;
            self.past = spool.past;
            if died {
                self.whole = false;
                if let Some(reader) = &mut self.reader {
                    reader.set_past(spool.past);
                }
            }
        }
        Ok(())
    }

    /// Whether something may be there that was not read.
    pub(super) fn has_news(&self) -> bool {
        !self.whole || self.liveness != Liveness::Dead && self.watched.has_grown()
    }

    /// Reads on, until `left` bytes were read.
    pub(super) fn read(
        &mut self,
        files: &dyn Files,
        left: u64,
        into: (&mut Collector, &mut Numbers, &mut Known<'_>),
    ) -> Result<u64, BookError> {
        if self.reader.is_none() {
            self.reader = reader_at(files, &self.path, self.past, self.record.offset)?;
        }
        let Some(reader) = &mut self.reader else {
            // It is gone: whoever removed it has sealed it.
            self.whole = true;
            return Ok(0);
        };
        let Walked { bytes, whole } = walk(reader, &mut self.record, (PIECE, left), into)?;
        self.whole = whole;
        self.watched.offset = self.record.offset;
        if self.liveness == Liveness::Dead && whole {
            self.reader = None;
        }
        Ok(bytes)
    }

    /// Where reading stands; `None` where nothing more can come.
    pub(super) fn watched(&self) -> Option<Watched> {
        (self.liveness != Liveness::Dead).then(|| self.watched.clone())
    }

    /// Whether its writer is known to have ended.
    pub(super) fn is_dead(&self) -> bool {
        self.liveness == Liveness::Dead
    }

    /// For a seal: how far it was read.
    pub(super) fn as_read(&self) -> TailRead {
        TailRead {
            path: self.path.clone(),
            liveness: self.liveness,
            record: self.record.clone(),
            bytes: 0,
            whole: self.whole,
            changed: self.record != self.sealed,
        }
    }

    /// What was read is sealed now.
    pub(super) fn mark_sealed(&mut self) {
        self.sealed = self.record.clone();
    }
}
