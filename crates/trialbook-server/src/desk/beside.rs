//! A desk beside another process that has the book in service: it neither has the lease nor waits for it.
//!
//! Each request looks at the book anew and what it says goes into a spool of this process, as with any logger.
//! Slower than a desk in service, and between two processes nothing is decided: where both give a param a value,
//! the seal keeps the earlier one. Invariant: a write is answered only when it is on the disk.

use std::sync::{Arc, Mutex, PoisonError};

use trialbook_model::time::Clock;
use trialbook_spool::{Background, Durability};
use trialbook_store::{Book, BookError, Recorder, RecorderOptions};

use super::{Actor, DeskError, DeskOptions, Draft, Look};

/// What writes beside others.
pub(super) struct Beside {
    clock: Arc<dyn Clock>,
    /// `None` once it has ended.
    recorder: Mutex<Option<Recorder>>,
}

impl Beside {
    pub(super) fn open(book: &Book, options: DeskOptions) -> Result<Self, BookError> {
        let DeskOptions { clock, actor } = options;
        let recorder = book.recorder(RecorderOptions {
            background: Background::None,
            ..RecorderOptions::new(actor, Arc::clone(&clock))
        })?;
        Ok(Self {
            clock,
            recorder: Mutex::new(Some(recorder)),
        })
    }

    /// Decides and writes; one request at a time.
    pub(super) fn write<T, E: From<DeskError>>(
        &self,
        book: &Book,
        actor: &Actor,
        decide: impl FnOnce(&Look<'_>, &mut Draft) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        let recorder = recorder.as_mut().ok_or(DeskError::Closed)?;
        let mut draft = Draft::new(self.clock.now(), &actor.name, actor.key.clone());
        let told = {
            let look = Look::new(book.view().map_err(DeskError::from)?);
            decide(&look, &mut draft)?
        };
        for (op, note) in &draft.said {
            recorder.record_with(op, note).map_err(DeskError::from)?;
        }
        if !draft.said.is_empty() {
            recorder.flush(Durability::Disk).map_err(DeskError::from)?;
        }
        Ok(told)
    }

    /// Ends the spool.
    pub(super) fn close(&self) {
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(recorder) = recorder.take() {
            // What was acknowledged is on the disk already.
            recorder.finish().ok();
        }
    }
}
