//! `trialbook doctor`: whether the book is whole, and what in it deserves a look.
//!
//! Invariant: without `--rebuild` nothing is changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::code::ErrorCode;
use trialbook_model::record::{Op, Signed};
use trialbook_model::stale::stale_since;
use trialbook_model::state::Records;
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_store::query::{Entries, Query, Shown};
use trialbook_store::reading::Reading as _;
use trialbook_store::{Artifacts, BOOK_FORMAT, BookError, Depth, Effort, Finding};

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
/// writers gave different values, records that were dropped or that only a later version knows, and runs that
/// nobody ended. The exit code is 7 where data are damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook doctor
  trialbook doctor --bytes
  trialbook doctor --rebuild
  trialbook doctor --json")]
pub(crate) struct Args {
    /// Also read the bytes of all artifacts
    #[arg(long)]
    bytes: bool,
    /// Make summaries and counts anew from the records, where they differ
    #[arg(long)]
    rebuild: bool,
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
    points: u64,
    /// Collections, versions, logged models and webhooks.
    entries: u64,
    /// Spans of traces.
    spans: u64,
    /// Versions of artifacts that the book keeps.
    artifacts: u64,
    /// Whether their bytes were read; else only whether they are there was looked at.
    artifact_bytes_read: bool,
    /// Rows that `--rebuild` made anew; null without it.
    rebuilt: Option<u64>,
    /// What is lost or changed.
    damage: Vec<String>,
    /// What deserves a look.
    notices: Vec<String>,
}

/// Checks it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let rebuilt = if args.rebuild {
        Some(rebuild(cx)?)
    } else {
        None
    };
    let mut health = examine(&open, args)?;
    health.rebuilt = rebuilt;
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

/// Rebuilds the summaries; a seal that others have under way is as good.
fn rebuild(cx: &Context) -> Result<u64> {
    let open = book::writing(cx)?;
    open.book()?.seal(Effort::All)?;
    Ok(open.book()?.rebuild()?.changed)
}

fn tell(health: &Health, cx: &Context) {
    cx.printer.line(format!(
        "book {} (format {}): {}, {}, {}, {}",
        health.book,
        health.format,
        count(health.experiments, "experiment"),
        count(health.runs, "run"),
        count(health.points, "point"),
        bytes(health.size_bytes)
    ));
    if health.entries + health.spans > 0 {
        let entries = match health.entries {
            1 => "1 entry".to_owned(),
            number => format!("{number} entries"),
        };
        let spans = count(health.spans, "span");
        cx.printer
            .line(format!("register: {entries}; traces: {spans}"));
    }
    for damage in &health.damage {
        cx.printer
            .line(Line::styled(Style::Red, "damaged").plain(format!("  {damage}")));
    }
    for notice in &health.notices {
        cx.printer
            .line(Line::styled(Style::Yellow, "notice").plain(format!("   {notice}")));
    }
    if let Some(rebuilt) = health.rebuilt {
        cx.printer
            .line(format!("made {} anew", count(rebuilt, "row")));
    }
    if health.healthy {
        let whole = Line::styled(Style::Green, "the data are whole");
        cx.printer
            .line(if health.artifacts == 0 || health.artifact_bytes_read {
                whole
            } else {
                let artifacts = count(health.artifacts, "artifact");
                whole.plain(format!(
                    "; {artifacts} there, bytes not read: `trialbook doctor --bytes` does"
                ))
            });
    }
}

fn examine(open: &Open, args: &Args) -> Result<Health> {
    let mut health = Health {
        book: open.name(),
        rule: open.rule().word(),
        format: BOOK_FORMAT,
        size_bytes: size(open.folder()),
        artifact_bytes_read: args.bytes,
        ..Health::default()
    };
    // Before the view, which damage may keep from being opened: what is wrong is named in any case.
    let report = open.book()?.check(Depth::Book)?;
    // Artifacts are looked at below: those of records that are not sealed yet as well.
    let findings = report.findings.iter();
    let findings = findings.filter(|finding| !matches!(finding, Finding::Artifact { .. }));
    health.damage.extend(findings.map(ToString::to_string));
    if report.outdated > 0 {
        health.notices.push(format!(
            "derived metrics of {} follow older rules: `trialbook doctor --rebuild` brings them up to date",
            count(report.outdated, "run")
        ));
    }
    if let Err(error) = examine_view(open, args, &mut health) {
        match error.downcast_ref::<BookError>() {
            Some(damaged) if damaged.is_damage() => health.damage.push(damaged.to_string()),
            Some(_) | None => return Err(error),
        }
    }
    health.healthy = health.damage.is_empty();
    Ok(health)
}

fn examine_view(open: &Open, args: &Args, health: &mut Health) -> Result<()> {
    let view = open.view()?;
    let experiments = view.experiments()?;
    health.experiments = experiments.len() as u64;
    health.notices.extend(of_later_versions(&view.unknown()?));
    let artifacts = open.artifacts()?;
    for row in &experiments {
        health.spans += row.state.records.counts.spans;
        let title = format!("experiment {}", titles::experiment(row));
        examine_artifacts(&artifacts, (&title, &row.state.records), args, health);
    }
    for name in view.projects()? {
        let records = view.project(&name)?.records;
        let title = format!("project {name}");
        examine_artifacts(&artifacts, (&title, &records), args, health);
    }
    for row in view.entries(&Entries::All)? {
        health.entries += 1;
        health.spans += row.state.records.counts.spans;
        let title = titles::entry(&row);
        examine_artifacts(&artifacts, (&title, &row.state.records), args, health);
    }
    let now = SystemClock.now();
    let all = view.search(&Query {
        shown: Shown::All,
        ..Query::all()
    })?;
    health.runs = all.total;
    for batch in all.runs.chunks(BATCH) {
        let listing = Listing::read(&view, batch)?;
        examine_runs(&listing, now, health);
        for run in &listing.runs {
            health.points += run.state.records.counts.points;
            health.spans += run.state.records.counts.spans;
            let title = titles::run(run, listing.experiment_of(run));
            examine_artifacts(&artifacts, (&title, &run.state.records), args, health);
        }
    }
    Ok(())
}

/// What is kept for a version that knows it: which runs it speaks of only that version can tell.
fn of_later_versions(kept: &[Signed]) -> Option<String> {
    if kept.is_empty() {
        return None;
    }
    let kinds: BTreeSet<u8> = kept
        .iter()
        .filter_map(|signed| {
            let Op::Unknown { kind, .. } = signed.op else {
                return None;
            };
            Some(kind)
        })
        .collect();
    let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    let records = count(kept.len() as u64, "record");
    Some(format!(
        "{records} of kinds that this version does not know ({}): kept as written, for one that does",
        kinds.join(", ")
    ))
}

fn examine_runs(listing: &Listing, now: Timestamp, health: &mut Health) {
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
        if stale_since(&run.state, now).is_some() {
            health.notices.push(format!(
                "{title}: running, and nothing was heard of it for long: `trialbook end --run {} --status cancelled` closes it",
                run.uid
            ));
        }
    }
}

/// Whether the bytes of all artifacts are there; `--bytes` also reads them.
fn examine_artifacts(
    artifacts: &Artifacts,
    (title, records): (&str, &Records),
    args: &Args,
    health: &mut Health,
) {
    for held in records.artifacts.values().flatten() {
        let Some(sum) = &held.value.sha256 else {
            continue;
        };
        health.artifacts += 1;
        let whole = if args.bytes {
            artifacts.verify(sum).map(|_sum| ())
        } else {
            artifacts.get(sum).map(|_file| ())
        };
        if let Err(error) = whole {
            let path = &held.value.path;
            health.damage.push(format!("{title}: `{path}`: {error}"));
        }
    }
}

/// The bytes of all files in a folder; what cannot be read counts nothing.
pub(super) fn size(folder: &Path) -> u64 {
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
