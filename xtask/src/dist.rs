//! `cargo xtask dist`: the release binary, stripped, in `dist/`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::printer::say;
use crate::process::{self, cargo};
use crate::tree;

/// Runs the verb.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    arguments.finish()?;
    let built = release_binary("trialbook")?;
    let folder = tree::root().join("dist");
    fs::create_dir_all(&folder).context("cannot make `dist`")?;
    let name = built.file_name().context("a binary has a name")?;
    let target = folder.join(name);
    fs::copy(&built, &target).with_context(|| format!("cannot write `{}`", target.display()))?;
    let kilobytes = fs::metadata(&target)?.len() / 1000;
    say(&format!("dist/{} ({kilobytes} kB)", name.to_string_lossy()));
    Ok(ExitCode::SUCCESS)
}

/// Builds a package of the workspace as it is shipped (the profile strips it) and says where its
/// binary stands.
pub(crate) fn release_binary(package: &str) -> Result<PathBuf> {
    let text = process::output(&mut cargo(&[
        "build",
        "--release",
        "--package",
        package,
        "--message-format=json-render-diagnostics",
    ]))?;
    text.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .with_context(|| format!("`{package}` builds no binary"))
}
