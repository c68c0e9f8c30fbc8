//! `runs/get`.

use axum::extract::State;
use serde::Serialize;
use trialbook_store::nouns::RunRow;

use super::answer::{Facts, Info, Run};
use super::find;
use crate::app::App;
use crate::desk::Look;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::experiments::ExperimentError;
use crate::mlflow::wire::{message, required};

message! {
    /// Which run is meant; old clients say `run_uuid`.
    pub(in crate::mlflow) struct Which {
        run_id / "runId": Option<String>,
        run_uuid / "runUuid": Option<String>,
    }
}

impl Which {
    /// The id.
    pub(in crate::mlflow) fn id(self) -> Result<String, Refusal> {
        id_of(self.run_id, self.run_uuid)
    }
}

/// The id that a message names a run by, in either of two fields.
pub(in crate::mlflow) fn id_of(
    run_id: Option<String>,
    run_uuid: Option<String>,
) -> Result<String, Refusal> {
    let id = run_id.filter(|id| !id.is_empty()).or(run_uuid);
    Ok(required("run_id", id.as_ref())?.to_owned())
}

#[derive(Serialize)]
struct Found<'a> {
    run: Run<'a>,
}

pub(super) async fn get(State(app): State<App>, Ask(asked): Ask<Which>) -> Answered {
    let id = asked.id()?;
    let root = app.settings().default_artifact_root.clone();
    let read = app.desk().read(move |look| {
        let run = find(look, &id)?;
        answered(look, &run, &root, |facts| {
            let run = Run::of(facts);
            Answer::of(&Found { run })
        })
    });
    read.await
}

/// The answer of a run that was just created.
pub(super) fn created(look: &Look<'_>, id: &str, root: &str) -> Answered {
    let run = find(look, id)?;
    answered(look, &run, root, |facts| {
        let run = Run::created(facts);
        Answer::of(&Found { run })
    })
}

#[derive(Serialize)]
struct Updated<'a> {
    run_info: Info<'a>,
}

/// The answer of a run that was just changed.
pub(super) fn updated(look: &Look<'_>, id: &str, root: &str) -> Answered {
    let run = find(look, id)?;
    answered(look, &run, root, |facts| {
        let run_info = Info::of(facts);
        Answer::of(&Updated { run_info })
    })
}

fn answered(
    look: &Look<'_>,
    run: &RunRow,
    root: &str,
    answer: impl FnOnce(Facts<'_>) -> Answer,
) -> Answered {
    let experiment = look.experiment_of(run.experiment)?;
    let unknown = || ExperimentError::Unknown {
        id: run.experiment.to_string(),
    };
    let experiment = experiment.ok_or_else(unknown)?;
    Ok(answer(Facts {
        run,
        experiment: &experiment,
        root,
    }))
}
