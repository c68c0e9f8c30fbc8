//! `trialbook stats`: what a book holds, in numbers (C-28).
//!
//! Invariant: what no run has is missing, never 0; a sum says of how many runs it is.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use trialbook_model::exact_sum::ExactSum;
use trialbook_model::filter::{Collation, Direction, Expr, Key, KeyKind, OrderTerm};
use trialbook_model::setup::SETUP_SNAPSHOT;
use trialbook_model::status::RunStatus;
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_store::BOOK_FORMAT;
use trialbook_store::nouns::RunRow;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading as _;

use super::doctor::size;
use crate::book::View;
use crate::context::{Context, SystemClock};
use crate::figures::{self, bytes, count, done};
use crate::printer::{Line, Style};
use crate::target::attribute_is;
use crate::{book, titles, when};

const SCHEMA: u32 = 1;
/// What a run's items cost, as derived or as logged.
const COST: &str = "total_estimated_cost";
/// The share of right answers, as derived or as logged.
const ACCURACY: &str = "accuracy_rate";
/// Runs that are read in one go.
const BATCH: usize = 4_096;

/// Say in numbers what the book holds
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook stats
  trialbook stats --json | jq .runs_by_status")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Stats {
    book: String,
    format: u32,
    /// Bytes of its folder; absent for a book on a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    experiments: u64,
    configurations: u64,
    runs: u64,
    runs_by_status: BTreeMap<&'static str, u64>,
    first_started: Option<String>,
    last_started: Option<String>,
    total_cost: Option<Value>,
    runs_with_cost: u64,
    best_accuracy: Option<Value>,
    best_run: Option<String>,
}

/// Says it.
pub(crate) fn run(_args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let experiments = view.experiments()?;
    let configs = experiments.iter().filter_map(|row| row.state.config());
    let hashes = configs.filter_map(|it| it.hash.clone());
    let mut hashes: BTreeSet<String> = hashes.collect();
    hashes.extend(setups(&view)?);
    let mut by_status = BTreeMap::new();
    for status in RunStatus::ALL {
        let query = of(attribute_is("status", status.word()), 0);
        by_status.insert(status.word(), view.search(&query)?.total);
    }
    let started = Key::new(KeyKind::Attribute, "started");
    let first = first(&view, started.clone(), Direction::Ascending)?;
    let first = first.and_then(|run| run.state.started());
    let last = self::first(&view, started, Direction::Descending)?;
    let last = last.and_then(|run| run.state.started());
    let best = best(&view)?;
    let (cost, costly) = cost(&view)?;
    let stats = Stats {
        book: open.name(),
        format: BOOK_FORMAT,
        size_bytes: open.own_folder().map(size),
        experiments: experiments.len() as u64,
        configurations: hashes.len() as u64,
        runs: by_status.values().sum(),
        runs_by_status: by_status,
        first_started: first.map(|time| time.to_string()),
        last_started: last.map(|time| time.to_string()),
        total_cost: (costly > 0).then(|| figures::json(cost)),
        runs_with_cost: costly,
        best_accuracy: best.as_ref().map(|best| figures::json(best.accuracy)),
        best_run: best.as_ref().map(|best| best.title.clone()),
    };
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &stats)?;
    } else {
        tell(&stats, (first, last), (cost, best), cx);
    }
    Ok(ExitCode::SUCCESS)
}

/// A search over all runs but those in the bin.
fn of(filter: Expr, limit: usize) -> Query {
    Query {
        filter,
        shown: Shown::WithArchived,
        limit,
        ..Query::all()
    }
}

/// The condition that a run has a value under a key.
fn has(key: Key) -> Expr {
    Expr::IsNull { key, negated: true }
}

/// The first run by a key that it has.
fn first(view: &View<'_>, key: Key, direction: Direction) -> Result<Option<RunRow>> {
    let order = OrderTerm {
        key: key.clone(),
        direction: Some(direction),
        collation: Collation::Natural,
    };
    let query = Query {
        order: vec![order],
        ..of(has(key), 1)
    };
    Ok(view.runs(&view.search(&query)?.runs)?.pop())
}

/// The run with the greatest accuracy.
struct Best {
    accuracy: f64,
    title: String,
}

fn best(view: &View<'_>) -> Result<Option<Best>> {
    let key = Key::new(KeyKind::Metric, ACCURACY);
    let Some(run) = first(view, key, Direction::Descending)? else {
        return Ok(None);
    };
    let experiment = view.experiment(run.experiment)?;
    let title = titles::run(&run, experiment.as_ref());
    let best = run.state.metric(ACCURACY);
    Ok(best.map(|accuracy| Best { accuracy, title }))
}

/// The hashes of the setups that runs were started with.
fn setups(view: &View<'_>) -> Result<BTreeSet<String>> {
    let key = Key::new(KeyKind::Attribute, "config_hash");
    let found = view.search(&of(has(key), usize::MAX))?;
    let mut hashes = BTreeSet::new();
    for batch in found.runs.chunks(BATCH) {
        for run in view.runs(batch)? {
            let held = run.state.snapshots.get(SETUP_SNAPSHOT);
            hashes.extend(held.map(|held| held.value.clone()));
        }
    }
    Ok(hashes)
}

/// The sum of costs and how many runs have one.
fn cost(view: &View<'_>) -> Result<(f64, u64)> {
    let costly = view.search(&of(has(Key::new(KeyKind::Metric, COST)), usize::MAX))?;
    let mut sum = ExactSum::new();
    for batch in costly.runs.chunks(BATCH) {
        for run in view.runs(batch)? {
            if let Some(cost) = run.state.metric(COST).filter(|cost| cost.is_finite()) {
                sum.add(cost);
            }
        }
    }
    Ok((sum.value(), costly.total))
}

fn tell(
    stats: &Stats,
    (first, last): (Option<Timestamp>, Option<Timestamp>),
    (cost, best): (f64, Option<Best>),
    cx: &Context,
) {
    let field = |name: &str, value: String| {
        cx.printer
            .line(Line::styled(Style::Dim, format!("{name:<15} ")).plain(value));
    };
    let now = SystemClock.now();
    let time = |time: Timestamp| format!("{} ({})", when::local(time), when::age(time, now));
    field("book", format!("{} (format {})", stats.book, stats.format));
    if let Some(size) = stats.size_bytes {
        field("size", bytes(size));
    }
    field("experiments", figures::grouped(stats.experiments));
    field("configurations", figures::grouped(stats.configurations));
    let statuses = stats.runs_by_status.iter().filter(|(_, runs)| **runs > 0);
    let statuses: Vec<String> = statuses
        .map(|(status, runs)| format!("{} {status}", figures::grouped(*runs)))
        .collect();
    let all = figures::grouped(stats.runs);
    field(
        "runs",
        if statuses.is_empty() {
            all
        } else {
            format!("{all}: {}", statuses.join(", "))
        },
    );
    if let (Some(first), Some(last)) = (first, last) {
        field("first started", time(first));
        field("last started", time(last));
    }
    if stats.runs_with_cost > 0 {
        let runs = count(stats.runs_with_cost, "run");
        field("cost", format!("${cost:.3} in {runs}"));
    }
    if let Some(best) = best {
        let accuracy = done(best.accuracy);
        field("best accuracy", format!("{accuracy} by {}", best.title));
    }
}
