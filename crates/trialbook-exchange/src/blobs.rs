//! The bytes of files beside a stream: each under its SHA-256 in one folder.
//!
//! Not here: which records speak of them. Invariant: bytes under a sum have that sum, on both sides.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use trialbook_model::record::{Op, PutArtifact};
use trialbook_store::{Artifacts, BookError, Standing};

use crate::error::{ImportError, Place, Problem};
use crate::record::{Record, Said};

/// What became of some bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moved {
    /// How many files were copied, or were there already.
    pub files: u64,
    /// The sums of bytes that are not there.
    pub missing: BTreeSet<String>,
}

/// Adds the sums of the bytes that a record speaks of.
pub fn sums(record: &Record, into: &mut BTreeSet<String>) {
    let Record::Said(Said { op, .. }) = record else {
        return;
    };
    if let Op::PutArtifact(PutArtifact { sha256, .. }) = op {
        into.extend(sha256.clone());
    } else if let Op::Item(item) = op {
        let texts = [&item.input, &item.output].into_iter().flatten();
        let named = texts.filter_map(|text| text.strip_prefix("sha256:"));
        into.extend(named.filter(|sum| is_sum(sum)).map(str::to_owned));
    }
}

/// Whether a text is a SHA-256 as we write it.
pub(crate) fn is_sum(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

/// Copies bytes of a book to a folder. What is lost in the book is told, and does not hinder the rest.
pub fn give(
    artifacts: &Artifacts,
    wanted: &BTreeSet<String>,
    folder: &Path,
) -> Result<Moved, BookError> {
    let mut moved = Moved::default();
    for sum in wanted {
        let to = folder.join(sum);
        if Artifacts::standing(sum, &to)? == Standing::Same {
            moved.files += 1;
            continue;
        }
        match artifacts.fetch(sum, &to) {
            Ok(()) => moved.files += 1,
            Err(BookError::ArtifactMissing { .. } | BookError::ArtifactChanged { .. }) => {
                moved.missing.insert(sum.clone());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(moved)
}

/// Copies bytes from a folder to a book; those that the folder does not have are told, unless the book has
/// them.
pub fn take(
    artifacts: &Artifacts,
    wanted: &BTreeSet<String>,
    folder: &Path,
) -> Result<Moved, ImportError> {
    let mut moved = Moved::default();
    for sum in wanted {
        let from = folder.join(sum);
        if !from.is_file() {
            if !artifacts.contains(sum) {
                moved.missing.insert(sum.clone());
            }
            continue;
        }
        let found = artifacts.put_file(&from)?;
        if found.sha256 != *sum {
            let sha256 = sum.clone();
            let place = Place::file(&from);
            return Err(ImportError::at(&place, Problem::Bytes { sha256 }));
        }
        moved.files += 1;
    }
    Ok(moved)
}

/// The folder for the bytes of a document.
pub fn folder_of(document: &Path) -> PathBuf {
    let mut name = document.file_name().unwrap_or_default().to_os_string();
    name.push(".artifacts");
    document.with_file_name(name)
}
