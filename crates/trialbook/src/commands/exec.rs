//! `trialbook exec`: the wrapper process of one run, started by engines, and the guard of local runs.
//!
//! Invariant: the run that is executed stands in the book as planned, and nobody else executes it; how it ends is
//! recorded there and, where asked for, in an exit record. Its program is never told `[redacted]` for a secret.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::Value;
use trialbook_capture::{Captured, Place};
use trialbook_model::capture::Parts;
use trialbook_model::code::ErrorCode;
use trialbook_model::config::{Config, Params, Variation};
use trialbook_model::id::RunUid;
use trialbook_model::plan::PlannedRun;
use trialbook_model::secret;
use trialbook_model::status::RunStatus;
use trialbook_runner::begun::Begun;
use trialbook_runner::guard;
use trialbook_runner::known::KnownSecrets;
use trialbook_runner::leading::Leading;
use trialbook_runner::lease::Leased;
use trialbook_runner::ledger::Job;
use trialbook_runner::preparation::Preparation;
use trialbook_runner::recording::SharedRecorder;
use trialbook_runner::shim;
use trialbook_runner::signals::SignalWatch;
use trialbook_runner::snapshot::Snapshot;
use trialbook_runner::stop::Stop;
use trialbook_runner::wrapper::{self, Capture, RecordError, Sink, Tools};
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading as _;

use crate::book::{self, Open};
use crate::context::{Context, SystemClock};
use crate::failure::Failure;
use crate::names::Names;

/// Execute one planned run as its wrapper process
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook exec EXP-001/run-014 --folder . --exit-record exit.json")]
pub(crate) struct Args {
    /// The run, which is planned and not started
    #[arg(value_name = "RUN", required_unless_present = "guard")]
    run: Option<String>,
    /// The folder of the config; default: the present one
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Write how the run ended into this file
    #[arg(long, value_name = "FILE")]
    exit_record: Option<PathBuf>,
    /// Kill the process groups named on standard input when it ends
    #[arg(long, hide = true, conflicts_with = "run")]
    guard: bool,
}

/// Executes it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let Some(name) = args.run.as_deref().filter(|_| !args.guard) else {
        guard::watch(&mut io::stdin().lock());
        return Ok(ExitCode::SUCCESS);
    };
    let open = book::changing(cx)?;
    let view = open.view()?;
    let row = Names::new(&view).run(name)?;
    let experiment = view.experiment(row.experiment)?;
    let leased = Leased {
        book: open.folder(),
        project: experiment.as_ref().map_or("", |it| it.state.project()),
        experiment: experiment
            .as_ref()
            .and_then(|it| it.state.name())
            .unwrap_or_default(),
    };
    let (lease, _) = leased.share(&leased.turn()?)?;
    let own = leased.take_run(row.uid)?;
    // It may have been executed in the moment before.
    drop(view);
    let view = open.view()?;
    let row = Names::new(&view).run(name)?;
    if row.state.status() != RunStatus::Queued {
        return Err(Failure::Usage {
            problem: format!("run `{name}` is {}, not queued", row.state.status()),
            hint: "`trialbook run` plans runs and executes them".to_owned(),
        }
        .into());
    }
    let (preparation, job) = planned(args, cx, &open, (&row, experiment.as_ref()))?;
    drop(view);
    let done = execute(args, cx, &open, (&preparation, &job));
    drop((own, lease));
    done
}

/// Whether something that the run's program is told was left out of the recorded config.
fn lacks_secrets(document: &Value) -> bool {
    ["task", "variations"].iter().any(|part| {
        let part = document.get(part).map(Value::to_string);
        part.is_some_and(|text| text.contains(secret::MARK))
    })
}

fn without_secrets() -> Failure {
    Failure::Usage {
        problem: "the recorded config is without the secrets that the run's program is told"
            .to_owned(),
        hint: "`trialbook run CONFIG` reads them from the config".to_owned(),
    }
}

/// The place of the run's variation in the config. One of a grid beside the config stands only with its run.
fn place_of(config: &mut Config, name: &str, row: &RunRow) -> Result<usize> {
    let mut known = config.variations.iter();
    if let Some(at) = known.position(|known| known.name == name) {
        return Ok(at);
    }
    let params = row.state.params.iter();
    let params: Params = params
        .map(|(key, param)| (key.clone(), param.param().clone()))
        .collect();
    if params
        .iter()
        .any(|(_, param)| param.text.contains(secret::MARK))
    {
        return Err(without_secrets().into());
    }
    config.variations.push(Variation {
        name: name.to_owned(),
        params,
        baseline: false,
    });
    Ok(config.variations.len() - 1)
}

fn planned(
    args: &Args,
    cx: &Context,
    open: &Open,
    (row, experiment): (&RunRow, Option<&ExperimentRow>),
) -> Result<(Preparation, Job)> {
    let not_planned = || Failure::Usage {
        problem: "the run belongs to no config".to_owned(),
        hint: "`trialbook run CONFIG` plans runs".to_owned(),
    };
    let document = experiment
        .and_then(|experiment| experiment.state.config())
        .map(|config| config.document.clone())
        .ok_or_else(not_planned)?;
    if lacks_secrets(&document) {
        return Err(without_secrets().into());
    }
    let mut config: Config = serde_json::from_value(document).map_err(|_another| not_planned())?;
    let start = row.state.start().ok_or_else(not_planned)?;
    let variation = start.variation.clone().ok_or_else(not_planned)?;
    let variation_at = place_of(&mut config, &variation, row)?;
    let job = Job {
        run: row.uid,
        number: row.number.unwrap_or_default(),
        attempt: start.attempt.unwrap_or(1),
        planned: PlannedRun {
            variation,
            variation_at,
            trial: start
                .trial
                .and_then(|trial| u32::try_from(trial).ok())
                .unwrap_or(1),
            seed: start.seed.unwrap_or_default(),
            key: start.run_key.clone().unwrap_or_default(),
        },
    };
    Ok((preparation(args, cx, open, config)?, job))
}

fn preparation(args: &Args, cx: &Context, open: &Open, config: Config) -> Result<Preparation> {
    let shim = if config.task.command.is_empty() {
        Some(shim::install(&open.folder().join("work")).context("cannot write the Python shim")?)
    } else {
        None
    };
    let folder = args.folder.clone().unwrap_or_else(|| cx.here().to_owned());
    let parts = Parts::all().within(&config.capture);
    Ok(Preparation {
        known: KnownSecrets::of_configs([&config]),
        config,
        folder: std::path::absolute(folder)?,
        book: std::path::absolute(open.folder())?,
        named: open.named()?,
        shim,
        python: "python3".to_owned(),
        timeout: None,
        grace: wrapper::GRACE,
        capture: Capture::of(&parts),
        leading: Leading::default(),
        sample: None,
    })
}

/// What there is around the run on this machine, which may be another one than the planner's.
fn capture(preparation: &Preparation, run: RunUid, sink: &dyn Sink) -> Result<(), RecordError> {
    let parts = Parts::all().within(&preparation.config.capture);
    let place = Place {
        directory: &preparation.folder,
        python: &preparation.interpreter(),
    };
    let captured = Captured::of(place, &parts);
    for (kind, document) in [
        (
            "config",
            Some(preparation.known.recorded(&preparation.config)),
        ),
        ("environment", captured.environment.map(|it| it.recorded())),
        ("code", captured.code),
        ("variables", captured.variables),
    ] {
        if let Some(document) = document {
            Snapshot::new(kind, document).link(run, sink)?;
        }
    }
    Ok(())
}

fn execute(
    args: &Args,
    cx: &Context,
    open: &Open,
    (preparation, job): (&Preparation, &Job),
) -> Result<ExitCode> {
    let mut task = preparation.task(job)?;
    task.files.exit.clone_from(&args.exit_record);
    let stop = Arc::new(Stop::new().context("cannot make a pipe")?);
    let signals = SignalWatch::start(Arc::clone(&stop)).context("cannot watch signals")?;
    let recorder = SharedRecorder::new(open.stream_writer(cx)?);
    let begun = Begun::new();
    let tools = Tools {
        sink: &recorder,
        clock: &SystemClock,
        stop: &stop,
        guard: &super::run::guard(cx),
        begun: &begun,
    };
    let executing = || {
        std::thread::scope(|scope| {
            let looking = scope.spawn(|| {
                begun.wait();
                capture(preparation, job.run, &recorder)
            });
            let ended = wrapper::execute(&task, tools);
            // Perhaps it could not be started.
            begun.tell();
            let captured = looking.join();
            (
                ended,
                captured.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            )
        })
    };
    let (ended, captured) = open.delivering_meanwhile(executing);
    drop(signals);
    preparation.requests().withdraw(job.run);
    recorder.finish()?;
    let ended = ended?;
    captured?;
    if ended.not_understood == 0 {
        preparation.clear(job);
    }
    open.tidy(cx)?;
    Ok(match ended.status {
        RunStatus::Completed => ExitCode::SUCCESS,
        RunStatus::Cancelled => ExitCode::from(ErrorCode::Interrupted.exit_code()),
        RunStatus::Failed | RunStatus::Queued | RunStatus::Running => {
            ExitCode::from(ErrorCode::RunFailed.exit_code())
        }
    })
}
