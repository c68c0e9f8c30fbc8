//! A logged model, and the files that it has.

use axum::extract::{Path, State};
use serde::Serialize;

use super::answer::{LoggedModel, metrics};
use super::{find, find_any};
use crate::app::App;
use crate::mlflow::artifacts;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::wire::message;

message! {
    /// Whether one in the bin is wanted, too.
    pub(super) struct Get {
        allow_deleted / "allowDeleted": Option<bool>,
    }

    /// The folder whose files are wanted.
    pub(super) struct Folder {
        artifact_directory_path / "artifactDirectoryPath": Option<String>,
    }
}

#[derive(Serialize)]
struct Told<'a> {
    model: LoggedModel<'a>,
}

/// A model, as it is now.
pub(super) async fn told(app: &App, id: String) -> Answered {
    let read = app.desk().read(move |look| {
        let row = find_any(look, &id)?;
        let metrics = metrics(look, &row)?;
        Ok::<_, Refusal>(Answer::of(&Told {
            model: LoggedModel::of(&row, metrics),
        }))
    });
    read.await
}

pub(super) async fn get(
    State(app): State<App>,
    Path(id): Path<String>,
    Ask(asked): Ask<Get>,
) -> Answered {
    if !asked.allow_deleted.unwrap_or_default() {
        let id = id.clone();
        let read = app.desk().read(move |look| find(look, &id).map(|_row| ()));
        read.await?;
    }
    told(&app, id).await
}

pub(super) async fn artifacts(
    State(app): State<App>,
    Path(id): Path<String>,
    Ask(asked): Ask<Folder>,
) -> Answered {
    let folder = asked.artifact_directory_path.unwrap_or_default();
    let read = app.desk().read(move |look| {
        let row = find(look, &id)?;
        artifacts::list_model(&row, &folder)
    });
    read.await
}
