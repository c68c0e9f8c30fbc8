//! `experiments/create`.

use axum::Extension;
use axum::extract::State;
use serde::Serialize;
use trialbook_model::id::ExperimentUid;
use trialbook_model::record::{CreateExperiment, Op, Subject};
use trialbook_model::state::DEFAULT_PROJECT;

use super::{ExperimentError, named, stage, tags};
use crate::app::{App, Settings};
use crate::desk::{Actor, Draft, Look};
use crate::loopback::Within;
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::limits;
use crate::mlflow::names::{self, ARTIFACT_LOCATION, field};
use crate::mlflow::runs;
use crate::mlflow::wire::{List, message, required};

message! {
    /// What is to be created.
    pub(super) struct Create {
        name: Option<String>,
        artifact_location / "artifactLocation": Option<String>,
        tags: List<tags::Tag>,
    }
}

#[derive(Serialize)]
struct Created {
    experiment_id: String,
}

pub(super) async fn create(
    State(app): State<App>,
    Caller(actor): Caller,
    within: Option<Extension<Within>>,
    Ask(asked): Ask<Create>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    limits::check_experiment_name(&name)?;
    if let Some(Extension(within)) = within {
        return inside(&app, &actor, (name, within)).await;
    }
    let given = asked.artifact_location.filter(|it| !it.is_empty());
    if let Some(location) = &given {
        check_location(location)?;
    }
    let tags = tags::checked(asked.tags.0)?;
    let wanted = name.clone();
    let desk = app.desk();
    desk.write(&actor, move |look, draft| {
        decide(look, draft, (wanted, given, tags))
    })
    .await?;
    let root = app.settings().default_artifact_root.clone();
    let (no, place) = desk
        .read(move |look| {
            let row = named(look, &name)?.ok_or(ExperimentError::UnknownName { name })?;
            let place = pinned(&row, &root);
            Ok::<_, Refusal>((row.no, place))
        })
        .await?;
    // The number is part of the location, so it can only be written down now.
    if let Some(op) = place {
        let said = move |_: &Look<'_>, draft: &mut Draft| {
            draft.say(op);
            Ok::<_, Refusal>(())
        };
        desk.write(&actor, said).await?;
    }
    let experiment_id = no.to_string();
    Ok(Answer::of(&Created { experiment_id }))
}

/// A program that is executed as a run gets no experiment of its own: the name becomes a tag of its run.
async fn inside(app: &App, actor: &Actor, (name, Within(run)): (String, Within)) -> Answered {
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = runs::find_active(look, &run.to_string())?;
        let tags = vec![(runs::EXPERIMENT_NAME.to_owned(), Some(name))];
        if let Some(op) = names::tags(runs::subject(&row), tags) {
            draft.say(op);
        }
        Ok::<_, Refusal>(row.experiment.to_string())
    };
    let experiment_id = app.desk().write(actor, decide).await?;
    Ok(Answer::of(&Created { experiment_id }))
}

type Wanted = (String, Option<String>, Vec<(String, Option<String>)>);

fn decide(
    look: &Look<'_>,
    draft: &mut Draft,
    (name, location, tags): Wanted,
) -> Result<(), Refusal> {
    if let Some(row) = named(look, &name)? {
        let stage = stage(&row);
        return Err(ExperimentError::Taken { name, stage }.into());
    }
    let experiment = ExperimentUid(draft.mint());
    let subject = Subject::Experiment(experiment);
    draft.say(Op::CreateExperiment(CreateExperiment {
        experiment,
        project: DEFAULT_PROJECT.to_owned(),
        name,
        handle: None,
        document: serde_json::Value::Null,
        config_hash: None,
    }));
    if let Some(location) = location {
        draft.say(field(subject.clone(), ARTIFACT_LOCATION, location));
    }
    tags::say(draft, &subject, tags);
    Ok(())
}

/// Where files go is written down where it is not the server's own place, so that a later start of the server
/// with another root does not move it.
fn pinned(row: &trialbook_store::nouns::ExperimentRow, root: &str) -> Option<Op> {
    let is_known = row.state.annotations.text(ARTIFACT_LOCATION).is_some();
    let is_usual = root == Settings::default().default_artifact_root;
    let place = || super::location(row, root);
    (!is_known && !is_usual).then(|| field(super::subject(row), ARTIFACT_LOCATION, place()))
}

fn check_location(location: &str) -> Result<(), ExperimentError> {
    if location.starts_with("runs:") {
        let location = location.to_owned();
        return Err(ExperimentError::Location { location });
    }
    let last = location.rsplit('/').next().unwrap_or_default();
    if location.contains('#') || last.contains(';') {
        return Err(ExperimentError::LocationParts);
    }
    Ok(())
}
