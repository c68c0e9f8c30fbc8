//! Why a blob cannot be packed or read. Not here: what to do about it (the store names the series and goes on).
//!
//! Invariant: messages hold no user data beyond numbers.

use super::bytes::ChunkKind;

/// Why a chunk could not be encoded or decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes end before what they announce.
    #[error("chunk ends inside {part}: {need} bytes expected, {have} left")]
    Truncated {
        /// What was being read.
        part: &'static str,
        /// Bytes wanted.
        need: usize,
        /// Bytes there.
        have: usize,
    },
    /// The stored CRC-32 is not that of the bytes: they were damaged.
    #[error("chunk is damaged: CRC-32 is {computed:08x}, stored is {stored:08x}")]
    Checksum {
        /// As stored.
        stored: u32,
        /// As computed over the bytes found.
        computed: u32,
    },
    /// A whole chunk, but of another kind.
    #[error("chunk is of kind {found}, expected {expected:?}")]
    Kind {
        /// What the caller asked for.
        expected: ChunkKind,
        /// The kind byte found.
        found: u8,
    },
    /// A chunk of a newer format.
    #[error("chunk {kind:?} has format version {found}; this program reads up to {newest}")]
    Version {
        /// Its kind.
        kind: ChunkKind,
        /// Its version.
        found: u8,
        /// The newest version this program reads.
        newest: u8,
    },
    /// A whole chunk whose contents contradict themselves (a writer's mistake, or a forged CRC).
    #[error("chunk contents contradict themselves: {part}")]
    Malformed {
        /// Which rule is broken.
        part: &'static str,
    },
    /// More entries than one chunk may hold, or columns of different lengths.
    #[error("{part} has {found} entries, allowed are {allowed}")]
    Count {
        /// Which list.
        part: &'static str,
        /// Its length.
        found: usize,
        /// The length allowed (at most, or exactly where two columns must agree).
        allowed: usize,
    },
    /// The numeric codec refused a column.
    #[error("numeric column {part} cannot be coded")]
    Number {
        /// Which column.
        part: &'static str,
        /// The codec's reason.
        #[source]
        source: pco::errors::PcoError,
    },
}
