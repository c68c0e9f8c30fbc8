//! `trialbook show`: everything of a run or of an experiment.
//!
//! Not here: the points of a series (`series`), console output in full. Invariant: a run can be shown in
//! whatever state it was left.

mod experiment;
mod identity;
mod page;
mod results;
mod run;
mod run_document;
mod setup;

use std::process::ExitCode;

use anyhow::Result;
use trialbook_store::nouns::RunRow;

use crate::book;
use crate::context::Context;
use crate::listing;
use crate::names::{Found, Names};

/// Version of the JSON documents.
const SCHEMA: u32 = 1;

/// Show everything of a run or an experiment
///
/// Of a run: identity, setup, params, metrics, results of its items by agent and type, tags, notes, events,
/// artifacts, environment, conflicts, error, what was dropped and what recording cost. Of an experiment: its config and the table by variation.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook show latest
  trialbook show 1a2b3c4d
  trialbook show EXP-001/run-014 --events
  trialbook show tuning
  trialbook show latest --json | jq .metrics.loss.last")]
pub(crate) struct Args {
    /// A run or an experiment: id, beginning of an id, name, `EXP-001/run-014`, `latest`; a glob such as
    /// 'tuning/run-*' means several runs. Default: the run of TRIALBOOK_RUN, else `latest`
    #[arg(value_name = "RUN|EXPERIMENT")]
    name: Option<String>,
    /// Also print all events
    #[arg(long)]
    events: bool,
    /// Also print the console output
    #[arg(long)]
    logs: bool,
    /// Print long values in full
    #[arg(long)]
    full: bool,
}

/// Shows it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let names = Names::new(&view);
    let text = args
        .name
        .as_deref()
        .or(cx.run_variable())
        .unwrap_or("latest");
    if trialbook_model::handle::is_glob(text) {
        for (at, found) in names.runs(text)?.iter().enumerate() {
            if at > 0 && !cx.printer.json_wanted() {
                cx.printer.line("");
            }
            run::show(&view, found, args, cx)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let found = names.any(text).inspect_err(|_unknown| {
        // Nobody knows what is called so among runs that cannot be read.
        listing::tell_unreadable(&view, cx).ok();
    });
    match found? {
        Found::Run(found) => run::show(&view, &found, args, cx)?,
        Found::Experiment(row) => experiment::show(&view, &row, args, cx)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what series a run has.
pub(crate) fn print_series(run: &RunRow, cx: &Context) -> Result<()> {
    if cx.printer.json_wanted() {
        #[derive(serde::Serialize)]
        struct Document {
            run: String,
            series: Vec<trialbook_api::runs::Metric>,
        }
        let series = crate::documents::metrics(run).into_values().collect();
        let document = Document {
            run: run.uid.to_string(),
            series,
        };
        return cx.printer.json(SCHEMA, &document);
    }
    run::metrics(run, usize::MAX, cx);
    Ok(())
}
