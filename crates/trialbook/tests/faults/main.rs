//! Hard days, lived through with the real binary: a disk that fills up, many processes at once, damaged and
//! outdated files, a folder that may only be read.
//!
//! Each test asks the same: is everything that was acknowledged still there, once, and is everything else
//! named. Not here: crashes at every file operation, which the simulated disk of the spool tries.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damage;
mod disk;
mod many;
mod orphans;
mod power;
mod read_only;
#[path = "../sandbox/mod.rs"]
mod sandbox;
mod upgrade;
mod wide;

use std::fmt::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use sandbox::{Ended, Sandbox};
use serde_json::Value;

/// Longer than anything here takes on a machine that is merely slow: whoever needs more is stuck.
const STUCK: Duration = Duration::from_secs(120);

/// Lines of one metric, `loss`, for steps of a range; each value is its step.
fn lines(steps: std::ops::Range<u64>) -> String {
    let mut text = String::new();
    for step in steps {
        writeln!(text, "{{\"step\": {step}, \"loss\": {step}}}").unwrap();
    }
    text
}

/// The steps of a run's `loss`, in the order of the series; each value has to be its step.
#[track_caller]
fn steps(csv: &str) -> Vec<u64> {
    let mut rows = csv.lines();
    let head: Vec<&str> = rows.next().unwrap().split(',').collect();
    let at = |name| head.iter().position(|column| *column == name).unwrap();
    let (step, value) = (at("step"), at("value"));
    rows.map(|row| {
        let row: Vec<&str> = row.split(',').collect();
        assert_eq!(row[step], row[value], "{row:?}");
        row[step].parse().unwrap()
    })
    .collect()
}

/// What the steps of a run are that has each from 0 on once.
fn all(count: u64) -> Vec<u64> {
    (0..count).collect()
}

/// What a failed command said, as JSON.
#[track_caller]
fn told(ended: &Ended) -> Value {
    let last = ended.err.lines().last().unwrap_or_default();
    let value: Value =
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    value["error"].clone()
}

/// Waits for a child; one that is stuck is killed and fails the test.
#[track_caller]
fn wait(mut child: Child) -> Ended {
    // Pipes are emptied meanwhile, so that a full one stops nobody.
    let out = child.stdout.take().map(drain);
    let err = child.stderr.take().map(drain);
    let deadline = Instant::now() + STUCK;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("a command is stuck");
        }
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(2));
    };
    let read = |pipe: Option<std::thread::JoinHandle<Vec<u8>>>| {
        pipe.map_or_else(Vec::new, |pipe| pipe.join().unwrap())
    };
    sandbox::read(Output {
        status,
        stdout: read(out),
        stderr: read(err),
    })
}

fn drain(mut pipe: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Starts a command whose output is kept.
fn spawn(command: &mut Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the binary, which must not get stuck.
#[track_caller]
fn say(sandbox: &Sandbox, words: &str) -> Ended {
    wait(spawn(sandbox.command().args(words.split(' '))))
}

/// Moves everything into the database.
#[track_caller]
fn seal(sandbox: &Sandbox) {
    say(sandbox, "doctor --rebuild").ok();
}
