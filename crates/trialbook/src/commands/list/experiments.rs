//! Experiments as a table and as JSON.
//!
//! Invariant: the state of an experiment is looked up only where it is asked for or shown.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;
use trialbook_analysis::ExperimentStatus;
use trialbook_model::id::ExperimentNo;
use trialbook_model::stale::stale_since;
use trialbook_model::status::RunStatus;
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::query::Query;
use trialbook_store::reading::Reading;

use super::{Args, SCHEMA, Wanted};
use crate::context::{Context, SystemClock};
use crate::documents;
use crate::figures::{count, grouped};
use crate::listing::experiment_status;
use crate::printer::{Column, Style, Table};
use crate::target::attribute_is;
use crate::when;
use trialbook_api::experiments::ExperimentHead;

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON document")]
struct Experiments {
    book: String,
    total: u64,
    experiments: Vec<ExperimentHead>,
}

/// An experiment that is listed.
struct Listed {
    row: ExperimentRow,
    status: ExperimentStatus,
    runs: u64,
}

pub(super) fn list<V: Reading>(args: &Args, cx: &Context, view: &V, book: String) -> Result<()> {
    let mut named = args.experiments(view)?;
    if args.status == Some(Wanted::Stale) {
        let silent = with_stale_runs(view)?;
        let is_named = |no: &ExperimentNo| named.as_ref().is_none_or(|named| named.contains(no));
        named = Some(silent.into_iter().filter(is_named).collect());
    }
    let mut rows = view.experiments()?;
    rows.retain(|row| {
        args.shows(row) && named.as_ref().is_none_or(|named| named.contains(&row.no))
    });
    rows.reverse();
    let counts = view.count_runs()?;
    let (mut total, mut listed) = (0, Vec::new());
    for row in rows {
        let is_full = listed.len() >= args.limit();
        // What is neither asked for nor shown is not looked up.
        if is_full && args.status.is_none() {
            total += 1;
            continue;
        }
        let status = ExperimentStatus::of(view, &row)?;
        let is_wanted = args.status.is_none_or(|wanted| match wanted {
            Wanted::State(wanted) => wanted == status,
            Wanted::Stale => true,
        });
        if !is_wanted {
            continue;
        }
        total += 1;
        if !is_full {
            let runs = counts.get(&row.no).copied().unwrap_or_default();
            listed.push(Listed { row, status, runs });
        }
    }
    if cx.printer.json_wanted() {
        let experiments = listed.iter().map(head).collect();
        let experiments = Experiments {
            book,
            total,
            experiments,
        };
        return cx.printer.json(SCHEMA, &experiments);
    }
    if listed.is_empty() {
        cx.printer.line("no experiments");
        return Ok(());
    }
    cx.printer
        .table(&experiment_table(&listed, SystemClock.now()));
    let shown = listed.len() as u64;
    if shown < total {
        let more = count(total - shown, "experiment");
        cx.printer
            .line(format!("… and {more} more: `--limit 0` shows all"));
    }
    Ok(())
}

/// Experiments with a run that is not heard of any more.
fn with_stale_runs<V: Reading>(view: &V) -> Result<BTreeSet<ExperimentNo>, V::Error> {
    let now = SystemClock.now();
    let query = Query {
        filter: attribute_is("status", RunStatus::Running.word()),
        ..Query::all()
    };
    let running = view.runs(&view.search(&query)?.runs)?;
    let silent = running
        .iter()
        .filter(|run| stale_since(&run.state, now).is_some());
    Ok(silent.map(|run| run.experiment).collect())
}

fn head(of: &Listed) -> ExperimentHead {
    documents::experiment_head(&of.row, of.status.word(), of.runs)
}

fn experiment_table(listed: &[Listed], now: Timestamp) -> Table {
    let mut table = Table::new(vec![
        Column::number("NO"),
        Column::whole("HANDLE"),
        Column::text("NAME"),
        Column::text("PROJECT"),
        Column::whole("STATUS"),
        Column::number("RUNS"),
        Column::whole("CREATED"),
        Column::number("AGE"),
    ]);
    for of in listed {
        let row = &of.row;
        let created = documents::created(row);
        let (style, status) = experiment_status(of.status);
        let plain = |cell: String| (Style::Plain, cell);
        table.styled_row(vec![
            plain(row.no.to_string()),
            plain(row.state.handle().unwrap_or_default().to_owned()),
            plain(row.state.name().unwrap_or("unnamed").to_owned()),
            plain(row.state.project().to_owned()),
            (style, status.to_owned()),
            plain(grouped(of.runs)),
            plain(created.map(when::local).unwrap_or_default()),
            plain(created.map(|time| when::age(time, now)).unwrap_or_default()),
        ]);
    }
    table
}
