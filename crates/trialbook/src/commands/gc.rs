//! `trialbook gc`: clears away what nothing needs any more (C-34, S-76).
//!
//! Not here: what that is, which the store finds out. Invariant: without `--yes` nothing is changed.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::id::{ExperimentUid, Uid};
use trialbook_model::record::{Op, SetField, Subject};
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_spool::{Background, Mode};
use trialbook_store::gc::{DAY, GcPlan};
use trialbook_store::reading::Reading as _;
use trialbook_store::{BookError, RecorderOptions};

use crate::book::{self, Open};
use crate::context::{Context, SystemClock};
use crate::figures::{bytes, count};
use crate::titles;

const SCHEMA: u32 = 1;

/// Clear away what nothing needs any more: first a plan, with --yes the deed
///
/// Runs that have been in the bin for 30 days, and of which nothing was heard for as long, are removed for good;
/// bytes of artifacts that no record speaks of are removed when they are older than 24 hours; the database's file
/// is written anew when much of it is free. With --older-than, experiments of which all runs ended before that go
/// to the bin, unless they are archived, tagged, or a baseline; the default one never does.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook gc
  trialbook gc --yes
  trialbook gc --older-than 90d
  trialbook gc --older-than 90d --yes --json")]
pub(crate) struct Args {
    /// Do it; without it only the plan is shown
    #[arg(long)]
    yes: bool,
    /// Move experiments that ended so long ago to the bin, such as 90d
    #[arg(long, value_name = "DAYS", value_parser = days)]
    older_than: Option<i64>,
}

#[derive(Serialize)]
struct Document {
    done: bool,
    /// Runs that are removed for good.
    runs: Vec<String>,
    /// Models, versions, prompts, logged models and webhooks that are removed for good.
    entries: Vec<String>,
    /// Experiments that go to the bin.
    experiments: Vec<String>,
    artifacts: u64,
    artifact_bytes: u64,
    /// Bytes that nothing speaks of and that are kept for their youth.
    young_artifacts: u64,
    free_bytes: u64,
}

fn days(text: &str) -> Result<i64, String> {
    let number = text.strip_suffix('d').unwrap_or(text);
    let days: Result<u16, _> = number.trim().parse();
    days.map(i64::from)
        .map_err(|_no_number| "expected a number of days such as `90d`".to_owned())
}

/// Plans, or does it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = if args.yes {
        book::writing(cx)?
    } else {
        book::reading(cx)?
    };
    let now = SystemClock.now();
    let older = args
        .older_than
        .map(|days| Timestamp(now.0.saturating_sub(days.saturating_mul(DAY))));
    let plan = open.book()?.gc_plan(now, older)?;
    let mut document = told(&open, &plan)?;
    if args.yes {
        let report = carry_out(&open, &plan, now, cx)?;
        document.done = true;
        document.artifacts = report.orphans;
        document.artifact_bytes = report.orphan_bytes;
        document.free_bytes = report.freed;
    }
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &document)?;
    } else {
        print(&document, cx);
    }
    Ok(ExitCode::SUCCESS)
}

fn told(open: &Open, plan: &GcPlan) -> Result<Document> {
    let view = open.view()?;
    let mut runs = Vec::new();
    for (no, _) in &plan.purged {
        for run in view.runs(&[*no])? {
            let experiment = view.experiment(run.experiment)?;
            runs.push(titles::run(&run, experiment.as_ref()));
        }
    }
    let mut entries = Vec::new();
    for (no, _) in &plan.purged_entries {
        entries.extend(view.entry(*no)?.map(|row| titles::entry(&row)));
    }
    let experiments = view.experiments()?;
    let title = |uid: &Uid| {
        let mut rows = experiments.iter();
        let row = rows.find(|row| row.state.uids.contains(&ExperimentUid(*uid)));
        row.map_or_else(|| uid.to_string(), titles::experiment)
    };
    Ok(Document {
        done: false,
        runs,
        entries,
        experiments: plan.old.iter().map(title).collect(),
        artifacts: plan.orphans.len() as u64,
        artifact_bytes: plan.orphans.iter().map(|(_, bytes)| bytes).sum(),
        young_artifacts: plan.young,
        free_bytes: plan.free,
    })
}

fn carry_out(
    open: &Open,
    plan: &GcPlan,
    now: Timestamp,
    cx: &Context,
) -> Result<trialbook_store::gc::GcReport> {
    let options = RecorderOptions {
        mode: Mode::Written,
        background: Background::None,
        ..RecorderOptions::new(cx.actor(), Arc::new(SystemClock))
    };
    let recorder = open.book()?.recorder(options)?;
    let Some(report) = open.book()?.gc(plan, now, recorder)? else {
        return Err(BookError::Held.into());
    };
    if !plan.old.is_empty() {
        let mut writer = open.writer(cx)?;
        for uid in &plan.old {
            writer.record(&Op::SetField(SetField {
                subject: Subject::Experiment(ExperimentUid(*uid)),
                field: "deleted".to_owned(),
                value: true.into(),
            }))?;
        }
        writer.finish(cx)?;
    }
    Ok(report)
}

fn print(document: &Document, cx: &Context) {
    let (would, removed) = if document.done {
        ("", "removed")
    } else {
        ("would be ", "removed")
    };
    for run in &document.runs {
        cx.printer
            .line(format!("run {run} {would}{removed} for good"));
    }
    for entry in &document.entries {
        cx.printer
            .line(format!("{entry} {would}{removed} for good"));
    }
    for experiment in &document.experiments {
        cx.printer
            .line(format!("experiment {experiment} {would}moved to the bin"));
    }
    let artifacts = count(document.artifacts, "artifact");
    let size = bytes(document.artifact_bytes);
    cx.printer.line(format!(
        "{artifacts} that nothing speaks of ({size}) {would}{removed}"
    ));
    let young = count(document.young_artifacts, "more");
    if document.young_artifacts > 0 {
        cx.printer
            .line(format!("{young} stay: they are younger than 24 hours"));
    }
    let free = bytes(document.free_bytes);
    cx.printer.line(if document.done {
        format!("the database is {free} shorter")
    } else {
        format!("{free} of the database are free")
    });
    if !document.done {
        cx.printer.note("nothing was changed: `--yes` does it");
    }
}
