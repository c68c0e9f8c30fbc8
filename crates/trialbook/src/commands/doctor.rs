//! `trialbook doctor`: whether the book is whole, and what in it deserves a look.

use std::process::ExitCode;

use crate::book;
use crate::context::Context;

/// Check the book
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  trialbook doctor\n  trialbook doctor --json")]
pub(crate) struct Args {}

/// Checks it.
pub(crate) fn run(_args: Args, cx: &Context) -> anyhow::Result<ExitCode> {
    book::reading(cx)?;
    Ok(ExitCode::SUCCESS)
}
