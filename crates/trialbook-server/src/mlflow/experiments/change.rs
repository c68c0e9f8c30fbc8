//! `experiments/delete`, `restore` and `update`.
//!
//! An experiment in the bin has its runs there too, without their being touched; restoring it takes those out that
//! were deleted one by one as well, as MLflow does. Invariant: nothing is ever removed here, only marked.

use axum::extract::State;
use trialbook_model::filter::Expr;
use trialbook_model::record::Subject;
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading as _;

use super::{ExperimentError, find, named, stage, subject};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::limits;
use crate::mlflow::names::field;
use crate::mlflow::status::Stage;
use crate::mlflow::wire::{message, required};

message! {
    /// Which experiment is meant.
    pub(super) struct Which {
        experiment_id / "experimentId": Option<String>,
    }

    /// What an experiment is to be called.
    pub(super) struct Update {
        experiment_id / "experimentId": Option<String>,
        new_name / "newName": Option<String>,
    }
}

pub(super) async fn delete(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Which>,
) -> Answered {
    let id = required("experiment_id", asked.experiment_id.as_ref())?.to_owned();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find(look, &id)?;
        if stage(&row) == Stage::Deleted {
            return Err(Refusal::from(ExperimentError::Unknown { id }));
        }
        draft.say(field(subject(&row), "deleted", true));
        Ok(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

pub(super) async fn restore(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Which>,
) -> Answered {
    let id = required("experiment_id", asked.experiment_id.as_ref())?.to_owned();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find(look, &id)?;
        if stage(&row) == Stage::Active {
            return Err(Refusal::from(ExperimentError::Unknown { id }));
        }
        draft.say(field(subject(&row), "deleted", false));
        restore_runs(look, draft, &row)
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

fn restore_runs(look: &Look<'_>, draft: &mut Draft, row: &ExperimentRow) -> Result<(), Refusal> {
    let hits = look.search(&Query {
        filter: Expr::all(),
        experiments: Some(vec![row.no]),
        shown: Shown::Bin,
        ..Query::all()
    })?;
    for run in look.runs(&hits.runs)? {
        if run.state.annotations.flag("deleted") {
            draft.say(field(Subject::Run(run.uid), "deleted", false));
        }
    }
    Ok(())
}

pub(super) async fn update(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Update>,
) -> Answered {
    let id = required("experiment_id", asked.experiment_id.as_ref())?.to_owned();
    let name = required("new_name", asked.new_name.as_ref())?.to_owned();
    limits::check_experiment_name(&name)?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find(look, &id)?;
        rename(look, draft, &row, name)
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

fn rename(
    look: &Look<'_>,
    draft: &mut Draft,
    row: &ExperimentRow,
    name: String,
) -> Result<(), Refusal> {
    if stage(row) == Stage::Deleted {
        return Err(ExperimentError::RenameDeleted.into());
    }
    if let Some(other) = named(look, &name)?
        && other.no != row.no
    {
        let stage = stage(&other);
        return Err(ExperimentError::Taken { name, stage }.into());
    }
    let project = row.state.project();
    let inside = name
        .strip_prefix(project)
        .and_then(|it| it.strip_prefix('/'));
    let inside = inside.filter(|it| !it.is_empty() && project != DEFAULT_PROJECT);
    let subject = subject(row);
    if let Some(inside) = inside {
        draft.say(field(subject, "name", inside));
        return Ok(());
    }
    // A name without the project's is one of the default project.
    if project != DEFAULT_PROJECT {
        draft.say(field(subject.clone(), "project", DEFAULT_PROJECT));
    }
    draft.say(field(subject, "name", name));
    Ok(())
}
