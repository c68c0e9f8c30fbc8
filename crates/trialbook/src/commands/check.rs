//! `trialbook check`: the quality gates of a run (T-23).
//!
//! Not here: the gates. Invariant: the exit code is 0 only where no gate fails.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_analysis::gates::{self, Checked, Gate, Outcome};
use trialbook_model::code::ErrorCode;
use trialbook_model::id::ExperimentNo;
use trialbook_store::reading::Reading as _;

use crate::context::Context;
use crate::names::Names;
use crate::{book, pages, titles};

const SCHEMA: u32 = 1;

/// Check the quality gates of a run
///
/// Named and tagged, params before metrics, metrics at every step, artifacts with checkpoints, commit, command,
/// environment and data recorded, reproduced within a tolerance, a baseline to compare with, a note. The exit code is
/// 10 where a gate is not passed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook check latest
  trialbook check EXP-001/run-014 --skip reproduced,checkpoints --json")]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN", default_value = "latest")]
    run: String,
    /// Gates that are left out
    #[arg(long, value_delimiter = ',', value_parser = gate, value_name = "GATES")]
    skip: Vec<Gate>,
    /// How far a reproduction may differ: 1%, or a share such as 0.01
    #[arg(long, default_value = "1%", value_parser = tolerance, value_name = "SHARE")]
    tolerance: f64,
}

fn gate(word: &str) -> Result<Gate, String> {
    Gate::parse(word).ok_or_else(|| {
        let words = Gate::ALL.map(Gate::word);
        format!("expected some of {}", words.join(", "))
    })
}

fn tolerance(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let share = number.trim().parse::<f64>().map(|number| number / unit);
    share
        .ok()
        .filter(|share| share.is_finite() && *share >= 0.0)
        .ok_or_else(|| "expected a share such as 1% or 0.01".to_owned())
}

#[derive(Serialize)]
struct Document {
    run: String,
    passed: bool,
    gates: Vec<Checked>,
}

/// Checks it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let found = Names::new(&view).run(&args.run)?;
    let of = |no| view.experiment(no);
    let experiment =
        of(found.experiment)?.map_or_else(|| of(ExperimentNo(0)), |it| Ok(Some(it)))?;
    let experiment = experiment.expect("every book has the experiment 0");
    let skipped: BTreeSet<Gate> = args.skip.iter().copied().collect();
    let gates = gates::check(&view, (&found, &experiment), args.tolerance, &skipped)?;
    let is_failed = |checked: &Checked| match checked.outcome {
        Outcome::Failed { .. } => true,
        Outcome::Passed { .. } | Outcome::NotApplicable | Outcome::Skipped => false,
    };
    let passed = !gates.iter().any(is_failed);
    if cx.printer.json_wanted() {
        let document = Document {
            run: found.uid.to_string(),
            passed,
            gates,
        };
        cx.printer.json(SCHEMA, &document)?;
    } else {
        let title = titles::run(&found, Some(&experiment));
        pages::print(
            &trialbook_report::quality::gates(&title, &gates),
            &cx.printer,
        );
    }
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ErrorCode::CriteriaNotMet.exit_code())
    })
}
