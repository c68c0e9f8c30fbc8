//! The proxy: files by their paths below the root of all files.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use trialbook_model::record::{Op, PutArtifact};

use super::get::Found;
use super::list::{self, File};
use super::place::{safe, shelf};
use super::upload::put_bytes;
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::wire::message;

message! {
    /// Which folder is wanted.
    pub(super) struct List {
        path: Option<String>,
    }
}

pub(super) async fn get(
    State(app): State<App>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let asked = safe(&path)?;
    let found = app.desk().read(move |look| {
        let (shelf, inside) = shelf(look, &asked)?;
        Ok::<_, Refusal>(Found::on(&shelf, &inside, &asked)?)
    });
    found.await?.answer(&app, &headers)
}

pub(super) async fn put(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(path): Path<String>,
    body: Body,
) -> Answered {
    put_bytes(&app, &actor, (safe(&path)?, body)).await?;
    Ok(Answer::empty())
}

pub(super) async fn delete(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(path): Path<String>,
) -> Answered {
    let asked = safe(&path)?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let (shelf, inside) = shelf(look, &asked)?;
        let file = shelf.file(&inside).into_iter();
        for found in file.chain(shelf.files(&inside)) {
            draft.say(Op::PutArtifact(removed(&shelf.subject(), &found.path)));
        }
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

fn removed(subject: &trialbook_model::record::Subject, path: &str) -> PutArtifact {
    PutArtifact {
        removed: true,
        ..super::upload::artifact(subject.clone(), path.to_owned())
    }
}

#[derive(Serialize)]
struct Listed {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<File>,
}

pub(super) async fn list(State(app): State<App>, Ask(asked): Ask<List>) -> Answered {
    let folder = safe(asked.path.as_deref().unwrap_or_default())?;
    let read = app.desk().read(move |look| {
        let (shelf, inside) = shelf(look, &folder)?;
        let files = list::files(&shelf, &inside, "");
        Ok::<_, Refusal>(Answer::of(&Listed { files }))
    });
    read.await
}
