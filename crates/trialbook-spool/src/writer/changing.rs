//! Going from file to file: when one is full or failed, and after a fork.
//!
//! Invariant: sequence numbers and the meaning of indexes go on over all files of a lineage; a file that
//! was left is either on the disk, watched until it is, or told as failed.

use std::sync::Arc;

use trialbook_model::id::{Uid, WriterUid};
use trialbook_model::time::Timestamp;

use super::open::OpenSpool;
use super::syncing::{self, Progress};
use super::{Background, POSTPONED, SpoolWriter, fork};
use crate::error::SpoolError;
use crate::header::Header;

impl SpoolWriter {
    /// Goes on in another file: after a fork, when this one is full or failed, or when there is none.
    #[cold]
    pub(super) fn change_file(&mut self, time: Timestamp) -> Result<(), SpoolError> {
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
    pub(super) fn redefine_backlog(&mut self) -> Result<(), SpoolError> {
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

    pub(super) fn begin_lineage(&mut self) -> Result<(), SpoolError> {
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

    pub(super) fn open_file(&mut self, time: Timestamp) -> Result<OpenSpool, SpoolError> {
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
    pub(super) fn retire(&mut self, mut old: OpenSpool) {
        // A file that keeps its zeros is read all the same.
        drop(old.cut());
        match self.options.background {
            Background::Thread => {
                let watched = (Arc::downgrade(&old.file), Arc::clone(&old.progress));
                self.note_failures();
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

    pub(super) fn sync_all(&mut self) {
        self.sync_retired();
        if let Some(open) = &self.open {
            open.progress.sync(open.file.as_ref());
        }
        self.note_failures();
    }

    pub(super) fn sync_retired(&mut self) {
        for (file, progress) in std::mem::take(&mut self.retired) {
            if let Some(file) = file.upgrade() {
                progress.sync(file.as_ref());
            }
            self.note_failure_of(&progress);
        }
    }

    pub(super) fn note_failures(&mut self) {
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

    pub(super) fn note_failure_of(&mut self, progress: &Progress) {
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
    pub(super) fn renounce(&mut self) -> Result<(), SpoolError> {
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
