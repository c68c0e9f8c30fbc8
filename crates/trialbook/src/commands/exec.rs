//! `trialbook exec`: the wrapper process of one run, started by engines.

use std::process::ExitCode;

use crate::context::Context;
use crate::failure::Failure;

/// Execute one run as its wrapper process
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Executes it.
pub(crate) fn run(_args: Args, _cx: &Context) -> anyhow::Result<ExitCode> {
    Err(Failure::NotYet {
        what: "`exec`".to_owned(),
    }
    .into())
}
