//! `trialbook rename`: gives a run or an experiment another name.
//!
//! Invariant: ids, numbers and aliases stay; in a project no two experiments get one name.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::id::ExperimentNo;
use trialbook_store::reading::Reading as _;

use crate::book::View;
use crate::context::Context;
use crate::failure::Failure;
use crate::names::Names;
use crate::nouns::{Noun, NounHead};
use crate::{book, secrets, values};

const SCHEMA: u32 = 1;

/// Give a run or an experiment another name
///
/// A config that is run again finds its experiment by its id, else by its name: give it the new name too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook rename latest warm-up
  trialbook rename tuning bert-tuning")]
pub(crate) struct Args {
    /// A run or an experiment
    #[arg(value_name = "RUN|EXPERIMENT")]
    noun: String,
    /// Its new name
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Serialize)]
struct Renamed {
    #[serde(flatten)]
    of: NounHead,
    from: Option<String>,
    name: String,
}

/// Renames it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    values::check_name("a run or an experiment", &args.name)?;
    values::refuse_reserved("a run or an experiment", &args.name)?;
    secrets::refuse("the name", &args.name)?;
    let open = book::changing(cx)?;
    // Held until it is written: a name that is free now stays so.
    let _turn = open.naming()?;
    let view = open.view()?;
    let noun = Noun::of(Names::new(&view).any(&args.noun)?, &view)?;
    let from = match &noun {
        Noun::Run { row, .. } => row.state.name(),
        Noun::Experiment(row) => {
            refuse_default(&noun, row.no)?;
            refuse_taken(&view, row.no, row.state.project(), &args.name)?;
            row.state.name()
        }
        Noun::Project(_) => None,
    };
    let from = from.map(str::to_owned);
    let mut writer = open.writer(cx)?;
    writer.record(&noun.set("name", args.name.clone()))?;
    writer.finish(cx)?;
    if cx.printer.json_wanted() {
        let renamed = Renamed {
            of: noun.head(),
            from,
            name: args.name.clone(),
        };
        cx.printer.json(SCHEMA, &renamed)?;
    } else {
        let from = from.map_or_else(String::new, |from| format!(" (was {from})"));
        let (told, name) = (noun.told(), &args.name);
        cx.printer.line(format!("Renamed {told} to {name}{from}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses what every book has.
pub(super) fn refuse_default(noun: &Noun, no: ExperimentNo) -> Result<()> {
    if no == ExperimentNo(0) {
        return Err(Failure::Usage {
            problem: format!("experiment {} belongs to every book", noun.title()),
            hint: "make another one: `trialbook create NAME`".to_owned(),
        }
        .into());
    }
    Ok(())
}

/// Refuses a name that another experiment of the project bears.
pub(super) fn refuse_taken(
    view: &View<'_>,
    no: ExperimentNo,
    project: &str,
    name: &str,
) -> Result<()> {
    let mut all = view.experiments()?.into_iter();
    let taken = all.any(|row| {
        row.no != no && row.state.project() == project && row.state.name() == Some(name)
    });
    if taken {
        return Err(Failure::Taken {
            noun: "experiment",
            name: format!("{project}/{name}"),
        }
        .into());
    }
    Ok(())
}
