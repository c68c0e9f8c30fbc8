//! A stream as one JSON document: `{"format": "trialbook-export", "version": 1, "records": [ … ], "count": N}`,
//! a record a line. `docs/format/export.md` describes it.
//!
//! Not here: what records mean. Invariant: neither side holds more than some records in memory; a document that
//! is cut off anywhere is noticed.

mod cut;
mod read;
mod write;

pub use read::{is_document, read};
pub use write::Writer;

/// The name of the format.
pub const FORMAT: &str = "trialbook-export";

/// The version that is written, and the newest that is read.
pub const VERSION: u64 = 1;

#[cfg(test)]
mod tests;
