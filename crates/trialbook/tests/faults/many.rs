//! Many processes on one book: nobody waits for anybody, and every count is right in the end.

use std::fs::File;
use std::io::Write as _;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::sandbox::{Ended, Sandbox};
use super::{STUCK, all, lines, say, seal, spawn, steps, wait};

const WRITERS: u64 = 8;
/// Each writer logs in so many rounds so many lines.
const ROUNDS: u64 = 6;
const LINES: u64 = 500;

/// A process that logs what it is sent.
fn logger(sandbox: &Sandbox, run: &str) -> Child {
    let mut command = sandbox.command();
    command
        .args(["log", "-", "--run", run])
        .stdin(Stdio::piped());
    spawn(&mut command)
}

fn send(child: &mut Child, steps: std::ops::Range<u64>) {
    let input = child.stdin.as_mut().unwrap();
    input.write_all(lines(steps).as_bytes()).unwrap();
}

#[track_caller]
fn end(mut child: Child) -> Ended {
    drop(child.stdin.take());
    wait(child)
}

/// Every reading verb, and that it meets no lock.
#[track_caller]
fn look(sandbox: &Sandbox, run: &str) {
    let series = format!("series {run} loss --csv");
    let show = format!("show {run}");
    for words in [
        "list",
        show.as_str(),
        "search status=running",
        series.as_str(),
        "doctor --json",
    ] {
        let ended = say(sandbox, words);
        assert_eq!(ended.code, 0, "{words}: {ended:?}");
        let said = format!("{}{}", ended.out, ended.err).to_lowercase();
        assert!(
            !said.contains("locked") && !said.contains("busy"),
            "{words}: {ended:?}"
        );
    }
}

/// Whether each run has its own points, and the shared one those of all, once.
#[track_caller]
fn counts_are_right(sandbox: &Sandbox, runs: &[String], shared: &str) {
    for run in runs {
        let csv = say(sandbox, &format!("series {run} loss --csv")).ok();
        assert_eq!(steps(&csv), all(ROUNDS * LINES));
    }
    let csv = say(sandbox, &format!("series {shared} loss --csv")).ok();
    let mut found = steps(&csv);
    found.sort_unstable();
    assert_eq!(found, all(WRITERS * ROUNDS * LINES));
    let list = say(sandbox, "list --limit 0 --json").json();
    assert_eq!(list["total"], WRITERS + 1);
    // Numbers of runs within their experiments are given once.
    let mut handles: Vec<&str> = list["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["handle"].as_str().unwrap())
        .collect();
    handles.sort_unstable();
    handles.dedup();
    assert_eq!(handles.len() as u64, WRITERS + 1, "{list}");
}

#[test]
fn many_writers_readers_and_sealers_share_a_book() {
    let sandbox = Sandbox::new();
    // All begin at once, in a folder without a book.
    let starting: Vec<Child> = (0..WRITERS)
        .map(|at| {
            let experiment = format!("crowd-{}", at % 2);
            spawn(
                sandbox
                    .command()
                    .args(["start", "--experiment", &experiment]),
            )
        })
        .collect();
    let runs: Vec<String> = starting
        .into_iter()
        .map(|child| wait(child).ok().trim().to_owned())
        .collect();
    // Each logs to a run of its own and to one that all have.
    let shared = sandbox.start("--experiment shared");
    let mut own: Vec<Child> = runs.iter().map(|run| logger(&sandbox, run)).collect();
    let mut both: Vec<Child> = runs.iter().map(|_| logger(&sandbox, &shared)).collect();
    let going = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while going.load(Ordering::Relaxed) {
                look(&sandbox, &shared);
            }
        });
        let sealer = scope.spawn(|| {
            while going.load(Ordering::Relaxed) {
                seal(&sandbox);
            }
        });
        for round in 0..ROUNDS {
            let part = round * LINES..(round + 1) * LINES;
            for child in &mut own {
                send(child, part.clone());
            }
            for (at, child) in (0..).zip(&mut both) {
                let from = at * ROUNDS * LINES + part.start;
                send(child, from..from + LINES);
            }
        }
        for child in own.drain(..).chain(both.drain(..)) {
            end(child).ok();
        }
        going.store(false, Ordering::Relaxed);
        reader.join().unwrap();
        sealer.join().unwrap();
    });
    counts_are_right(&sandbox, &runs, &shared);
    seal(&sandbox);
    counts_are_right(&sandbox, &runs, &shared);
    let doctor = say(&sandbox, "doctor --json").json();
    assert_eq!(doctor["healthy"], true, "{doctor}");
}

#[test]
fn a_book_is_made_once_by_many() {
    for _ in 0..12 {
        let sandbox = Sandbox::new();
        let starting: Vec<Child> = (0..WRITERS)
            .map(|_| spawn(sandbox.command().arg("start")))
            .collect();
        for child in starting {
            wait(child).ok();
        }
        let list = say(&sandbox, "list --json").json();
        assert_eq!(list["total"], WRITERS);
        for entry in std::fs::read_dir(sandbox.book()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.contains("tmp"), "{name}");
        }
    }
}

/// A sealer that holds the lease and has been stopped.
struct Stopped(Child);

impl Stopped {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    fn go_on(self) -> Ended {
        kill_process(self.pid(), Signal::CONT).unwrap();
        wait(self.0)
    }
}

/// Starts sealers until one is caught in the middle.
fn stop_a_sealer(sandbox: &Sandbox) -> Stopped {
    for _ in 0..100 {
        let child = spawn(sandbox.command().args(["doctor", "--rebuild"]));
        let stopped = Stopped(child);
        while !is_sealing(sandbox) && is_alive(&stopped) {
            std::thread::yield_now();
        }
        kill_process(stopped.pid(), Signal::STOP).unwrap();
        if is_sealing(sandbox) && is_alive(&stopped) {
            return stopped;
        }
        stopped.go_on().ok();
    }
    panic!("no sealer could be caught in the middle");
}

fn is_sealing(sandbox: &Sandbox) -> bool {
    let lease = File::open(sandbox.book().join("seal.lock"));
    // The lock goes with the handle.
    lease.is_ok_and(|lease| lease.try_lock_shared().is_err())
}

/// Whether the process has not ended, even if nobody waited for it yet.
fn is_alive(stopped: &Stopped) -> bool {
    let about = std::fs::read_to_string(format!("/proc/{}/stat", stopped.0.id()));
    about.is_ok_and(|about| !about.contains(") Z "))
}

#[test]
fn a_sealer_that_is_stopped_stops_nobody() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--experiment stopped");
    let mut writer = logger(&sandbox, &run);
    send(&mut writer, 0..20_000);
    let stopped = stop_a_sealer(&sandbox);

    send(&mut writer, 20_000..20_500);
    look(&sandbox, &run);
    say(&sandbox, &format!("log metric other=1 --run {run}")).ok();
    let second = sandbox.start("--experiment other");
    let mut late = logger(&sandbox, &second);
    send(&mut late, 0..10);
    end(late).ok();
    // Who would seal too leaves it to the one who is at it.
    seal(&sandbox);
    look(&sandbox, &second);
    // A backup is as whole as the book; what changes the database itself says who hinders it.
    say(&sandbox, "backup there.tar").ok();
    let cleared = say(&sandbox, "gc --yes");
    assert_eq!(cleared.code, 5, "{cleared:?}");
    assert!(
        cleared.err.contains("another process keeps the book"),
        "{cleared:?}"
    );
    let restored = "--book elsewhere/.trialbook restore there.tar";
    say(&sandbox, restored).ok();
    let held = format!("--book elsewhere/.trialbook series {run} loss --csv");
    let there = steps(&say(&sandbox, &held).ok());
    assert!(there.len() >= 20_000, "{}", there.len());
    end(writer).ok();
    let csv = format!("series {run} loss --csv");
    assert_eq!(steps(&say(&sandbox, &csv).ok()), all(20_500));

    stopped.go_on().ok();
    assert_eq!(steps(&say(&sandbox, &csv).ok()), all(20_500));
    seal(&sandbox);
    assert_eq!(steps(&say(&sandbox, &csv).ok()), all(20_500));
    let doctor = say(&sandbox, "doctor --json").json();
    assert_eq!(doctor["healthy"], true, "{doctor}");
    assert_eq!(doctor["points"], 20_511);
}

#[test]
fn a_sealer_that_is_killed_leaves_everything_once() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--experiment killed");
    let csv = format!("series {run} loss --csv");
    let mut points = 0;
    for _ in 0..4 {
        let mut writer = logger(&sandbox, &run);
        send(&mut writer, points..points + 4_000);
        points += 4_000;
        end(writer).ok();
        let mut stopped = stop_a_sealer(&sandbox);
        stopped.0.kill().unwrap();
        stopped.0.wait().unwrap();
        assert_eq!(steps(&say(&sandbox, &csv).ok()), all(points));
    }
    seal(&sandbox);
    assert_eq!(steps(&say(&sandbox, &csv).ok()), all(points));
    assert_eq!(say(&sandbox, "doctor --json").json()["healthy"], true);
}

/// The revision of the database, which each seal raises; 0 where it was never sealed.
fn revision(sandbox: &Sandbox) -> i64 {
    let path = sandbox.book().join("book.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT value FROM meta WHERE key = 'rev'";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_long_stream_is_sealed_while_it_still_comes() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    seal(&sandbox);
    let before = revision(&sandbox);
    let mut child = logger(&sandbox, &run);
    let input = child.stdin.as_mut().unwrap();
    let text = "all is well ".repeat(100_000);
    let megabyte = format!("{{\"event\": \"note\", \"text\": \"{text}\"}}\n");
    for _ in 0..18 {
        input.write_all(megabyte.as_bytes()).unwrap();
    }
    input.flush().unwrap();
    let begin = Instant::now();
    while revision(&sandbox) == before {
        assert!(begin.elapsed() < STUCK, "nothing was sealed");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
    // It is not at its end: more of it comes and is kept.
    send(&mut child, 0..10);
    end(child).ok();
    let show = say(&sandbox, &format!("show {run} --json")).json();
    assert_eq!(show["counts"]["events"]["note"], 18);
    assert_eq!(show["counts"]["points"], 10);
}
