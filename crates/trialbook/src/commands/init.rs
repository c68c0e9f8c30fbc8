//! `trialbook init`: makes a book.

use std::process::ExitCode;

use serde::Serialize;

use super::template;
use crate::book;
use crate::context::Context;

const SCHEMA: u32 = 1;

/// Make a book in this folder
///
/// Writing verbs make one by themselves on first use; `init` is for making it somewhere else, or before
/// going into folders below. A book that is there already is left as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook init
  trialbook init --book ~/experiments/.trialbook
  trialbook init --template             # and a config to begin with, in experiment.yaml
  trialbook init --template minimal")]
pub(crate) struct Args {
    /// Also write a config to begin with into `experiment.yaml`: one of those that `trialbook template` lists
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "comparison")]
    template: Option<String>,
}

/// Where `--template` writes.
const CONFIG: &str = "experiment.yaml";

#[derive(Serialize)]
struct Made {
    book: String,
    created: bool,
    /// The config that was written.
    config: Option<&'static str>,
}

/// Makes it.
pub(crate) fn run(args: &Args, cx: &Context) -> anyhow::Result<ExitCode> {
    if let Some(name) = &args.template {
        template::check_name(name)?;
    }
    let (folder, created) = book::make(cx)?;
    if let Some(name) = &args.template {
        template::write_named(name, CONFIG, cx)?;
    }
    let made = Made {
        book: folder.display().to_string(),
        created,
        config: args.template.is_some().then_some(CONFIG),
    };
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &made)?;
        return Ok(ExitCode::SUCCESS);
    }
    cx.printer.line(if created {
        format!("made a book in {}", made.book)
    } else {
        format!("there is a book in {} already", made.book)
    });
    if let Some(config) = made.config {
        cx.printer.line(format!(
            "wrote {config}; run it with `trialbook run {config}`"
        ));
    }
    Ok(ExitCode::SUCCESS)
}
