//! What programs record: experiments made, runs started, logged to and ended.
//!
//! Invariant: a batch is recorded as a whole or not at all; a param has one value for ever.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use serde_json::value::RawValue;
use trialbook_api::experiments::{CREATE, ExperimentHead, NewExperiment};
use trialbook_api::runs::{END, LOG, LogBatch, Logged, NewRun, Point, Run, RunEnd, RunHead, START};
use trialbook_model::code::ErrorCode;
use trialbook_model::id::{ExperimentUid, RunUid};
use trialbook_model::record::{
    CreateExperiment, Event, Op, Param, Points, RunError, SeriesKey, SetParams, SetStatus,
    StartRun, Subject,
};
use trialbook_model::secret::{self, MARK};
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_report::{documents, titles};
use trialbook_store::nouns::RunRow;
use trialbook_store::reading::Reading as _;

use super::{at, experiments, naming, runs, tags};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::http::asking::{Caller, Json};
use crate::http::error::Problem;

/// The longest name of an experiment or a run, in bytes.
const LONGEST_TITLE: usize = 500;

/// The longest key, in bytes.
const LONGEST_KEY: usize = 8 << 10;

pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(at(&CREATE, create_experiment))
        .merge(at(&START, start))
        .merge(at(&LOG, log))
        .merge(at(&END, end))
}

fn check_name(field: &str, name: &str, longest: usize) -> Result<(), Problem> {
    let wrong = if name.trim().is_empty() {
        "is empty".to_owned()
    } else if name.contains('\0') {
        "holds the byte 0x00".to_owned()
    } else if name.len() > longest {
        format!("is longer than {longest} bytes")
    } else {
        return Ok(());
    };
    Err(Problem::new(ErrorCode::ValueInvalid, format!("the name {wrong}")).at(field))
}

async fn create_experiment(
    State(app): State<App>,
    Caller(actor): Caller,
    Json(new): Json<NewExperiment>,
) -> Result<Json<ExperimentHead>, Problem> {
    check_name("name", &new.name, LONGEST_TITLE)?;
    let project = new.project.unwrap_or_else(|| DEFAULT_PROJECT.to_owned());
    check_name("project", &project, LONGEST_TITLE)?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let uid = ExperimentUid(draft.mint());
        // Of a request that is repeated the experiment is there already.
        if look.experiment_no(uid)?.is_some() {
            return Ok(uid);
        }
        let is_taken = look.experiment_named(&project, &new.name)?.is_some();
        if is_taken && new.unique {
            let message = format!("there is an experiment `{project}/{}` already", new.name);
            return Err(Problem::new(ErrorCode::StateConflict, message).at("name"));
        }
        let name = if is_taken {
            free_name(look, &project, &new.name)?
        } else {
            new.name
        };
        draft.say(made(uid, &project, name));
        Ok::<_, Problem>(uid)
    };
    let uid = app.desk().write(&actor, decide).await?;
    experiments::read(&app, uid.to_string()).await
}

fn made(uid: ExperimentUid, project: &str, name: String) -> Op {
    Op::CreateExperiment(CreateExperiment {
        experiment: uid,
        project: project.to_owned(),
        name,
        handle: None,
        document: serde_json::Value::Null,
        config_hash: None,
    })
}

/// The name, with a number behind it where it is taken.
fn free_name(look: &Look<'_>, project: &str, wanted: &str) -> Result<String, Problem> {
    for number in 2_u64.. {
        let name = format!("{wanted}-{number}");
        if look.experiment_named(project, &name)?.is_none() {
            return Ok(name);
        }
    }
    Err(Problem::new(ErrorCode::Internal, "there is no free number"))
}

async fn start(
    State(app): State<App>,
    Caller(actor): Caller,
    Json(new): Json<NewRun>,
) -> Result<Json<Run>, Problem> {
    if let Some(name) = &new.name {
        check_name("name", name, LONGEST_TITLE)?;
    }
    let params = params("params", &new.params)?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let run = RunUid(draft.mint());
        if look.run_of(run)?.is_some() {
            return Ok(run);
        }
        let experiment = home(look, draft, &new)?;
        draft.say(Op::StartRun(StartRun {
            experiment,
            name: new.name,
            variation: new.variation,
            seed: new.seed,
            source: "api".to_owned(),
            started: draft.now(),
            ..StartRun::of(run)
        }));
        if !params.is_empty() {
            draft.say(Op::SetParams(SetParams { run, params }));
        }
        let given = new
            .tags
            .into_iter()
            .map(|(name, value)| (name, Some(value)));
        tags::say(draft, run, given);
        Ok::<_, Problem>(run)
    };
    let uid = app.desk().write(&actor, decide).await?;
    runs::read(&app, uid.to_string()).await
}

/// The experiment of a new run: one there is, else one of that name.
fn home(look: &Look<'_>, draft: &mut Draft, new: &NewRun) -> Result<ExperimentUid, Problem> {
    let Some(text) = &new.experiment else {
        let row = naming::experiment(look, "0")?;
        return Ok(titles::experiment_uid(&row));
    };
    let project = new.project.as_deref().unwrap_or(DEFAULT_PROJECT);
    if let Some(no) = look.experiment_named(project, text)?
        && let Some(row) = look.experiment(no)?
    {
        return Ok(titles::experiment_uid(&row));
    }
    match naming::experiment(look, text) {
        Ok(row) => Ok(titles::experiment_uid(&row)),
        Err(problem) if problem.code == ErrorCode::NotFound => {
            check_name("experiment", text, LONGEST_TITLE)?;
            let uid = ExperimentUid(draft.mint());
            draft.say(made(uid, project, text.clone()));
            Ok(uid)
        }
        Err(problem) => Err(problem.at("experiment")),
    }
}

/// Params as they are sent: a number keeps its text, and what is a secret by its name or its look is left out.
fn params(
    field: &str,
    sent: &BTreeMap<String, Box<RawValue>>,
) -> Result<Vec<(String, Param)>, Problem> {
    let mut params = Vec::with_capacity(sent.len());
    for (key, raw) in sent {
        check_name(&format!("{field}.{key}"), key, LONGEST_KEY)?;
        let param = Param::of_json(raw.get()).map_err(|error| {
            let problem = Problem::new(ErrorCode::ValueInvalid, error.to_string());
            problem.at(format!("{field}.{key}"))
        })?;
        let kept = secret::named(key, &param.text);
        let param = if kept.contains(MARK) {
            Param::text(kept)
        } else {
            param
        };
        params.push((key.clone(), param));
    }
    Ok(params)
}

async fn log(
    State(app): State<App>,
    Path(text): Path<String>,
    Caller(actor): Caller,
    Json(batch): Json<LogBatch>,
) -> Result<Json<Logged>, Problem> {
    let params = params("params", &batch.params)?;
    for (at, point) in batch.metrics.iter().enumerate() {
        check_name(&format!("metrics.{at}.key"), &point.key, LONGEST_KEY)?;
    }
    for (at, event) in batch.events.iter().enumerate() {
        check_name(&format!("events.{at}.kind"), &event.kind, LONGEST_KEY)?;
    }
    let logged = Logged {
        params: params.len() as u64,
        metrics: batch.metrics.len() as u64,
        tags: batch.tags.len() as u64,
        events: batch.events.len() as u64,
    };
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let run = naming::run(look, &text)?;
        let new = new_params(&run, params)?;
        let uid = run.uid;
        if !new.is_empty() {
            let (run, params) = (uid, new);
            draft.say(Op::SetParams(SetParams { run, params }));
        }
        say_points(draft, uid, &batch.metrics);
        tags::say(draft, uid, batch.tags);
        for event in batch.events {
            let event = Event {
                subject: Subject::Run(uid),
                kind: event.kind,
                severity: event.severity,
                text: secret::text(&event.text).content.into_owned(),
                data: secret::json(event.data).content,
                step: event.step,
            };
            draft.say(Op::Event(event));
        }
        Ok::<_, Problem>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Json(logged))
}

/// Those params that the run does not have yet.
fn new_params(run: &RunRow, params: Vec<(String, Param)>) -> Result<Vec<(String, Param)>, Problem> {
    let mut new = Vec::new();
    for (key, param) in params {
        match run.state.params.get(&key) {
            None => new.push((key, param)),
            Some(held) if held.param().same(&param) => {}
            Some(held) => {
                let old = &held.param().text;
                let message = format!(
                    "`{key}` is `{old}` already and cannot become `{}`",
                    param.text
                );
                let problem = Problem::new(ErrorCode::ParamConflict, message);
                return Err(problem.at(format!("params.{key}")));
            }
        }
    }
    Ok(new)
}

/// Values that share a step and a time become one operation.
fn say_points(draft: &mut Draft, run: RunUid, points: &[Point]) {
    let now = draft.now();
    let mut calls: BTreeMap<(i64, Timestamp), Vec<(SeriesKey, f64)>> = BTreeMap::new();
    for point in points {
        let time = point.time_ms.map_or(now, Timestamp::from_millis);
        let series = SeriesKey {
            key: point.key.clone(),
            context: String::new(),
        };
        let values = calls.entry((point.step, time)).or_default();
        values.push((series, point.value.0));
    }
    for ((step, time), values) in calls {
        draft.say(Op::Points(Points {
            subject: Subject::Run(run),
            step,
            time,
            set: false,
            values,
        }));
    }
}

async fn end(
    State(app): State<App>,
    Path(text): Path<String>,
    Caller(actor): Caller,
    Json(ending): Json<RunEnd>,
) -> Result<Json<RunHead>, Problem> {
    let status = final_status(&ending)?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let run = naming::run(look, &text)?;
        if let Err(refused) = run.state.status().to(status) {
            return Err(Problem::new(ErrorCode::RunEnded, refused.to_string()));
        }
        draft.say(Op::SetStatus(SetStatus {
            run: run.uid,
            status,
            started: None,
            ended: Some(draft.now()),
            error: ending.error.map(|error| RunError {
                kind: error.kind,
                message: secret::text(&error.message).content.into_owned(),
            }),
            exit_code: ending.exit_code,
        }));
        Ok(run.uid)
    };
    let uid = app.desk().write(&actor, decide).await?;
    head(&app, uid).await
}

/// As the command line decides it: what has an error or an exit code other than 0 has failed.
fn final_status(ending: &RunEnd) -> Result<RunStatus, Problem> {
    let has_failed = ending.error.is_some() || ending.exit_code.is_some_and(|code| code != 0);
    let Some(word) = &ending.status else {
        return Ok(if has_failed {
            RunStatus::Failed
        } else {
            RunStatus::Completed
        });
    };
    let status = RunStatus::parse(word).filter(|status| status.is_final());
    status.ok_or_else(|| {
        let message = format!("`{word}` is no state that a run ends in");
        let problem = Problem::new(ErrorCode::ValueInvalid, message).at("status");
        problem.with_hint("known: completed, failed, cancelled")
    })
}

pub(super) async fn head(app: &App, uid: RunUid) -> Result<Json<RunHead>, Problem> {
    let now = app.now();
    let read = move |look: &Look<'_>| {
        let run = naming::run(look, &uid.to_string())?;
        let experiment = look.experiment(run.experiment)?;
        Ok(Json(documents::run_head(&run, experiment.as_ref(), now)))
    };
    app.desk().read(read).await
}

#[cfg(test)]
mod tests;
