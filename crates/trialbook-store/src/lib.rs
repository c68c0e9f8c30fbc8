//! What is remembered, and how it is found again: seal, chunks, the column index, queries, back ends,
//! artifacts, backup.
//!
//! Not here: rules of experiments (the model has them), HTTP. Invariant: what was acknowledged is read once,
//! never twice and never not at all, at any moment and after any crash that `docs/format/` speaks of.

mod archive;
pub mod artifacts;
pub mod asking;
mod backend;
mod backup;
mod beside;
pub mod book;
pub mod check;
#[cfg(test)]
mod contract;
mod draft;
pub mod error;
mod fetch;
mod fold;
mod folders;
pub mod gc;
pub mod index;
mod indexes;
pub mod live;
mod memory;
pub mod nouns;
mod pack;
pub mod query;
pub mod reading;
pub mod rebuild;
pub mod recorder;
pub mod reference;
mod seal;
mod sealed;
mod sequences;
mod shares;
mod sqlite;
mod tails;
pub mod view;

pub use archive::{ArchiveReport, unpack_archive};
pub use artifacts::{ArtifactReader, ArtifactSum, Artifacts};
pub use beside::{seal_if_large, sealing_beside};
pub use book::{Access, Book, Effort, SealOutcome, SealReport};
pub use check::{CheckReport, Depth, Finding};
pub use draft::Draft;
pub use error::{BOOK_FORMAT, BookError, Elsewhere, Refusal};
pub use fetch::Standing;
pub use rebuild::RebuildReport;
pub use recorder::{Recorder, RecorderOptions};
pub use sqlite::program_of;
pub use view::BookView;
