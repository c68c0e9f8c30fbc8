//! `trialbook baseline`: marks what others are compared with (C-10, M-28, T-22).
//!
//! Not here: the comparison. Invariant: an experiment has at most one baseline of its own, a name in a project
//! stands for at most one.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::config::Config;
use trialbook_model::record::{Op, SetPointer};
use trialbook_model::state::{Baseline, unmark};
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading as _;

use crate::baselines;
use crate::book::{self, Open, View};
use crate::context::Context;
use crate::failure::Failure;
use crate::names::{Found, Names};
use crate::printer::{Column, Table};
use crate::{secrets, titles, values};

const SCHEMA: u32 = 1;

/// Mark a run or a variation as the baseline that others are compared with
///
/// A run, or an experiment with --variation, becomes the baseline of its experiment. With --name it
/// stands as the baseline of a task in the whole project. Without a run the marked ones are listed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook baseline tuning/run-001
  trialbook baseline EXP-001 --variation pipeline
  trialbook baseline best-bert --name text-classification
  trialbook baseline
  trialbook baseline EXP-001 --remove")]
pub(crate) struct Args {
    /// A run, or the experiment of a variation
    #[arg(value_name = "RUN|EXPERIMENT")]
    noun: Option<String>,
    /// The variation whose runs are the baseline
    #[arg(long, value_name = "NAME")]
    variation: Option<String>,
    /// The task that it is the baseline of, in the whole project
    #[arg(long, value_name = "TASK")]
    name: Option<String>,
    /// Take the mark away: of the experiment, or with --name of the task
    #[arg(long)]
    remove: bool,
    /// The project of a task whose mark is taken away or listed
    #[arg(short, long, value_name = "NAME")]
    project: Option<String>,
}

#[derive(Serialize)]
struct Marked {
    project: String,
    /// The task, or null for the experiment's own.
    name: Option<String>,
    experiment: Option<String>,
    baseline: Option<baselines::Document>,
}

#[derive(Serialize)]
struct All {
    baselines: Vec<Marked>,
}

/// Marks it, or lists what is marked.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    if args.noun.is_none() && !args.remove {
        return list(&book::reading(cx)?, args, cx);
    }
    if let Some(name) = &args.name {
        values::check_name("a task", name)?;
        secrets::refuse("the name of the task", name)?;
    }
    let open = book::changing(cx)?;
    let view = open.view()?;
    let change = if args.remove {
        removal(&view, args)?
    } else {
        mark(&view, args)?
    };
    let mut writer = open.writer(cx)?;
    for op in &change.ops {
        writer.record(&Op::SetPointer(op.clone()))?;
    }
    writer.finish(cx)?;
    let of = match (&args.name, &change.experiment) {
        (Some(task), _) => format!("{}: {task}", change.project),
        (None, experiment) => format!("experiment {}", experiment.as_deref().unwrap_or_default()),
    };
    if cx.printer.json_wanted() {
        let marked = Marked {
            project: change.project,
            name: args.name.clone(),
            experiment: change.experiment,
            baseline: change.baseline,
        };
        cx.printer.json(SCHEMA, &marked)?;
    } else {
        match &change.baseline {
            Some(baseline) => {
                let told = match &args.name {
                    Some(_) => baseline.told(),
                    None => baseline.told_within(),
                };
                cx.printer.line(format!("Baseline of {of} is {told}"));
            }
            None => cx.printer.line(format!("{of} has no baseline any more")),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is to be written, and told.
struct Change {
    project: String,
    experiment: Option<String>,
    baseline: Option<baselines::Document>,
    ops: Vec<SetPointer>,
}

fn mark(view: &View<'_>, args: &Args) -> Result<Change> {
    let names = Names::new(view);
    let text = args.noun.as_deref().unwrap_or_default();
    let (baseline, row) = if let Some(variation) = &args.variation {
        let row = names.experiment(text)?;
        check_variation(view, &row, variation)?;
        let experiment = titles::experiment_uid(&row);
        let name = variation.clone();
        (Baseline::Variation { experiment, name }, Some(row))
    } else {
        let run = names.run(text)?;
        (Baseline::Run(run.uid), view.experiment(run.experiment)?)
    };
    let row = row.unwrap_or_else(|| default_experiment(view));
    let project = row.state.project().to_owned();
    let uid = titles::experiment_uid(&row).to_string();
    let name = args.name.as_deref().unwrap_or(&uid);
    Ok(Change {
        ops: vec![baseline.mark(&project, name)],
        experiment: Some(titles::experiment(&row)),
        baseline: Some(baselines::document(view, &baseline)?),
        project,
    })
}

fn default_experiment(view: &View<'_>) -> ExperimentRow {
    let default = view.experiment(trialbook_model::id::ExperimentNo(0));
    default
        .ok()
        .flatten()
        .expect("every book has the experiment 0")
}

/// Refuses a variation that neither the config nor a run of the experiment has.
fn check_variation(view: &View<'_>, row: &ExperimentRow, name: &str) -> Result<()> {
    let config = row.state.config();
    let config: Option<Config> =
        config.and_then(|config| serde_json::from_value(config.document.clone()).ok());
    let mut known: Vec<String> = config
        .into_iter()
        .flat_map(|config| config.variations)
        .map(|variation| variation.name)
        .collect();
    if known.iter().any(|known| known == name) || has_run_of(view, row, name)? {
        return Ok(());
    }
    known.truncate(3);
    Err(Failure::Unknown {
        noun: "variation",
        text: name.to_owned(),
        nearest: known,
    }
    .into())
}

fn has_run_of(view: &View<'_>, row: &ExperimentRow, variation: &str) -> Result<bool> {
    let hits = view.search(&trialbook_store::query::Query {
        filter: crate::target::attribute_is("variation", variation),
        experiments: Some(vec![row.no]),
        limit: 0,
        ..trialbook_store::query::Query::all()
    })?;
    Ok(hits.total > 0)
}

fn removal(view: &View<'_>, args: &Args) -> Result<Change> {
    if let Some(name) = &args.name {
        let project = args.project.clone().unwrap_or_else(|| "default".to_owned());
        let state = view.project(&project)?;
        let mut known = state.baselines();
        if !known.any(|(known, _)| known == name) {
            return Err(Failure::Unknown {
                noun: "baseline",
                text: name.clone(),
                nearest: Vec::new(),
            }
            .into());
        }
        return Ok(Change {
            ops: vec![unmark(&project, name)],
            experiment: None,
            baseline: None,
            project,
        });
    }
    let names = Names::new(view);
    let text = args.noun.as_deref().unwrap_or("latest");
    let row = match names.any(text)? {
        Found::Experiment(row) => *row,
        Found::Run(run) => view
            .experiment(run.experiment)?
            .unwrap_or_else(|| default_experiment(view)),
    };
    let project = row.state.project().to_owned();
    let uids = row.state.uids.iter();
    Ok(Change {
        ops: uids.map(|uid| unmark(&project, &uid.to_string())).collect(),
        experiment: Some(titles::experiment(&row)),
        baseline: None,
        project,
    })
}

fn list(open: &Open, args: &Args, cx: &Context) -> Result<ExitCode> {
    let view = open.view()?;
    let experiments = view.experiments()?;
    let mut marked = Vec::new();
    for project in view.projects()? {
        if args.project.as_ref().is_some_and(|only| *only != project) {
            continue;
        }
        let state = view.project(&project)?;
        let of_experiments = experiments
            .iter()
            .filter(|row| row.state.project() == project)
            .filter_map(|row| Some((row, state.baseline_of(&row.state)?)));
        for (row, baseline) in of_experiments {
            marked.push(Marked {
                project: project.clone(),
                name: None,
                experiment: Some(titles::experiment(row)),
                baseline: Some(baselines::document(&view, &baseline)?),
            });
        }
        let is_own = |name: &str| {
            let uids = experiments.iter().flat_map(|row| &row.state.uids);
            uids.into_iter().any(|uid| uid.to_string() == name)
        };
        for (name, baseline) in state.baselines().filter(|(name, _)| !is_own(name)) {
            marked.push(Marked {
                project: project.clone(),
                name: Some(name.to_owned()),
                experiment: None,
                baseline: Some(baselines::document(&view, &baseline)?),
            });
        }
    }
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &All { baselines: marked })?;
        return Ok(ExitCode::SUCCESS);
    }
    if marked.is_empty() {
        cx.printer.line("no baselines");
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(vec![
        Column::text("OF"),
        Column::text("TASK"),
        Column::text("BASELINE"),
    ]);
    for mark in marked {
        let told = mark.baseline.map(|it| it.told()).unwrap_or_default();
        table.row(vec![
            mark.experiment.unwrap_or(mark.project),
            mark.name.unwrap_or_default(),
            told,
        ]);
    }
    cx.printer.table(&table);
    Ok(ExitCode::SUCCESS)
}
