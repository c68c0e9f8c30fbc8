//! `trialbook log`: records something of a run.
//!
//! Invariant: what is refused is refused as a whole, before anything of it is written.

pub(super) mod artifact;
mod bounded;
mod event;
mod item;
mod lines;
mod metric;
mod numbers;
mod param;
mod progress;
mod stream;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::book::Open;
use crate::commands::start;
use crate::context::Context;
use crate::failure::Failure;
use crate::target::{self, RunChoice, Target};

const SCHEMA: u32 = 1;

/// Record metrics, params, events, items, artifacts, progress
///
/// Without --run everything goes to the run that TRIALBOOK_RUN names, else to the only running run that
/// this shell started.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook log metric loss=0.31 accuracy=0.88 --step 3
  trialbook log param lr=0.1 model=bert
  trialbook log event blocker 'disk is full' --severity high
  trialbook log item q-17 --score correct=true --label model=gpt --latency-ms 130
  trialbook log artifact model.pt --type model --role best
  trialbook log progress 3/10
  python train.py | trialbook log -")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "one is made in a process")]
enum What {
    #[command(alias = "metrics")]
    Metric(metric::Args),
    #[command(alias = "params")]
    Param(param::Args),
    Event(event::Args),
    Item(item::Args),
    #[command(alias = "artifacts")]
    Artifact(artifact::Args),
    Progress(progress::Args),
    Lines(lines::Args),
}

/// Records it.
pub(crate) fn run(args: Args, cx: &Context) -> Result<ExitCode> {
    match args.what {
        What::Metric(args) => metric::run(&args, cx),
        What::Param(args) => param::run(&args, cx),
        What::Event(args) => event::run(&args, cx),
        What::Item(args) => item::run(args, cx),
        What::Artifact(args) => artifact::run(&args, cx),
        What::Progress(args) => progress::run(&args, cx),
        What::Lines(args) => lines::run(&args, cx),
    }
}

/// The book opened for writing and the run that is meant.
fn open(choice: &RunChoice, cx: &Context) -> Result<(Open, Target)> {
    let open = target::open(cx, choice)?;
    let target = match target::choose(cx, &open.view()?, choice) {
        Err(error) if is_without_run(&error) => {
            start::first_run(cx, &open, choice.run.as_deref().unwrap_or_default())?;
            target::choose(cx, &open.view()?, choice)?
        }
        target => target?,
    };
    let status = target.run.state.status();
    if status.is_final() {
        cx.printer.note(format!(
            "run {} is {status}; recorded all the same",
            target.title
        ));
    }
    Ok((open, target))
}

/// Whether an experiment was named that has no run yet: what is logged to it starts one.
fn is_without_run(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Failure::NoRunYet { .. }))
}
