//! `trialbook simulate`: agents that build a Twitter clone, in virtual time, as a run of the book.
//!
//! Not here: what happens (the runner's `swarm`). Invariant: the same seed gives the same run, but for its id
//! and the time at which it begins.

use std::io::Cursor;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use trialbook_model::handle;
use trialbook_model::id::{ExperimentUid, RunUid};
use trialbook_model::record::{
    CreateExperiment, Op, Param, PutArtifact, SetParams, SetStatus, StartRun, Subject,
};
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_model::status::RunStatus;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_runner::swarm::{Complexity, Conditions, Said, Swarm};
use trialbook_store::{Recorder, RecorderOptions};

use crate::book::{self, Open};
use crate::context::{Context, SystemClock, SystemEntropy};
use crate::figures::{count, short};
use crate::names::Names;
use crate::{titles, values, when};

const SCHEMA: u32 = 1;
/// What a simulated run is started by.
const SIMULATION: &str = "simulation";
/// More would be no demonstration any more.
const MOST_TASKS: u64 = 1_000_000;

/// Simulate agents that work through a project, as a run to try things on
///
/// Time is virtual: hours of work are recorded at once. Without an `--enable` flag the run is a baseline
/// in which tasks are worked on and nothing else happens. The same seed gives the same run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook simulate
  trialbook simulate --num-agents 12 --complexity standard --enable-all --seed 7
  trialbook simulate --enable-blockers --experiment-name condition-impact --run-name with-blockers
  for n in 10 25 50; do trialbook simulate --num-agents $n --run-name $n-agents; done")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Args {
    /// How many agents work
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    num_agents: u64,
    /// How much there is to do
    #[arg(long, value_enum, default_value_t = Size::Enterprise)]
    complexity: Size,
    /// So many tasks, in place of what the complexity makes: 10, 25 or 60
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=MOST_TASKS))]
    tasks: Option<u64>,
    /// Tasks may be held up (15%)
    #[arg(long)]
    enable_blockers: bool,
    /// Tasks may leave artifacts (25%)
    #[arg(long)]
    enable_artifacts: bool,
    /// Tasks may bring decisions (20%)
    #[arg(long)]
    enable_decisions: bool,
    /// Agents may ask for context (30%)
    #[arg(long)]
    enable_context_requests: bool,
    /// All of these
    #[arg(long)]
    enable_all: bool,
    /// The experiment, made on first use
    #[arg(
        short,
        long = "experiment-name",
        visible_alias = "experiment",
        value_name = "NAME",
        default_value = "twitter-swarm-test"
    )]
    experiment: String,
    /// The run's name; default: the time and some digits of the id
    #[arg(long, value_name = "NAME")]
    run_name: Option<String>,
    /// The seed of all chance; default: one is drawn and recorded
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Size {
    Prototype,
    Standard,
    Enterprise,
}

impl Size {
    const fn complexity(self) -> Complexity {
        match self {
            Self::Prototype => Complexity::Prototype,
            Self::Standard => Complexity::Standard,
            Self::Enterprise => Complexity::Enterprise,
        }
    }
}

#[derive(Serialize)]
struct Simulated {
    run: String,
    name: String,
    experiment: String,
    agents: u64,
    tasks: u64,
    seed: u64,
    duration_ms: i64,
    records: usize,
}

/// A clock that is set to what is being told.
struct Virtual(AtomicI64);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Simulates it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    values::check_name("an experiment", &args.experiment)?;
    values::refuse_reserved("an experiment", &args.experiment)?;
    if let Some(name) = &args.run_name {
        values::check_name("a run", name)?;
        values::refuse_reserved("a run", name)?;
    }
    let swarm = swarm(args);
    let open = book::writing(cx)?;
    let uid = RunUid::mint(&mut SystemEntropy);
    let (said, end) = swarm.play(uid);
    // It ends now, so that nothing lies in the future.
    let begin = Timestamp(SystemClock.now().0.saturating_sub(end));
    let name = args
        .run_name
        .clone()
        .unwrap_or_else(|| handle::default_run_name(begin, uid.0, |_| false));
    let records = said.len();
    record(cx, &open, (args, &swarm), (uid, &name), (said, begin, end))?;
    open.tidy(cx)?;
    let done = Simulated {
        run: uid.to_string(),
        name,
        experiment: args.experiment.clone(),
        agents: swarm.agents,
        tasks: swarm.tasks,
        seed: swarm.seed,
        duration_ms: end / 1000,
        records,
    };
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &done)?;
    } else {
        cx.printer.line(format!(
            "run {} ({}) of {}: {} did {} in {} of virtual time, seed {}",
            titles::short_id(uid.0),
            done.name,
            done.experiment,
            count(done.agents, "agent"),
            count(done.tasks, "task"),
            when::span(end),
            done.seed
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn swarm(args: &Args) -> Swarm {
    let on = |flag: bool| flag || args.enable_all;
    let complexity = args.complexity.complexity();
    Swarm {
        agents: args.num_agents,
        complexity,
        tasks: args.tasks.unwrap_or(complexity.tasks()),
        conditions: Conditions {
            blockers: on(args.enable_blockers),
            artifacts: on(args.enable_artifacts),
            decisions: on(args.enable_decisions),
            context_requests: on(args.enable_context_requests),
        },
        seed: args.seed.unwrap_or_else(super::run::drawn_seed),
    }
}

fn record(
    cx: &Context,
    open: &Open,
    (args, swarm): (&Args, &Swarm),
    (uid, name): (RunUid, &str),
    (said, begin, end): (Vec<Said>, Timestamp, i64),
) -> Result<()> {
    let view = open.view()?;
    let known = Names::new(&view).experiment_called(DEFAULT_PROJECT, &args.experiment)?;
    let clock = Arc::new(Virtual(AtomicI64::new(begin.0)));
    let options = RecorderOptions::new(cx.actor(), clock.clone());
    let mut recorder = open.recorder(options)?;
    let experiment = match &known {
        Some(row) => titles::experiment_uid(row),
        None => created(&mut recorder, &args.experiment)?,
    };
    recorder.record(&Op::StartRun(StartRun {
        experiment,
        name: Some(name.to_owned()),
        seed: Some(swarm.seed),
        source: SIMULATION.to_owned(),
        started: begin,
        ..StartRun::of(uid)
    }))?;
    let mut params = swarm.params();
    params.push(("start_time".to_owned(), Param::text(begin.to_string())));
    recorder.record(&Op::SetParams(SetParams { run: uid, params }))?;
    let summary = summary(swarm, &said, end);
    for (at, mut op) in said {
        clock.0.store(begin.0.saturating_add(at), Ordering::Relaxed);
        if let Op::Points(points) = &mut op {
            points.time = Timestamp(begin.0.saturating_add(at));
        }
        recorder.record(&op)?;
    }
    recorder.record(&artifact(open, uid, &summary)?)?;
    let ended = Timestamp(begin.0.saturating_add(end));
    recorder.record(&Op::SetStatus(SetStatus {
        run: uid,
        status: RunStatus::Completed,
        started: Some(begin),
        ended: Some(ended),
        error: None,
        exit_code: None,
    }))?;
    Ok(recorder.finish()?)
}

fn created(recorder: &mut Recorder, name: &str) -> Result<ExperimentUid> {
    let experiment = ExperimentUid::mint(&mut SystemEntropy);
    recorder.record(&Op::CreateExperiment(CreateExperiment {
        experiment,
        project: DEFAULT_PROJECT.to_owned(),
        name: name.to_owned(),
        handle: None,
        document: serde_json::Value::Null,
        config_hash: None,
    }))?;
    Ok(experiment)
}

/// The text that ends such a run (M-16).
fn summary(swarm: &Swarm, said: &[Said], end: i64) -> String {
    let number = |kind: &str| {
        let events = said.iter().filter(|(_, op)| {
            if let Op::Event(event) = op {
                event.kind == kind
            } else {
                false
            }
        });
        events.count()
    };
    let hours = end as f64 / 3_600_000_000.0;
    let velocity = if hours > 0.0 {
        format!("{} tasks/hour", short(swarm.tasks as f64 / hours))
    } else {
        "not defined".to_owned()
    };
    format!(
        "agents: {}\ncomplexity: {}\ntasks completed: {}\nduration: {}\nvelocity: {velocity}\n\
         blockers: {}\nartifacts: {}\ndecisions: {}\ncontext requests: {}\nseed: {}\n",
        swarm.agents,
        swarm.complexity.word(),
        number("task_end"),
        when::span(end),
        number("blocker"),
        number("artifact"),
        number("decision"),
        number("context_request"),
        swarm.seed,
    )
}

fn artifact(open: &Open, run: RunUid, text: &str) -> Result<Op> {
    let sum = open.artifacts()?.put(&mut Cursor::new(text.as_bytes()))?;
    Ok(Op::PutArtifact(PutArtifact {
        subject: Subject::Run(run),
        path: "experiment_summary.txt".to_owned(),
        sha256: Some(sum.sha256),
        size: Some(sum.size),
        uri: None,
        r#type: Some("report".to_owned()),
        role: None,
        step: None,
        description: None,
        removed: false,
    }))
}
