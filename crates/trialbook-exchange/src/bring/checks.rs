//! What of a record cannot be right, whatever the book holds.
//!
//! Not here: conflicts with the book. Invariant: a record that passes can do no harm outside the book.

use trialbook_model::canonical;
use trialbook_model::record::{LinkSnapshot, Op};

use crate::blobs;
use crate::error::{ImportError, Place, Problem};
use crate::record::Record;

/// Refuses a record that cannot be right.
pub(super) fn check(place: &Place, record: &Record) -> Result<(), ImportError> {
    let Record::Said(said) = record else {
        return Ok(());
    };
    if let Op::LinkSnapshot(LinkSnapshot {
        sha256,
        document: Some(document),
        ..
    }) = &said.op
        && canonical::hash(document) != *sha256
    {
        let sha256 = sha256.clone();
        return Err(ImportError::at(place, Problem::Snapshot { sha256 }));
    }
    let Op::PutArtifact(artifact) = &said.op else {
        return Ok(());
    };
    let sum = artifact.sha256.as_deref();
    let (key, expected) = if !is_inside(&artifact.path) {
        let expected = "a path with `/` between its parts, without `..`";
        ("put_artifact.path", expected)
    } else if sum.is_some_and(|sum| !blobs::is_sum(sum)) {
        ("put_artifact.sha256", "64 lower-case hex digits")
    } else {
        return Ok(());
    };
    let key = key.to_owned();
    Err(ImportError::at(place, Problem::Value { key, expected }))
}

/// Whether a path stays inside its subject.
fn is_inside(path: &str) -> bool {
    !path.contains('\0') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
