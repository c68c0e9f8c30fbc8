//! `trialbook delete` and `trialbook undelete`: into the bin, and out of it.
//!
//! Not here: emptying the bin. Invariant: what is in the bin is kept whole; it can be shown and brought back.

use std::process::ExitCode;

use anyhow::Result;

use super::archive::Which;
use super::flags::{Act, act};
use crate::context::Context;

/// Move runs or experiments to the bin, where they are kept for 30 days
///
/// Runs of an experiment in the bin are in it too. What is running is refused: end it first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook delete tuning/run-003
  trialbook delete 'scratch/run-*' old-experiment
  trialbook list --deleted
  trialbook undelete tuning/run-003")]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
}

/// Bring runs or experiments back from the bin
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook list --deleted
  trialbook undelete tuning/run-003
  trialbook undelete 'scratch/*'")]
pub(crate) struct Undelete {
    #[command(flatten)]
    which: Which,
}

/// Moves them to the bin.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    act(Act::Delete, &args.which.texts(), cx)
}

/// Brings them back.
pub(crate) fn run_back(args: &Undelete, cx: &Context) -> Result<ExitCode> {
    act(Act::Undelete, &args.which.texts(), cx)
}
