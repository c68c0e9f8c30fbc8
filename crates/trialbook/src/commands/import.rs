//! `trialbook import`: files of this and of other programs into the book (C-32).
//!
//! Not here: what the files hold, which the exchange room knows. Invariant: all files of one command come in
//! together, or nothing does.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_exchange::bring::Manner;
use trialbook_exchange::{Arrival, Conflicts, Summary, source};
use trialbook_model::time::Clock as _;
use trialbook_store::Effort;

use crate::book;
use crate::context::{Context, SystemClock, SystemEntropy};
use crate::figures::{count, grouped};

const SCHEMA: u32 = 1;

/// Bring experiments and runs in from files
///
/// Reads what `trialbook export` wrote (a document, or a folder in the text layout), folders with
/// `config.yaml` and `run-001/` or `runs/run-001/`, and the `experiments.db` and snapshot files of the
/// enhanced experiment tracker. What is in the book already and equal is passed over; a run that differs is an
/// error, and then nothing comes in. A damaged file is refused as a whole, with the place where it breaks.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook import backup.json
  trialbook import experiments/exp-001
  trialbook import experiments/* --rename
  trialbook import experiment_tracking/configurations/experiments.db")]
pub(crate) struct Args {
    /// Files and folders
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What is here and differs comes in beside, under a new id and name
    #[arg(long)]
    rename: bool,
}

#[derive(Serialize)]
struct Document {
    experiments: u64,
    runs: u64,
    same_runs: u64,
    renamed_runs: Vec<Renamed>,
    points: u64,
    records: u64,
    artifacts: u64,
    /// SHA-256 of bytes that neither the files nor the book have.
    artifacts_missing: BTreeSet<String>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Renamed {
    from: String,
    to: String,
}

/// Brings them in.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::writing(cx)?;
    let manner = Manner {
        conflicts: if args.rename {
            Conflicts::Rename
        } else {
            Conflicts::Refuse
        },
        now: SystemClock.now(),
        entropy: &mut SystemEntropy,
    };
    let mut arrival = Arrival::new(open.book(), manner)?;
    let mut notes = Vec::new();
    let mut told = trialbook_exchange::blobs::Moved::default();
    for file in &args.files {
        let found = source::read(&cx.here().join(file), file, &mut arrival)?;
        notes.extend(found.notes);
        for folder in found.bytes {
            let moved =
                trialbook_exchange::blobs::take(&open.artifacts(), arrival.sums(), &folder)?;
            told.files += moved.files;
        }
    }
    for sum in arrival.sums() {
        if !open.artifacts().contains(sum) {
            told.missing.insert(sum.clone());
        }
    }
    let summary = arrival.finish()?;
    open.book().seal(Effort::IfLarge)?;
    tell(cx, &summary, told, notes)
}

fn tell(
    cx: &Context,
    summary: &Summary,
    moved: trialbook_exchange::blobs::Moved,
    notes: Vec<String>,
) -> Result<ExitCode> {
    for note in &notes {
        cx.printer.note(note.as_str());
    }
    if !moved.missing.is_empty() {
        let number = count(moved.missing.len() as u64, "artifact");
        cx.printer.warn(&format!(
            "the bytes of {number} did not come along: export with --artifacts"
        ));
    }
    let renamed = summary.renamed.iter().map(|(from, to)| Renamed {
        from: from.to_string(),
        to: to.to_string(),
    });
    if cx.printer.json_wanted() {
        let document = Document {
            experiments: summary.experiments,
            runs: summary.runs,
            same_runs: summary.same,
            renamed_runs: renamed.collect(),
            points: summary.points,
            records: summary.records,
            artifacts: moved.files,
            artifacts_missing: moved.missing,
            notes,
        };
        cx.printer.json(SCHEMA, &document)?;
        return Ok(ExitCode::SUCCESS);
    }
    for one in renamed {
        cx.printer
            .line(format!("run {} came in as {}", one.from, one.to));
    }
    let mut parts = vec![
        count(summary.experiments, "new experiment"),
        count(summary.runs, "new run"),
        count(summary.points, "point"),
        format!("{} other records", grouped(summary.records)),
    ];
    if summary.same > 0 {
        parts.push(format!("{} were here already", count(summary.same, "run")));
    }
    if moved.files > 0 {
        parts.push(count(moved.files, "artifact"));
    }
    cx.printer.line(parts.join(", "));
    Ok(ExitCode::SUCCESS)
}
