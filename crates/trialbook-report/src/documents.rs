//! Runs and experiments as JSON documents, the same in every verb.
//!
//! Not here: the words for people. Invariant: what is missing is null or absent, never 0; a field keeps
//! its meaning as long as the verb's schema version stays.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;
use trialbook_api::Number;
use trialbook_api::experiments::ExperimentHead;
use trialbook_api::records::{Artifact, Event};
use trialbook_api::runs::{Failure, Metric, Note, Run, RunHead};
use trialbook_model::record::{Param, ParamKind};
use trialbook_model::stale::stale_since;
use trialbook_model::state::{Annotations, SeriesSummary};
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{EventRecord, ExperimentRow, RunRow};

use crate::{figures, titles};

/// The head of a run.
pub fn run_head(run: &RunRow, experiment: Option<&ExperimentRow>, now: Timestamp) -> RunHead {
    let state = &run.state;
    let start = state.start();
    let text = |text: Option<&str>| text.map(str::to_owned);
    RunHead {
        id: run.uid.to_string(),
        no: run.no.0,
        handle: titles::run(run, experiment),
        name: text(state.name()),
        experiment: experiment.and_then(|row| text(row.state.name())),
        project: experiment.map(|row| row.state.project().to_owned()),
        number: run.number,
        status: state.status().word().to_owned(),
        stale: stale_since(state, now).is_some(),
        started: state.started().map(|time| time.to_string()),
        ended: state.ended().map(|time| time.to_string()),
        duration_ms: duration(run).map(|micros| micros / 1000),
        variation: start.and_then(|start| start.variation.clone()),
        trial: start.and_then(|start| start.trial),
        attempt: start.and_then(|start| start.attempt),
        archived: state.annotations.flag("archived"),
        deleted: state.annotations.flag("deleted"),
    }
}

/// The head of an experiment, of which the state and the number of its runs are known.
pub fn experiment_head(row: &ExperimentRow, status: &str, runs: u64) -> ExperimentHead {
    ExperimentHead {
        id: titles::experiment_uid(row).to_string(),
        no: row.no.0,
        handle: row.state.handle().map(str::to_owned),
        name: row.state.name().map(str::to_owned),
        project: row.state.project().to_owned(),
        status: status.to_owned(),
        created: created(row).map(|time| time.to_string()),
        runs,
        archived: row.state.annotations.flag("archived"),
    }
}

/// When it was created; the experiment that every book has was not.
pub fn created(row: &ExperimentRow) -> Option<Timestamp> {
    let created = row.state.created();
    created.filter(|time| *time != Timestamp::default())
}

/// Everything that is kept of a run but its long records.
pub fn whole_run(run: &RunRow, experiment: Option<&ExperimentRow>, now: Timestamp) -> Run {
    let state = &run.state;
    let start = state.start();
    Run {
        head: run_head(run, experiment, now),
        actor: state.actor.as_ref().map(|actor| actor.value.clone()),
        command: start.map(|start| start.command.clone()).unwrap_or_default(),
        seed: start.and_then(|start| start.seed),
        run_key: start.and_then(|start| start.run_key.clone()),
        error: state.error().map(|error| Failure {
            kind: error.kind.clone(),
            message: error.message.clone(),
        }),
        exit_code: state.exit_code(),
        last_sign_of_life: state.alive.map(|time| time.to_string()),
        params: params(run),
        metrics: metrics(run),
        derived: derived(run),
        tags: tags(&state.annotations),
        fields: fields(&state.annotations),
        notes: notes(&state.annotations),
        snapshots: snapshots(run),
    }
}

/// Tags by name.
pub fn tags(of: &Annotations) -> BTreeMap<String, String> {
    let tags = of.tags();
    tags.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Fields by name.
pub fn fields(of: &Annotations) -> BTreeMap<String, Value> {
    let names = of.fields.keys();
    names
        .filter_map(|name| Some((name.clone(), of.field(name)?.clone())))
        .collect()
}

/// The metrics of a run by the text of their series.
pub fn metrics(run: &RunRow) -> BTreeMap<String, Metric> {
    let series = run.state.records.series.iter();
    series
        .map(|(key, summary)| (key.to_string(), metric(&key.key, &key.context, summary)))
        .collect()
}

/// What follows from what was recorded of a run.
pub fn derived(run: &RunRow) -> BTreeMap<String, Number> {
    let values = run.state.derived_values().into_iter();
    values.map(|(name, value)| (name, Number(value))).collect()
}

/// SHA-256 of the snapshots of a run by kind.
pub fn snapshots(run: &RunRow) -> BTreeMap<String, String> {
    let all = run.state.snapshots.iter();
    all.map(|(kind, held)| (kind.clone(), held.value.clone()))
        .collect()
}

/// From start to end in microseconds, where both are known.
pub fn duration(run: &RunRow) -> Option<i64> {
    let (started, ended) = (run.state.started()?, run.state.ended()?);
    Some(ended.0.saturating_sub(started.0))
}

/// What a series came to.
pub fn metric(key: &str, context: &str, summary: &SeriesSummary) -> Metric {
    Metric {
        key: key.to_owned(),
        context: serde_json::from_str(context).ok(),
        last: Number(summary.last.value),
        min: summary.min().map(Number),
        max: summary.max().map(Number),
        mean: summary.mean().map(Number),
        count: summary.count,
        first_step: summary.first_step,
        last_step: summary.last.step,
        last_time: summary.last_time.to_string(),
        nan: summary.nan,
        infinite: summary.pos_inf + summary.neg_inf,
    }
}

/// All notes that are there.
pub fn notes(annotations: &Annotations) -> Vec<Note> {
    let notes = annotations.notes.values();
    notes
        .filter_map(|note| {
            let note = &note.value;
            Some(Note {
                namespace: note.namespace.clone(),
                key: note.key.clone(),
                text: note.text.clone()?,
                tags: note.tags.clone(),
                data: note.data.clone(),
            })
        })
        .collect()
}

/// A param as JSON: a number keeps the text that it was written with.
pub fn param(param: &Param) -> Box<RawValue> {
    let exact = match param.kind {
        ParamKind::Number | ParamKind::Bool | ParamKind::Null => {
            RawValue::from_string(param.text.clone()).ok()
        }
        ParamKind::Text => None,
    };
    exact.unwrap_or_else(|| {
        let value = match param.number() {
            Some(number) => figures::json(number),
            None => Value::from(param.text.clone()),
        };
        RawValue::from_string(value.to_string()).expect("a value prints as JSON")
    })
}

/// All params of a run as JSON.
pub fn params(run: &RunRow) -> BTreeMap<String, Box<RawValue>> {
    let params = run.state.params.iter();
    params
        .map(|(key, held)| (key.clone(), param(held.param())))
        .collect()
}

/// An event as it is told.
pub fn event(of: &EventRecord) -> Event {
    let record = &of.record;
    Event {
        time: of.stamp.time.to_string(),
        kind: record.kind.clone(),
        severity: record.severity.clone(),
        text: record.text.clone(),
        step: record.step,
        data: record.data.clone(),
    }
}

/// The files of a run, each in its newest version.
pub fn artifacts(run: &RunRow) -> Vec<Artifact> {
    let records = &run.state.records;
    let files = records.artifacts().map(|held| {
        let file = &held.value;
        let versions = records.artifacts.get(&file.path);
        Artifact {
            path: file.path.clone(),
            r#type: file.r#type.clone(),
            role: file.role.clone(),
            size: file.size,
            sha256: file.sha256.clone(),
            uri: file.uri.clone(),
            step: file.step,
            description: file.description.clone(),
            versions: versions.map_or(1, |versions| versions.len() as u64),
        }
    });
    files.collect()
}
