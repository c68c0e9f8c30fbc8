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

mod dictionary;
mod fork;
mod open;
mod options;
mod syncing;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use trialbook_model::id::{Uid, WriterUid};
use trialbook_model::record::{Op, Points, SeriesKey, Subject};
use trialbook_model::time::Timestamp;

use self::dictionary::Dictionary;
use self::open::{Chosen, OpenSpool};
pub use self::options::{Background, Durability, Mode, Note, Repeat, SpoolOptions};
use self::syncing::Progress;
use crate::error::SpoolError;
use crate::files::{FileHandle, Files, SystemFiles};
use crate::frame::{
    self, Head, PointsHead, flag, kind, kind_of, put_body, put_payload, put_points, put_signature,
};
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
        files
            .make_dir(&dir)
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
        self.next_seq
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
        let framed = match op {
            Op::Points(points) => self.frame_points(time, points, note),
            Op::CreateExperiment(_)
            | Op::StartRun(_)
            | Op::SetStatus(_)
            | Op::SetParams(_)
            | Op::SetTags(_)
            | Op::SetField(_)
            | Op::PutNote(_)
            | Op::SetPointer(_)
            | Op::DefineMetric(_)
            | Op::Event(_)
            | Op::Log(_)
            | Op::Item(_)
            | Op::Assess(_)
            | Op::PutArtifact(_)
            | Op::LinkSnapshot(_)
            | Op::Progress(_)
            | Op::Heartbeat(_)
            | Op::Purge(_)
            | Op::Unknown { .. } => self.frame_op(time, op, note),
        };
        framed.inspect_err(|_| self.dictionary.forget_file())?;
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
        let Some(mut open) = self.open.take() else {
            return Ok(());
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

/// Frames.
impl SpoolWriter {
    fn frame_points(
        &mut self,
        time: Timestamp,
        points: &Points,
        note: &Note,
    ) -> Result<(), SpoolError> {
        let seq = self.next_seq;
        let subject = self.dictionary.subject(&points.subject);
        let pairs: Vec<_> = points
            .values
            .iter()
            .map(|(key, value)| (self.dictionary.key(key), *value))
            .collect();
        self.dictionary
            .define(&mut self.scratch, seq, subject, &pairs)?;
        let own_time = if points.time == time {
            0
        } else {
            flag::OWN_TIME
        };
        let set = if points.set { flag::SET } else { 0 };
        let start = self.open_record(time, kind::POINTS, own_time | set, note);
        if own_time != 0 {
            self.scratch.extend_from_slice(&points.time.0.to_le_bytes());
        }
        put_body(&mut self.scratch, subject.0, points.step, &pairs);
        self.close_record(start)
    }

    fn frame_op(&mut self, time: Timestamp, op: &Op, note: &Note) -> Result<(), SpoolError> {
        let kind = kind_of(op);
        if kind < kind::FIRST_RECORD {
            return Err(SpoolError::ReservedKind { kind });
        }
        let start = self.open_record(time, kind, 0, note);
        put_payload(&mut self.scratch, op).map_err(SpoolError::Encode)?;
        self.close_record(start)
    }

    fn open_record(&mut self, time: Timestamp, kind: u8, flags: u8, note: &Note) -> usize {
        let actor = note.actor.as_deref();
        let head = Head {
            seq: self.next_seq,
            time: time.0,
            kind,
            flags: flags | frame::flags_of(actor, note.operation),
        };
        let start = frame::open(&mut self.scratch, head);
        put_signature(&mut self.scratch, actor, note.operation);
        start
    }

    fn close_record(&mut self, start: usize) -> Result<(), SpoolError> {
        let bytes = self.scratch.len() - start;
        if frame::close(&mut self.scratch, start) {
            Ok(())
        } else {
            Err(SpoolError::TooLong { bytes })
        }
    }
}

/// Files.
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
        if self.open.is_none() {
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

    /// Goes on in another file: after a fork, when this one is full or failed, or when there is none.
    #[cold]
    fn change_file(&mut self, time: Timestamp) -> Result<(), SpoolError> {
        if self.forks != fork::count() {
            self.renounce()?;
        }
        self.note_failures();
        let usable = match &self.open {
            Some(open) if !open.progress.has_failed() => {
                if self.waiting > 0 {
                    // What waits belongs into this file, whose definitions it relies on.
                    return Ok(());
                }
                true
            }
            Some(_) | None => false,
        };
        if !usable && let Some(mut failed) = self.open.take() {
            syncing::unregister(&failed.progress);
            drop(failed.cut());
        }
        match self.open_file(time) {
            Ok(fresh) => {
                self.full_at = self.options.rotate_at;
                if let Some(old) = self.open.replace(fresh) {
                    self.retire(old);
                }
                self.redefine_backlog()
            }
            Err(_) if usable => {
                self.full_at += POSTPONED;
                Ok(())
            }
            Err(error) if self.waiting == 0 => Err(error),
            Err(_still_no_file) => Ok(()),
        }
    }

    /// What waits was framed for a file that is gone: the new one needs all definitions first.
    fn redefine_backlog(&mut self) -> Result<(), SpoolError> {
        self.dictionary.forget_file();
        if self.waiting == 0 {
            return Ok(());
        }
        let mut frames = Vec::new();
        let first = self.next_seq - self.waiting;
        self.dictionary.define_all(&mut frames, first)?;
        frames.append(&mut self.backlog);
        self.backlog = frames;
        Ok(())
    }

    fn begin_lineage(&mut self) -> Result<(), SpoolError> {
        let mut uid = [0; 16];
        self.files
            .random(&mut uid)
            .map_err(|source| SpoolError::io("name", &self.dir, source))?;
        let identity = self.files.identity();
        self.header = Header {
            writer: WriterUid(Uid(uid)),
            file: 0,
            first_seq: 1,
            created: self.options.created,
            actor: self.options.actor.clone(),
            host: identity.host,
            boot: identity.boot,
            pid: identity.pid,
            pid_namespace: identity.pid_namespace,
            started: identity.started,
        };
        Ok(())
    }

    fn open_file(&mut self, time: Timestamp) -> Result<OpenSpool, SpoolError> {
        self.header.created = time;
        self.header.first_seq = self.next_seq - self.waiting;
        let open = OpenSpool::create(self.files.as_ref(), &self.dir, &self.header, self.chosen)?;
        self.header.file += 1;
        match self.options.background {
            Background::Thread => syncing::register(&open.file, &open.progress),
            Background::None => {}
        }
        Ok(open)
    }

    /// Ends a full file without waiting for the disk.
    fn retire(&mut self, mut old: OpenSpool) {
        // A file that keeps its zeros is read all the same.
        drop(old.cut());
        match self.options.background {
            Background::Thread => {
                let watched = (Arc::downgrade(&old.file), Arc::clone(&old.progress));
                self.retired.retain(|(_, progress)| !progress.is_settled());
                self.retired.push(watched);
                syncing::retire(&old.progress);
            }
            Background::None => {
                old.progress.sync(old.file.as_ref());
                self.note_failure_of(&old.progress);
            }
        }
    }

    fn sync_all(&mut self) {
        self.sync_retired();
        if let Some(open) = &self.open {
            open.progress.sync(open.file.as_ref());
        }
        self.note_failures();
    }

    fn sync_retired(&mut self) {
        for (file, progress) in std::mem::take(&mut self.retired) {
            if let Some(file) = file.upgrade() {
                progress.sync(file.as_ref());
            }
            self.note_failure_of(&progress);
        }
    }

    fn note_failures(&mut self) {
        if let Some(open) = &self.open {
            let progress = Arc::clone(&open.progress);
            self.note_failure_of(&progress);
        }
        let retired = std::mem::take(&mut self.retired);
        for (_, progress) in &retired {
            self.note_failure_of(progress);
        }
        self.retired = retired;
    }

    fn note_failure_of(&mut self, progress: &Progress) {
        if let Some(source) = progress.take_failure() {
            self.failure = Some(SpoolError::SyncFailed {
                path: progress.path.clone(),
                from: progress.durable(),
                source,
            });
        }
    }

    /// In a child after a fork: leaves everything to the parent and becomes a writer of its own.
    #[cold]
    fn renounce(&mut self) -> Result<(), SpoolError> {
        if let Some(open) = self.open.take() {
            open.abandon();
        }
        syncing::leave_parents();
        self.retired.clear();
        self.backlog.clear();
        self.waiting = 0;
        self.failure = None;
        self.next_seq = 1;
        self.forks = fork::count();
        self.begin_lineage()
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
