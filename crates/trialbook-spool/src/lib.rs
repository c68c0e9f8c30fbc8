//! How a record is written so that it cannot be lost: frames, spool files, and the codecs of chunks.
//!
//! A writer appends framed, checked operations to a file of its own ([`SpoolWriter`]); readers and the
//! sealer follow it ([`SpoolReader`], [`Frames`]) and find out who still writes ([`list`]). Every touch
//! of the disk goes through [`Files`], so that a simulated disk can stand in ([`sim`]).
//! Not here: SQL, HTTP, what an operation does to the book. Layouts: `docs/format/spool.md`.
//!
//! Invariant: a record that was acknowledged is read back once, exact and in its writer's order, within
//! the durability that was promised; what cannot be read back is named.

pub mod codec;
mod error;
pub mod files;
pub mod frame;
mod header;
mod liveness;
mod reader;
pub mod sim;

mod writer;

#[cfg(test)]
mod tests;

pub use error::{SpoolError, code_of_io};
pub use files::{Access, FileHandle, Files, Identity, Segment, SystemFiles, is_network};
pub use frame::{Origin, PointsView};
pub use header::{Header, name_of};
pub use liveness::{
    ClaimedSpool, Liveness, SpoolFile, claim_dead, inspect, list, remove_unfinished,
};
pub use reader::{
    Content, End, Frame, FrameError, Frames, Lost, Past, ReaderState, SpoolReader, Tail, Trust,
};
pub use writer::{
    Background, BatchError, Durability, FrameBatch, KeyIndex, LogCall, Mode, Note, Repeat,
    SpoolOptions, SpoolWriter, SubjectIndex, SyncPoint, read_batch,
};
