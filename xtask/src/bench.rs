//! `cargo xtask bench [NAME]... [--json FILE]`: builds the measured programs as shipped, then measures.
//!
//! What is measured and against which target stands in `bench/`; this only builds and starts it.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::arguments::Arguments;
use crate::dist::release_binary;
use crate::process;
use crate::tree;

/// Runs the verb.
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let json = arguments.value::<String>("--json")?;
    let names = arguments.names();
    arguments.finish()?;
    let program = release_binary("trialbook")?;
    let bench = release_binary("trialbook-bench")?;
    let mut command = Command::new(bench);
    command
        .current_dir(tree::root())
        .arg("--program")
        .arg(program)
        .args(names);
    if let Some(file) = json {
        // Relative to where the verb was typed, not to the workspace's root.
        command
            .arg("--json")
            .arg(std::env::current_dir()?.join(file));
    }
    let status = process::run(&mut command)?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
