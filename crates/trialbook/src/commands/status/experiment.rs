//! How far an experiment is: its trials by state, what is running, when it will be done.
//!
//! Invariant: of several attempts at a trial one counts, as in the table of the experiment.

use anyhow::Result;
use serde::Serialize;
use trialbook_analysis::{ExperimentStatus, VariationTable};
use trialbook_model::config::Config;
use trialbook_model::progress::remaining;
use trialbook_model::stale::stale_since;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::Query;
use trialbook_store::reading::Reading;

use super::overview::progress_column;
use super::run::RunDocument;
use super::totals::Totals;
use super::{Eta, Outlook, SCHEMA, bar};
use crate::context::Context;
use crate::documents;
use crate::figures::{count, grouped};
use crate::listing::{self, Listing};
use crate::printer::{Line, Style};
use crate::target::attribute_is;
use crate::{titles, when};

#[derive(Serialize)]
struct Document {
    experiment: String,
    id: String,
    handle: Option<String>,
    status: ExperimentStatus,
    #[serde(flatten)]
    totals: Totals,
    /// From 0 to 1: trials that completed or failed, of all that are asked for. A cancelled one is still to be done.
    progress: Option<f64>,
    trials: Trials,
    eta: Option<Eta>,
    verdict: Option<bool>,
    running: Vec<RunDocument>,
}

#[derive(Serialize)]
struct Trials {
    asked: Option<u64>,
    queued: u64,
    running: u64,
    stale: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    superseded: u64,
}

impl Trials {
    fn of(table: &VariationTable, asked: Option<u64>, stale: u64) -> Self {
        let statuses = table.statuses();
        Self {
            asked,
            queued: statuses.queued,
            running: statuses.running,
            stale,
            completed: statuses.completed,
            failed: statuses.failed,
            cancelled: statuses.cancelled,
            superseded: table.rows.iter().map(|row| row.superseded).sum(),
        }
    }

    const fn done(&self) -> u64 {
        self.completed + self.failed
    }

    const fn is_over(&self) -> bool {
        self.queued + self.running == 0
    }
}

pub(super) fn show<V: Reading>(
    view: &V,
    row: &ExperimentRow,
    now: Timestamp,
    cx: &Context,
) -> Result<Outlook> {
    let table = VariationTable::of(view, row)?;
    let statuses = table.statuses();
    let config = row.state.config();
    let config: Option<Config> =
        config.and_then(|held| serde_json::from_value(held.document.clone()).ok());
    // Trials beside those that are asked for count as asked for.
    let asked = config.map(|config| config.runs().max(statuses.total()));
    let running = of_status(view, row, RunStatus::Running)?;
    let (lost, living): (Vec<&RunRow>, Vec<&RunRow>) = running
        .iter()
        .partition(|run| stale_since(&run.state, now).is_some());
    let trials = Trials::of(&table, asked, lost.len() as u64);
    let all = asked.unwrap_or(statuses.total());
    let left = all - statuses.ended();
    let eta = eta(view, row, (left, &living), now)?;
    let outlook = if trials.is_over() {
        Outlook::Over
    } else {
        Outlook::Open
    };
    let told = running.iter().map(|run| RunDocument::of(view, run, now));
    let document = Document {
        experiment: titles::experiment(row),
        id: titles::experiment_uid(row).to_string(),
        totals: Totals::of(view, row, outlook)?,
        handle: row.state.handle().map(str::to_owned),
        status: ExperimentStatus::of_trials(&statuses, asked.unwrap_or_default()),
        progress: (all > 0).then(|| trials.done() as f64 / all as f64),
        trials,
        eta: eta.map(|range| Eta::between(now, range)),
        verdict: table.verdict.as_ref().map(|verdict| verdict.met),
        running: told.collect::<Result<_, _>>()?,
    };
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &document)?;
        return Ok(outlook);
    }
    print(&document, eta, cx);
    if !running.is_empty() {
        cx.printer.line("");
        let numbers: Vec<_> = running.iter().map(|run| run.no).collect();
        let listing = Listing::read(view, &numbers)?;
        cx.printer.table(&listing.table(now, &[progress_column()]));
    }
    Ok(outlook)
}

fn of_status<V: Reading>(
    view: &V,
    row: &ExperimentRow,
    status: RunStatus,
) -> Result<Vec<RunRow>, V::Error> {
    let query = Query {
        filter: attribute_is("status", status.word()),
        experiments: Some(vec![row.no]),
        ..Query::all()
    };
    view.runs(&view.search(&query)?.runs)
}

/// How long the trials that are left will take, from those that are done and as many at a time as run now.
fn eta<V: Reading>(
    view: &V,
    row: &ExperimentRow,
    (left, living): (u64, &[&RunRow]),
    now: Timestamp,
) -> Result<Option<(i64, i64)>, V::Error> {
    if left == 0 || living.is_empty() {
        return Ok(None);
    }
    let completed = of_status(view, row, RunStatus::Completed)?;
    let mut took: Vec<i64> = completed.iter().filter_map(documents::duration).collect();
    let begun = living.iter().filter_map(|run| run.state.started());
    let spent: i64 = begun.map(|started| now.0.saturating_sub(started.0)).sum();
    Ok(remaining(&mut took, left, (living.len() as u64, spent)))
}

fn print(document: &Document, eta: Option<(i64, i64)>, cx: &Context) {
    let trials = &document.trials;
    let head = Line::styled(Style::Bold, &document.experiment);
    let asked = trials
        .asked
        .map(|asked| format!(": {}", count(asked, "trial")));
    let (style, word) = listing::experiment_status(document.status);
    let head = head.plain("  ").add(style, word);
    cx.printer.line(head.plain(asked.unwrap_or_default()));
    if let Some(share) = document.progress {
        cx.printer.line(format!("  {}", bar(share)));
    }
    let states = [
        (trials.completed, "completed"),
        (trials.failed, "failed"),
        (trials.cancelled, "cancelled"),
        (trials.running.saturating_sub(trials.stale), "running"),
        (trials.stale, "stale"),
        (trials.queued, "queued"),
    ];
    document.totals.print(&document.id, cx);
    let some = states.iter().filter(|(number, _)| *number > 0);
    let some: Vec<String> = some
        .map(|(number, word)| format!("{} {word}", grouped(*number)))
        .collect();
    cx.printer.line(if some.is_empty() {
        "  nothing was run".to_owned()
    } else {
        format!("  {}", some.join(", "))
    });
    if trials.superseded > 0 {
        let earlier = count(trials.superseded, "earlier attempt");
        cx.printer.line(format!("  {earlier} replaced"));
    }
    if let Some((least, most)) = eta {
        let (least, most) = (when::span(least), when::span(most));
        cx.printer.line(if least == most {
            format!("  done in about {least}")
        } else {
            format!("  done in about {least} to {most}")
        });
    }
    match document.verdict {
        Some(true) => cx.printer.line("  success criteria: met so far"),
        Some(false) => cx.printer.line("  success criteria: not met so far"),
        None => {}
    }
    if trials.is_over() && trials.asked.is_some_and(|asked| asked > trials.done()) {
        cx.printer
            .line("  `trialbook run CONFIG` does what never finished");
    }
}
