//! What others recorded elsewhere, brought to a book in service.
//!
//! Not here: the wire. Invariant: a record is taken once, by its writer and number, however often it is brought,
//! also after a restart and a seal.

use trialbook_model::id::WriterUid;
use trialbook_model::record::Signed;

use super::Live;
use crate::error::BookError;
use crate::fold::Batch;

/// What it means that records are missing between those that are known and those that are brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// They are to be brought first.
    Refused,
    /// They are lost, as whoever brings the others has found out.
    Lost,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Everything is in the book.
    Taken {
        /// Records that were new.
        new: u64,
        /// Records that were in it already.
        repeated: u64,
    },
    /// Nothing was taken: records are missing before these.
    Missing {
        /// Whose.
        writer: WriterUid,
        /// The first one that is missing.
        expected: u64,
    },
}

impl Default for Delivery {
    fn default() -> Self {
        Self::Taken {
            new: 0,
            repeated: 0,
        }
    }
}

impl Live<'_> {
    /// Takes in what others recorded elsewhere. It is seen at once, and durable after the sync point was synced.
    pub fn deliver(&mut self, records: &[Signed], gaps: Gaps) -> Result<Delivery, BookError> {
        let delivered = self.try_to_deliver(records, gaps);
        self.dropping_on_failure(delivered)
    }

    fn try_to_deliver(&mut self, records: &[Signed], gaps: Gaps) -> Result<Delivery, BookError> {
        if records.is_empty() {
            return Ok(Delivery::default());
        }
        let state = self.ready_to_write()?;
        let before = state.own_bytes();
        let mut batch = Batch::default();
        let delivered = state.deliver(records, gaps, &mut batch.operations);
        let bytes = state.own_bytes().saturating_sub(before);
        batch.records = batch.operations.len() as u64;
        self.fold(batch, bytes)?;
        delivered
    }

    /// Which records of writers are in the book, as ranges of their numbers.
    pub fn numbers_of(&mut self, writers: &[WriterUid]) -> Result<Vec<Vec<(u64, u64)>>, BookError> {
        self.begin()?;
        let state = self.state.as_mut().expect("it was just begun");
        writers.iter().map(|it| state.numbers_of(*it)).collect()
    }
}
