//! `registered-models/get`, the version of an alias, the latest versions.

use axum::extract::State;
use serde::Serialize;
use trialbook_store::nouns::EntryRow;

use super::answer::{aliases, latest};
use super::change::{Named, told};
use crate::app::App;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::model_versions::ModelVersion;
use crate::mlflow::registry::{
    LATEST, NO_STAGE, RegistryError, STAGES, all_versions, check_alias, find_model, stage,
};
use crate::mlflow::wire::{List, message, required};

message! {
    /// An alias of a model.
    pub(super) struct ByAlias {
        name: Option<String>,
        alias: Option<String>,
    }

    /// The stages of a model.
    pub(super) struct Stages {
        name: Option<String>,
        stages: List<String>,
    }
}

#[derive(Serialize)]
struct Versions<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_versions: Vec<ModelVersion<'a>>,
}

#[derive(Serialize)]
struct Version<'a> {
    model_version: ModelVersion<'a>,
}

pub(super) async fn get(State(app): State<App>, Ask(asked): Ask<Named>) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    told(&app, name).await
}

pub(super) async fn by_alias(State(app): State<App>, Ask(asked): Ask<ByAlias>) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let alias = required("alias", asked.alias.as_ref())?.to_owned();
    check_alias(&alias)?;
    let read = app.desk().read(move |look| {
        let model = find_model(look, &name)?;
        let versions = all_versions(look, &model)?;
        let row = if alias.eq_ignore_ascii_case(LATEST) {
            let mut there = versions.iter().filter(|row| !row.state.is_deleted());
            there.next_back().ok_or(RegistryError::NoVersion { name })?
        } else {
            let led = aliases(&model, &versions);
            let number = led.iter().find(|(known, _)| *known == alias);
            let row = number
                .and_then(|(_, number)| versions.iter().find(|row| row.number == Some(*number)));
            row.ok_or(RegistryError::UnknownAlias { alias })?
        };
        Ok::<_, Refusal>(Answer::of(&Version {
            model_version: ModelVersion::with_aliases(row, &model, &versions),
        }))
    });
    read.await
}

pub(super) async fn latest_versions(State(app): State<App>, Ask(asked): Ask<Stages>) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let wanted = asked.stages.0.iter().map(|given| stage(given));
    let mut wanted: Vec<&str> = wanted.collect::<Result<_, _>>()?;
    if wanted.is_empty() {
        wanted.extend(STAGES);
    }
    let read = app.desk().read(move |look| {
        let model = find_model(look, &name)?;
        let versions = all_versions(look, &model)?;
        let of_stage =
            |row: &&EntryRow| wanted.contains(&row.state.text("stage").unwrap_or(NO_STAGE));
        let rows = latest(&versions).into_iter().filter(of_stage);
        let model_versions = rows.map(|row| ModelVersion::with_aliases(row, &model, &versions));
        let model_versions = model_versions.collect();
        Ok::<_, Refusal>(Answer::of(&Versions { model_versions }))
    });
    read.await
}
