//! `trialbook prompt`: prompts and their versions.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::model::{list, show};
use crate::collections::Kind;
use crate::context::Context;

/// List prompts, show their versions and texts
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook prompt list
  trialbook prompt show greeting
  trialbook prompt show greeting/2
  trialbook prompt show greeting@production --json")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List prompts
    #[command(after_help = "\
Examples:
  trialbook prompt list
  trialbook prompt list --json")]
    List(list::Args),
    /// Show a prompt and its versions, or the text of one version
    #[command(after_help = "\
Examples:
  trialbook prompt show greeting
  trialbook prompt show greeting@latest")]
    Show(show::Args),
}

/// Does it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    match &args.what {
        What::List(args) => list::run(args, Kind::Prompt, cx),
        What::Show(args) => show::run(args, Kind::Prompt, cx),
    }
}
