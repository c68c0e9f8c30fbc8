//! `trialbook cancel`: ends runs of this machine that somebody else executes, and closes those that nobody does.
//!
//! Whoever executes a run is asked by a file that its wrapper looks for; the wrapper ends the process group and
//! sets the final state. Not here: killing. Invariant: the state of a run whose wrapper lives is set by that
//! wrapper alone; a request that nobody can heed any more is carried out here.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Serialize;
use trialbook_model::code::ErrorCode;
use trialbook_model::filter::Expr;
use trialbook_model::id::RunUid;
use trialbook_model::record::{Op, RunError, SetStatus};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Clock as _;
use trialbook_runner::lease::Leased;
use trialbook_runner::requests::Requests;
use trialbook_runner::wrapper::CANCELLED;
use trialbook_store::nouns::RunRow;
use trialbook_store::query::Query;
use trialbook_store::reading::Reading as _;

use super::run::duration;
use crate::book::{self, Open, View};
use crate::context::{Context, SystemClock};
use crate::failure::Failure;
use crate::figures::count;
use crate::names::{Found, Names};
use crate::target::{WRAPPER, attribute_is, is_executed};
use crate::titles;

const SCHEMA: u32 = 1;
/// Between two looks at what became of a request.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Cancel runs of this machine: queued, running, or left behind
///
/// An experiment means all its runs that have not ended. The process of a run is asked to end with
/// SIGTERM, and killed after the `--grace` of the `trialbook run` that executes it. A run whose process
/// is gone is closed as it is. `trialbook run` of the same config does cancelled runs again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook cancel EXP-001/run-014
  trialbook cancel tuning --yes
  trialbook cancel latest --no-wait")]
pub(crate) struct Args {
    /// Runs or experiments
    #[arg(required = true, value_name = "RUN|EXPERIMENT")]
    what: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Do not wait until they have ended
    #[arg(long)]
    no_wait: bool,
    /// How long to wait for that
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s", conflicts_with = "no_wait")]
    wait: Duration,
}

#[derive(Serialize)]
struct Document {
    runs: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    run: String,
    handle: String,
    status: &'static str,
    how: &'static str,
}

/// What was done about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Whoever executes it was asked to end it.
    Asked,
    /// Nobody executes it: it was closed.
    Closed,
    /// It was still waiting.
    Withdrawn,
}

impl How {
    const fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Cancels them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::changing(cx)?;
    let chosen = chosen(&args.what, &open.view()?)?;
    let question = format!("Cancel {}?", count(chosen.len() as u64, "run"));
    if !args.yes && !cx.printer.confirms(&question) {
        cx.printer.note("nothing was cancelled");
        return Ok(ExitCode::from(ErrorCode::Interrupted.exit_code()));
    }
    let mut done = BTreeMap::new();
    for uid in &chosen {
        done.insert(*uid, cancel(cx, &open, *uid)?);
    }
    let patience = if args.no_wait {
        Duration::ZERO
    } else {
        args.wait
    };
    let left = wait(cx, &open, &done, patience)?;
    tell(cx, &open, &chosen, &done)?;
    if left > 0 && !args.no_wait {
        let runs = count(left, "run");
        cx.printer
            .warn(&format!("{runs} did not end in time; the request stays"));
        return Ok(ExitCode::from(ErrorCode::ExperimentBusy.exit_code()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The runs that are meant, each once.
fn chosen(what: &[String], view: &View<'_>) -> Result<Vec<RunUid>> {
    let names = Names::new(view);
    let mut chosen: Vec<RunUid> = Vec::new();
    for text in what {
        let rows = match names.any(text)? {
            Found::Run(run) => {
                refuse_ended(&run, text)?;
                vec![*run]
            }
            Found::Experiment(row) => {
                let open = [RunStatus::Queued, RunStatus::Running];
                let open = open.map(|status| attribute_is("status", status.word()));
                let query = Query {
                    filter: Expr::Or(open.to_vec()),
                    experiments: Some(vec![row.no]),
                    ..Query::all()
                };
                view.runs(&view.search(&query)?.runs)?
            }
        };
        if rows.is_empty() {
            let experiment = text.clone();
            return Err(Failure::AllEnded { experiment }.into());
        }
        for row in rows {
            if !chosen.contains(&row.uid) {
                chosen.push(row.uid);
            }
        }
    }
    Ok(chosen)
}

fn refuse_ended(run: &RunRow, text: &str) -> Result<()> {
    let status = run.state.status();
    if status.is_final() {
        let run = format!("run {text}");
        return Err(Failure::Ended { run, status }.into());
    }
    Ok(())
}

/// Asks whoever executes a run to end it, or closes it where nobody does.
fn cancel(cx: &Context, open: &Open, uid: RunUid) -> Result<How> {
    let view = open.view()?;
    let Some(run) = view.run_by_uid(uid)? else {
        return Ok(How::Closed);
    };
    let status = run.state.status();
    if status.is_final() {
        // It has just ended by itself.
        return Ok(How::Asked);
    }
    let is_held = match status {
        RunStatus::Queued => is_planned_for(open, &view, &run)?,
        RunStatus::Running | RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => {
            is_executed(open, &run)?
        }
    };
    if is_held {
        let requests = Requests::of(open.folder());
        requests
            .ask(uid, &cx.actor())
            .context("the request could not be written")?;
        return Ok(How::Asked);
    }
    close(cx, open, &run)?;
    Ok(if status == RunStatus::Queued {
        How::Withdrawn
    } else {
        How::Closed
    })
}

/// Whether some process executes the run's experiment, and so may be about to begin the run.
fn is_planned_for(open: &Open, view: &View<'_>, run: &RunRow) -> Result<bool> {
    let Some(experiment) = view.experiment(run.experiment)? else {
        return Ok(false);
    };
    Ok(Leased {
        book: open.folder(),
        project: experiment.state.project(),
        experiment: experiment.state.name().unwrap_or_default(),
    }
    .is_held())
}

/// Closes a run that nobody executes: with its last sign of life where its process is gone.
fn close(cx: &Context, open: &Open, run: &RunRow) -> Result<()> {
    let wrapped = run
        .state
        .start()
        .is_some_and(|start| start.source == WRAPPER);
    let lost = wrapped && run.state.status() == RunStatus::Running;
    let now = SystemClock.now();
    let by = cx.actor();
    let message = if lost {
        format!("closed by {by}; its process was gone")
    } else {
        format!("cancelled by {by}")
    };
    let mut writer = open.writer(cx)?;
    writer.record(&Op::SetStatus(SetStatus {
        run: run.uid,
        status: RunStatus::Cancelled,
        started: None,
        ended: run.state.alive.filter(|_| lost).or(Some(now)),
        error: Some(RunError {
            kind: CANCELLED.to_owned(),
            message,
        }),
        exit_code: None,
    }))?;
    writer.finish(cx)?;
    Requests::of(open.folder()).withdraw(run.uid);
    Ok(())
}

/// Waits until all have ended; gives how many have not. What nobody heeds any more is closed.
fn wait(
    cx: &Context,
    open: &Open,
    done: &BTreeMap<RunUid, How>,
    patience: Duration,
) -> Result<u64> {
    let asked = done.iter().filter(|(_, how)| **how == How::Asked);
    let mut waiting: Vec<RunUid> = asked.map(|(uid, _)| *uid).collect();
    let deadline = Instant::now() + patience;
    loop {
        let view = open.view()?;
        let mut left = Vec::new();
        let mut forsaken = Vec::new();
        for uid in waiting {
            let Some(run) = view.run_by_uid(uid)? else {
                continue;
            };
            let status = run.state.status();
            let is_held = match status {
                RunStatus::Queued => is_planned_for(open, &view, &run)?,
                RunStatus::Running => is_executed(open, &run)?,
                RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => {
                    Requests::of(open.folder()).withdraw(uid);
                    continue;
                }
            };
            if is_held {
                left.push(uid);
            } else {
                forsaken.push(uid);
            }
        }
        drop(view);
        for uid in forsaken {
            // It may have ended in the moment before its process did.
            if let Some(run) = open.view()?.run_by_uid(uid)?
                && !run.state.status().is_final()
            {
                close(cx, open, &run)?;
            }
        }
        if left.is_empty() || Instant::now() >= deadline {
            return Ok(left.len() as u64);
        }
        waiting = left;
        std::thread::sleep(LOOK_EVERY);
    }
}

fn tell(cx: &Context, open: &Open, chosen: &[RunUid], done: &BTreeMap<RunUid, How>) -> Result<()> {
    let view = open.view()?;
    let mut runs = Vec::new();
    for uid in chosen {
        let Some(run) = view.run_by_uid(*uid)? else {
            continue;
        };
        let experiment = view.experiment(run.experiment)?;
        runs.push(Told {
            run: uid.to_string(),
            handle: titles::run(&run, experiment.as_ref()),
            status: run.state.status().word(),
            how: done.get(uid).map_or("asked", |how| how.word()),
        });
    }
    if cx.printer.json_wanted() {
        return cx.printer.json(SCHEMA, &Document { runs });
    }
    for told in &runs {
        let ends =
            told.status == RunStatus::Running.word() || told.status == RunStatus::Queued.word();
        cx.printer.line(if ends {
            format!("run {} is asked to end", told.handle)
        } else {
            format!("run {} is {}", told.handle, told.status)
        });
    }
    Ok(())
}
