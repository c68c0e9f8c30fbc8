//! `trialbook copy`: experiments and runs into another book, with everything.
//!
//! Not here: what a stream of records holds. Invariant: all of it comes into the other book together, or
//! nothing does; this book is not changed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_exchange::bring::{Manner, Overruled, Summary};
use trialbook_exchange::{Arrival, Conflicts, Gather, ImportError, Place};
use trialbook_model::handle::run_label;
use trialbook_model::time::Clock as _;
use trialbook_store::reading::Reading as _;
use trialbook_store::{Access, Book, BookError, BookView, Effort};

use super::export::{left_out, selection};
use super::import::tell_overruled;
use crate::book::{self, Open};
use crate::context::{Context, SystemClock, SystemEntropy};
use crate::figures::count;
use crate::titles;

const SCHEMA: u32 = 1;

/// Copy experiments and runs into another book
///
/// Everything goes along: params, tags, notes, points, events, logs, items, artifacts with their bytes,
/// snapshots, links. What the other book has already and is equal is passed over; a run that differs there is an
/// error, and then nothing is copied.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook copy EXP-001 --to ../team/.trialbook
  trialbook copy tuning/run-014 latest --to /srv/book
  trialbook copy --to /srv/book")]
pub(crate) struct Args {
    /// Experiments and runs; default: the whole book
    #[arg(value_name = "WHAT")]
    what: Vec<String>,
    /// The other book; it is made where there is none
    #[arg(long, value_name = "BOOK")]
    to: PathBuf,
    /// What is there and differs comes in beside, under a new id and name
    #[arg(long)]
    rename: bool,
}

#[derive(Serialize)]
struct Document {
    to: String,
    experiments: u64,
    runs: u64,
    same_runs: u64,
    renamed_runs: Vec<(String, String)>,
    /// Runs that have another number there than here.
    numbered: Vec<Numbered>,
    points: u64,
    records: u64,
    artifacts: u64,
    /// Values that a later one has taken the place of.
    overruled: Vec<Overruled>,
}

/// A run whose number is another one there.
#[derive(Serialize)]
struct Numbered {
    run: String,
    here: String,
    there: String,
}

/// Copies them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let wanted = selection(&view, &args.what)?;
    let folder = cx.here().join(&args.to);
    let inside = folder.join(crate::discovery::FOLDER);
    let folder = if inside.is_dir() { inside } else { folder };
    let other = match Book::open(&folder, Access::Write) {
        Err(BookError::Missing { .. }) => Book::create(&folder)?,
        other => other?,
    };
    let manner = Manner {
        conflicts: if args.rename {
            Conflicts::Rename
        } else {
            Conflicts::Refuse
        },
        now: SystemClock.now(),
        entropy: &mut SystemEntropy,
    };
    let mut arrival = Arrival::new(&other, manner)?;
    let place = Place::file(open.folder());
    let mut sink = |record| arrival.take(&place, record);
    Gather::new(&view).records::<ImportError>(&wanted, &mut sink)?;
    let artifacts = carry(&open, &other, arrival.sums())?;
    let summary = arrival.finish()?;
    other.seal(Effort::IfLarge)?;
    let numbered = numbered(&other.view()?, &summary)?;
    let document = Document {
        numbered,
        to: args.to.display().to_string(),
        experiments: summary.experiments,
        runs: summary.runs,
        same_runs: summary.same,
        renamed_runs: summary
            .renamed
            .iter()
            .map(|(from, to)| (from.to_string(), to.to_string()))
            .collect(),
        points: summary.points,
        records: summary.records,
        artifacts,
        overruled: summary.overruled,
    };
    tell_overruled(&document.overruled, ["there", "in this book"], cx);
    tell(&document, cx)?;
    left_out(&view, cx)
}

/// The runs that got another number, for theirs was given to another run there.
fn numbered(there: &BookView<'_>, summary: &Summary) -> Result<Vec<Numbered>> {
    let mut numbered = Vec::new();
    for (uid, number) in &summary.numbers {
        let Some(run) = there.run_by_uid(*uid)? else {
            continue;
        };
        if run.number.is_some_and(|it| it != *number) {
            let experiment = there.experiment(run.experiment)?;
            numbered.push(Numbered {
                run: uid.to_string(),
                here: run_label(*number),
                there: titles::run(&run, experiment.as_ref()),
            });
        }
    }
    Ok(numbered)
}

/// Copies bytes that the other book does not have; gives their number.
fn carry(open: &Open, other: &Book, sums: &BTreeSet<String>) -> Result<u64> {
    let (bytes, there, mut carried) = (open.artifacts_with(sums)?, other.artifacts(), 0);
    for sum in sums {
        if !there.contains(sum) && bytes.contains(sum) {
            bytes.verify(sum)?;
            there.put_file(&bytes.path_of(sum))?;
            carried += 1;
        }
    }
    Ok(carried)
}

fn tell(document: &Document, cx: &Context) -> Result<()> {
    if cx.printer.json_wanted() {
        return cx.printer.json(SCHEMA, document);
    }
    for (from, to) in &document.renamed_runs {
        cx.printer.line(format!("run {from} came in as {to}"));
    }
    for Numbered { run, here, there } in &document.numbered {
        let short = &run[..8];
        cx.printer.note(format!(
            "{here} is {there} there: numbers are each book's own, its id {short} is everybody's"
        ));
    }
    let mut parts = vec![
        count(document.experiments, "experiment"),
        count(document.runs, "run"),
        count(document.points, "point"),
        count(document.artifacts, "artifact"),
    ];
    if document.same_runs > 0 {
        parts.push(format!(
            "{} were there already",
            count(document.same_runs, "run")
        ));
    }
    cx.printer
        .line(format!("{}: {}", document.to, parts.join(", ")));
    Ok(())
}
