//! `experiments/get` and `experiments/get-by-name`.

use axum::extract::State;
use serde::Serialize;

use super::answer::Experiment;
use super::{ExperimentError, find, named};
use crate::app::App;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::wire::{message, required};

message! {
    /// Which experiment is wanted.
    pub(super) struct Get {
        experiment_id / "experimentId": Option<String>,
    }

    /// The name of the experiment that is wanted.
    pub(super) struct GetByName {
        experiment_name / "experimentName": Option<String>,
    }
}

#[derive(Serialize)]
struct Found<'a> {
    experiment: Experiment<'a>,
}

pub(super) async fn get(State(app): State<App>, Ask(asked): Ask<Get>) -> Answered {
    let id = required("experiment_id", asked.experiment_id.as_ref())?.to_owned();
    let root = app.settings().default_artifact_root.clone();
    let read = app.desk().read(move |look| {
        let row = find(look, &id)?;
        let experiment = Experiment::of(&row, &root);
        Ok::<_, Refusal>(Answer::of(&Found { experiment }))
    });
    read.await
}

pub(super) async fn get_by_name(State(app): State<App>, Ask(asked): Ask<GetByName>) -> Answered {
    let name = required("experiment_name", asked.experiment_name.as_ref())?.to_owned();
    let root = app.settings().default_artifact_root.clone();
    let read = app.desk().read(move |look| {
        let row = named(look, &name)?;
        let row = row.ok_or(ExperimentError::UnknownName { name })?;
        let experiment = Experiment::of(&row, &root);
        Ok::<_, Refusal>(Answer::of(&Found { experiment }))
    });
    read.await
}
