//! The thread that decides and writes.
//!
//! Not here: who waits for it. Invariant: of several requests that wait at once, one sync makes all durable;
//! nothing is answered before it.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::watch;
use trialbook_model::time::Clock;
use trialbook_spool::Durability;
use trialbook_store::{Book, Effort, Recorder, RecorderOptions};

use super::{Actor, DeskError, DeskOptions, Draft, Look};

/// Tells a request how it ended, once it is known whether its words are on the disk.
pub(super) type Settle = Box<dyn FnOnce(Result<(), DeskError>) + Send>;

/// What a request does at the desk.
pub(super) type Job = Box<dyn FnOnce(&mut Worker) -> Settle + Send>;

/// Requests that one sync is for, at most.
const MOST_AT_ONCE: usize = 1024;

/// The thread's own state.
pub(super) struct Worker {
    book: Arc<Book>,
    clock: Arc<dyn Clock>,
    recorder: Option<Recorder>,
    ticks: watch::Sender<u64>,
    written: bool,
    stopped: bool,
}

impl Worker {
    pub(super) fn open(
        book: Arc<Book>,
        options: DeskOptions,
        ticks: watch::Sender<u64>,
    ) -> Result<Self, DeskError> {
        let DeskOptions { clock, actor } = options;
        let recorder = book.recorder(RecorderOptions::new(actor, Arc::clone(&clock)))?;
        Ok(Self {
            book,
            clock,
            recorder: Some(recorder),
            ticks,
            written: false,
            stopped: false,
        })
    }

    /// Works until it is stopped or nobody can ask any more.
    pub(super) fn run(mut self, queue: &Receiver<Job>) {
        while !self.stopped
            && let Ok(first) = queue.recv()
        {
            let jobs = std::iter::once(first)
                .chain(queue.try_iter())
                .take(MOST_AT_ONCE);
            let settles: Vec<Settle> = jobs.map(|job| job(&mut self)).collect();
            let synced = self.sync();
            for settle in settles {
                settle(synced.clone());
            }
            // What hinders a seal hinders no write; the next one meets it again.
            self.book.seal(Effort::IfLarge).ok();
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.finish().ok();
        }
    }

    /// Runs one decision and writes what it says.
    pub(super) fn decide<T, E: From<DeskError>>(
        &mut self,
        actor: &Actor,
        decide: impl FnOnce(&Look<'_>, &mut Draft) -> Result<T, E>,
    ) -> Result<T, E> {
        let book = Arc::clone(&self.book);
        let look = Look::new(book.view().map_err(DeskError::from)?);
        let mut draft = Draft::new(self.clock.now(), &actor.name, actor.key.clone());
        let told = decide(&look, &mut draft)?;
        let Some(recorder) = &mut self.recorder else {
            return Err(DeskError::Closed.into());
        };
        for (op, note) in &draft.said {
            recorder.record_with(op, note).map_err(DeskError::from)?;
            self.written = true;
        }
        Ok(told)
    }

    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    fn sync(&mut self) -> Result<(), DeskError> {
        if !std::mem::take(&mut self.written) {
            return Ok(());
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.flush(Durability::Disk)?;
        }
        self.ticks.send_modify(|tick| *tick += 1);
        Ok(())
    }
}
