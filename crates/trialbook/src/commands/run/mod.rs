//! `trialbook run`: executes an experiment.

use std::process::ExitCode;

use crate::context::Context;
use crate::failure::Failure;

/// Execute an experiment from a config, or one command as a run
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A config, or the command after `--`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Executes it.
pub(crate) fn run(args: Args, _cx: &Context) -> anyhow::Result<ExitCode> {
    Err(Failure::NotYet {
        what: format!("`run {}`", args.words.join(" ")),
    }
    .into())
}
