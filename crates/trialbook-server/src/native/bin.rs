//! What goes into the bin, and comes out of it.
//!
//! Invariant: nothing is gone before its time in the bin is over.

use axum::Router;
use axum::extract::{Path, State};
use trialbook_api::experiments::{self, ExperimentHead};
use trialbook_api::runs::{self, RunHead};
use trialbook_model::code::ErrorCode;
use trialbook_model::id::{ExperimentUid, RunUid};
use trialbook_model::record::{Op, SetField, Subject};
use trialbook_report::titles;

use super::recording::head;
use super::{at, naming};
use crate::app::App;
use crate::desk::{Actor, Draft, Look};
use crate::http::asking::{Caller, Json};
use crate::http::error::Problem;

pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(at(&experiments::DELETE, delete_experiment))
        .merge(at(&experiments::RESTORE, restore_experiment))
        .merge(at(&runs::DELETE, delete_run))
        .merge(at(&runs::RESTORE, restore_run))
}

/// Into the bin, or out of it.
#[derive(Debug, Clone, Copy)]
enum Bin {
    In,
    Out,
}

fn binned(subject: Subject, to: Bin) -> Op {
    Op::SetField(SetField {
        subject,
        field: "deleted".to_owned(),
        value: matches!(to, Bin::In).into(),
    })
}

async fn bin_run(app: &App, (text, actor): (String, Actor), to: Bin) -> Result<RunUid, Problem> {
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let run = naming::run(look, &text)?;
        draft.say(binned(Subject::Run(run.uid), to));
        Ok(run.uid)
    };
    app.desk().write(&actor, decide).await
}

async fn delete_run(
    State(app): State<App>,
    Path(text): Path<String>,
    Caller(actor): Caller,
) -> Result<(), Problem> {
    bin_run(&app, (text, actor), Bin::In).await.map(drop)
}

async fn restore_run(
    State(app): State<App>,
    Path(text): Path<String>,
    Caller(actor): Caller,
) -> Result<Json<RunHead>, Problem> {
    let uid = bin_run(&app, (text, actor), Bin::Out).await?;
    head(&app, uid).await
}

async fn bin_experiment(
    app: &App,
    (text, actor): (String, Actor),
    to: Bin,
) -> Result<ExperimentUid, Problem> {
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = naming::experiment(look, &text)?;
        if row.no.0 == 0 {
            let message = "the experiment that every book has cannot be put into the bin";
            return Err(Problem::new(ErrorCode::StateConflict, message));
        }
        let uid = titles::experiment_uid(&row);
        draft.say(binned(Subject::Experiment(uid), to));
        Ok(uid)
    };
    app.desk().write(&actor, decide).await
}

async fn delete_experiment(
    State(app): State<App>,
    Path(text): Path<String>,
    Caller(actor): Caller,
) -> Result<(), Problem> {
    bin_experiment(&app, (text, actor), Bin::In).await.map(drop)
}

async fn restore_experiment(
    State(app): State<App>,
    Path(text): Path<String>,
    Caller(actor): Caller,
) -> Result<Json<ExperimentHead>, Problem> {
    let uid = bin_experiment(&app, (text, actor), Bin::Out).await?;
    super::experiments::read(&app, uid.to_string()).await
}
