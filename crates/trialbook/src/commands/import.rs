//! `trialbook import`: files of this and of other programs into the book (C-32).
//!
//! Not here: what the files hold, which the exchange room knows. Invariant: all files of one command come in
//! together, or nothing does; a store of MLflow comes in run by run.

mod mlflow;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_exchange::blobs::{self, Moved};
use trialbook_exchange::bring::{Manner, Overruled};
use trialbook_exchange::{Arrival, Conflicts, Summary, source};
use trialbook_model::handle;
use trialbook_model::time::Clock as _;
use trialbook_store::Effort;
use trialbook_store::reading::Reading as _;

use crate::book::{self, Open};
use crate::context::{Context, SystemClock, SystemEntropy};
use crate::figures::{count, grouped};
use crate::titles;

const SCHEMA: u32 = 1;

/// Digits of an id in a sentence.
const SHORT: usize = 8;

/// Bring experiments and runs in from files
///
/// Reads what `trialbook export` wrote (a document, or a folder in the text layout), folders with
/// `config.yaml` and `run-001/` or `runs/run-001/`, and the `experiments.db` and snapshot files of the
/// enhanced experiment tracker. What is in the book already and equal is passed over; a run that differs is an
/// error, and then nothing comes in. A damaged file is refused as a whole, with the place where it breaks.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Examples:
  trialbook import backup.json
  trialbook import experiments/exp-001
  trialbook import experiments/* --rename
  ssh lab trialbook export - EXP-001 | trialbook import -
  trialbook import experiment_tracking/configurations/experiments.db
  trialbook import mlflow /srv/ml/mlruns")]
pub(crate) struct Args {
    #[command(subcommand)]
    from: Option<From>,
    /// Files and folders; `-` is a document on the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What is here and differs comes in beside, under a new id and name
    #[arg(long)]
    rename: bool,
}

/// Programs of which all is brought in.
#[derive(Debug, clap::Subcommand)]
enum From {
    Mlflow(mlflow::Args),
}

#[derive(Serialize)]
struct Document {
    experiments: u64,
    runs: u64,
    same_runs: u64,
    renamed_runs: Vec<Renamed>,
    /// Runs that the book has given another number than the files.
    numbered: Vec<Numbered>,
    /// Values that a later one has taken the place of.
    overruled: Vec<Overruled>,
    points: u64,
    records: u64,
    artifacts: u64,
    /// SHA-256 of bytes that neither the files nor the book have.
    artifacts_missing: BTreeSet<String>,
    /// Lines of others that were not understood; they are kept as events.
    lines_not_understood: u64,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Renamed {
    from: String,
    to: String,
    /// What it is called in this book.
    handle: String,
}

#[derive(Serialize)]
struct Numbered {
    run: String,
    /// What it is called in this book.
    handle: String,
    /// What the files call it.
    in_files: String,
}

/// Brings them in.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    if let Some(From::Mlflow(args)) = &args.from {
        return mlflow::run(args, cx);
    }
    let folder = cx.choice()?.folder()?.to_owned();
    let is_new = !folder.exists();
    let open = book::writing(cx)?;
    match bring(args, cx, &open) {
        Ok(mut brought) => {
            // Nothing can be taken back from here on.
            brought.tell_handles(&open)?;
            brought.tell(cx)
        }
        Err(error) => {
            // Nobody wants the empty book of an import that failed, nor bytes that nothing speaks of.
            drop(open);
            if is_new {
                fs::remove_dir_all(&folder).ok();
            }
            Err(error)
        }
    }
}

/// What came in, and what is to be said of it.
struct Brought {
    summary: Summary,
    moved: Moved,
    notes: Vec<String>,
    not_understood: u64,
    renamed: Vec<Renamed>,
    numbered: Vec<Numbered>,
}

fn bring(args: &Args, cx: &Context, open: &Open) -> Result<Brought> {
    let manner = Manner {
        conflicts: if args.rename {
            Conflicts::Rename
        } else {
            Conflicts::Refuse
        },
        now: SystemClock.now(),
        entropy: &mut SystemEntropy,
    };
    let mut arrival = Arrival::new(open.book()?, manner)?;
    let mut notes = Vec::new();
    let mut not_understood = 0;
    let mut moved = Moved::default();
    for file in &args.files {
        let found = if file.as_os_str() == "-" {
            let name = Path::new("the standard input");
            source::read_stream(std::io::stdin().lock(), name, &mut arrival)?
        } else {
            source::read(&cx.here().join(file), file, &mut arrival)?
        };
        notes.extend(found.notes);
        not_understood += found.not_understood;
        for folder in found.bytes {
            moved.files += blobs::take(&open.artifacts()?, arrival.sums(), &folder)?.files;
        }
    }
    for sum in arrival.sums() {
        if !open.artifacts()?.contains(sum) {
            moved.missing.insert(sum.clone());
        }
    }
    let summary = arrival.finish()?;
    Ok(Brought {
        summary,
        moved,
        notes,
        not_understood,
        renamed: Vec::new(),
        numbered: Vec::new(),
    })
}

impl Brought {
    fn tell_handles(&mut self, open: &Open) -> Result<()> {
        open.book()?.seal(Effort::IfLarge)?;
        let view = open.view()?;
        for (from, to) in &self.summary.renamed {
            let handle = match view.run_by_uid(*to)? {
                Some(run) => titles::run(&run, view.experiment(run.experiment)?.as_ref()),
                None => to.0.short(),
            };
            self.renamed.push(Renamed {
                from: from.to_string(),
                to: to.to_string(),
                handle,
            });
        }
        for (uid, number) in &self.summary.numbers {
            let Some(run) = view.run_by_uid(*uid)? else {
                continue;
            };
            if run.number.is_some_and(|here| here != *number) {
                self.numbered.push(Numbered {
                    run: uid.to_string(),
                    handle: titles::run(&run, view.experiment(run.experiment)?.as_ref()),
                    in_files: handle::run_label(*number),
                });
            }
        }
        Ok(())
    }

    /// What is otherwise here than in the files.
    fn tell_differences(&self, cx: &Context) {
        for Numbered {
            run,
            handle,
            in_files,
        } in &self.numbered
        {
            cx.printer.note(format!(
                "{in_files} of the files is {handle} here: numbers are each book's own, its id {} is everybody's",
                &run[..SHORT]
            ));
        }
        tell_overruled(&self.summary.overruled, ["here", "in the files"], cx);
    }

    fn tell(self, cx: &Context) -> Result<ExitCode> {
        self.tell_differences(cx);
        let Self {
            summary,
            moved,
            notes,
            not_understood,
            renamed,
            numbered,
        } = self;
        for note in &notes {
            cx.printer.note(note.as_str());
        }
        if !moved.missing.is_empty() {
            let number = count(moved.missing.len() as u64, "artifact");
            cx.printer.warn(&format!(
                "the bytes of {number} did not come along: export with --artifacts"
            ));
        }
        if cx.printer.json_wanted() {
            let document = Document {
                experiments: summary.experiments,
                runs: summary.runs,
                same_runs: summary.same,
                renamed_runs: renamed,
                numbered,
                overruled: summary.overruled,
                points: summary.points,
                records: summary.records,
                artifacts: moved.files,
                artifacts_missing: moved.missing,
                lines_not_understood: not_understood,
                notes,
            };
            cx.printer.json(SCHEMA, &document)?;
            return Ok(ExitCode::SUCCESS);
        }
        for one in renamed {
            cx.printer.line(format!(
                "run {} came in as {} ({})",
                one.from, one.handle, one.to
            ));
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
        if not_understood > 0 {
            let lines = count(not_understood, "line");
            parts.push(format!("{lines} not understood"));
        }
        cx.printer.line(parts.join(", "));
        Ok(ExitCode::SUCCESS)
    }
}

/// Tells which values gave way to later ones; `places` are those of the book that something came into, and of what
/// came in.
pub(super) fn tell_overruled(overruled: &[Overruled], places: [&str; 2], cx: &Context) {
    for Overruled {
        of,
        what,
        holds,
        lost,
        was_here,
    } in overruled
    {
        let [here, in_files] = places;
        let (one, other) = if *was_here {
            (here, in_files)
        } else {
            (in_files, here)
        };
        let later = match holds {
            Some(holds) => format!("`{holds}`, as it is {other} since later, holds"),
            None => format!("later it was removed {other}, which holds"),
        };
        cx.printer
            .warn(&format!("{what} of {of} was `{lost}` {one}; {later}"));
    }
}
