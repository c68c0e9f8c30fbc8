//! `trialbook version`: what this program is.

use std::process::ExitCode;

use serde::Serialize;

use crate::context::Context;

/// Version of the JSON document.
const SCHEMA: u32 = 1;

/// Say which version this is
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  trialbook version\n  trialbook version --json")]
pub(crate) struct Args {}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON document")]
struct Version {
    version: &'static str,
    system: &'static str,
    architecture: &'static str,
}

/// Says it.
pub(crate) fn run(_args: &Args, cx: &Context) -> anyhow::Result<ExitCode> {
    let version = Version {
        version: env!("CARGO_PKG_VERSION"),
        system: std::env::consts::OS,
        architecture: std::env::consts::ARCH,
    };
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &version)?;
    } else {
        cx.printer.line(format!(
            "trialbook {} ({}, {})",
            version.version, version.system, version.architecture
        ));
    }
    Ok(ExitCode::SUCCESS)
}
