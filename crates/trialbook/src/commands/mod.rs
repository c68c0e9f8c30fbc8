//! One file per verb: its arguments and what it does.
//!
//! Invariant: a verb prints through the context's printer and returns its failure; it never ends the process.

pub(crate) mod docs;
pub(crate) mod exec;
pub(crate) mod run;
pub(crate) mod version;

use std::process::ExitCode;

use crate::cli::Command;
use crate::context::Context;

/// Acts on the command line.
pub(crate) fn dispatch(command: Option<Command>, cx: &Context) -> anyhow::Result<ExitCode> {
    match command {
        Some(Command::Run(args)) => run::run(args, cx),
        Some(Command::Exec(args)) => exec::run(args, cx),
        Some(Command::Version(args)) => version::run(args, cx),
        Some(Command::Docs(args)) => docs::run(args, cx),
        None => Ok(ExitCode::SUCCESS),
    }
}
