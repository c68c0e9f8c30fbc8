//! What is running and queued in the whole book.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::filter::Expr;
use trialbook_model::stale::stale_since;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::RunRow;
use trialbook_store::query::Query;
use trialbook_store::reading::Reading;

use super::run::RunDocument;
use super::{Outlook, SCHEMA};
use crate::context::Context;
use crate::figures::{count, done};
use crate::listing::{Listing, More};
use crate::target::attribute_is;
use crate::titles;

/// Runs that are listed.
const LISTED: usize = 50;

#[derive(Serialize)]
struct Document {
    running: u64,
    stale: u64,
    queued: u64,
    runs: Vec<RunDocument>,
    queued_by_experiment: BTreeMap<String, u64>,
}

/// A column with the progress that programs tell.
pub(super) fn progress_column() -> More<'static> {
    More {
        title: "PROGRESS",
        cell: Box::new(|run| {
            let share = run.state.progress.share();
            share.map_or_else(String::new, done)
        }),
    }
}

/// Everything of the book that has not ended.
fn unfinished() -> Query {
    let open = [RunStatus::Running, RunStatus::Queued];
    let open = open.map(|status| attribute_is("status", status.word()));
    Query {
        filter: Expr::Or(open.to_vec()),
        ..Query::all()
    }
}

pub(super) fn show<V: Reading>(view: &V, now: Timestamp, cx: &Context) -> Result<Outlook> {
    let all = view.runs(&view.search(&unfinished())?.runs)?;
    let (running, queued): (Vec<RunRow>, Vec<RunRow>) = all
        .into_iter()
        .partition(|run| run.state.status() == RunStatus::Running);
    let stale = running
        .iter()
        .filter(|run| stale_since(&run.state, now).is_some());
    let stale = stale.count() as u64;
    let mut waiting: BTreeMap<String, u64> = BTreeMap::new();
    for run in &queued {
        let experiment = view.experiment(run.experiment)?;
        let title = experiment.as_ref().map(titles::experiment);
        *waiting.entry(title.unwrap_or_default()).or_default() += 1;
    }
    let outlook = if running.is_empty() && queued.is_empty() {
        Outlook::Over
    } else {
        Outlook::Open
    };
    if cx.printer.json_wanted() {
        let told = running.iter().map(|run| RunDocument::of(view, run, now));
        let document = Document {
            running: running.len() as u64 - stale,
            stale,
            queued: queued.len() as u64,
            runs: told.collect::<Result<_, _>>()?,
            queued_by_experiment: waiting,
        };
        cx.printer.json(SCHEMA, &document)?;
    } else if outlook == Outlook::Over {
        cx.printer.line("nothing is running or queued");
    } else {
        print(view, (&running, stale, &waiting), now, cx)?;
    }
    Ok(outlook)
}

fn print<V: Reading>(
    view: &V,
    (running, stale, waiting): (&[RunRow], u64, &BTreeMap<String, u64>),
    now: Timestamp,
    cx: &Context,
) -> Result<()> {
    if !running.is_empty() {
        let numbers: Vec<_> = running.iter().take(LISTED).map(|run| run.no).collect();
        let listing = Listing::read(view, &numbers)?;
        cx.printer.table(&listing.table(now, &[progress_column()]));
    }
    if running.len() > LISTED {
        let more = count((running.len() - LISTED) as u64, "running run");
        cx.printer.line(format!(
            "… and {more} more: `trialbook list --status running`"
        ));
    }
    if stale > 0 {
        let runs = count(stale, "run");
        cx.printer.line(format!(
            "{runs} without a sign of life: `trialbook cancel RUN` closes one"
        ));
    }
    for (experiment, number) in waiting {
        let runs = count(*number, "run");
        cx.printer.line(format!("{runs} queued in {experiment}"));
    }
    Ok(())
}
