//! `trialbook model`: registered models and their versions.
//!
//! Not here: models that runs logged, which stand with their runs.

mod alias;
pub(super) mod list;
pub(super) mod show;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::collections::Kind;
use crate::context::Context;

/// List registered models, show their versions, set aliases
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook model list
  trialbook model show churn
  trialbook model show churn@champion
  trialbook model alias churn champion 3
  trialbook model alias churn champion --remove")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List registered models
    #[command(after_help = "\
Examples:
  trialbook model list
  trialbook model list --project default --json")]
    List(list::Args),
    /// Show a registered model and its versions, or one version
    #[command(after_help = "\
Examples:
  trialbook model show churn
  trialbook model show churn/3 --json
  trialbook model show churn@champion")]
    Show(show::Args),
    Alias(alias::Args),
}

/// Does it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    match &args.what {
        What::List(args) => list::run(args, Kind::Model, cx),
        What::Show(args) => show::run(args, Kind::Model, cx),
        What::Alias(args) => alias::run(args, cx),
    }
}
