//! `trialbook revert`: a file from which a run can be set up again as it was (C-31).
//!
//! Not here: running it. Invariant: nothing in the book changes, and no file but the one that is named.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde::Serialize;
use trialbook_model::config::{Config, Experiment, Task, Variation};
use trialbook_model::handle::run_label;
use trialbook_model::plan;
use trialbook_model::record::Param;
use trialbook_model::seed::SeedPolicy;
use trialbook_model::setup::{BLOCKS, SETUP_SNAPSHOT, SYSTEM, Setup};
use trialbook_model::template;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading as _;

use crate::book::{self, View};
use crate::context::Context;
use crate::failure::Failure;
use crate::names::Names;
use crate::titles;

const SCHEMA: u32 = 1;

/// Write a file from which a run can be set up again as it was
///
/// Of a run with a setup (agents, workflow, tasks, dataset) it is that setup with the run's params, which
/// `trialbook start --config FILE` takes; of a run with a command a config of that one run with its seed,
/// which `trialbook run FILE` takes. Neither the book nor any other file changes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook revert latest
  trialbook revert EXP-001/run-014 -o again.yaml && trialbook run again.yaml
  trialbook revert exp_20241227_143022 -o revert_config.json")]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// The file; default: standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// Overwrite another file
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Reverted {
    run: String,
    /// `setup` or `config`.
    form: &'static str,
    output: Option<String>,
    text: String,
}

/// Writes it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let run = Names::new(&view).run(&args.run)?;
    let experiment = view.experiment(run.experiment)?;
    let title = titles::run(&run, experiment.as_ref());
    let command = run.state.start().map(|start| start.command.as_slice());
    let has_command = command.is_some_and(|command| !command.is_empty());
    let has_setup = run.state.snapshots.contains_key(SETUP_SNAPSHOT);
    let (form, text) = if has_setup || !has_command {
        ("setup", setup(&view, &run)?)
    } else {
        (
            "config",
            config(&view, &run, experiment.as_ref(), &title)?.file(),
        )
    };
    if let Some(output) = &args.output {
        write(output, &text, args, cx)?;
    }
    if cx.printer.json_wanted() {
        let reverted = Reverted {
            run: run.uid.to_string(),
            form,
            output: args.output.clone(),
            text,
        };
        cx.printer.json(SCHEMA, &reverted)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(output) = &args.output else {
        for line in text.lines() {
            cx.printer.line(line);
        }
        return Ok(ExitCode::SUCCESS);
    };
    let verb = if form == "setup" {
        "start --config"
    } else {
        "run"
    };
    cx.printer
        .line(format!("Wrote the {form} of {title} to {output}"));
    cx.printer
        .note(format!("`trialbook {verb} {output}` sets it up again"));
    Ok(ExitCode::SUCCESS)
}

/// Writes the file, unless another one lies there.
fn write(output: &str, text: &str, args: &Args, cx: &Context) -> Result<()> {
    let path = cx.here().join(output);
    let present = fs::read(&path).ok();
    if present.as_deref() == Some(text.as_bytes()) {
        return Ok(());
    }
    if path.exists() && !args.force {
        return Err(Failure::OtherFile {
            path: output.to_owned(),
        }
        .into());
    }
    let failed = || format!("cannot write `{output}`");
    let mut draft = path.clone().into_os_string();
    draft.push(format!(".{}.draft", std::process::id()));
    // Whole or not at all.
    let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        drop(fs::remove_file(&draft));
    }
    written.with_context(failed)
}

/// The setup and the params, as JSON with one key a line.
fn setup(view: &View<'_>, run: &RunRow) -> Result<String> {
    let mut setup = Setup::default();
    let document = |kind: &str| match run.state.snapshots.get(kind) {
        Some(held) => Ok::<_, anyhow::Error>(view.snapshot(&held.value)?),
        None => Ok(None),
    };
    let blocks = document(SETUP_SNAPSHOT)?;
    for kind in BLOCKS {
        let block = blocks.as_ref().and_then(|blocks| blocks.get(kind));
        setup
            .blocks
            .extend(block.map(|block| (kind.to_owned(), block.clone())));
    }
    setup.system = document(SYSTEM)?;
    setup.params = params(run);
    if setup.is_empty() {
        return Err(Failure::Usage {
            problem: "nothing was recorded that the run could be set up from".to_owned(),
            hint: "runs of `trialbook run` have a command; `trialbook start --config FILE` records a setup"
                .to_owned(),
        }
        .into());
    }
    let mut text = serde_json::to_string_pretty(&setup.file())?;
    text.push('\n');
    Ok(text)
}

fn params(run: &RunRow) -> Vec<(String, Param)> {
    let params = run.state.params.iter();
    params
        .map(|(key, held)| (key.clone(), held.param().clone()))
        .collect()
}

/// A config of the run alone, with its own seed.
fn config(
    view: &View<'_>,
    run: &RunRow,
    experiment: Option<&ExperimentRow>,
    title: &str,
) -> Result<Config> {
    let start = run
        .state
        .start()
        .context("the start of the run is not known")?;
    let recorded = match run.state.snapshots.get("config") {
        Some(held) => view.snapshot(&held.value)?,
        None => None,
    };
    let mut config = match recorded.and_then(|document| planned(run, document)) {
        Some(config) => config,
        None => literal(run)?,
    };
    let name = experiment.and_then(|row| row.state.name());
    let label = run.number.map_or_else(|| run.uid.0.short(), run_label);
    config.experiment = Experiment {
        name: format!("{}-{label}", name.unwrap_or("run")),
        project: experiment
            .map(|row| row.state.project().to_owned())
            .filter(|project| project != "default"),
        notes: Some(format!("set up again as {title}, {}", run.uid)),
        ..Experiment::default()
    };
    config.trials = 1;
    config.random_seed = start.seed;
    config.seed_policy = SeedPolicy::Fixed;
    Ok(config)
}

/// The recorded config with the run's variation alone, if it is the one that the run was planned by.
fn planned(run: &RunRow, document: serde_json::Value) -> Option<Config> {
    let start = run.state.start()?;
    let mut config: Config = serde_json::from_value(document).ok()?;
    let wanted = start.variation.as_ref()?;
    config
        .variations
        .retain(|variation| variation.name == *wanted);
    config.trials = u32::try_from(start.trial?).ok()?;
    let runs = plan::expand(&config, config.random_seed.unwrap_or_default());
    let found = runs
        .iter()
        .any(|run| Some(&run.key) == start.run_key.as_ref());
    for variation in &mut config.variations {
        variation.baseline = false;
    }
    found.then_some(config)
}

/// A config of the command line as it was executed.
fn literal(run: &RunRow) -> Result<Config> {
    let start = run
        .state
        .start()
        .context("the start of the run is not known")?;
    let command = start.command.iter().map(|word| template::escape(word));
    Ok(Config {
        task: Task {
            command: command.collect(),
            ..Task::default()
        },
        variations: vec![Variation {
            name: start
                .variation
                .clone()
                .unwrap_or_else(|| "again".to_owned()),
            params: params(run),
            baseline: false,
        }],
        ..serde_json::from_value(serde_json::json!({
            "experiment": {"name": "run"}, "task": {}, "variations": [], "trials": 1,
        }))?
    })
}
