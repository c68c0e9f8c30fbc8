//! `trialbook run`: executes an experiment, from a config or from one line.
//!
//! Not here: planning, executing, recording (the runner), counting (the analysis). Invariant: standard output
//! holds the result; how far it is goes to standard error.

mod claim;
mod listening;
mod live;
mod plan;
mod questions;
mod report;
mod sampling;
mod source;
mod standing;
mod surroundings;
mod words;

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use trialbook_model::capture::Parts;
use trialbook_model::id::Entropy as _;
use trialbook_model::plan::{Choice, Mode};
use trialbook_runner::begun::Begun;
use trialbook_runner::engine::{Engine, Totals};
use trialbook_runner::guard::Guard;
use trialbook_runner::leading::Leading;
use trialbook_runner::ledger::{Job, Ledger};
use trialbook_runner::outline::{Ground, Outside, Wish};
use trialbook_runner::preparation::Preparation;
use trialbook_runner::recording::SharedRecorder;
use trialbook_runner::shim;
use trialbook_runner::signals::SignalWatch;
use trialbook_runner::standing::{Elsewhere, Standing};
use trialbook_runner::stop::{Stop, Urgency};
use trialbook_runner::wrapper::{Capture, GRACE, Tools};

use crate::book::{self, Open};
use crate::context::{Context, SystemClock, SystemEntropy};
use crate::failure::Failure;
use crate::printer::{Line, Style};
use claim::{claim, leased, project};
use listening::Listener;
use questions::QuestionChoice;
use sampling::SampleChoice;
use source::{Intent, Spec};
pub(super) use source::{duration, some_time};
use surroundings::{Strict, Surroundings};
use words::RunWords;

/// Execute an experiment from a config, or one command as a run
///
/// CONFIG is a YAML file. A second `run` of it does only what never finished. Without a config, the command
/// after `--` is executed once, or for each combination that `--set` makes; `{param}`, `{seed}` and
/// `{trial}` in it are filled in.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook run experiment.yaml
  trialbook run experiment.yaml --jobs 4 --only Polling
  trialbook run experiment.yaml --retry-failed
  trialbook run experiment.yaml --set agents=5,10 --only Polling --dry-run
  trialbook run experiment.yaml --strict-data --no-capture git,packages
  trialbook run -n 10 --random --seed 42 --data questions.jsonl --notes 'first try' -- python ask.py '{data_path}'
  trialbook run -- python train.py --lr 0.1
  trialbook run --set lr=0.1,0.01 --trials 3 --experiment tuning -- python train.py --lr {lr} --seed {seed}")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Args {
    /// The config file
    #[arg(value_name = "CONFIG")]
    config: Option<String>,
    /// The command, in place of a config
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// A param and its values: KEY=VALUE,VALUE. Several make a grid; with a config, over its variations
    #[arg(long = "set", value_name = "KEY=VALUES")]
    set: Vec<String>,
    /// Trials of each variation, in place of the config's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    trials: Option<u32>,
    /// The experiment's name, in place of the config's
    #[arg(short, long, value_name = "NAME")]
    experiment: Option<String>,
    /// The base of all seeds, in place of the config's
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Runs at the same time
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// The longest time of one run, such as 90s or 10m
    #[arg(long, value_name = "TIME", value_parser = source::some_time)]
    timeout: Option<Duration>,
    /// Time between the request to end and the kill
    #[arg(long, value_name = "TIME", value_parser = source::duration, default_value = "10s")]
    grace: Duration,
    /// Only this variation; may be repeated
    #[arg(long, value_name = "VARIATION")]
    only: Vec<String>,
    /// Try failed runs again too
    #[arg(long, alias = "resume", conflicts_with = "rerun")]
    retry_failed: bool,
    /// Do all runs again; earlier results are kept as earlier attempts
    #[arg(long)]
    rerun: bool,
    /// Go on although finished runs no longer belong to the changed config; they are archived
    #[arg(long)]
    accept_change: bool,
    /// Fail before anything starts where the data is not what `data-manifest.yaml` says
    #[arg(long)]
    strict_data: bool,
    /// Do not capture these, as a comma list: console, data, environment, git, packages, resources,
    /// variables, or all
    #[arg(long, value_name = "PARTS")]
    no_capture: Vec<String>,
    #[command(flatten)]
    sample: SampleChoice,
    #[command(flatten)]
    words: RunWords,
    #[command(flatten)]
    questions: QuestionChoice,
    /// Show what would be done, and why, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Executes it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let mut spec = source::read(args, cx)?;
    if args.dry_run {
        return dry_run(args, &mut spec, cx);
    }
    let open = book::writing(cx)?;
    cx.printer
        .note(Line::styled(Style::Dim, "book ").plain(format!(
            "{} ({})",
            open.name(),
            open.rule()
        )));
    execute(args, &mut spec, &open, cx)
}

fn wish(args: &Args, spec: &Spec) -> Wish {
    let mode = match (args.retry_failed, args.rerun) {
        (_, true) => Mode::Rerun,
        (true, false) => Mode::RetryFailed,
        (false, false) => Mode::Resume,
    };
    Wish {
        choice: Choice {
            mode,
            // A grid is made of the chosen variations alone.
            only: match spec.intent {
                Intent::Beside => Vec::new(),
                Intent::Config | Intent::Adhoc(_) => args.only.clone(),
            },
        },
        outside: match (&spec.intent, args.accept_change) {
            (Intent::Adhoc { .. }, _) => Outside::Keep,
            (Intent::Config | Intent::Beside, true) => Outside::Archive,
            (Intent::Config | Intent::Beside, false) => Outside::Refuse,
        },
        scope: spec.scope(),
    }
}

/// A base for seeds in case one is needed; NumPy takes 32 bits.
pub(super) fn drawn_seed() -> u64 {
    let mut bytes = [0; 4];
    SystemEntropy.fill(&mut bytes);
    u64::from(u32::from_be_bytes(bytes))
}

fn dry_run(args: &Args, spec: &mut Spec, cx: &Context) -> Result<ExitCode> {
    let open = book::reading_if_any(cx)?;
    let mut standing = Standing::default();
    let mut elsewhere = Elsewhere::Nobody;
    if let Some(open) = &open {
        standing = Standing::read(&open.view()?, project(spec), &spec.config.experiment.name)?;
        if leased(spec, open).is_held() {
            elsewhere = Elsewhere::Somebody;
        }
    }
    spec.settle(&standing);
    let known = spec.known();
    let ground = Ground {
        config: &spec.config,
        recorded: spec.recorded(),
        standing: &standing,
        elsewhere,
        drawn_seed: drawn_seed(),
        known: &known,
    };
    let outline = ground.outline(&wish(args, spec)).inspect_err(|error| {
        plan::show_refused(cx, error);
    })?;
    let sample = sampling::draw(args, spec, &outline)?;
    plan::show(cx, spec, &outline, sample.as_ref())?;
    Ok(ExitCode::SUCCESS)
}

fn execute(args: &Args, spec: &mut Spec, open: &Open, cx: &Context) -> Result<ExitCode> {
    let parts = parts(args, spec)?;
    let words = args.words.read(cx)?;
    let strict = args.strict_data.then(|| Strict::check(spec)).transpose()?;
    let mut claim = claim(spec, open)?;
    let name = spec.config.experiment.name.clone();
    let standing = Standing::read(&open.view()?, project(spec), &name)?;
    spec.settle(&standing);
    let known = spec.known();
    let ground = Ground {
        config: &spec.config,
        recorded: spec.recorded(),
        standing: &standing,
        elsewhere: claim.elsewhere,
        drawn_seed: drawn_seed(),
        known: &known,
    };
    let outline = ground.outline(&wish(args, spec)).inspect_err(|error| {
        plan::show_refused(cx, error);
    })?;
    if matches!(spec.intent, Intent::Config | Intent::Beside) {
        plan::show_changes(cx, &outline.changes);
    }
    let mut preparation = preparation(args, spec, open, &parts)?;
    preparation.sample = sampling::draw(args, spec, &outline)?.map(Arc::new);
    let listener = listening::start(cx, open);
    preparation.leading = Listener::leading(listener.as_ref());
    let recorder = SharedRecorder::new(open.stream_writer(cx)?);
    let jobs = Ledger {
        sink: &recorder,
        clock: &SystemClock,
        entropy: &mut SystemEntropy,
        preparation: &preparation,
        standing: &standing,
        beside: spec.beside.as_ref(),
    }
    .write(&outline)?;
    words.record(&jobs, &recorder)?;
    drop(claim.turn.take());
    plan::announce(cx, spec, &outline, &jobs);
    sampling::announce(cx, preparation.sample.as_deref());
    let executed = if jobs.is_empty() {
        Ok((Totals::default(), Urgency::None))
    } else {
        let python = preparation.interpreter();
        let sample = preparation.sample.as_deref().map(sampling::document);
        let around = Surroundings::new(spec, (parts, python), (open, &standing), (strict, sample));
        work(args, (cx, open), (&preparation, &recorder, &around), &jobs)
    };
    if let Some(listener) = listener {
        listener.close();
    }
    recorder.finish()?;
    open.hand_over()?;
    let (totals, urgency) = executed?;
    let asked = args.questions.of(&jobs);
    let verdict = report::show(cx, open, (spec, &args.only), asked.as_ref())?;
    open.tidy(cx)?;
    Ok(report::code(&outline, totals, urgency, verdict))
}

/// What is captured: what neither the command line nor the config switches off.
fn parts(args: &Args, spec: &Spec) -> Result<Parts> {
    let mut parts = Parts::all().within(&spec.config.capture);
    for list in &args.no_capture {
        parts = parts.without(list).map_err(|error| Failure::Usage {
            hint: error.nearest.map_or_else(
                || "name what is not to be captured".to_owned(),
                |nearest| format!("did you mean `{nearest}`?"),
            ),
            problem: error.to_string(),
        })?;
    }
    Ok(parts)
}

fn preparation(args: &Args, spec: &Spec, open: &Open, parts: &Parts) -> Result<Preparation> {
    let work = open.folder().join("work");
    let shim = if spec.config.task.command.is_empty() {
        Some(shim::install(&work).context("cannot write the Python shim")?)
    } else {
        None
    };
    Ok(Preparation {
        config: spec.config.clone(),
        folder: spec.folder.clone(),
        book: std::path::absolute(open.folder())?,
        named: open.named()?,
        shim,
        python: "python3".to_owned(),
        timeout: args.timeout,
        known: spec.known(),
        grace: args.grace,
        capture: Capture::of(parts),
        leading: Leading::default(),
        sample: None,
    })
}

fn work(
    args: &Args,
    (cx, open): (&Context, &Open),
    (preparation, recorder, around): (&Preparation, &SharedRecorder, &Surroundings),
    jobs: &[Job],
) -> Result<(Totals, Urgency)> {
    let stop = Arc::new(Stop::new().context("cannot make a pipe")?);
    let signals = SignalWatch::start(Arc::clone(&stop)).context("cannot watch signals")?;
    let guard = guard(cx);
    let begun = Begun::new();
    let engine = |progress: &live::Teller| {
        Engine {
            workers: usize::from(args.jobs),
            tools: Tools {
                sink: recorder,
                clock: &SystemClock,
                stop: &stop,
                guard: &guard,
                begun: &begun,
            },
            preparation,
            snapshots: &around.snapshots,
            progress,
        }
        .execute(jobs)
    };
    let beside = |teller: &live::Teller| {
        // What is looked at must not slow the start of a run.
        begun.wait();
        around.look(recorder, &stop, teller)
    };
    let totals = book::sealing_meanwhile(open, || live::follow(cx, jobs, &stop, engine, beside));
    drop(signals);
    Ok((totals?, stop.urgency()))
}

/// Without a guard, runs outlive a `run` that is killed; that is no reason not to run.
pub(super) fn guard(cx: &Context) -> Guard {
    let started = std::env::current_exe().and_then(|program| {
        let mut command = Command::new(program);
        command.args(["exec", "--guard"]);
        Guard::start(command)
    });
    started.unwrap_or_else(|error| {
        cx.printer
            .warn(&format!("no guard beside the runs: {error}"));
        Guard::none()
    })
}

/// The default of `--grace` says the same in words.
const _: () = assert!(GRACE.as_secs() == 10);
