//! The files of a run on their way into a book.
//!
//! Invariant: a file that the book has is not read again where its size and time tell that it is the same.

use trialbook_model::record::{Op, PutArtifact, Subject};
use trialbook_model::time::Timestamp;
use trialbook_store::Artifacts;
use trialbook_store::nouns::RunRow;
use trialbook_store::reading::Reading as _;

use super::super::artifacts::{Found, Manner, address};
use super::super::said::Life;
use super::super::store::{Experiment, Run};
use super::super::words;
use super::Joining;
use crate::error::ImportError;

impl Joining<'_> {
    /// Decides what becomes of the files of a run, and puts bytes that are to be kept.
    pub(in crate::mlflow) fn keep(
        &self,
        run: &Run,
        of: &Experiment,
        files: Vec<Found>,
        (manner, artifacts): (Manner, &Artifacts),
    ) -> Result<Vec<Kept>, ImportError> {
        let life = Life::of(run, of);
        let row = self.view.run_by_uid(words::run_uid(&run.id))?;
        let mut kept = Vec::new();
        for file in files {
            let time = file.changed.clamp(life.begin, life.end);
            let held = row.as_ref().and_then(|row| {
                let versions = row.state.records.artifacts.get(&file.path)?;
                versions.last()
            });
            // One that was written when the book's was, and has its size, is not read again.
            let is_read = held.is_some_and(|held| {
                let same_size = held.value.size == Some(file.size);
                same_size && held.stamp.time == file.changed && time == file.changed
            });
            let (sha256, uri) = match manner {
                Manner::Copy if is_read => held.map_or((None, None), |held| {
                    (held.value.sha256.clone(), held.value.uri.clone())
                }),
                Manner::Copy => (Some(artifacts.put_file(&file.file)?.sha256), None),
                Manner::Reference => (None, Some(address(&file.file))),
                Manner::Leave => continue,
            };
            kept.push(Kept {
                path: file.path,
                size: file.size,
                sha256,
                uri,
                time,
            });
        }
        Ok(kept)
    }
}

/// The files of a run.
#[derive(Debug, Default)]
pub(in crate::mlflow) struct Files {
    pub(in crate::mlflow) kept: Vec<Kept>,
    /// Where they are, if they are not read here.
    pub(in crate::mlflow) elsewhere: Option<String>,
}

/// A file of a run as the book gets to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mlflow) struct Kept {
    path: String,
    size: u64,
    pub(in crate::mlflow) sha256: Option<String>,
    uri: Option<String>,
    pub(super) time: Timestamp,
}

impl Kept {
    pub(super) fn op(&self, subject: Subject) -> Op {
        Op::PutArtifact(PutArtifact {
            subject,
            path: self.path.clone(),
            sha256: self.sha256.clone(),
            size: Some(self.size),
            uri: self.uri.clone(),
            r#type: None,
            role: None,
            step: None,
            description: None,
            removed: false,
        })
    }

    /// Whether no version in the book is this one.
    pub(super) fn is_news(&self, row: &RunRow) -> bool {
        let versions = row.state.records.artifacts.get(&self.path);
        let mut versions = versions.into_iter().flatten();
        !versions.any(|held| held.value.sha256 == self.sha256 && held.value.uri == self.uri)
    }
}
