//! The result of an experiment: per variation the figures, how the runs ended, the verdict.
//!
//! Not here: counting (the analysis), the looks of the table (`variations`). Invariant: the same table is
//! printed by every face.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_analysis::VariationTable;
use trialbook_model::code::ErrorCode;
use trialbook_runner::engine::Totals;
use trialbook_runner::outline::Outline;
use trialbook_runner::stop::Urgency;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading as _;

use super::claim::project;
use super::questions::{Asked, ItemDocument};
use super::source::{Intent, Spec};
use crate::book::Open;
use crate::context::Context;
use crate::printer::{Line, Style};
use crate::variations::{self, TableDocument};
use crate::{figures, titles};

/// Version of the JSON document.
const SCHEMA: u32 = 1;

/// What came of the success criteria.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There are none, or nothing to judge.
    None,
    /// Trials that were to be run are still open.
    Open,
    /// All are met.
    Met,
    /// Some are not.
    NotMet,
}

#[derive(Serialize)]
struct Document {
    experiment: String,
    runs: u64,
    completed: u64,
    failed: u64,
    #[serde(flatten)]
    table: TableDocument,
    /// The judged items of these runs, where they are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ItemDocument>>,
}

/// Prints the result and gives the verdict on the chosen variations; on all of the config where none is named.
pub(super) fn show(
    cx: &Context,
    open: &Open,
    (spec, only): (&Spec, &[String]),
    asked: Option<&Asked<'_>>,
) -> Result<Verdict> {
    let view = open.view()?;
    let words = &spec.config.experiment;
    let is_meant = |row: &ExperimentRow| {
        row.state.place.as_ref().is_some_and(|place| {
            place.value.name == words.name && place.value.project == project(spec)
        })
    };
    let Some(row) = view.experiments()?.into_iter().find(is_meant) else {
        return Ok(Verdict::None);
    };
    let table = VariationTable::of_chosen(&view, &row, &judged(spec, only))?;
    let statuses = table.statuses();
    let items = match asked {
        Some(asked) => Some(asked.read(&view, &open.artifacts()?)?),
        None => None,
    };
    if cx.printer.json_wanted() {
        let document = Document {
            experiment: titles::experiment(&row),
            runs: statuses.total(),
            completed: statuses.completed,
            failed: statuses.failed,
            table: variations::document(&table),
            items,
        };
        cx.printer.json(SCHEMA, &document)?;
    } else {
        let head = Line::styled(Style::Bold, titles::experiment(&row));
        let done = format!(": {} of {} done", statuses.completed, statuses.total());
        cx.printer.line(head.plain(done));
        cx.printer.line("");
        variations::print(&table, &cx.printer);
        if let (Some(items), Some(asked)) = (items, asked) {
            asked.print(&items, cx);
        }
    }
    tell_missing(cx, &table);
    Ok(match &table.verdict {
        None => Verdict::None,
        Some(_) if !table.judged.is_whole() => Verdict::Open,
        Some(verdict) if verdict.met => Verdict::Met,
        Some(_) => Verdict::NotMet,
    })
}

/// The variations that the verdict is on: those of the config or of the grid, whatever stands beside them.
fn judged(spec: &Spec, only: &[String]) -> Vec<String> {
    let all = || {
        let variations = spec.config.variations.iter();
        variations.map(|variation| variation.name.clone()).collect()
    };
    match spec.intent {
        Intent::Beside => all(),
        Intent::Config if only.is_empty() => all(),
        Intent::Config | Intent::Adhoc(_) => only.to_vec(),
    }
}

/// An expected metric that no completed run told is probably a misspelt one.
fn tell_missing(cx: &Context, table: &VariationTable) {
    for (at, column) in table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, it)| it.expected)
    {
        let summaries = || table.rows.iter().filter_map(|row| row.metrics.get(at));
        let missing: u64 = summaries().map(|summary| summary.missing).sum();
        if missing > 0 {
            cx.printer.warn(&format!(
                "{} completed without the expected metric `{}`",
                figures::count(missing, "run"),
                column.key
            ));
        }
    }
}

/// The exit code of it all.
pub(super) fn code(
    outline: &Outline,
    totals: Totals,
    urgency: Urgency,
    verdict: Verdict,
) -> ExitCode {
    let failed = totals.failed + outline.decisions.tally().failed;
    let code = if urgency != Urgency::None {
        ErrorCode::Interrupted
    } else if failed + totals.cancelled > 0 {
        ErrorCode::RunFailed
    } else {
        match verdict {
            Verdict::None | Verdict::Met => return ExitCode::SUCCESS,
            // What was to be run did not come to an end of its own.
            Verdict::Open => ErrorCode::RunFailed,
            Verdict::NotMet => ErrorCode::CriteriaNotMet,
        }
    };
    ExitCode::from(code.exit_code())
}
