//! `artifacts/list`: what stands in a folder of a run.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use trialbook_store::nouns::EntryRow;

use super::place::{Entry, Shelf, safe};
use crate::app::App;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::experiments::ExperimentError;
use crate::mlflow::logged_models;
use crate::mlflow::runs::{self, Facts};
use crate::mlflow::wire::message;

message! {
    /// Which folder is wanted.
    pub(super) struct List {
        run_id / "runId": Option<String>,
        run_uuid / "runUuid": Option<String>,
        path: Option<String>,
        page_token / "pageToken": Option<String>,
    }
}

/// A file or a folder.
#[derive(Serialize)]
pub(super) struct File {
    path: String,
    is_dir: bool,
    #[serde(rename = "file_size", skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

/// What stands in a folder; each path begins with `prefix`.
pub(super) fn files(shelf: &Shelf, folder: &str, prefix: &str) -> Vec<File> {
    let entries = shelf.entries(folder).into_iter();
    let listed = entries.map(|(name, entry)| {
        let (is_dir, size) = match entry {
            Entry::Folder => (true, None),
            Entry::File(size) => (false, size),
        };
        File {
            path: format!("{prefix}{name}"),
            is_dir,
            size,
        }
    });
    listed.collect()
}

#[derive(Serialize)]
struct Listed<'a> {
    root_uri: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<File>,
}

pub(super) async fn list(State(app): State<App>, Ask(asked): Ask<List>) -> Answered {
    let id = runs::id_of(asked.run_id, asked.run_uuid)?;
    let folder = safe(asked.path.as_deref().unwrap_or_default())?;
    let root = app.settings().default_artifact_root.clone();
    let read = app.desk().read(move |look| {
        let run = runs::find(look, &id)?;
        let experiment = look.experiment_of(run.experiment)?;
        let experiment = experiment.ok_or_else(|| ExperimentError::Unknown {
            id: run.experiment.to_string(),
        })?;
        let root_uri = runs::location(Facts {
            run: &run,
            experiment: &experiment,
            root: &root,
        });
        let prefix = match folder.as_str() {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let files = files(&Shelf::Run(Arc::clone(&run)), &folder, &prefix);
        Ok::<_, Refusal>(Answer::of(&Listed {
            root_uri: &root_uri,
            files,
        }))
    });
    read.await
}

/// What stands in a folder of a logged model.
pub(in crate::mlflow) fn list_model(row: &EntryRow, folder: &str) -> Answered {
    let folder = safe(folder)?;
    let prefix = match folder.as_str() {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    let root_uri = logged_models::location(row);
    let files = files(&Shelf::Model(Box::new(row.clone())), &folder, &prefix);
    Ok(Answer::of(&Listed { root_uri, files }))
}
