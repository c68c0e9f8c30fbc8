//! `summary.json`: a run for people and for programs that know only such files.
//!
//! Not here: reading it, which only folders of others need. Invariant: it says nothing that the run's records do
//! not say.

use serde_json::{Map, Value};
use trialbook_model::float::Float;
use trialbook_model::record::{Param, ParamKind};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{ExperimentRow, RunRow};

/// What of the environment stands in a summary.
const ENVIRONMENT: [&str; 6] = [
    "python_version",
    "platform",
    "git_commit",
    "git_dirty",
    "timestamp",
    "working_directory",
];

/// The summary of a run.
pub(super) fn of(run: &RunRow, experiment: &ExperimentRow, environment: Option<&Value>) -> Value {
    let state = &run.state;
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| {
        map.insert(key.to_owned(), value);
    };
    let own = experiment
        .state
        .handle()
        .or_else(|| experiment.state.name());
    put("experiment_id", own.into());
    put("run_id", run.uid.to_string().into());
    put("name", state.name().into());
    let start = state.start();
    put(
        "variation",
        start.and_then(|start| start.variation.clone()).into(),
    );
    put("trial", start.and_then(|start| start.trial).into());
    put("attempt", start.and_then(|start| start.attempt).into());
    put("seed", start.and_then(|start| start.seed).into());
    let params = state.params.iter();
    let params = params.map(|(key, held)| (key.clone(), param(held.param())));
    put("params", Value::Object(params.collect()));
    put("metrics", metrics(run));
    put("status", word(state.status()).into());
    put(
        "error",
        state
            .error()
            .map(|error| {
                if error.kind.is_empty() {
                    error.message.clone()
                } else {
                    format!("{}: {}", error.kind, error.message)
                }
            })
            .into(),
    );
    let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
    put("started_at", text(state.started()).into());
    put("ended_at", text(state.ended()).into());
    let took = state.started().zip(state.ended());
    put(
        "duration_ms",
        took.map(|(from, to)| (to.0 - from.0) as f64 / 1000.0)
            .into(),
    );
    if let Some(Value::Object(known)) = environment {
        // Surroundings that many runs share have no time of their own: they are captured as each begins.
        let began = || text(state.started()).into();
        let entries = ENVIRONMENT.iter().map(|key| {
            let value = known.get(*key).cloned();
            let value = match *key {
                "timestamp" => value.unwrap_or_else(began),
                _ => value.unwrap_or_default(),
            };
            ((*key).to_owned(), value)
        });
        put("environment", Value::Object(entries.collect()));
    }
    Value::Object(map)
}

/// Last values; of series with a context, behind their name.
fn metrics(run: &RunRow) -> Value {
    let series = run.state.records.series.iter();
    let last = series.map(|(key, summary)| {
        let value = serde_json::to_value(Float(summary.last.value));
        (key.to_string(), value.unwrap_or_default())
    });
    Value::Object(last.collect())
}

/// The words of the format where it has one.
fn word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Completed => "success",
        RunStatus::Failed | RunStatus::Queued | RunStatus::Running | RunStatus::Cancelled => {
            status.word()
        }
    }
}

fn param(param: &Param) -> Value {
    let plain = match param.kind {
        ParamKind::Text => None,
        ParamKind::Number | ParamKind::Bool | ParamKind::Null => {
            serde_json::from_str(&param.text).ok()
        }
    };
    plain.unwrap_or_else(|| Value::String(param.text.clone()))
}
