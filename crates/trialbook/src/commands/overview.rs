//! `trialbook` alone: what is running, what was last, and what to do next.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::filter::Expr;
use trialbook_model::time::Clock as _;
use trialbook_store::query::Query;
use trialbook_store::reading::Reading as _;

use crate::book::{self, Open, View};
use crate::context::{Context, SystemClock};
use crate::discovery::Choice;
use crate::documents::RunHead;
use crate::figures::{count, grouped};
use crate::listing::Listing;
use crate::printer::{Line, Style};
use crate::target;

const SCHEMA: u32 = 1;
/// Running runs that are shown.
const RUNNING: usize = 20;
/// Last runs that are shown.
const LAST: usize = 5;

#[derive(Serialize)]
struct Overview {
    book: Option<String>,
    rule: &'static str,
    runs: u64,
    running_total: u64,
    running: Vec<RunHead>,
    last: Vec<RunHead>,
}

/// Shows it.
pub(crate) fn run(cx: &Context) -> Result<ExitCode> {
    let choice = cx.choice()?;
    match book::reading_if_any(cx)? {
        Some(open) => of_book(&open, cx)?,
        None => of_nothing(&choice, cx)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn of_nothing(choice: &Choice, cx: &Context) -> Result<()> {
    if cx.printer.json_wanted() {
        let overview = Overview {
            book: None,
            rule: choice.rule.word(),
            runs: 0,
            running_total: 0,
            running: Vec::new(),
            last: Vec::new(),
        };
        return cx.printer.json(SCHEMA, &overview);
    }
    let folder = &choice.place;
    cx.printer
        .line(format!("There is no book yet at {folder}."));
    next_steps(cx, &NEW);
    Ok(())
}

fn of_book(open: &Open, cx: &Context) -> Result<()> {
    let view = open.view()?;
    let running = found(&view, target::running(), RUNNING)?;
    let last = found(&view, Expr::all(), LAST)?;
    let now = SystemClock.now();
    let folder = open.name();
    if cx.printer.json_wanted() {
        let overview = Overview {
            book: Some(folder),
            rule: open.rule().word(),
            runs: last.1,
            running_total: running.1,
            running: running.0.heads(now),
            last: last.0.heads(now),
        };
        return cx.printer.json(SCHEMA, &overview);
    }
    let runs = count(last.1, "run");
    cx.printer
        .line(format!("Book {folder} ({}): {runs}", open.rule()));
    if last.1 == 0 {
        next_steps(cx, &NEW);
        return Ok(());
    }
    cx.printer.line("");
    if running.1 == 0 {
        cx.printer.line("Nothing is running. The last runs:");
        cx.printer.table(&last.0.table(now, &[]));
    } else {
        let heading = format!("Running: {}", grouped(running.1));
        cx.printer.line(Line::styled(Style::Bold, heading));
        cx.printer.table(&running.0.table(now, &[]));
    }
    next_steps(cx, &KNOWN);
    Ok(())
}

fn found(view: &View<'_>, filter: Expr, limit: usize) -> Result<(Listing, u64)> {
    let query = Query {
        filter,
        limit,
        ..Query::all()
    };
    let hits = view.search(&query)?;
    Ok((Listing::read(view, &hits.runs)?, hits.total))
}

/// What to do in a book without runs.
const NEW: [(&str, &str); 3] = [
    (
        "export TRIALBOOK_RUN=$(trialbook start)",
        "start a run, then `trialbook log metric loss=0.3`",
    ),
    (
        "trialbook run -- python train.py",
        "execute a program as a run",
    ),
    ("trialbook --help", "all verbs"),
];

/// What to do in a book with runs.
const KNOWN: [(&str, &str); 4] = [
    ("trialbook show latest", "everything of the last run"),
    ("trialbook list", "the last runs"),
    ("trialbook search 'loss < 0.5' --sort-by loss", "find runs"),
    ("trialbook --help", "all verbs"),
];

fn next_steps(cx: &Context, steps: &[(&str, &str)]) {
    cx.printer.line("");
    cx.printer.line("Next:");
    let width = steps
        .iter()
        .map(|(command, _)| command.len())
        .max()
        .unwrap_or(0);
    for (command, what) in steps {
        cx.printer.line(
            Line::styled(Style::Bold, format!("  {command:width$}"))
                .add(Style::Dim, format!("  {what}")),
        );
    }
}
