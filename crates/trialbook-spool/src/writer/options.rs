//! How a spool is written, and what may stand beside a record.
//!
//! Invariant: the defaults are safe everywhere; they only cost more or less.

use trialbook_model::id::OperationUid;
use trialbook_model::time::Timestamp;

use crate::frame::{Origin, Signature, flag};

/// How a writer works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolOptions {
    /// Mapped or written.
    pub mode: Mode,
    /// The present time, noted in the header.
    pub created: Timestamp,
    /// User, token or host that records are written for unless they name another.
    pub actor: String,
    /// Bytes at which the next file is begun.
    pub rotate_at: u64,
    /// Who syncs what no flush has synced.
    pub background: Background,
}

impl Default for SpoolOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Auto,
            created: Timestamp::default(),
            actor: String::new(),
            rotate_at: 64 << 20,
            background: Background::Thread,
        }
    }
}

/// How bytes get into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Mapped where that is safe, else written.
    Auto,
    /// As `Auto`: where mapping is not safe, nobody can ask for it.
    Mapped,
    /// One `write(2)` per call: for one-shot commands, which would not repay the mapping.
    Written,
}

/// Who syncs records that no flush asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// A thread of this process, once a second.
    Thread,
    /// Nobody but flushes, full files and the end.
    None,
}

/// What records survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process.
    Kernel,
    /// A power cut.
    Disk,
}

/// What an equal point (series, step, time, value) means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Another point.
    Keep,
    /// The same point again: kept once.
    Set,
}

impl Repeat {
    pub(super) fn flag(self) -> u8 {
        match self {
            Self::Keep => 0,
            Self::Set => flag::SET,
        }
    }
}

/// What may stand beside a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Note {
    /// Who says it, if not the header's actor.
    pub actor: Option<String>,
    /// Identity of the operation, for idempotent retries.
    pub operation: Option<OperationUid>,
    /// Where the record was written first, if not here: a server keeps others' records in its own spool.
    pub origin: Option<Origin>,
}

impl Note {
    pub(crate) fn signature(&self) -> Signature<'_> {
        Signature {
            actor: self.actor.as_deref(),
            operation: self.operation,
            origin: self.origin,
        }
    }
}
