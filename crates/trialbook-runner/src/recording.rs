//! The one recorder of a process as a sink for all wrappers.
//!
//! Invariant: a call that failed has recorded nothing more; the reason is told to whoever called.

use std::sync::{Mutex, PoisonError};

use trialbook_model::record::Op;
use trialbook_spool::Durability;
use trialbook_store::{BookError, Recorder};

use crate::wrapper::{RecordError, Sink};

/// A recorder that threads share.
pub struct SharedRecorder {
    recorder: Mutex<Recorder>,
}

impl SharedRecorder {
    /// Shares a recorder.
    pub fn new(recorder: Recorder) -> Self {
        Self {
            recorder: Mutex::new(recorder),
        }
    }

    /// Makes everything recorded so far survive a power cut.
    pub fn flush(&self) -> Result<(), BookError> {
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        recorder.flush(Durability::Disk)
    }

    /// Ends the recorder's spool.
    pub fn finish(self) -> Result<(), BookError> {
        let recorder = self.recorder.into_inner();
        recorder.unwrap_or_else(PoisonError::into_inner).finish()
    }
}

impl Sink for SharedRecorder {
    fn record(&self, op: Op) -> Result<(), RecordError> {
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        match recorder.record(&op) {
            Ok(_stamp) => Ok(()),
            Err(error) => Err(RecordError {
                source: Box::new(error),
            }),
        }
    }
}
