//! How do experiments go from one book to another, and in which files? Everything of a book as a stream of
//! records, the files that hold such a stream, and the way of a stream into a book.
//!
//! Not here: how a book keeps things, what is concluded from them, command lines. Invariant: what one book
//! gives and an empty one takes in is given again equal, byte for byte; a stream is taken in whole or not at
//! all.

pub mod blobs;
pub mod bring;
pub mod document;
pub mod error;
pub mod gather;
pub mod layout;
pub mod mlflow;
pub mod record;
pub mod source;
pub mod table;
pub mod tracker;

pub use bring::{Arrival, Conflicts, Summary};
pub use error::{ExportError, ImportError, Place, Problem};
pub use gather::{Gather, Selection};
pub use record::{Block, Record, Said};
