//! Where a file of the proxy belongs in the book, and what is there.
//!
//! Invariant: a path has one place, whichever client names it, and never leads out of the book.

use std::collections::BTreeMap;
use std::sync::Arc;

use trialbook_model::id::RunUid;
use trialbook_model::record::{PutArtifact, Subject};
use trialbook_model::state::{DEFAULT_PROJECT, ProjectState, Records};
use trialbook_store::nouns::{EntryRow, ExperimentRow, RunRow};
use trialbook_store::reading::Reading as _;

use super::ArtifactError;
use crate::desk::Look;
use crate::mlflow::error::Refusal;
use crate::mlflow::experiments;
use crate::mlflow::limits::normal;
use crate::mlflow::{logged_models, registry};

/// A noun that has files.
pub(super) enum Shelf {
    /// A run.
    Run(Arc<RunRow>),
    /// A logged model.
    Model(Box<EntryRow>),
    /// An experiment: what was put beside its runs and models, such as files of traces.
    Experiment(Arc<ExperimentRow>),
    /// A project: what belongs to no experiment.
    Project(Box<ProjectState>),
}

impl Shelf {
    /// What operations speak of.
    pub(super) fn subject(&self) -> Subject {
        match self {
            Self::Run(row) => Subject::Run(row.uid),
            Self::Model(row) => registry::subject(row),
            Self::Experiment(row) => Subject::Experiment(experiments::uid_of(row)),
            Self::Project(_) => Subject::Project(DEFAULT_PROJECT.to_owned()),
        }
    }

    fn records(&self) -> &Records {
        match self {
            Self::Run(row) => &row.state.records,
            Self::Model(row) => &row.state.records,
            Self::Experiment(row) => &row.state.records,
            Self::Project(state) => &state.records,
        }
    }

    /// The file of a path, as it was put last.
    pub(super) fn file(&self, path: &str) -> Option<&PutArtifact> {
        let versions = self.records().artifacts.get(path)?;
        let last = &versions.last()?.value;
        (!last.removed).then_some(last)
    }

    /// All files inside of a folder, or all there are; a file is not inside of itself.
    pub(super) fn files(&self, folder: &str) -> impl Iterator<Item = &PutArtifact> {
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let from = self.records().artifacts.range(prefix.clone()..);
        from.take_while(move |(path, _)| path.starts_with(&prefix))
            .filter_map(|(_, versions)| Some(&versions.last()?.value))
            .filter(|file| !file.removed)
    }

    /// What stands directly in a folder: names, and of files their sizes.
    pub(super) fn entries(&self, folder: &str) -> BTreeMap<&str, Entry> {
        let mut entries = BTreeMap::new();
        let skipped = if folder.is_empty() {
            0
        } else {
            folder.len() + 1
        };
        for file in self.files(folder) {
            let inside = &file.path[skipped..];
            match inside.split_once('/') {
                Some((name, _)) => entries.insert(name, Entry::Folder),
                None => entries.insert(inside, Entry::File(file.size)),
            };
        }
        entries
    }
}

/// What stands in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// A folder.
    Folder,
    /// A file and its size, if that is known.
    File(Option<u64>),
}

/// The shelf of a path of the proxy and the path inside of it, which is empty for the shelf itself.
pub(super) fn shelf(look: &Look<'_>, path: &str) -> Result<(Shelf, String), Refusal> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for (at, part) in parts.iter().enumerate() {
        let is_folder = parts.get(at + 1).is_some_and(|next| *next == "artifacts");
        if is_folder
            && let Ok(uid) = part.parse::<RunUid>()
            && let Some(row) = look.run_of(uid)?
        {
            return Ok((Shelf::Run(row), parts[at + 2..].join("/")));
        }
        if is_folder && let Ok(row) = logged_models::find_any(look, part) {
            return Ok((Shelf::Model(Box::new(row)), parts[at + 2..].join("/")));
        }
    }
    if let Some(first) = parts.first()
        && let Ok(Some(no)) = experiments::number(first)
        && let Some(row) = look.experiment_of(no)?
    {
        return Ok((Shelf::Experiment(row), parts[1..].join("/")));
    }
    let project = look.project(DEFAULT_PROJECT)?;
    Ok((Shelf::Project(Box::new(project)), parts.join("/")))
}

/// A path as it is kept; refuses one that leads elsewhere. The empty path is the whole.
pub(super) fn safe(path: &str) -> Result<String, ArtifactError> {
    let has_drive = path.as_bytes().get(1) == Some(&b':') && path.len() > 2;
    let leads_out = path.starts_with('/')
        || path.split('/').any(|part| part == "..")
        || path.contains(['\\', '#', '\0'])
        || path.starts_with("file:")
        || has_drive;
    if leads_out {
        return Err(ArtifactError::Path);
    }
    match normal(path).as_str() {
        "." => Ok(String::new()),
        path => Ok(path.to_owned()),
    }
}
