//! Taking a file: for the proxy, streamed, and for `upload-artifact` of the UI.
//!
//! Invariant: the record of a file is written after its bytes are on the disk.

use axum::body::{Body, HttpBody as _};
use axum::extract::{Query, State};
use serde::Deserialize;
use trialbook_model::record::{Op, PutArtifact, Subject};
use trialbook_store::{ArtifactSum, BookError};

use super::ArtifactError;
use super::place::{safe, shelf};
use super::stream;
use crate::app::App;
use crate::desk::{Actor, Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::runs;

/// Bytes of a file that the UI may send.
const MOST_OF_UI: u64 = 10 << 20;

/// Keeps the bytes of a body as the file of a path below the root of all files.
pub(super) async fn put_bytes(
    app: &App,
    actor: &Actor,
    (path, body): (String, Body),
) -> Result<(), Refusal> {
    if path.is_empty() {
        return Err(ArtifactError::Path.into());
    }
    let artifacts = app.desk().book().artifacts();
    let received = stream::received(body, move |bytes| artifacts.put(bytes)).await;
    let sum = match received {
        Some(Ok(sum)) => sum,
        Some(Err(error)) if is_broken(&error) => {
            return Err(ArtifactError::Broken { path }.into());
        }
        Some(Err(error)) => return Err(error.into()),
        None => return Err(ArtifactError::Broken { path }.into()),
    };
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let (shelf, inside) = shelf(look, &path)?;
        if inside.is_empty() {
            return Err(Refusal::from(ArtifactError::Path));
        }
        draft.say(Op::PutArtifact(kept(shelf.subject(), inside, sum)));
        Ok(())
    };
    app.desk().write(actor, decide).await
}

/// Whether it was the client that broke off.
fn is_broken(error: &BookError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return io.kind() == std::io::ErrorKind::ConnectionAborted;
        }
        cause = error.source();
    }
    false
}

fn kept(subject: Subject, path: String, sum: ArtifactSum) -> PutArtifact {
    PutArtifact {
        sha256: Some(sum.sha256),
        size: Some(sum.size),
        ..artifact(subject, path)
    }
}

/// A file of which nothing more is said.
pub(super) const fn artifact(subject: Subject, path: String) -> PutArtifact {
    PutArtifact {
        subject,
        path,
        sha256: None,
        size: None,
        uri: None,
        r#type: None,
        role: None,
        step: None,
        description: None,
        removed: false,
    }
}

/// What the UI says of a file.
#[derive(Deserialize)]
pub(in crate::mlflow) struct Asked {
    run_uuid: Option<String>,
    path: Option<String>,
}

/// `upload-artifact`.
pub(in crate::mlflow) async fn upload_artifact(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(asked): Query<Asked>,
    body: Body,
) -> Answered {
    let given = |value: Option<String>, what| {
        let value = value.filter(|value| !value.is_empty());
        value.ok_or(ArtifactError::Lacks { what })
    };
    let id = given(asked.run_uuid, "run_uuid")?;
    let path = safe(&given(asked.path, "path")?)?;
    let size = body.size_hint();
    if size.exact() == Some(0) {
        return Err(ArtifactError::Lacks { what: "data" }.into());
    }
    if size.lower() > MOST_OF_UI {
        return Err(ArtifactError::TooLarge.into());
    }
    let bytes = axum::body::to_bytes(body, MOST_OF_UI as usize).await;
    let bytes = bytes.map_err(|_too_long| ArtifactError::TooLarge)?;
    let place = app.desk().read(move |look| {
        let row = runs::find(look, &id)?;
        Ok::<_, Refusal>(format!("{}/{}/artifacts/{path}", row.experiment, row.uid))
    });
    let place = place.await?;
    put_bytes(&app, &actor, (place, Body::from(bytes))).await?;
    Ok(Answer::empty())
}
