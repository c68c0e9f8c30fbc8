//! `trialbook import mlflow`: a store of MLflow into the book.
//!
//! Not here: what a store holds, which the exchange room knows. Invariant: what did not come in is said, and the exit
//! code tells when something of it is damaged.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use trialbook_exchange::mlflow::{self, ArtifactManner, Places, Report, Wanted};
use trialbook_model::code::ErrorCode;
use trialbook_model::time::Clock as _;

use crate::book;
use crate::context::{Context, SystemClock};
use crate::figures::{count, grouped};

const SCHEMA: u32 = 1;

/// How often the line that tells how far it is changes.
const REDRAW: Duration = Duration::from_millis(100);

/// Bring in a folder `mlruns` or a database of MLflow
///
/// Reads folders and SQLite databases of MLflow 1, 2 and 3: experiments, runs in every state, all points, params,
/// tags, artifacts. Runs keep their ids, and so do experiments whose ids are long enough to be meant. What is in the
/// book already is passed over; a run that went on since brings what is new, and what was changed in the book holds.
/// A damaged run stays out and is named with its place, and the rest comes in. An import that broke off goes on where
/// it was when it is started again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook import mlflow
  trialbook import mlflow /srv/ml/mlruns --artifacts reference
  trialbook import mlflow sqlite:///mlflow.db --artifacts-root /srv/ml/mlartifacts
  trialbook import mlflow mlflow.db --experiment 'tuning*' --project vision")]
pub(crate) struct Args {
    /// The folder, the file of the database, or its address
    #[arg(value_name = "STORE", default_value = "mlruns")]
    store: String,
    /// Only these experiments, by name or id; `*` stands for anything
    #[arg(long, value_name = "NAME")]
    experiment: Vec<String>,
    /// The project that they come into
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// What becomes of artifacts
    #[arg(long, value_enum, default_value_t)]
    artifacts: Artifacts,
    /// The folder behind `mlflow-artifacts:/`, as MLflow's server has it
    #[arg(long, value_name = "FOLDER")]
    artifacts_root: Option<PathBuf>,
}

/// What becomes of artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Artifacts {
    /// Their bytes come into the book
    #[default]
    Copy,
    /// The book says where they are
    Reference,
    /// They stay away
    None,
}

impl Artifacts {
    const fn manner(self) -> ArtifactManner {
        match self {
            Self::Copy => ArtifactManner::Copy,
            Self::Reference => ArtifactManner::Reference,
            Self::None => ArtifactManner::Leave,
        }
    }
}

#[derive(Serialize)]
struct Document {
    experiments: u64,
    runs: u64,
    continued_runs: u64,
    same_runs: u64,
    points: u64,
    logged_models: u64,
    registered_models: u64,
    model_versions: u64,
    artifacts: u64,
    references: u64,
    not_brought: Vec<NotBrought>,
    /// Places of artifacts that are not read, with the number of runs.
    artifacts_elsewhere: Vec<NotBrought>,
    damaged: Vec<Damaged>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct NotBrought {
    what: String,
    count: u64,
}

#[derive(Serialize)]
struct Damaged {
    what: String,
    why: String,
}

/// Brings it in.
pub(super) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let places = Places {
        proxied: args
            .artifacts_root
            .as_ref()
            .map(|root| cx.here().join(root)),
    };
    // Nobody wants an empty book because of a name that was misspelt.
    let mut source = mlflow::open(&args.store, cx.here(), places)?;
    let open = book::writing(cx)?;
    let wanted = Wanted {
        experiments: args.experiment.clone(),
        project: args.project.clone(),
        artifacts: args.artifacts.manner(),
        now: SystemClock.now(),
    };
    let mut drawn: Option<Instant> = None;
    let is_watched = io::stderr().is_terminal();
    let report = mlflow::bring(&mut source, open.book()?, &wanted, &mut |progress| {
        if is_watched && drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
            drawn = Some(Instant::now());
            let mlflow::Progress {
                experiment,
                done,
                of,
                points,
            } = progress;
            let (done, of, points) = (grouped(*done), grouped(*of), count(*points, "point"));
            cx.printer
                .status(&format!("{experiment}: {done} of {of} runs, {points}"));
        }
    });
    if drawn.is_some() {
        cx.printer.status("");
    }
    tell(cx, report?)
}

fn tell(cx: &Context, report: Report) -> Result<ExitCode> {
    let code = if report.damaged.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ErrorCode::DataDamaged.exit_code())
    };
    let listed = |pairs: Vec<(String, u64)>| {
        let one = |(what, count)| NotBrought { what, count };
        pairs.into_iter().map(one).collect::<Vec<_>>()
    };
    let others = report
        .not_brought
        .into_iter()
        .map(|(what, count)| (what.to_owned(), count));
    let damaged = report.damaged.into_iter().map(|damage| Damaged {
        what: damage.what,
        why: damage.error.to_string(),
    });
    let document = Document {
        experiments: report.experiments,
        runs: report.runs,
        continued_runs: report.continued,
        same_runs: report.same,
        points: report.points,
        logged_models: report.models,
        registered_models: report.collections,
        model_versions: report.versions,
        artifacts: report.artifacts,
        references: report.references,
        not_brought: listed(others.collect()),
        artifacts_elsewhere: listed(report.elsewhere),
        damaged: damaged.collect(),
        notes: report.notes,
    };
    document.warn(cx);
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &document)?;
    } else {
        cx.printer.line(document.line());
    }
    Ok(code)
}

impl Document {
    /// Says what did not come in.
    fn warn(&self, cx: &Context) {
        for note in &self.notes {
            cx.printer.note(note.as_str());
        }
        for NotBrought { what, count: runs } in &self.artifacts_elsewhere {
            let runs = count(*runs, "run");
            cx.printer.warn(&format!(
                "the artifacts of {runs} at `{what}` were not read"
            ));
        }
        for NotBrought { what, count } in &self.not_brought {
            cx.printer
                .warn(&format!("{what} did not come in: {}", grouped(*count)));
        }
        for Damaged { what, why } in &self.damaged {
            cx.printer.warn(&format!("{what} did not come in: {why}"));
        }
    }

    fn line(&self) -> String {
        let mut parts = vec![
            count(self.experiments, "new experiment"),
            count(self.runs, "new run"),
            count(self.points, "point"),
        ];
        for (number, what) in [
            (self.continued_runs, "continued run"),
            (self.logged_models, "logged model"),
            (self.registered_models, "registered model"),
            (self.model_versions, "model version"),
            (self.artifacts, "artifact"),
            (self.references, "reference"),
        ] {
            if number > 0 {
                parts.push(count(number, what));
            }
        }
        if self.same_runs > 0 {
            parts.push(format!(
                "{} were here already",
                count(self.same_runs, "run")
            ));
        }
        parts.join(", ")
    }
}
