//! A run as a JSON document.
//!
//! Invariant: fields keep their meaning as long as the schema version stays.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use trialbook_analysis::variations::judge_run;
use trialbook_model::criteria::Outcome;
use trialbook_model::record::LinkKind;
use trialbook_model::setup::SETUP_SNAPSHOT;
use trialbook_model::time::Timestamp;
use trialbook_runner::sample::SAMPLE;
use trialbook_store::nouns::{ExperimentRow, Owner, RunRow};
use trialbook_store::reading::Reading;

use super::identity::finish;
use super::{Args, results};
use crate::baselines;
use crate::documents;
use crate::figures;
use crate::names::Names;
use trialbook_api::Number;
use trialbook_api::records::{Artifact, Event};
use trialbook_api::runs::{Metric, Note, RunHead};

/// Everything of a run.
#[derive(Serialize)]
pub(super) struct RunDocument {
    #[serde(flatten)]
    head: RunHead,
    /// Whether nothing that was recorded of it is damaged.
    pub(super) whole: bool,
    aliases: Vec<String>,
    source: Option<String>,
    actor: Option<String>,
    command: Vec<String>,
    seed: Option<u64>,
    run_key: Option<String>,
    links: Vec<Link>,
    error: Option<ErrorDocument>,
    exit_code: Option<i32>,
    last_sign_of_life: Option<String>,
    progress: Option<ProgressDocument>,
    params: BTreeMap<String, Box<RawValue>>,
    conflicts: Vec<Conflict>,
    metrics: BTreeMap<String, Metric>,
    derived: BTreeMap<String, Number>,
    criteria: Vec<CriterionDocument>,
    tags: BTreeMap<String, String>,
    fields: BTreeMap<String, Value>,
    notes: Vec<Note>,
    artifacts: Vec<Artifact>,
    snapshots: BTreeMap<String, String>,
    environment: Option<Value>,
    /// What of its data the run was about, where that was not all of it.
    sample: Option<Value>,
    /// The setup that it was started with.
    setup: Option<Value>,
    config_hash: Option<String>,
    results: Option<results::Document>,
    /// Experiments, by project and name, and tasks whose baseline it is, or is one of.
    baseline_of: Vec<String>,
    counts: Counts,
    recorder: Recorder,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<Event>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logs: Option<Vec<LogDocument>>,
}

/// A success criterion of the experiment, judged for this run once it has ended.
#[derive(Serialize)]
struct CriterionDocument {
    criterion: String,
    metric: String,
    value: Option<Value>,
    outcome: Outcome,
}

#[derive(Serialize)]
struct Link {
    kind: LinkKind,
    run: String,
}

#[derive(Serialize)]
struct ErrorDocument {
    kind: String,
    message: String,
}

#[derive(Serialize)]
struct ProgressDocument {
    done: Value,
    total: Option<Value>,
    stage: Option<String>,
    /// 0 to 1.
    share: Option<Value>,
    /// When it may be done, while it is running.
    finish: Option<String>,
}

#[derive(Serialize)]
struct Conflict {
    param: String,
    kept: String,
    refused: Vec<String>,
}

#[derive(Serialize)]
struct Counts {
    points: u64,
    events: BTreeMap<String, u64>,
    items: u64,
    assessments: u64,
    log_bytes: u64,
}

/// What the writers counted of themselves.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Recorder {
    pub(super) writers: usize,
    pub(super) accepted: u64,
    pub(super) dropped: u64,
    pub(super) cost_ms: f64,
}

impl Recorder {
    /// The sums over all writers that count themselves.
    pub(super) fn of(run: &RunRow) -> Self {
        let mut sum = Self {
            writers: run.state.heartbeats.len(),
            accepted: 0,
            dropped: 0,
            cost_ms: 0.0,
        };
        for beat in run.state.heartbeats.values() {
            sum.accepted += beat.value.accepted;
            sum.dropped += beat.value.dropped;
            sum.cost_ms += beat.value.cost_ns as f64 / 1e6;
        }
        sum
    }
}

#[derive(Serialize)]
struct LogDocument {
    time: String,
    stream: trialbook_model::record::LogStream,
    text: String,
}

/// Builds the document.
pub(super) fn build<V: Reading>(
    view: &V,
    (run, experiment): (&RunRow, Option<&ExperimentRow>),
    args: &Args,
    now: Timestamp,
) -> Result<RunDocument> {
    let state = &run.state;
    let start = state.start();
    Ok(RunDocument {
        head: documents::run_head(run, experiment, now),
        whole: true,
        aliases: Names::new(view).aliases_of_any(&[run.uid.0])?,
        source: start.map(|start| start.source.clone()),
        actor: state.actor.as_ref().map(|actor| actor.value.clone()),
        command: start.map(|start| start.command.clone()).unwrap_or_default(),
        seed: start.and_then(|start| start.seed),
        run_key: start.and_then(|start| start.run_key.clone()),
        links: links(run),
        error: state.error().map(|error| ErrorDocument {
            kind: error.kind.clone(),
            message: error.message.clone(),
        }),
        exit_code: state.exit_code(),
        last_sign_of_life: state.alive.map(|time| time.to_string()),
        progress: progress(run, now),
        params: documents::params(run),
        conflicts: conflicts(run),
        metrics: documents::metrics(run),
        derived: documents::derived(run),
        criteria: experiment.map_or_else(Vec::new, |experiment| criteria(experiment, run)),
        tags: documents::tags(&state.annotations),
        fields: documents::fields(&state.annotations),
        notes: documents::notes(&state.annotations),
        artifacts: documents::artifacts(run),
        snapshots: documents::snapshots(run),
        environment: snapshot(view, run, "environment")?,
        setup: snapshot(view, run, SETUP_SNAPSHOT)?,
        sample: snapshot(view, run, SAMPLE)?,
        config_hash: state
            .snapshots
            .get(SETUP_SNAPSHOT)
            .map(|held| held.value.clone()),
        results: state
            .derived
            .results()
            .map(|came_to| results::document(&came_to, results::again(view, run))),
        baseline_of: match experiment {
            Some(experiment) => baselines::of_run(view, run, experiment)?,
            None => Vec::new(),
        },
        counts: counts(run),
        recorder: Recorder::of(run),
        events: args.events.then(|| events(view, run)).transpose()?,
        logs: args.logs.then(|| logs(view, run)).transpose()?,
    })
}

/// The document of the snapshot of a kind.
fn snapshot<V: Reading>(view: &V, run: &RunRow, kind: &str) -> Result<Option<Value>> {
    Ok(match run.state.snapshots.get(kind) {
        Some(held) => view.snapshot(&held.value)?,
        None => None,
    })
}

fn events<V: Reading>(view: &V, run: &RunRow) -> Result<Vec<Event>> {
    let events = view.events(&Owner::Run(run.no))?;
    Ok(events.iter().map(documents::event).collect())
}

fn criteria(experiment: &ExperimentRow, run: &RunRow) -> Vec<CriterionDocument> {
    let cells = judge_run(experiment, run).into_iter();
    cells
        .map(|cell| CriterionDocument {
            criterion: cell.criterion,
            metric: cell.metric,
            value: cell.value.map(figures::json),
            outcome: cell.outcome,
        })
        .collect()
}

fn links(run: &RunRow) -> Vec<Link> {
    let links = run.state.start().map(|start| start.links.as_slice());
    let link = |(kind, run): &(LinkKind, trialbook_model::id::RunUid)| Link {
        kind: *kind,
        run: run.to_string(),
    };
    links.unwrap_or_default().iter().map(link).collect()
}

fn progress(run: &RunRow, now: Timestamp) -> Option<ProgressDocument> {
    let history = &run.state.progress;
    let progress = history.last()?;
    Some(ProgressDocument {
        done: figures::json(progress.done),
        total: progress.total.map(figures::json),
        stage: progress.stage.clone(),
        share: history.share().map(figures::json),
        finish: finish(&run.state, now).map(|time| time.to_string()),
    })
}

fn conflicts(run: &RunRow) -> Vec<Conflict> {
    let conflicts = run.state.conflicts();
    conflicts
        .map(|(key, kept, refused)| Conflict {
            param: key.to_owned(),
            kept: kept.text.clone(),
            refused: refused
                .iter()
                .map(|(_, param)| param.text.clone())
                .collect(),
        })
        .collect()
}

fn counts(run: &RunRow) -> Counts {
    let counts = &run.state.records.counts;
    Counts {
        points: counts.points,
        events: counts.events.clone(),
        items: counts.items,
        assessments: counts.assessments,
        log_bytes: counts.log_bytes,
    }
}

fn logs<V: Reading>(view: &V, run: &RunRow) -> Result<Vec<LogDocument>> {
    let logs = view.logs(run.no)?;
    Ok(logs
        .into_iter()
        .map(|log| LogDocument {
            time: log.stamp.time.to_string(),
            stream: log.record.stream,
            text: log.record.text,
        })
        .collect())
}
