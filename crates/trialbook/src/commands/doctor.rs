//! `trialbook doctor`: whether the book is whole, and what in it deserves a look.
//!
//! Invariant: without `--rebuild` nothing is changed.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::code::ErrorCode;
use trialbook_model::id::RunNo;
use trialbook_model::stale::stale_since;
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_store::nouns::RunRow;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;
use trialbook_store::{Artifacts, BOOK_FORMAT};

use crate::book::{self, Open};
use crate::context::{Context, SystemClock};
use crate::figures::{bytes, count};
use crate::listing::Listing;
use crate::printer::{Line, Style};
use crate::titles;

const SCHEMA: u32 = 1;
/// Runs that are looked at in one go.
const BATCH: usize = 4_096;

/// Check the book
///
/// Looks for records that cannot be read, artifacts whose bytes are missing or changed, params that several
/// writers gave different values, records that were dropped, and runs that nobody ended. The exit code is 7
/// where data are damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook doctor
  trialbook doctor --bytes
  trialbook doctor --json")]
pub(crate) struct Args {
    /// Also read the bytes of all artifacts
    #[arg(long)]
    bytes: bool,
}

#[derive(Default, Serialize)]
struct Health {
    book: String,
    rule: &'static str,
    format: u32,
    size_bytes: u64,
    healthy: bool,
    runs: u64,
    experiments: u64,
    /// What is lost or changed.
    damage: Vec<String>,
    /// What deserves a look.
    notices: Vec<String>,
}

/// Checks it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let health = examine(&open, args)?;
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &health)?;
    } else {
        tell(&health, cx);
    }
    Ok(if health.healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ErrorCode::DataDamaged.exit_code())
    })
}

fn tell(health: &Health, cx: &Context) {
    cx.printer.line(format!(
        "book {} (format {}): {}, {}, {}",
        health.book,
        health.format,
        count(health.experiments, "experiment"),
        count(health.runs, "run"),
        bytes(health.size_bytes)
    ));
    for damage in &health.damage {
        cx.printer
            .line(Line::styled(Style::Red, "damaged").plain(format!("  {damage}")));
    }
    for notice in &health.notices {
        cx.printer
            .line(Line::styled(Style::Yellow, "notice").plain(format!("   {notice}")));
    }
    if health.healthy {
        cx.printer
            .line(Line::styled(Style::Green, "the data are whole"));
    }
}

fn examine(open: &Open, args: &Args) -> Result<Health> {
    let view = open.view()?;
    let mut health = Health {
        book: open.folder().display().to_string(),
        rule: open.rule().word(),
        format: BOOK_FORMAT,
        size_bytes: size(open.folder()),
        experiments: view.experiments()?.len() as u64,
        ..Health::default()
    };
    let artifacts = open.artifacts();
    let now = SystemClock.now();
    let all = view.search(&Query {
        shown: Shown::All,
        ..Query::all()
    })?;
    health.runs = all.total;
    for batch in all.runs.chunks(BATCH) {
        examine_runs(&view, batch, now, &mut health)?;
        for run in view.runs(batch)? {
            examine_artifacts(&artifacts, &run, args, &mut health);
        }
    }
    health.healthy = health.damage.is_empty();
    Ok(health)
}

fn examine_runs<V: Reading>(
    view: &V,
    batch: &[RunNo],
    now: Timestamp,
    health: &mut Health,
) -> Result<()> {
    let listing = Listing::read(view, batch)?;
    for run in &listing.runs {
        let title = titles::run(run, listing.experiment_of(run));
        for (key, kept, refused) in run.state.conflicts() {
            let refused: Vec<&str> = refused
                .iter()
                .map(|(_, param)| param.text.as_str())
                .collect();
            health.notices.push(format!(
                "{title}: param `{key}` was also written as `{}`; the first, `{}`, holds",
                refused.join("`, `"),
                kept.text
            ));
        }
        let dropped: u64 = run
            .state
            .heartbeats
            .values()
            .map(|beat| beat.value.dropped)
            .sum();
        if dropped > 0 {
            let dropped = count(dropped, "record");
            health
                .damage
                .push(format!("{title}: its program could not keep {dropped}"));
        }
        if run.state.unknown > 0 {
            let unknown = count(run.state.unknown, "record");
            health.notices.push(format!(
                "{title}: {unknown} of kinds that this version does not know"
            ));
        }
        if stale_since(&run.state, now).is_some() {
            health.notices.push(format!(
                "{title}: running, and nothing was heard of it for long: `trialbook end --run {} --status cancelled` closes it",
                run.uid
            ));
        }
    }
    Ok(())
}

fn examine_artifacts(artifacts: &Artifacts, run: &RunRow, args: &Args, health: &mut Health) {
    for held in run.state.records.artifacts.values().flatten() {
        let Some(sum) = &held.value.sha256 else {
            continue;
        };
        if !artifacts.contains(sum) {
            let path = &held.value.path;
            health.damage.push(format!(
                "run {}: the bytes of `{path}` are not there",
                run.uid
            ));
        } else if args.bytes
            && let Err(error) = artifacts.verify(sum)
        {
            health.damage.push(format!("run {}: {error}", run.uid));
        }
    }
}

/// The bytes of all files in a folder; what cannot be read counts nothing.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let entries = entries.flatten().map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    entries.sum()
}
