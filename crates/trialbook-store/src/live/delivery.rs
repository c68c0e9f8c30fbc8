//! What others recorded elsewhere, brought to a book in service.
//!
//! Not here: the wire. Invariant: a record is taken once, by its writer and number, however often it is brought,
//! also after a restart and a seal.

use trialbook_model::id::WriterUid;

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
