//! What all runs of an experiment came to: calls, cost, time, and when they were (S-2, S-8, S-68).
//!
//! Invariant: earlier attempts and archived runs count, as they were paid for; what no run told is null, never 0.

use anyhow::Result;
use serde::Serialize;
use trialbook_model::system;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;

use super::Outlook;
use crate::context::Context;
use crate::figures::{grouped, percent};
use crate::printer::{Line, Style};
use crate::when;

/// Totals over runs.
#[derive(Debug, Serialize)]
pub(super) struct Totals {
    created: Option<String>,
    started: Option<String>,
    /// When the last one ended; null while some have not.
    ended: Option<String>,
    /// What the run heard of last is at.
    stage: Option<String>,
    api_calls: Option<u64>,
    /// Calls without error, of all calls.
    success_rate: Option<f64>,
    total_cost: Option<f64>,
    /// Processor time.
    compute_hours: Option<f64>,
    #[serde(skip)]
    times: [Option<Timestamp>; 3],
}

impl Totals {
    /// Of all runs of an experiment that are not in the bin.
    pub(super) fn of<V: Reading>(
        view: &V,
        row: &ExperimentRow,
        outlook: Outlook,
    ) -> Result<Self, V::Error> {
        let query = Query {
            experiments: Some(vec![row.no]),
            shown: Shown::WithArchived,
            ..Query::all()
        };
        let runs = view.runs(&view.search(&query)?.runs)?;
        let created = row.state.created();
        let created = created.filter(|time| *time != Timestamp::default());
        let started = runs.iter().filter_map(|run| run.state.started()).min();
        let ended = runs.iter().filter_map(|run| run.state.ended()).max();
        let ended = ended.filter(|_| outlook == Outlook::Over);
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let (calls, failed) = calls(&runs);
        Ok(Self {
            created: text(created),
            started: text(started),
            ended: text(ended),
            stage: stage(&runs),
            api_calls: calls,
            success_rate: calls.map(|calls| (calls - failed.min(calls)) as f64 / calls as f64),
            total_cost: sum(&runs, "total_estimated_cost"),
            compute_hours: sum(&runs, system::CPU_SECONDS).map(|seconds| seconds / 3600.0),
            times: [created, started, ended],
        })
    }

    /// As people read it.
    pub(super) fn print(&self, id: &str, cx: &Context) {
        let field = |name: &str, value: String| {
            let name = Line::styled(Style::Dim, format!("  {name:<12} "));
            cx.printer.line(name.plain(value));
        };
        field("id", id.to_owned());
        for (name, time) in ["created", "started", "ended"].iter().zip(self.times) {
            if let Some(time) = time {
                field(name, when::local(time));
            }
        }
        if let Some(stage) = &self.stage {
            field("stage", stage.clone());
        }
        if let Some(calls) = self.api_calls {
            let rate = self.success_rate;
            let rate = rate.map(|rate| format!(", {} without error", percent(rate, calls)));
            let rate = rate.unwrap_or_default();
            field("calls", format!("{}{rate}", grouped(calls)));
        }
        if let Some(cost) = self.total_cost {
            field("cost", format!("${cost:.4}"));
        }
        if let Some(hours) = self.compute_hours {
            field("compute", format!("{hours:.2} hours"));
        }
    }
}

/// Judged items and how many of them have an error.
fn calls(runs: &[RunRow]) -> (Option<u64>, u64) {
    let calls: u64 = runs.iter().map(|run| run.state.records.counts.items).sum();
    let results = runs.iter().filter_map(|run| run.state.derived.results());
    let failed = results.map(|results| results.all.failures).sum();
    ((calls > 0).then_some(calls), failed)
}

fn stage(runs: &[RunRow]) -> Option<String> {
    let open = runs.iter().filter(|run| !run.state.status().is_final());
    let latest = open.max_by_key(|run| run.state.alive)?;
    latest.state.progress.last()?.stage.clone()
}

/// The sum over the runs that have a value.
fn sum(runs: &[RunRow], metric: &str) -> Option<f64> {
    let values = runs.iter().filter_map(|run| run.state.metric(metric));
    values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}
