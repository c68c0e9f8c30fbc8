//! `trialbook run` is killed at any moment: none of its programs outlives it, also none that was just started.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::STUCK;
use super::sandbox::Sandbox;

/// Programs that are started at once.
const AT_ONCE: usize = 24;
/// Without the announcement of a run to the guard the third at the latest left some behind.
const KILLS: u64 = 8;

/// The processes that were told of the book.
fn programs(book: &Path) -> Vec<i32> {
    let told = format!("TRIALBOOK_BOOK={}", book.display());
    let is_told = |pid: &i32| {
        let variables = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        variables
            .split(|byte| *byte == 0)
            .any(|it| it == told.as_bytes())
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(is_told)
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_runner_leaves_no_program_alive() {
    let sandbox = Sandbox::new();
    let mut found = 0;
    for kill in 0..KILLS {
        let name = format!("kill-{kill}");
        let (trials, jobs) = (format!("{AT_ONCE}"), format!("{AT_ONCE}"));
        let mut command = sandbox.command();
        command
            .args(["run", "--experiment", &name, "--no-capture", "all"])
            .args(["--set", "a=1", "--trials", &trials, "--jobs", &jobs])
            .args(["--", "sleep", "1000"])
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut runner = command.spawn().unwrap();
        // Each time when another number of programs is there.
        let wanted = usize::try_from(kill * 7).unwrap() % AT_ONCE;
        let begun = Instant::now();
        loop {
            let there = programs(&sandbox.book()).len();
            if there > wanted || begun.elapsed() > STUCK {
                found += there;
                break;
            }
        }
        runner.kill().unwrap();
        runner.wait().unwrap();
        let begun = Instant::now();
        loop {
            let left = programs(&sandbox.book());
            if left.is_empty() {
                break;
            }
            if begun.elapsed() > STUCK / 4 {
                for pid in left.iter().filter_map(|pid| Pid::from_raw(*pid)) {
                    kill_process(pid, Signal::KILL).ok();
                }
                panic!("kill {kill}: {left:?} outlive their runner");
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
    assert!(found > 0, "no program was ever started");
}
