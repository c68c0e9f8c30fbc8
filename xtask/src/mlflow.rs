//! The stage `mlflow`: the server under the real, unmodified clients of MLflow, each version in an environment of its
//! own under `target/`.
//!
//! What is asked of the server stands in `tests/mlflow`. Invariant: an environment is made anew when what it consists
//! of has changed, and used again when it has not; a server is stopped by the tests that started it.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::counts::Counts;
use crate::printer::say;
use crate::process::{self, cargo};
use crate::stages::{Outcome, python_missing, python_tests};
use crate::tree;

/// Where the tests stand.
const TESTS: &str = "tests/mlflow";

/// The clients, the newest first, each with `requirements-VERSION.txt` beside the tests.
const CLIENTS: [&str; 3] = ["3.17", "2.22", "2.9"];

/// Runs the tests with every client.
pub(crate) fn stage() -> Result<Outcome> {
    if let Some(missing) = python_missing() {
        return Ok(missing);
    }
    let program = server()?;
    let (mut whole, mut counts) = (Outcome::passed(), Counts::default());
    for client in CLIENTS {
        let python = match environment(client) {
            Ok(python) => python,
            Err(error) => {
                let note = format!("no MLflow {client}, which comes from PyPI: {error:#}");
                return Ok(Outcome::refused(note));
            }
        };
        say(&format!("MLflow {client}"));
        let mut command = Command::new(python);
        command
            .args([
                "-W",
                "ignore",
                "-m",
                "unittest",
                "discover",
                "--pattern",
                "check_*.py",
            ])
            .arg("--start-directory")
            .arg(tree::root().join(TESTS))
            .env("TRIALBOOK_PROGRAM", &program);
        let one = python_tests(&mut command)?;
        whole.passed &= one.passed;
        counts.add(one.counts);
    }
    Ok(whole.with_tests(counts))
}

/// Builds the binary that is tested.
fn server() -> Result<PathBuf> {
    let status = process::run(&mut cargo(&["build", "--package", "trialbook"]))?;
    if !status.success() {
        bail!("the binary cannot be built");
    }
    Ok(tree::target()?.join("debug/trialbook"))
}

/// The Python of an environment with a client.
fn environment(client: &str) -> Result<PathBuf> {
    let wanted = tree::root()
        .join(TESTS)
        .join(format!("requirements-{client}.txt"));
    let text = fs::read(&wanted).with_context(|| format!("cannot read `{}`", wanted.display()))?;
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    let folder = tree::target()?.join(format!("mlflow/{client}-{:016x}", hash.finish()));
    let python = folder.join("bin/python");
    let whole = folder.join("whole");
    if whole.exists() {
        return Ok(python);
    }
    say(&format!("making an environment with MLflow {client}"));
    fs::remove_dir_all(&folder).ok();
    made(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ];
    made(Command::new(&python).args(install).arg(&wanted))?;
    // One that broke off lacks this file.
    fs::write(&whole, "")?;
    Ok(python)
}

fn made(command: &mut Command) -> Result<()> {
    let status = process::run(command)?;
    if !status.success() {
        let program = Path::new(command.get_program()).display();
        bail!("`{program}` ended with {status}");
    }
    Ok(())
}
