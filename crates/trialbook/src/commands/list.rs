//! `trialbook list`: runs or experiments, the newest first.

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use trialbook_analysis::Standing;
use trialbook_model::filter::{CompareOp, Expr, Key, KeyKind, Literal};
use trialbook_model::id::ExperimentNo;
use trialbook_model::status::RunStatus;
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_store::BookView;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;

use crate::book;
use crate::context::{Context, SystemClock};
use crate::documents::RunHead;
use crate::figures::{count, grouped, percent, short};
use crate::listing::{Listing, More, standing, tell_unreadable};
use crate::names::Names;
use crate::printer::{Column, Style, Table};
use crate::target::attribute_is;
use crate::{titles, when};

const SCHEMA: u32 = 1;

/// List runs or experiments, the newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook list
  trialbook list --status running
  trialbook list --experiment tuning --limit 50
  trialbook list --since 2d --status failed
  trialbook list --before 2026-01-01
  trialbook list experiments --project nlp
  trialbook list experiments --status failed
  trialbook list --deleted
  trialbook list --json | jq -r '.runs[].id'")]
pub(crate) struct Args {
    /// What to list
    #[arg(value_enum, default_value_t = What::Runs)]
    what: What,
    /// Only this experiment, or runs of it; may be given several times
    #[arg(short, long, value_name = "EXPERIMENT")]
    experiment: Vec<String>,
    /// Only those in this state: queued, running, completed, failed, cancelled; of experiments also planned
    #[arg(short, long, value_parser = status)]
    status: Option<Standing>,
    /// Only those of this project
    #[arg(short, long, value_name = "NAME")]
    project: Option<String>,
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

fn instant(text: &str) -> Result<Timestamp, String> {
    when::instant(text, SystemClock.now())
        .ok_or_else(|| "expected an age such as `2d`, `12h` or `30min`, or a date".to_owned())
}

fn status(word: &str) -> Result<Standing, String> {
    Standing::parse(word).ok_or_else(|| {
        "expected planned, queued, running, completed, failed or cancelled".to_owned()
    })
}

/// The state of a run that a word for experiments means: a planned run is a queued one.
const fn of_runs(status: Standing) -> RunStatus {
    match status {
        Standing::Planned | Standing::Queued => RunStatus::Queued,
        Standing::Running => RunStatus::Running,
        Standing::Completed => RunStatus::Completed,
        Standing::Failed => RunStatus::Failed,
        Standing::Cancelled => RunStatus::Cancelled,
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

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON document")]
struct Experiments {
    book: String,
    total: u64,
    experiments: Vec<ExperimentHead>,
}

#[derive(Serialize)]
struct ExperimentHead {
    id: String,
    no: u64,
    handle: Option<String>,
    name: Option<String>,
    project: String,
    status: Standing,
    created: Option<String>,
    runs: u64,
    archived: bool,
}

/// Lists them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let book = open.folder().display().to_string();
    match args.what {
        What::Runs => list_runs(args, cx, &view, book)?,
        What::Experiments => list_experiments(args, cx, &view, book)?,
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

    /// The experiments that it names; `None` where it names none.
    fn experiments<V: Reading>(&self, names: &Names<'_, V>) -> Result<Option<Vec<ExperimentNo>>> {
        let mut named = Vec::new();
        for text in &self.experiment {
            named.push(names.experiment(text)?.no);
        }
        Ok((!named.is_empty()).then_some(named))
    }

    /// Whether an experiment is to be listed, whatever its state.
    fn shows(&self, row: &ExperimentRow) -> bool {
        let annotations = &row.state.annotations;
        let hidden = annotations.flag("archived") && !self.all && !self.deleted;
        let of_project = |name: &String| row.state.project() == name;
        let made = created(row);
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

fn list_runs(args: &Args, cx: &Context, view: &BookView<'_>, book: String) -> Result<()> {
    let query = Query {
        filter: args.filter(),
        experiments: args.experiments(&Names::new(view))?,
        shown: args.shown(),
        limit: args.limit(),
        ..Query::all()
    };
    let hits = view.search(&query)?;
    let now = SystemClock.now();
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

fn started(op: CompareOp, time: Timestamp) -> Expr {
    Expr::Compare {
        key: Key::new(KeyKind::Attribute, "started"),
        op,
        value: Literal::Time(time.millis(), time.to_string()),
    }
}

/// How a value is told of a run with so many questions.
type Words = fn(f64, u64) -> String;

/// Columns of judged items (C-26), where a listed run has any.
fn judged(listing: &Listing) -> Vec<More<'static>> {
    let columns: [(&str, &str, Words); 3] = [
        ("ACCURACY", "accuracy_rate", percent),
        ("QUESTIONS", "total_questions", |number, _| short(number)),
        ("COST", "total_estimated_cost", |cost, _| {
            format!("${cost:.3}")
        }),
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
            let questions = run.state.metric("total_questions").unwrap_or_default() as u64;
            let value = run.state.metric(key);
            value.map_or_else(|| "N/A".to_owned(), |value| text(value, questions))
        }),
    };
    columns.into_iter().filter(held).map(column).collect()
}

/// An experiment that is listed.
struct Listed {
    row: ExperimentRow,
    status: Standing,
    runs: u64,
}

fn list_experiments<V: Reading>(args: &Args, cx: &Context, view: &V, book: String) -> Result<()> {
    let named = args.experiments(&Names::new(view))?;
    let mut rows = view.experiments()?;
    rows.retain(|row| {
        args.shows(row) && named.as_ref().is_none_or(|named| named.contains(&row.no))
    });
    rows.reverse();
    let counts = view.count_runs()?;
    let (mut total, mut listed) = (0, Vec::new());
    for row in rows {
        let is_full = listed.len() >= args.limit();
        // What is neither asked for nor shown is not looked up.
        if is_full && args.status.is_none() {
            total += 1;
            continue;
        }
        let status = Standing::of(view, &row)?;
        if args.status.is_some_and(|wanted| wanted != status) {
            continue;
        }
        total += 1;
        if !is_full {
            let runs = counts.get(&row.no).copied().unwrap_or_default();
            listed.push(Listed { row, status, runs });
        }
    }
    if cx.printer.json_wanted() {
        let experiments = listed.iter().map(head).collect();
        let experiments = Experiments {
            book,
            total,
            experiments,
        };
        return cx.printer.json(SCHEMA, &experiments);
    }
    if listed.is_empty() {
        cx.printer.line("no experiments");
        return Ok(());
    }
    cx.printer
        .table(&experiment_table(&listed, SystemClock.now()));
    let shown = listed.len() as u64;
    if shown < total {
        let more = count(total - shown, "experiment");
        cx.printer
            .line(format!("… and {more} more: `--limit 0` shows all"));
    }
    Ok(())
}

fn head(of: &Listed) -> ExperimentHead {
    let row = &of.row;
    ExperimentHead {
        id: titles::experiment_uid(row).to_string(),
        no: row.no.0,
        handle: row.state.handle().map(str::to_owned),
        name: row.state.name().map(str::to_owned),
        project: row.state.project().to_owned(),
        status: of.status,
        created: created(row).map(|time| time.to_string()),
        runs: of.runs,
        archived: row.state.annotations.flag("archived"),
    }
}

/// When it was created; the experiment that every book has was not.
fn created(row: &ExperimentRow) -> Option<Timestamp> {
    row.state
        .created()
        .filter(|time| *time != Timestamp::default())
}

fn experiment_table(listed: &[Listed], now: Timestamp) -> Table {
    let mut table = Table::new(vec![
        Column::number("NO"),
        Column::whole("HANDLE"),
        Column::text("NAME"),
        Column::text("PROJECT"),
        Column::whole("STATUS"),
        Column::number("RUNS"),
        Column::whole("CREATED"),
        Column::number("AGE"),
    ]);
    for of in listed {
        let row = &of.row;
        let created = created(row);
        let (style, status) = standing(of.status);
        let plain = |cell: String| (Style::Plain, cell);
        table.styled_row(vec![
            plain(row.no.to_string()),
            plain(row.state.handle().unwrap_or_default().to_owned()),
            plain(row.state.name().unwrap_or("unnamed").to_owned()),
            plain(row.state.project().to_owned()),
            (style, status.to_owned()),
            plain(grouped(of.runs)),
            plain(created.map(when::local).unwrap_or_default()),
            plain(created.map(|time| when::age(time, now)).unwrap_or_default()),
        ]);
    }
    table
}
