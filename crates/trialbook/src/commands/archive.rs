//! `trialbook archive` and `trialbook unarchive`: hides from lists and shows again (T-13).
//!
//! Invariant: archiving deletes nothing; `list --all`, `search --all`, `show` and names still find it.

use std::process::ExitCode;

use anyhow::Result;

use super::flags::{Act, act};
use crate::context::Context;

/// Hide runs or experiments from lists; nothing is deleted
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook archive tuning/run-003
  trialbook archive 'tuning/run-00*' old-experiment
  trialbook list --all")]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
}

/// Show archived runs or experiments in lists again
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook unarchive tuning/run-003
  trialbook unarchive 'tuning/*'")]
pub(crate) struct Unarchive {
    #[command(flatten)]
    which: Which,
}

/// Runs and experiments.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Runs or experiments, or globs of runs; several of them may be joined by commas
    #[arg(value_name = "RUN|EXPERIMENT", required_unless_present = "more")]
    nouns: Vec<String>,
    /// The same
    #[arg(
        long = "of",
        hide = true,
        aliases = ["experiment-id", "experiment-ids", "run-id", "run-ids", "run"],
        value_name = "RUN|EXPERIMENT"
    )]
    more: Vec<String>,
}

impl Which {
    /// All that are named.
    pub(super) fn texts(&self) -> Vec<String> {
        self.nouns.iter().chain(&self.more).cloned().collect()
    }
}

/// Hides them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    act(Act::Archive, &args.which.texts(), cx)
}

/// Shows them again.
pub(crate) fn run_back(args: &Unarchive, cx: &Context) -> Result<ExitCode> {
    act(Act::Unarchive, &args.which.texts(), cx)
}
