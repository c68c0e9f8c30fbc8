//! `trialbook list`: runs or experiments, the newest first.
//!
//! Invariant: a condition that is given narrows what is listed, or is refused.

mod experiments;

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use trialbook_analysis::ExperimentStatus;
use trialbook_model::filter::{CompareOp, Expr, Key, KeyKind, Literal};
use trialbook_model::id::ExperimentNo;
use trialbook_model::stale::stale_since;
use trialbook_model::status::RunStatus;
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::query::{Hits, Query, Shown};
use trialbook_store::reading::Reading;

use crate::book::{self, View};
use crate::context::{Context, SystemClock};
use crate::documents::RunHead;
use crate::figures::{done, grouped, short};
use crate::listing::{Listing, More, tell_unreadable};
use crate::names::Names;
use crate::target::attribute_is;
use crate::when;

const SCHEMA: u32 = 1;

/// List runs or experiments, the newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook list
  trialbook list --status running
  trialbook list --experiment tuning --limit 50
  trialbook list --since 2d --status failed
  trialbook list --status stale
  trialbook list --before 2026-01-01
  trialbook list experiments --project nlp
  trialbook list experiments --status failed
  trialbook list experiments --researcher 'Ada Lovelace' --format json
  trialbook list --deleted
  trialbook list --json | jq -r '.runs[].id'")]
pub(crate) struct Args {
    /// What to list
    #[arg(value_enum, default_value_t = What::Runs)]
    what: What,
    /// Only this experiment, or runs of it; may be given several times
    #[arg(short, long, value_name = "EXPERIMENT")]
    experiment: Vec<String>,
    /// Only those in this state: queued, running, completed, failed, cancelled; stale: running and not heard of
    /// any more; of experiments also planned
    #[arg(short, long, value_parser = status)]
    status: Option<Wanted>,
    /// Only those of this project
    #[arg(short, long, value_name = "NAME")]
    project: Option<String>,
    /// Only experiments of this researcher or author, or runs of them
    #[arg(short, long, value_name = "NAME")]
    researcher: Option<String>,
    /// As a table, or as the document of `--json`
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Only runs started since then, experiments made since then: an age such as 2d, 12h or 30min, or a date
    #[arg(long, alias = "newer-than", value_name = "AGE|DATE", value_parser = instant)]
    since: Option<Timestamp>,
    /// Only those from before then: an age or a date
    #[arg(long, alias = "older-than", value_name = "AGE|DATE", value_parser = instant)]
    before: Option<Timestamp>,
    /// So many at most; 0 for all
    #[arg(short = 'n', long, default_value_t = 20, value_name = "NUMBER")]
    limit: usize,
    /// Also those that are archived
    #[arg(short, long)]
    all: bool,
    /// Only those in the bin
    #[arg(long, conflicts_with = "all")]
    deleted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Runs,
    Experiments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    when::instant(text, SystemClock.now())
        .ok_or_else(|| "expected an age such as `2d`, `12h` or `30min`, or a date".to_owned())
}

/// A state that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    State(ExperimentStatus),
    /// Running, and without a sign of life for too long (M-31).
    Stale,
}

fn status(word: &str) -> Result<Wanted, String> {
    if word.eq_ignore_ascii_case("stale") {
        return Ok(Wanted::Stale);
    }
    let state = ExperimentStatus::parse(word).ok_or_else(|| {
        "expected planned, queued, running, stale, completed, failed or cancelled".to_owned()
    });
    state.map(Wanted::State)
}

/// The state of a run that a word for experiments means: a planned run is a queued one.
const fn of_runs(wanted: Wanted) -> RunStatus {
    match wanted {
        Wanted::State(ExperimentStatus::Planned | ExperimentStatus::Queued) => RunStatus::Queued,
        Wanted::State(ExperimentStatus::Running) | Wanted::Stale => RunStatus::Running,
        Wanted::State(ExperimentStatus::Completed) => RunStatus::Completed,
        Wanted::State(ExperimentStatus::Failed) => RunStatus::Failed,
        Wanted::State(ExperimentStatus::Cancelled) => RunStatus::Cancelled,
    }
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON document")]
struct Runs {
    book: String,
    total: u64,
    /// Runs of the book whose records are damaged, so that they cannot be listed.
    unreadable: u64,
    runs: Vec<RunHead>,
}

/// Lists them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let book = open.name();
    match args.what {
        What::Runs => list_runs(args, cx, &view, book)?,
        What::Experiments => experiments::list(args, cx, &view, book)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn limit(&self) -> usize {
        if self.limit == 0 {
            usize::MAX
        } else {
            self.limit
        }
    }

    fn shown(&self) -> Shown {
        match (self.deleted, self.all) {
            (true, _) => Shown::Bin,
            (false, true) => Shown::WithArchived,
            (false, false) => Shown::Active,
        }
    }

    /// The condition that its options make together.
    fn filter(&self) -> Expr {
        let mut all = Vec::new();
        let status = self.status.map(of_runs);
        all.extend(status.map(|it| attribute_is("status", it.word())));
        let project = self.project.as_deref();
        all.extend(project.map(|it| attribute_is("project", it)));
        let since = self
            .since
            .map(|time| started(CompareOp::GreaterEqual, time));
        let before = self.before.map(|time| started(CompareOp::Less, time));
        all.extend(since.into_iter().chain(before));
        match all.len() {
            0 => Expr::all(),
            _ => Expr::And(all),
        }
    }

    /// Whether it asks for JSON by its format.
    pub(crate) fn wants_json(&self) -> bool {
        self.format == Format::Json
    }

    /// The experiments that it asks for; `None` where it asks for none in particular.
    fn experiments<V>(&self, view: &V) -> Result<Option<Vec<ExperimentNo>>>
    where
        V: Reading,
        V::Error: 'static,
    {
        let names = Names::new(view);
        let mut named = Vec::new();
        for text in &self.experiment {
            named.push(names.experiment(text)?.no);
        }
        let named = (!named.is_empty()).then_some(named);
        let Some(researcher) = &self.researcher else {
            return Ok(named);
        };
        let is_theirs = |row: &ExperimentRow| {
            let said = ["researcher_name", "author"].map(|field| row.state.annotations.text(field));
            said.contains(&Some(researcher.as_str()))
        };
        let rows = view.experiments()?.into_iter();
        let theirs = rows.filter(is_theirs).map(|row| row.no);
        let is_named = |no: &ExperimentNo| named.as_ref().is_none_or(|named| named.contains(no));
        Ok(Some(theirs.filter(is_named).collect()))
    }

    /// Whether an experiment is to be listed, whatever its state.
    fn shows(&self, row: &ExperimentRow) -> bool {
        let annotations = &row.state.annotations;
        let hidden = annotations.flag("archived") && !self.all && !self.deleted;
        let of_project = |name: &String| row.state.project() == name;
        let made = experiments::created(row);
        annotations.flag("deleted") == self.deleted
            && !hidden
            && self.project.as_ref().is_none_or(of_project)
            && self
                .since
                .is_none_or(|since| made.is_some_and(|made| made >= since))
            && self
                .before
                .is_none_or(|before| made.is_some_and(|made| made < before))
    }
}

fn list_runs(args: &Args, cx: &Context, view: &View<'_>, book: String) -> Result<()> {
    let now = SystemClock.now();
    let hits = hits(args, view, now)?;
    let listing = Listing::read(view, &hits.runs)?;
    let unreadable = tell_unreadable(view, cx)?;
    if cx.printer.json_wanted() {
        let runs = Runs {
            book,
            total: hits.total,
            unreadable,
            runs: listing.heads(now),
        };
        return cx.printer.json(SCHEMA, &runs);
    }
    if listing.runs.is_empty() {
        cx.printer.line("no runs");
        return Ok(());
    }
    cx.printer.table(&listing.table(now, &judged(&listing)));
    if (listing.runs.len() as u64) < hits.total {
        let more = hits.total - listing.runs.len() as u64;
        cx.printer.line(format!(
            "… and {} more: `--limit 0` shows all",
            grouped(more)
        ));
    }
    Ok(())
}

/// The runs that are asked for. Who is stale follows from the time, so that no index knows it.
fn hits(args: &Args, view: &View<'_>, now: Timestamp) -> Result<Hits> {
    let is_stale = args.status == Some(Wanted::Stale);
    let query = Query {
        filter: args.filter(),
        experiments: args.experiments(view)?,
        shown: args.shown(),
        limit: if is_stale { usize::MAX } else { args.limit() },
        ..Query::all()
    };
    let mut hits = view.search(&query)?;
    if is_stale {
        let running = view.runs(&hits.runs)?;
        let silent = running
            .iter()
            .filter(|run| stale_since(&run.state, now).is_some());
        hits.runs = silent.map(|run| run.no).collect();
        hits.total = hits.runs.len() as u64;
        hits.runs.truncate(args.limit());
    }
    Ok(hits)
}

fn started(op: CompareOp, time: Timestamp) -> Expr {
    Expr::Compare {
        key: Key::new(KeyKind::Attribute, "started"),
        op,
        value: Literal::Time(time.millis(), time.to_string()),
    }
}

/// How a value is told.
type Words = fn(f64) -> String;

/// Columns of judged items (C-26), where a listed run has any.
fn judged(listing: &Listing) -> Vec<More<'static>> {
    let columns: [(&str, &str, Words); 3] = [
        ("ACCURACY", "accuracy_rate", done),
        ("QUESTIONS", "total_questions", short),
        ("COST", "total_estimated_cost", |cost| format!("${cost:.3}")),
    ];
    let held = |(_, key, _): &(&str, &str, Words)| {
        listing
            .runs
            .iter()
            .any(|run| run.state.metric(key).is_some())
    };
    let column = |(title, key, text): (&'static str, &'static str, Words)| More {
        title,
        cell: Box::new(move |run| {
            let value = run.state.metric(key);
            value.map_or_else(|| "N/A".to_owned(), text)
        }),
    };
    columns.into_iter().filter(held).map(column).collect()
}
