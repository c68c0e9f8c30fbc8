//! `model-versions/get` and where its files are.

use axum::extract::State;
use serde::Serialize;

use super::answer::ModelVersion;
use crate::app::App;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::registry::{all_versions, find_version};
use crate::mlflow::wire::{message, required};

message! {
    /// A version by its model and number.
    pub(super) struct Numbered {
        name: Option<String>,
        version: Option<String>,
    }
}

#[derive(Serialize)]
struct Told<'a> {
    model_version: ModelVersion<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    artifact_uri: &'a str,
}

/// A version, as it is now.
pub(super) async fn told(app: &App, name: String, version: String) -> Answered {
    let read = app.desk().read(move |look| {
        let (model, row) = find_version(look, &name, &version)?;
        let versions = all_versions(look, &model)?;
        Ok::<_, Refusal>(Answer::of(&Told {
            model_version: ModelVersion::with_aliases(&row, &model, &versions),
        }))
    });
    read.await
}

pub(super) async fn get(State(app): State<App>, Ask(asked): Ask<Numbered>) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let version = required("version", asked.version.as_ref())?.to_owned();
    told(&app, name, version).await
}

pub(super) async fn download_uri(State(app): State<App>, Ask(asked): Ask<Numbered>) -> Answered {
    let name = asked.name.unwrap_or_default();
    let version = asked.version.unwrap_or_default();
    let read = app.desk().read(move |look| {
        let (_, row) = find_version(look, &name, &version)?;
        let place = row
            .state
            .text("location")
            .or_else(|| row.state.text("source"));
        Ok::<_, Refusal>(Answer::of(&Location {
            artifact_uri: place.unwrap_or_default(),
        }))
    });
    read.await
}
