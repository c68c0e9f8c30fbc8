//! `trialbook end`: closes a run.
//!
//! Whether a wrapper executes the run is seen by the lock of its spool, not by a variable, which a shell may
//! have exported for another reason. Invariant: the final state of a run that a wrapper executes is set by the
//! wrapper alone.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::record::{Op, Points, RunError, SetStatus, Subject};
use trialbook_model::state::SeriesSummary;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Clock as _;
use trialbook_store::reading::Reading as _;

use crate::book;
use crate::commands::start;
use crate::context::{Context, SystemClock};
use crate::failure::Failure;
use crate::names::Names;
use crate::target::{self, RunChoice, Target};
use crate::{summary, values};

const SCHEMA: u32 = 1;

/// End a run
///
/// Without --run it is the run that TRIALBOOK_RUN names, else the only running run that this shell
/// started. A run that was left behind is closed with `--status cancelled`. The state of a run that
/// `trialbook run` is executing is set by that process alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook end
  trialbook end --metric final_accuracy=0.93 --note 'converged early'
  trialbook end --run 1a2b3c4d --status failed --error 'out of memory'
  python train.py; trialbook end --exit-code $?")]
pub(crate) struct Args {
    #[command(flatten)]
    choice: RunChoice,
    /// How it ended: completed, failed or cancelled; default: failed where an error or an exit code
    /// says so, else completed
    #[arg(long, value_parser = final_status)]
    status: Option<RunStatus>,
    /// What went wrong
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
    /// The class of what went wrong
    #[arg(long, value_name = "WORD", default_value = "error")]
    error_kind: String,
    /// The exit code of its program
    #[arg(long, value_name = "CODE")]
    exit_code: Option<i32>,
    /// A final metric: KEY=VALUE
    #[arg(long = "metric", value_name = "KEY=VALUE")]
    metrics: Vec<String>,
    /// A note
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

fn final_status(word: &str) -> Result<RunStatus, String> {
    RunStatus::parse(word)
        .filter(|status| status.is_final())
        .ok_or_else(|| "expected completed, failed or cancelled".to_owned())
}

#[derive(Serialize)]
struct Ended {
    run: String,
    handle: String,
    status: &'static str,
}

/// Ends it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let metrics = values::metrics(&args.metrics)?;
    let open = target::open(cx, &args.choice)?;
    let view = open.view()?;
    let target = target::choose(cx, &view, &args.choice)?;
    let status = args.status.unwrap_or(match (&args.error, args.exit_code) {
        (Some(_), _) => RunStatus::Failed,
        (None, Some(code)) if code != 0 => RunStatus::Failed,
        (None, _) => RunStatus::Completed,
    });
    let present = target.run.state.status();
    let wrapped = target::is_executed(&open, &target.run)?;
    let inside = || {
        let variable = cx.run_variable()?;
        Names::new(&view).run(variable).ok()
    };
    if wrapped && inside().is_none_or(|run| run.uid != target.uid()) {
        return Err(Failure::Executed {
            run: format!("run {}", target.title),
        }
        .into());
    }
    if !wrapped && present.to(status).is_err() {
        return Err(Failure::Ended {
            run: format!("run {}", target.title),
            status: present,
        }
        .into());
    }
    let mut writer = open.writer(cx)?;
    for op in last_words(&target, metrics, args) {
        writer.record(&op)?;
    }
    if !wrapped {
        writer.record(&Op::SetStatus(change(&target, status, args)))?;
    }
    writer.finish(cx)?;
    if !wrapped && status == RunStatus::Completed {
        summarise(cx, &open, &target)?;
    }
    let status = if wrapped { present } else { status };
    if cx.printer.json_wanted() {
        let ended = Ended {
            run: target.uid().to_string(),
            handle: target.title.clone(),
            status: status.word(),
        };
        cx.printer.json(SCHEMA, &ended)?;
    } else if wrapped {
        cx.printer.line(format!(
            "run {} is ended by the process that executes it",
            target.title
        ));
    } else {
        cx.printer.line(format!("run {} is {status}", target.title));
    }
    Ok(ExitCode::SUCCESS)
}

/// Records the note that says what a completed run came to.
fn summarise(cx: &Context, open: &book::Open, target: &Target) -> Result<()> {
    let view = open.view()?;
    let Some(run) = view.runs(&[target.run.no])?.pop() else {
        return Ok(());
    };
    let experiment = view.experiment(run.experiment)?;
    let note = summary::note(&view, &run, experiment.as_ref())?;
    let mut writer = open.writer(cx)?;
    writer.record(&Op::PutNote(note))?;
    writer.finish(cx)
}

/// Final metrics, each at the step after its last one, and the note.
fn last_words(target: &Target, metrics: Vec<(String, f64)>, args: &Args) -> Vec<Op> {
    let mut ops = Vec::new();
    for (key, value) in metrics {
        let key = values::series_key(&key, "");
        let known = target.run.state.records.series.get(&key);
        ops.push(Op::Points(Points {
            subject: Subject::Run(target.uid()),
            step: next_step(known),
            time: SystemClock.now(),
            set: false,
            values: vec![(key, value)],
        }));
    }
    ops.extend(
        args.note
            .clone()
            .map(|text| start::note(target.uid(), text)),
    );
    ops
}

/// The step after the last one of a series; 0 for a new one.
pub(crate) fn next_step(known: Option<&SeriesSummary>) -> i64 {
    known.map_or(0, |summary| summary.last.step.saturating_add(1))
}

fn change(target: &Target, status: RunStatus, args: &Args) -> SetStatus {
    let error = args.error.as_ref().map(|message| RunError {
        kind: args.error_kind.clone(),
        message: message.clone(),
    });
    SetStatus {
        run: target.uid(),
        status,
        started: None,
        ended: Some(SystemClock.now()),
        error,
        exit_code: args.exit_code,
    }
}
