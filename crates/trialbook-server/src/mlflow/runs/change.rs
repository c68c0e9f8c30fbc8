//! `runs/update`, `delete` and `restore`.
//!
//! Invariant: what an update does not speak of stays, the time of the end too while the run has ended.

use axum::Extension;
use axum::extract::State;
use serde_json::Value;
use trialbook_model::record::{Op, SetStatus};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use super::{find, find_active, read, subject};
use crate::app::App;
use crate::desk::{Actor, Draft, Look};
use crate::loopback::Within;
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::names::field;
use crate::mlflow::status;
use crate::mlflow::wire::{Whole, Word, message};

message! {
    /// What is to be changed.
    pub(super) struct Update {
        run_id / "runId": Option<String>,
        run_uuid / "runUuid": Option<String>,
        status: Option<Word>,
        end_time / "endTime": Option<Whole>,
        run_name / "runName": Option<String>,
    }
}

struct Change {
    status: Option<RunStatus>,
    ended: Option<Timestamp>,
    name: Option<String>,
}

pub(super) async fn update(
    State(app): State<App>,
    Caller(actor): Caller,
    within: Option<Extension<Within>>,
    Ask(asked): Ask<Update>,
) -> Answered {
    let id = read::id_of(asked.run_id, asked.run_uuid)?;
    let mut change = Change {
        status: asked.status.as_ref().map(status::read).transpose()?,
        ended: asked.end_time.map(|it| Timestamp::from_millis(it.0)),
        name: asked.run_name.filter(|name| !name.is_empty()),
    };
    // How the run around a program ended, its wrapper says.
    if within.is_some_and(|Extension(Within(run))| run.to_string() == id) {
        (change.status, change.ended) = (None, None);
    }
    let run = id.clone();
    let decide = move |look: &Look<'_>, draft: &mut Draft| decide(look, draft, &run, change);
    app.desk().write(&actor, decide).await?;
    let root = app.settings().default_artifact_root.clone();
    let read = app.desk().read(move |look| read::updated(look, &id, &root));
    read.await
}

fn decide(look: &Look<'_>, draft: &mut Draft, id: &str, change: Change) -> Result<(), Refusal> {
    let row = find_active(look, id)?;
    if change.status.is_some() || change.ended.is_some() {
        let status = change.status.unwrap_or_else(|| row.state.status());
        draft.say(Op::SetStatus(SetStatus {
            run: row.uid,
            status,
            started: None,
            ended: change.ended.or_else(|| row.state.ended()),
            error: None,
            exit_code: None,
        }));
    }
    if let Some(name) = change.name {
        draft.say(field(subject(&row), "name", name));
    }
    Ok(())
}

pub(super) async fn delete(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<read::Which>,
) -> Answered {
    say_deleted(&app, &actor, asked.id()?, true.into()).await
}

pub(super) async fn restore(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<read::Which>,
) -> Answered {
    say_deleted(&app, &actor, asked.id()?, false.into()).await
}

/// Puts a run into the bin, or takes it out.
async fn say_deleted(app: &App, actor: &Actor, id: String, deleted: Value) -> Answered {
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find(look, &id)?;
        draft.say(field(subject(&row), "deleted", deleted));
        Ok::<_, Refusal>(())
    };
    app.desk().write(actor, decide).await?;
    Ok(Answer::empty())
}
