//! How far one run is.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use trialbook_model::stale::stale_since;
use trialbook_model::state::RunState;
use trialbook_model::status::RunStatus;
use trialbook_model::system;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::RunRow;
use trialbook_store::reading::Reading;

use super::{Eta, Outlook, SCHEMA, bar};
use crate::context::Context;
use crate::documents;
use crate::figures::{self, bytes, grouped, percent, short};
use crate::listing;
use crate::printer::{Line, Style};
use crate::{titles, when};
use trialbook_api::runs::RunHead;

/// Totals that programs tell of their project (M-13).
const TOTALS: [&str; 6] = [
    "total_tasks",
    "completed_tasks",
    "in_progress_tasks",
    "blocked_tasks",
    "progress_percent",
    "velocity",
];

/// A run's state as a program reads it (S-8, S-68). Every field is there, whatever the state.
#[derive(Serialize)]
pub(super) struct RunDocument {
    #[serde(flatten)]
    head: RunHead,
    /// It has begun. A run that has not, and one that has ended, are both not running.
    started_yet: bool,
    ended_yet: bool,
    /// From 0 to 1.
    progress: Option<f64>,
    stage: Option<String>,
    done: Option<Value>,
    total: Option<Value>,
    eta: Option<Eta>,
    api_calls: Option<u64>,
    total_cost: Option<f64>,
    success_rate: Option<f64>,
    compute_hours: Option<f64>,
    cpu_percent: Option<f64>,
    memory_bytes: Option<f64>,
    last_sign_of_life: Option<String>,
    /// What was counted of events and records.
    observed: Observed,
    /// What the program told of itself.
    totals: BTreeMap<&'static str, f64>,
}

#[derive(Serialize)]
struct Observed {
    events: BTreeMap<String, u64>,
    points: u64,
    items: u64,
    log_bytes: u64,
}

impl RunDocument {
    pub(super) fn of<V: Reading>(view: &V, run: &RunRow, now: Timestamp) -> Result<Self, V::Error> {
        let state = &run.state;
        let experiment = view.experiment(run.experiment)?;
        let status = state.status();
        let told = state.progress.last();
        let counts = &state.records.counts;
        let calls = (counts.items > 0).then_some(counts.items);
        let failed = state.metric("failure_rate");
        Ok(Self {
            head: documents::run_head(run, experiment.as_ref(), now),
            started_yet: status != RunStatus::Queued,
            ended_yet: status.is_final(),
            progress: state.progress.share(),
            stage: told.and_then(|told| told.stage.clone()),
            done: told.map(|told| figures::json(told.done)),
            total: told.and_then(|told| told.total).map(figures::json),
            eta: eta(state, now).map(Eta::at),
            api_calls: calls,
            total_cost: state.metric("total_estimated_cost"),
            success_rate: calls.and(failed).map(|failed| 1.0 - failed),
            compute_hours: state.metric(system::CPU_SECONDS).map(|it| it / 3600.0),
            cpu_percent: state.metric(system::CPU_PERCENT),
            memory_bytes: state.metric(system::MEMORY_BYTES),
            last_sign_of_life: state.alive.map(|time| time.to_string()),
            observed: Observed {
                events: counts.events.clone(),
                points: counts.points,
                items: counts.items,
                log_bytes: counts.log_bytes,
            },
            totals: totals(state),
        })
    }
}

/// When a running run will be done, at its latest pace (S-67).
fn eta(state: &RunState, now: Timestamp) -> Option<Timestamp> {
    let lives = state.status() == RunStatus::Running && stale_since(state, now).is_none();
    lives.then(|| state.progress.finish(now)).flatten()
}

fn totals(state: &RunState) -> BTreeMap<&'static str, f64> {
    TOTALS
        .into_iter()
        .filter_map(|name| Some((name, state.metric(name)?)))
        .filter(|(_, value)| value.is_finite())
        .collect()
}

pub(super) fn show<V: Reading>(
    view: &V,
    run: &RunRow,
    now: Timestamp,
    cx: &Context,
) -> Result<Outlook> {
    let document = RunDocument::of(view, run, now)?;
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &document)?;
    } else {
        let experiment = view.experiment(run.experiment)?;
        let name = run.state.name().unwrap_or_default();
        let (style, word) = listing::status(run, now);
        let head = Line::styled(Style::Bold, titles::run(run, experiment.as_ref()));
        cx.printer
            .line(head.plain(format!("  {name}  ")).add(style, word));
        times(run, now, cx);
        progress_lines(&document, run, now, cx);
        figures_lines(&document, cx);
    }
    Ok(if run.state.status().is_final() {
        Outlook::Over
    } else {
        Outlook::Open
    })
}

fn field(cx: &Context, name: &str, value: impl AsRef<str>) {
    let name = Line::styled(Style::Dim, format!("  {name:<12} "));
    cx.printer.line(name.plain(value.as_ref()));
}

fn times(run: &RunRow, now: Timestamp, cx: &Context) {
    let state = &run.state;
    field(cx, "id", run.uid.to_string());
    if let Some(started) = state.started() {
        let age = when::age(started, now);
        field(cx, "started", format!("{} ({age})", when::local(started)));
    }
    if let Some(ended) = state.ended() {
        field(cx, "ended", when::local(ended));
    }
    let took = listing::took(run, now);
    if !took.is_empty() {
        field(cx, "took", took);
    }
    if let Some(since) = stale_since(state, now) {
        let told = format!("nothing was heard since {}", when::local(since));
        field(cx, "stale", format!("{told}; `trialbook cancel` closes it"));
    } else if let (RunStatus::Running, Some(alive)) = (state.status(), state.alive) {
        field(cx, "heard of", when::age(alive, now));
    }
    if let Some(error) = state.error() {
        field(cx, "error", format!("{}: {}", error.kind, error.message));
    }
}

fn progress_lines(document: &RunDocument, run: &RunRow, now: Timestamp, cx: &Context) {
    if let Some(share) = document.progress {
        let stage = document.stage.as_deref();
        let stage = stage.map_or_else(String::new, |stage| format!("  {stage}"));
        field(cx, "progress", format!("{}{stage}", bar(share)));
    }
    if let Some(arrival) = eta(&run.state, now) {
        let left = when::span(arrival.0.saturating_sub(now.0));
        field(cx, "done in", format!("about {left}"));
    }
}

fn figures_lines(document: &RunDocument, cx: &Context) {
    if let Some(calls) = document.api_calls {
        let rate = document.success_rate;
        let rate = rate.map(|rate| format!(", {} without error", percent(rate, calls)));
        let calls = format!("{}{}", grouped(calls), rate.unwrap_or_default());
        field(cx, "calls", calls);
    }
    if let Some(cost) = document.total_cost {
        field(cx, "cost", format!("${cost:.4}"));
    }
    if let Some(hours) = document.compute_hours {
        field(cx, "compute", format!("{hours:.2} hours"));
    }
    let cpu = document.cpu_percent;
    let cpu = cpu.map(|percent| format!("{}% processor", short(percent)));
    let memory = document.memory_bytes;
    let memory = memory.map(|size| format!("{} memory", bytes(size as u64)));
    let used: Vec<String> = cpu.into_iter().chain(memory).collect();
    if !used.is_empty() {
        field(cx, "uses", used.join(", "));
    }
    let observed = document.observed.events.iter();
    let observed: Vec<String> = observed
        .map(|(kind, number)| format!("{kind} {number}"))
        .collect();
    if !observed.is_empty() {
        field(cx, "observed", observed.join(", "));
    }
    let totals = document.totals.iter();
    let totals: Vec<String> = totals
        .map(|(name, value)| format!("{name} {}", short(*value)))
        .collect();
    if !totals.is_empty() {
        field(cx, "told", totals.join(", "));
    }
}
