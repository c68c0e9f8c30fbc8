//! `trialbook export`: everything of a book, or of some experiments and runs, as files (C-30, A-30).
//!
//! Not here: what the files hold, which the exchange room knows. Invariant: a file that is there already is
//! replaced as a whole, and a different one only where that was asked for.

mod csv;
mod mlflow;
mod text;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::Serialize;
use trialbook_exchange::layout::Elsewhere;
use trialbook_exchange::{Gather, Selection, blobs, document};
use trialbook_model::code::ErrorCode;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading;

use crate::book::{self, Open, View};
use crate::context::Context;
use crate::failure::Failure;
use crate::figures::{count, grouped};
use crate::listing::tell_unreadable;
use crate::names::{Found, Names};
use crate::replaced::replaceable;

const SCHEMA: u32 = 1;

/// Write experiments and runs to files
///
/// json: one document with everything: params with their kinds, tags, notes, events, logs, items with their
/// judgements, all points, artifacts, snapshots, links, pointers. `trialbook import` reads it back without loss.
/// text: a folder an experiment with `config.yaml` and for each run `metrics.jsonl` and `summary.json`, to be
/// kept in git; `trialbook import` reads it back as well.
/// mlflow: a folder `mlruns` that MLflow reads, with registered models and prompts; what has no place there is told.
/// csv: a table of runs with params and metrics, or with --series all points of some metrics.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook export backup.json
  trialbook export exchange.json EXP-001 --artifacts
  trialbook export --format text experiments/exp-001 EXP-001
  trialbook export --format mlflow mlruns --artifacts
  trialbook export runs.csv EXP-001
  trialbook export --format csv - EXP-001 --series loss,accuracy")]
pub(crate) struct Args {
    /// The file or folder; `-` is the standard output
    #[arg(value_name = "FILE")]
    target: PathBuf,
    /// Experiments and runs; default: the whole book
    #[arg(value_name = "WHAT")]
    what: Vec<String>,
    /// The format; default: by the ending of the name, else json
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The bytes of artifacts too: beside a document in FILE.artifacts/, in the text layout in artifacts/
    #[arg(long)]
    artifacts: bool,
    /// csv: the points of these metrics instead of a table of runs
    #[arg(long, value_delimiter = ',', value_name = "METRIC,…")]
    series: Vec<String>,
    /// Replace a different file; text: a config.yaml that says something else than the book's config
    #[arg(long)]
    force: bool,
}

/// What files look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Text,
    Csv,
    Mlflow,
}

/// What was written.
#[derive(Debug, Default, Serialize)]
struct Written {
    file: String,
    experiments: u64,
    runs: u64,
    points: u64,
    records: u64,
    /// Files whose bytes were written.
    artifacts: u64,
    /// SHA-256 of bytes that the book has lost.
    artifacts_missing: BTreeSet<String>,
    /// Runs that stand in the folder of another number than the book's, for that one holds another run.
    elsewhere: Vec<Elsewhere>,
    /// The experiments that were counted: one whose config changed is written more than once.
    #[serde(skip)]
    counted: BTreeSet<(String, String)>,
}

/// Writes them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let wanted = selection(&view, &args.what)?;
    let ending = args.target.extension().and_then(|ending| ending.to_str());
    let format = args.format.unwrap_or(match ending {
        Some("csv") => Format::Csv,
        Some(_) | None => Format::Json,
    });
    let is_stream = args.target.as_os_str() == "-";
    if !args.series.is_empty() && format != Format::Csv {
        return Err(Failure::Usage {
            problem: "`--series` belongs to `--format csv`".to_owned(),
            hint: "the other formats hold all points".to_owned(),
        }
        .into());
    }
    if is_stream && (args.artifacts || matches!(format, Format::Text | Format::Mlflow)) {
        return Err(Failure::Usage {
            problem: "a folder cannot be written to the standard output".to_owned(),
            hint: "name a file or folder instead of `-`".to_owned(),
        }
        .into());
    }
    let written = match format {
        Format::Json => as_json(args, cx, (&open, &view), &wanted)?,
        Format::Text => text::write(args, cx, (&open, &view), &wanted)?,
        Format::Csv => csv::write(args, cx, &view, &wanted)?,
        Format::Mlflow => mlflow::write(args, cx, (&open, &view), &wanted)?,
    };
    if !is_stream {
        tell(cx, &written)?;
    }
    left_out(&view, cx)
}

/// Tells how many runs could not be read: what was written is not all there is.
pub(super) fn left_out(view: &View<'_>, cx: &Context) -> Result<ExitCode> {
    if tell_unreadable(view, cx)? == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(ErrorCode::DataDamaged.exit_code()))
}

fn tell(cx: &Context, written: &Written) -> Result<()> {
    for sum in &written.artifacts_missing {
        cx.printer
            .warn(&format!("the bytes of artifact {sum} are not in the book"));
    }
    for Elsewhere { run, label, folder } in &written.elsewhere {
        cx.printer.note(format!(
            "{label} ({}) stands in `{folder}`: the files have given its number to another run",
            run.0.short()
        ));
    }
    if cx.printer.json_wanted() {
        return cx.printer.json(SCHEMA, written);
    }
    let mut parts = vec![
        count(written.experiments, "experiment"),
        count(written.runs, "run"),
        count(written.points, "point"),
        format!("{} other records", grouped(written.records)),
    ];
    if written.artifacts > 0 {
        parts.push(count(written.artifacts, "artifact"));
    }
    cx.printer
        .line(format!("{}: {}", written.file, parts.join(", ")));
    Ok(())
}

/// What names mean.
pub(super) fn selection<V: Reading>(view: &V, what: &[String]) -> Result<Selection> {
    if what.is_empty() {
        return Ok(Selection::All);
    }
    let names = Names::new(view);
    let (mut experiments, mut runs) = (BTreeSet::new(), BTreeSet::new());
    for text in what {
        if trialbook_model::handle::is_glob(text) {
            runs.extend(names.runs(text)?.iter().map(|run| run.no));
            continue;
        }
        match names.any(text)? {
            Found::Run(run) => runs.insert(run.no),
            Found::Experiment(row) => experiments.insert(row.no),
        };
    }
    Ok(Selection::Some { experiments, runs })
}

fn as_json(
    args: &Args,
    cx: &Context,
    (open, view): (&Open, &View<'_>),
    wanted: &Selection,
) -> Result<Written> {
    let mut sums = BTreeSet::new();
    let mut written = Written {
        file: args.target.display().to_string(),
        ..Written::default()
    };
    let mut out = Target::open(args, cx)?;
    let mut writer = document::Writer::new(&mut out)?;
    let mut sink = |record: trialbook_exchange::Record| {
        written.count(&record);
        if args.artifacts {
            blobs::sums(&record, &mut sums);
        }
        writer.write(&record).map_err(anyhow::Error::from)
    };
    Gather::new(view).records(wanted, &mut sink)?;
    writer.finish()?;
    if args.artifacts {
        let folder = blobs::folder_of(&args.target);
        let moved = blobs::give(&open.artifacts_with(&sums)?, &sums, &folder)?;
        (written.artifacts, written.artifacts_missing) = (moved.files, moved.missing);
    }
    out.finish()?;
    Ok(written)
}

impl Written {
    fn count(&mut self, record: &trialbook_exchange::Record) {
        use trialbook_exchange::{Record, Said};
        use trialbook_model::record::Op;
        match record {
            Record::Points(block) => self.points += block.points(),
            Record::Said(Said { op, .. }) => {
                self.records += 1;
                if let Op::CreateExperiment(made) = op {
                    let name = (made.project.clone(), made.name.clone());
                    self.experiments += u64::from(self.counted.insert(name));
                }
                self.runs += u64::from(matches!(op, Op::StartRun(_)));
            }
        }
    }
}

/// Where a document goes: a draft that gets the file's name when it is whole, or the standard output.
struct Target {
    out: Box<dyn Write>,
    draft: Option<(PathBuf, PathBuf)>,
}

impl Target {
    fn open(args: &Args, cx: &Context) -> Result<Self> {
        if args.target.as_os_str() == "-" {
            let out = Box::new(cx.printer.stream());
            return Ok(Self { out, draft: None });
        }
        let to = cx.here().join(&args.target);
        if to.exists() && !args.force {
            let path = args.target.display().to_string();
            return Err(Failure::Exists { path }.into());
        }
        let draft = replaceable(&to).map(|real| {
            let mut name = real.file_name().unwrap_or_default().to_os_string();
            name.push(format!(".{}.tmp", std::process::id()));
            (real.with_file_name(name), real)
        });
        let path = draft.as_ref().map_or(&to, |(draft, _)| draft);
        let file = File::create(path)
            .with_context(|| format!("cannot write `{}`", args.target.display()))?;
        Ok(Self {
            out: Box::new(BufWriter::with_capacity(1 << 20, file)),
            draft,
        })
    }

    fn finish(mut self) -> Result<()> {
        self.out.flush()?;
        if let Some((draft, to)) = self.draft.take() {
            File::open(&draft)?.sync_all()?;
            fs::rename(&draft, &to).with_context(|| format!("cannot write `{}`", to.display()))?;
        }
        Ok(())
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some((draft, _)) = &self.draft {
            // It was not finished.
            fs::remove_file(draft).ok();
        }
    }
}

/// A folder for an experiment among others: its own id or its name, without what paths cannot hold.
fn folder_name(row: &ExperimentRow) -> String {
    let name = row.state.handle().or_else(|| row.state.name());
    let name = name.unwrap_or("unnamed");
    let plain = |letter: char| {
        if letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.') {
            letter
        } else {
            '-'
        }
    };
    let name: String = name.chars().map(plain).collect();
    name.trim_start_matches('.').to_owned()
}
