//! What capturing adds to a run's start: from the fork of `trialbook run` to the first breath of its program.
//!
//! Invariant: the runs with and without it take turns, so that both meet the same machine.

use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::figure::{Figure, median};

/// Pairs of runs.
const PAIRS: usize = 41;
/// Files of the working tree.
const FILES: usize = 300;

/// The figure.
pub(crate) fn run(program: &Path, folder: &Path) -> Result<Vec<Figure>> {
    working_tree(folder)?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for at in 0..PAIRS + 3 {
        let plain = start(program, folder, &["--no-capture", "all"])?;
        let whole = start(program, folder, &[])?;
        // The first ones make the book and warm the caches.
        if at >= 3 {
            without.push(plain);
            with.push(whole);
        }
    }
    let (with, without) = (median(&mut with), median(&mut without));
    Ok(vec![
        Figure::lower("capture", "a run's start, everything captured", with, "ms")
            .limit("nothing captured", without),
        Figure::lower(
            "capture",
            "capture adds to a run's start",
            with - without,
            "ms",
        )
        .target(5.0),
    ])
}

/// A dirty working tree of git.
fn working_tree(folder: &Path) -> Result<()> {
    for at in 0..FILES {
        fs::write(folder.join(format!("file-{at}.py")), "x = 1\n".repeat(100))?;
    }
    let identity = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgsign=false",
    ];
    for words in [
        &["init", "-q"][..],
        &["add", "."],
        &["commit", "-q", "-m", "first"],
    ] {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(identity).args(words);
        ensure!(
            command.status().context("git starts")?.success(),
            "git failed"
        );
    }
    fs::write(folder.join("file-0.py"), "y = 2\n")?;
    let made = Command::new("mkfifo").arg(folder.join("up")).status()?;
    ensure!(made.success(), "mkfifo failed");
    Ok(())
}

/// Milliseconds until the program of a run says that it is up.
fn start(program: &Path, folder: &Path, options: &[&str]) -> Result<f64> {
    // Open for both, so that nobody waits for the other end.
    let mut up = OpenOptions::new()
        .read(true)
        .write(true)
        .open(folder.join("up"))?;
    let begun = Instant::now();
    let mut command = Command::new(program);
    command
        .arg("run")
        .args(options)
        .args(["--", "sh", "-c", "echo > up"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().context("the binary starts")?;
    let mut byte = [0];
    up.read_exact(&mut byte)?;
    let took = begun.elapsed().as_secs_f64() * 1e3;
    ensure!(child.wait()?.success(), "`trialbook run` failed");
    Ok(took)
}
