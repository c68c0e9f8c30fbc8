//! `trialbook move`: a run to another experiment, an experiment to another project.
//!
//! Invariant: what is moved keeps its id, its name and all that was recorded; only a run's number changes.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::record::Op;
use trialbook_model::state::unmark;
use trialbook_store::reading::Reading as _;

use super::rename::{refuse_default, refuse_taken};
use crate::book::View;
use crate::context::Context;
use crate::failure::Failure;
use crate::names::{self, Names};
use crate::nouns::{self, Noun, NounHead};
use crate::{book, secrets, titles, values};

const SCHEMA: u32 = 1;

/// Move runs to another experiment, or experiments to another project
///
/// A moved run gets the next number of its new experiment. A planned run that is moved away is missing in
/// its plan: running the config again makes it anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook move latest --to tuning
  trialbook move 'scratch/run-*' --to tuning
  trialbook move tuning --to-project nlp")]
pub(crate) struct Args {
    /// Runs, or experiments; globs of runs; several of them may be joined by commas
    #[arg(value_name = "RUN|EXPERIMENT", required = true)]
    nouns: Vec<String>,
    /// The experiment that runs are moved to
    #[arg(long, value_name = "EXPERIMENT", conflicts_with = "to_project")]
    to: Option<String>,
    /// The project that experiments are moved to, made on first use
    #[arg(long, value_name = "NAME", required_unless_present = "to")]
    to_project: Option<String>,
}

#[derive(Serialize)]
struct Moved {
    moved: Vec<NounHead>,
    to: String,
}

/// Moves them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::changing(cx)?;
    // Held until it is written: a name that is free in the project now stays so.
    let to_project = args.to_project.as_ref();
    let _turn = to_project.map(|_| open.naming()).transpose()?;
    let view = open.view()?;
    let chosen = nouns::chosen(&Names::new(&view), &view, &args.nouns)?;
    let (ops, to) = match (&args.to, &args.to_project) {
        (Some(experiment), _) => runs(&view, &chosen, experiment)?,
        (None, project) => experiments(&view, &chosen, project.as_deref().unwrap_or_default())?,
    };
    let before: Vec<String> = chosen.iter().map(Noun::told).collect();
    let mut writer = open.writer(cx)?;
    for op in &ops {
        writer.record(op)?;
    }
    writer.finish(cx)?;
    let view = open.view()?;
    let mut after = Vec::new();
    for noun in chosen {
        after.push(anew(&view, noun)?);
    }
    if cx.printer.json_wanted() {
        let moved = after.iter().map(Noun::head).collect();
        cx.printer.json(SCHEMA, &Moved { moved, to })?;
    } else {
        for (before, after) in before.iter().zip(&after) {
            cx.printer
                .line(format!("Moved {before}: it is {} now", after.title()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The noun as it stands after it was changed.
fn anew(view: &View<'_>, noun: Noun) -> Result<Noun> {
    Ok(match noun {
        Noun::Run { row, of } => {
            let now = view.runs(&[row.no])?.pop().map_or(row, Box::new);
            let of = view.experiment(now.experiment)?.map(Box::new).or(of);
            Noun::Run { row: now, of }
        }
        Noun::Experiment(row) => {
            let now = view.experiment(row.no)?.map_or(row, Box::new);
            Noun::Experiment(now)
        }
        Noun::Project(name) => Noun::Project(name),
    })
}

fn runs(view: &View<'_>, chosen: &[Noun], to: &str) -> Result<(Vec<Op>, String)> {
    let target = Names::new(view).experiment(to)?;
    names::refuse_bin(&target)?;
    let uid = titles::experiment_uid(&target).to_string();
    let mut ops = Vec::new();
    for noun in chosen {
        match noun {
            Noun::Run { row, .. } if row.experiment == target.no => {}
            Noun::Run { .. } => ops.push(noun.set("experiment", uid.clone())),
            Noun::Experiment(_) | Noun::Project(_) => {
                return Err(Failure::Usage {
                    problem: format!("{} cannot be moved into an experiment", noun.told()),
                    hint: "`--to-project NAME` moves experiments; 'NAME/run-*' means its runs"
                        .to_owned(),
                }
                .into());
            }
        }
    }
    Ok((ops, titles::experiment(&target)))
}

fn experiments(view: &View<'_>, chosen: &[Noun], to: &str) -> Result<(Vec<Op>, String)> {
    values::check_name("a project", to)?;
    secrets::refuse("the name of the project", to)?;
    let mut ops = Vec::new();
    let mut names = Vec::new();
    for noun in chosen {
        let Noun::Experiment(row) = noun else {
            return Err(Failure::Usage {
                problem: format!("{} cannot be moved to a project by itself", noun.told()),
                hint: "`--to EXPERIMENT` moves runs".to_owned(),
            }
            .into());
        };
        refuse_default(noun, row.no)?;
        let from = row.state.project();
        if from == to {
            continue;
        }
        let name = row.state.name().unwrap_or_default();
        refuse_taken(view, row.no, to, name)?;
        if names.contains(&name) {
            return Err(Failure::Taken {
                noun: "experiment",
                name: format!("{to}/{name}"),
            }
            .into());
        }
        names.push(name);
        ops.push(noun.set("project", to));
        // The mark of an experiment stands in its project.
        let baseline = view.project(from)?.baseline_of(&row.state);
        if let Some(baseline) = baseline {
            for uid in &row.state.uids {
                ops.push(Op::SetPointer(unmark(from, &uid.to_string())));
            }
            let uid = titles::experiment_uid(row).to_string();
            ops.push(Op::SetPointer(baseline.mark(to, &uid)));
        }
    }
    Ok((ops, to.to_owned()))
}
