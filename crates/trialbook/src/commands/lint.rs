//! `trialbook lint`: practices that make an experiment worth its runs (M-28).
//!
//! Not here: the practices. Invariant: hints alone fail nothing unless that is asked for.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_analysis::lint::{self, Hint};
use trialbook_model::code::ErrorCode;

use crate::context::Context;
use crate::names::Names;
use crate::{book, pages, titles};

const SCHEMA: u32 = 1;

/// Give hints on an experiment
///
/// Descriptive name, params of all runs, at least three completed runs of each arm, a marked baseline, tags and
/// notes, and which direction of each metric is better.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook lint EXP-001
  trialbook lint tuning --strict")]
pub(crate) struct Args {
    /// The experiment
    #[arg(value_name = "EXPERIMENT")]
    experiment: String,
    /// End with exit code 10 where there is a hint
    #[arg(long)]
    strict: bool,
}

#[derive(Serialize)]
struct Document {
    experiment: String,
    hints: Vec<Hint>,
}

/// Gives them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let experiment = Names::new(&view).experiment(&args.experiment)?;
    let hints = lint::lint(&view, &experiment)?;
    let is_strict = args.strict && !hints.is_empty();
    let title = titles::experiment(&experiment);
    if cx.printer.json_wanted() {
        let document = Document {
            experiment: title,
            hints,
        };
        cx.printer.json(SCHEMA, &document)?;
    } else {
        pages::print(
            &trialbook_report::quality::hints(&title, &hints),
            &cx.printer,
        );
    }
    Ok(if is_strict {
        ExitCode::from(ErrorCode::CriteriaNotMet.exit_code())
    } else {
        ExitCode::SUCCESS
    })
}
