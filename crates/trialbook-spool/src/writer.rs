//! Writing a spool: what a process says, appended to files that nobody else writes.
//!
//! [`SpoolWriter::points`] is the hot path: no allocation, no lock, no system call where the file is
//! mapped. What cannot be written now waits in memory and goes first the next time. Not here: what
//! records mean, who reads them.
//! Durability: a record whose call returned a sequence number survives the end of the process at any
//! instruction ([`Durability::Kernel`]); after [`SpoolWriter::flush`] with [`Durability::Disk`] or
//! [`SpoolWriter::finish`] it survives a power cut; else about a second of records may be lost then.
//! Invariant: sequence numbers have no gaps over all files of a lineage; nothing is appended behind a
//! torn frame; a forked child never touches its parent's file.

mod batch;
mod changing;
mod dictionary;
mod fork;
mod framing;
mod open;
mod options;
mod syncing;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use trialbook_model::id::WriterUid;
use trialbook_model::record::{Op, SeriesKey, Subject};
use trialbook_model::time::Timestamp;

pub use self::batch::{BatchError, FrameBatch, read_batch};
use self::dictionary::Dictionary;
use self::framing::{Said, put_record};
use self::open::{Chosen, OpenSpool};
pub use self::options::{Background, Durability, Mode, Note, Repeat, SpoolOptions};
use self::syncing::Progress;
pub use self::syncing::SyncPoint;
use crate::error::SpoolError;
use crate::files::{FileHandle, Files, SystemFiles, make_dir_durably};
use crate::frame::{PointsHead, put_points};
use crate::header::Header;

/// Bytes that may wait in memory while the disk takes nothing.
const BACKLOG: usize = 16 << 20;
/// How far a full file is continued when no new one can be made.
const POSTPONED: u64 = 1 << 20;

/// Index of a series key of one writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIndex(pub(crate) u32);

/// Index of a subject of one writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectIndex(pub(crate) u32);

impl From<KeyIndex> for u32 {
    fn from(KeyIndex(index): KeyIndex) -> Self {
        index
    }
}

/// What the values of one logging call have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCall {
    /// What they are about.
    pub subject: SubjectIndex,
    /// Their step.
    pub step: i64,
    /// The writer's clock.
    pub time: Timestamp,
    /// What an equal point means.
    pub repeat: Repeat,
}

/// Writes the spools of one process.
pub struct SpoolWriter {
    files: Arc<dyn Files>,
    dir: PathBuf,
    options: SpoolOptions,
    chosen: Chosen,
    header: Header,
    next_seq: u64,
    dictionary: Dictionary,
    open: Option<OpenSpool>,
    /// Where the present file is full.
    full_at: u64,
    /// Ended files that the disk may not have yet.
    retired: Vec<(Weak<dyn FileHandle>, Arc<Progress>)>,
    /// Frames of the present call.
    scratch: Vec<u8>,
    /// Frames that could not be written yet, and how many records they hold.
    backlog: Vec<u8>,
    waiting: u64,
    failure: Option<SpoolError>,
    forks: u64,
}

impl SpoolWriter {
    /// Opens a new spool in `dir`, which is made if need be.
    pub fn create(dir: impl Into<PathBuf>, options: SpoolOptions) -> Result<Self, SpoolError> {
        Self::create_in(SystemFiles::shared(), dir, options)
    }

    /// Opens a new spool in a folder of `files`.
    pub fn create_in(
        files: Arc<dyn Files>,
        dir: impl Into<PathBuf>,
        options: SpoolOptions,
    ) -> Result<Self, SpoolError> {
        fork::watch();
        let dir = dir.into();
        make_dir_durably(files.as_ref(), &dir)
            .map_err(|source| SpoolError::io("make", &dir, source))?;
        let mapped = match options.mode {
            Mode::Written => false,
            Mode::Mapped | Mode::Auto => files.may_map(&dir),
        };
        let mut writer = Self {
            chosen: if mapped {
                Chosen::Mapped
            } else {
                Chosen::Written
            },
            header: Header::default(),
            next_seq: 1,
            dictionary: Dictionary::new(),
            open: None,
            full_at: options.rotate_at,
            retired: Vec::new(),
            scratch: Vec::with_capacity(1024),
            backlog: Vec::new(),
            waiting: 0,
            failure: None,
            forks: fork::count(),
            files,
            dir,
            options,
        };
        writer.begin_lineage()?;
        let created = writer.options.created;
        writer.open = Some(writer.open_file(created)?);
        Ok(writer)
    }

    /// Identity of this writer; a forked child gets another one with its first record.
    pub fn writer(&self) -> WriterUid {
        self.header.writer
    }

    /// Sequence number of the next record.
    pub fn next_seq(&self) -> u64 {
        if self.forks == fork::count() {
            self.next_seq
        } else {
            1
        }
    }

    /// The file that is written at present.
    pub fn path(&self) -> Option<PathBuf> {
        self.open.as_ref().map(|open| open.path.clone())
    }

    /// Bytes written to the present file, header included.
    pub fn len(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.offset)
    }

    /// Whether the present file holds no record.
    pub fn is_empty(&self) -> bool {
        self.open.as_ref().is_none_or(OpenSpool::is_empty)
    }

    /// The index of a series key, the same at each call.
    pub fn key(&mut self, key: &SeriesKey) -> KeyIndex {
        self.dictionary.key(key)
    }

    /// The index of a subject, the same at each call.
    pub fn subject(&mut self, subject: &Subject) -> SubjectIndex {
        self.dictionary.subject(subject)
    }

    /// Appends the values of one logging call and gives its sequence number.
    pub fn points(&mut self, call: LogCall, pairs: &[(KeyIndex, f64)]) -> Result<u64, SpoolError> {
        self.ready(call.time)?;
        self.scratch.clear();
        let seq = self.next_seq;
        self.dictionary
            .define(&mut self.scratch, seq, call.subject, pairs)
            .inspect_err(|_| self.dictionary.forget_file())?;
        let head = PointsHead {
            seq,
            time: call.time.0,
            flags: call.repeat.flag(),
            subject: call.subject.0,
            step: call.step,
        };
        if !put_points(&mut self.scratch, head, pairs) {
            self.dictionary.forget_file();
            return Err(SpoolError::TooLong {
                bytes: pairs.len() * 8,
            });
        }
        self.commit(seq)
    }

    /// Appends an operation and gives its sequence number.
    pub fn append(&mut self, time: Timestamp, op: &Op, note: &Note) -> Result<u64, SpoolError> {
        self.ready(time)?;
        self.scratch.clear();
        let seq = self.next_seq;
        let said = Said {
            seq,
            time,
            op,
            note,
        };
        put_record(&mut self.scratch, &mut self.dictionary, said)
            .inspect_err(|_| self.dictionary.forget_file())?;
        self.commit(seq)
    }

    /// Makes all records so far survive what `durability` names.
    pub fn flush(&mut self, durability: Durability) -> Result<(), SpoolError> {
        if self.forks != fork::count() {
            return self.renounce();
        }
        self.drain()?;
        match durability {
            Durability::Kernel => Ok(()),
            Durability::Disk => {
                self.sync_all();
                self.failure.take().map_or(Ok(()), Err)
            }
        }
    }

    /// What makes durable, from any thread, all that the present file holds when it is asked. Files before it
    /// are on the disk already where nobody syncs in the background.
    pub fn sync_point(&self) -> Option<SyncPoint> {
        let open = self.open.as_ref()?;
        Some(SyncPoint {
            file: Arc::clone(&open.file),
            progress: Arc::clone(&open.progress),
        })
    }

    /// A failure of the disk that no call has told yet, such as one met in the background.
    pub fn take_failure(&mut self) -> Option<SpoolError> {
        if self.forks == fork::count() {
            self.note_failures();
        }
        self.failure.take()
    }

    /// Ends the spool: everything on the disk, the file cut to its length and given up. A file without
    /// records is removed.
    pub fn finish(mut self) -> Result<(), SpoolError> {
        if self.forks != fork::count() {
            return self.renounce();
        }
        self.drain()?;
        self.note_failures();
        let Some(mut open) = self.open.take() else {
            self.sync_retired();
            return self.failure.take().map_or(Ok(()), Err);
        };
        syncing::unregister(&open.progress);
        let ended = if open.is_empty() {
            let unlinked = self.files.unlink(&open.path);
            unlinked.and_then(|()| self.files.sync_dir(&self.dir))
        } else {
            let cut = open.cut();
            if !open.progress.has_failed() {
                open.progress.sync_now(open.file.as_ref());
            }
            cut
        };
        self.sync_retired();
        self.note_failure_of(&open.progress);
        ended.map_err(|source| SpoolError::io("end", &open.path, source))?;
        self.failure.take().map_or(Ok(()), Err)
    }
}

/// Handing frames over.
impl SpoolWriter {
    /// Looks whether the present file can take a record, and takes another one if not.
    #[inline]
    fn ready(&mut self, time: Timestamp) -> Result<(), SpoolError> {
        match &self.open {
            Some(open)
                if self.forks == fork::count()
                    && open.offset < self.full_at
                    && !open.progress.has_failed() =>
            {
                Ok(())
            }
            Some(_) | None => self.change_file(time),
        }
    }

    /// Hands the frames in `scratch` to the kernel.
    #[inline]
    fn commit(&mut self, seq: u64) -> Result<u64, SpoolError> {
        if self.waiting == 0
            && let Some(open) = &mut self.open
        {
            match open.append(&self.scratch) {
                Ok(()) => {
                    self.next_seq += 1;
                    return Ok(seq);
                }
                Err(error) => return self.keep(seq, error),
            }
        }
        match self.drain_backlog() {
            Ok(()) => self.commit(seq),
            Err(error) => self.keep(seq, error),
        }
    }

    /// Keeps the frames in `scratch` for later.
    #[cold]
    fn keep(&mut self, seq: u64, source: io::Error) -> Result<u64, SpoolError> {
        let path = self.dir.clone();
        let bytes = self.backlog.len();
        if bytes > 0 && bytes + self.scratch.len() > BACKLOG {
            self.dictionary.forget_file();
            return Err(SpoolError::Full {
                path,
                bytes,
                source,
            });
        }
        self.backlog.extend_from_slice(&self.scratch);
        self.waiting += 1;
        self.next_seq += 1;
        Err(SpoolError::Waiting { seq, path, source })
    }

    fn drain(&mut self) -> Result<(), SpoolError> {
        if self.waiting == 0 {
            return Ok(());
        }
        // Behind a sync that failed nothing is sure, whatever later ones say: what waits goes into a new file.
        let usable = |open: &OpenSpool| !open.progress.has_failed();
        if !self.open.as_ref().is_some_and(usable) {
            self.change_file(self.header.created)?;
        }
        let seq = self.next_seq - 1;
        self.drain_backlog().map_err(|source| SpoolError::Waiting {
            seq,
            path: self.dir.clone(),
            source,
        })
    }

    #[cold]
    fn drain_backlog(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.open else {
            return Err(io::ErrorKind::NotFound.into());
        };
        open.append(&self.backlog)?;
        self.backlog.clear();
        self.waiting = 0;
        Ok(())
    }
}

impl Drop for SpoolWriter {
    fn drop(&mut self) {
        if self.forks != fork::count() {
            if let Some(open) = self.open.take() {
                open.abandon();
            }
            return;
        }
        // Best effort only: whoever wants to know calls `finish`.
        drop(self.drain());
        if let Some(mut open) = self.open.take() {
            drop(open.cut());
            match self.options.background {
                Background::Thread => syncing::retire(&open.progress),
                Background::None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
