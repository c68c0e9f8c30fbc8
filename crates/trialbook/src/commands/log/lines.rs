//! `trialbook log lines`, also written `log -`: everything that a program says, as lines of JSON.
//!
//! Not here: what becomes of a line. Invariant: when lines were not understood, the exit code says so.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::stream::{Logged, Stream};
use crate::context::Context;
use crate::failure::Failure;
use crate::figures::count;
use crate::target::RunChoice;

/// Record lines of JSON: `trialbook log -` reads them from standard input
///
/// One object a line. Numbers by name are metrics: {"step": 3, "loss": 0.31}. So are
/// {"metric": "loss", "value": 0.31, "step": 3} and {"metrics": {"loss": 0.31}, "step": 3}. Without a step
/// each series continues its own. Others: {"params": {"lr": 0.1}}, {"event": "blocker", "severity": "high",
/// "text": "…"}, {"event": "item", "id": "q-1", "scores": {"correct": true}},
/// {"event": "progress", "done": 3, "total": 10}. `timestamp` says when (seconds since 1970 or a time).
/// NaN and Infinity are read as Python writes them. A line that is not understood is named, kept as an event
/// and makes the exit code 4; all others are recorded.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  python train.py | trialbook log -
  trialbook log lines history.jsonl --run 1a2b3c4d")]
pub(crate) struct Args {
    /// The file; `-` or nothing for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    #[command(flatten)]
    choice: RunChoice,
}

/// Records them.
pub(super) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let name = args.file.display().to_string();
    let mut input: Box<dyn BufRead> = if name == "-" {
        Box::new(BufReader::with_capacity(1 << 16, io::stdin()))
    } else {
        let file = File::open(&args.file).map_err(|source| Failure::Unreadable {
            path: name.clone(),
            source,
        })?;
        Box::new(BufReader::with_capacity(1 << 16, file))
    };
    let (open, target) = super::open(&args.choice, cx)?;
    let mut stream = Stream::new(open.stream_writer(cx)?, &target, name);
    let outcome = open.delivering_meanwhile(|| stream.read_all(&mut *input, (&open, cx)));
    let logged = stream.finish(outcome);
    let tidied = open.tidy(cx);
    let logged = logged?;
    tell(&logged, cx)?;
    tidied?;
    if logged.broken > 0 {
        return Err(Failure::BrokenLines {
            broken: logged.broken,
            lines: logged.lines,
        }
        .into());
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(logged: &Logged, cx: &Context) -> Result<()> {
    if cx.printer.json_wanted() {
        return cx.printer.json(super::SCHEMA, logged);
    }
    let parts = [
        (logged.points, "point"),
        (logged.params, "param"),
        (logged.events, "event"),
        (logged.items, "item"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, noun)| *number > 0 || *noun == "point")
        .map(|(number, noun)| count(number, noun))
        .collect();
    let lines = count(logged.lines, "line");
    cx.printer.line(format!(
        "Logged {} from {lines} to {}",
        parts.join(", "),
        logged.handle
    ));
    Ok(())
}
