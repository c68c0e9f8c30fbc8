//! A disk that fills up and is freed.
//!
//! The superuser gets a small disk of its own. Everybody gets a limit of the size of files, which refuses
//! writes in the same places.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use trialbook_spool::sim::left_out::not_exercised;

use super::sandbox::{Ended, Sandbox};
use super::{all, lines, say, spawn, steps, told, wait};

/// A small disk.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one where that is possible.
    fn mount(at: &Path, bytes: u64) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        let mounted = mounted.is_ok_and(|status| status.success());
        mounted.then(|| Self(at.to_owned()))
    }

    /// Takes all space but about so many bytes.
    fn fill(&self, left: u64) {
        let about = rustix::fs::statvfs(&self.0).unwrap();
        let free = about.f_bavail * about.f_frsize;
        let filler = vec![1; free.saturating_sub(left) as usize];
        fs::write(self.0.join("filler"), filler).unwrap();
    }

    /// Takes the space that is left, to the last page.
    fn fill_rest(&self) {
        let mut rest = fs::File::create(self.0.join("rest")).unwrap();
        while rest.write_all(&[1; 4096]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
        // Not every test takes the rest too.
        fs::remove_file(self.0.join("rest")).ok();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A disk that stays mounted is told by the folder that cannot be removed.
        let unmounted = Command::new("umount").arg(&self.0).status();
        drop(unmounted);
    }
}

/// A home on a small disk; `None` for those who may not mount.
fn home_on_small_disk(bytes: u64) -> Option<(SmallDisk, Sandbox)> {
    let sandbox = Sandbox::new();
    // Dropped in this order: the disk before the folder that it is mounted on.
    let disk = SmallDisk::mount(&sandbox.work(), bytes);
    if disk.is_none() {
        not_exercised("the binary on a full disk", "root, to mount a small one");
    }
    Some((disk?, sandbox))
}

/// Everything that can be asked while the disk is full.
#[track_caller]
fn reads_all(sandbox: &Sandbox, run: &str, points: u64) {
    let csv = say(sandbox, &format!("series {run} loss --csv")).ok();
    assert_eq!(steps(&csv), all(points));
    let show = say(sandbox, &format!("show {run} --json")).json();
    assert_eq!(show["metrics"]["loss"]["count"], points, "{show}");
    assert_eq!(say(sandbox, "list --json").json()["total"], 1);
    let found = sandbox.run(["search", "metrics.loss >= 0", "--json"]);
    assert_eq!(found.json()["total"], 1);
}

#[track_caller]
fn is_full(ended: &Ended) {
    assert_eq!(ended.code, 8, "{ended:?}");
    let error = told(ended);
    assert_eq!(error["code"], "disk_full", "{error}");
    let hint = error["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("free some space"), "{error}");
}

#[test]
fn one_command_after_another_until_the_disk_is_full() {
    let Some((disk, sandbox)) = home_on_small_disk(8 << 20) else {
        // The limit below refuses in the same places.
        return;
    };
    let run = sandbox.start("--experiment full");
    let log = |step: u64| {
        say(
            &sandbox,
            &format!("log metric loss={step} --step {step} --run {run} --json"),
        )
    };
    log(0).ok();
    disk.fill(128 << 10);
    let mut points = 1;
    let refused = loop {
        let ended = log(points);
        if ended.code != 0 {
            break ended;
        }
        points += 1;
    };
    is_full(&refused);
    assert!(points > 4, "{points}");
    reads_all(&sandbox, &run, points);
    // Verbs that begin something are refused as clearly.
    for words in ["start --json", "end --json --run latest"] {
        is_full(&say(&sandbox, words));
    }
    reads_all(&sandbox, &run, points);

    disk.free();
    for _ in 0..3 {
        log(points).ok();
        points += 1;
    }
    super::seal(&sandbox);
    say(&sandbox, &format!("end --run {run}")).ok();
    reads_all(&sandbox, &run, points);
    assert_eq!(say(&sandbox, "doctor --json").json()["healthy"], true);
}

#[test]
fn a_stream_until_the_disk_is_full() {
    let Some((disk, sandbox)) = home_on_small_disk(8 << 20) else {
        return;
    };
    let run = sandbox.start("--experiment full");
    disk.fill(640 << 10);
    let words = format!("log - --json --run {run}");
    let refused = sandbox.feed_all(&words, lines(0..60_000).as_bytes());
    is_full(&refused);
    let csv = say(&sandbox, &format!("series {run} loss --csv")).ok();
    let kept = steps(&csv).len() as u64;
    // What was mapped and what was written behind it when no more could be mapped.
    assert!((10_000..60_000).contains(&kept), "{kept}");
    let place = format!("stopped behind line {kept} of standard input");
    assert!(refused.err.contains(&place), "{kept}: {refused:?}");
    reads_all(&sandbox, &run, kept);

    disk.free();
    sandbox
        .feed_all(&words, lines(kept..60_000).as_bytes())
        .ok();
    reads_all(&sandbox, &run, 60_000);
    super::seal(&sandbox);
    reads_all(&sandbox, &run, 60_000);
    assert_eq!(say(&sandbox, "doctor --json").json()["healthy"], true);
}

#[test]
fn sealing_on_a_full_disk_loses_nothing() {
    let Some((disk, sandbox)) = home_on_small_disk(8 << 20) else {
        return;
    };
    let run = sandbox.start("--experiment full");
    let words = format!("log - --json --run {run}");
    sandbox.feed_all(&words, lines(0..20_000).as_bytes()).ok();
    disk.fill(16 << 10);
    let refused = say(&sandbox, "doctor --rebuild --json");
    is_full(&refused);
    reads_all(&sandbox, &run, 20_000);
    let doctor = say(&sandbox, "doctor --json").json();
    assert_eq!(doctor["healthy"], true, "{doctor}");
    // Not even the database's own index has room: it is made anew by the first reader.
    fs::remove_file(sandbox.book().join("book.db-shm")).ok();
    disk.fill_rest();
    reads_all(&sandbox, &run, 20_000);
    disk.free();
    super::seal(&sandbox);
    reads_all(&sandbox, &run, 20_000);
}

#[test]
fn an_experiment_on_a_full_disk_is_finished_when_there_is_space() {
    let Some((disk, sandbox)) = home_on_small_disk(16 << 20) else {
        return;
    };
    let config = "experiment: {name: full}\ntask: {command: [sh, -c, 'echo loss={seed}; seq 2000']}\ntrials: 12\nmetrics: [loss]\n";
    fs::write(sandbox.work().join("c.yaml"), config).unwrap();
    let run = || {
        let mut command = sandbox.command();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        wait(spawn(command.args(["run", "c.yaml", "--json"])))
    };
    // A book that could not be made is no book, and can be made later.
    disk.fill(48 << 10);
    is_full(&run());
    say(&sandbox, "list").failed(5);
    disk.free();
    say(&sandbox, "init").ok();

    disk.fill(32 << 10);
    let refused = run();
    is_full(&refused);
    say(&sandbox, "list --json").json();
    assert_eq!(say(&sandbox, "doctor --json").json()["healthy"], true);
    disk.free();
    let finished = run();
    assert_eq!(finished.code, 0, "{finished:?}");
    let found = sandbox
        .run(["search", "status = 'completed'", "--json"])
        .json();
    assert_eq!(found["total"], 12, "{found}");
    assert_eq!(say(&sandbox, "doctor --json").json()["healthy"], true);
}

/// The binary under a limit of the size of files, given in units of 512 bytes.
fn limited(sandbox: &Sandbox, units: u32) -> Command {
    let mut command = sandbox.command();
    let binary = command.get_program().to_owned();
    let mut shell = Command::new("sh");
    shell
        .current_dir(sandbox.work())
        .env_clear()
        .env("HOME", sandbox.home())
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("BINARY", binary)
        .stdin(Stdio::null());
    // Without the trap the kernel ends a program that writes too much.
    let script = format!("trap '' XFSZ; ulimit -f {units}; exec \"$BINARY\" \"$@\"");
    shell.args(["-c", &script, "sh"]);
    command.stdin(Stdio::null());
    shell
}

#[test]
fn files_that_may_not_grow_are_a_full_disk() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--experiment full");
    let words = ["log", "-", "--json", "--run", &run];
    let mut stream = limited(&sandbox, 256);
    let mut child = spawn(stream.args(words).stdin(Stdio::piped()));
    let sent = child
        .stdin
        .take()
        .unwrap()
        .write_all(lines(0..60_000).as_bytes());
    let refused = wait(child);
    is_full(&refused);
    // The pipe broke when the reader gave up.
    assert!(sent.is_err());
    let csv = say(&sandbox, &format!("series {run} loss --csv")).ok();
    let kept = steps(&csv).len() as u64;
    assert!((1_000..60_000).contains(&kept), "{kept}");
    reads_all(&sandbox, &run, kept);
    sandbox
        .feed_all(&words.join(" "), lines(kept..kept + 1_000).as_bytes())
        .ok();

    // One command each: not even the spool's first page fits.
    let points = kept + 1_000;
    let step = points.to_string();
    let value = format!("loss={step}");
    let one = [
        "log", "metric", &value, "--step", &step, "--json", "--run", &run,
    ];
    is_full(&wait(spawn(limited(&sandbox, 4).args(one))));
    reads_all(&sandbox, &run, points);
    wait(spawn(sandbox.command().args(one))).ok();
    super::seal(&sandbox);
    reads_all(&sandbox, &run, points + 1);
    assert_eq!(say(&sandbox, "doctor --json").json()["healthy"], true);
}

/// Status and body of an answer of a server.
fn ask(port: u16, head: &str, body: &str) -> (u16, String) {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let about = format!(
        "content-type: application/json\r\ncontent-length: {}",
        body.len()
    );
    let request =
        format!("{head} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{about}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (
        head.split(' ').nth(1).unwrap().parse().unwrap(),
        body.to_owned(),
    )
}

#[test]
fn a_server_on_a_full_disk_says_so_reads_on_and_goes_on_when_there_is_space() {
    let Some((disk, sandbox)) = home_on_small_disk(24 << 20) else {
        return;
    };
    let run = sandbox.start("--experiment full");
    let mut command = sandbox.command();
    command
        .args(["serve", "--port", "0"])
        .stdout(Stdio::piped());
    let mut server = command.spawn().unwrap();
    let mut line = String::new();
    let out = server.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
    let port = line.trim_end().rsplit(':').next().unwrap().parse().unwrap();
    let post = |step: u64| {
        let tag = "x".repeat(4096);
        let body = format!(
            "{{\"run_id\":\"{run}\",\"metrics\":[{{\"key\":\"loss\",\"value\":{step},\"timestamp\":{step},\
             \"step\":{step}}}],\"tags\":[{{\"key\":\"t\",\"value\":\"{tag}\"}}]}}"
        );
        ask(port, "POST /api/2.0/mlflow/runs/log-batch", &body)
    };
    let mut kept = 0;
    assert_eq!(post(kept).0, 200);
    kept += 1;
    disk.fill(0);
    disk.fill_rest();
    let refused = loop {
        let (status, body) = post(kept);
        if status != 200 {
            break (status, body);
        }
        kept += 1;
    };
    assert_eq!(refused.0, 507, "{refused:?}");
    let path = format!("GET /api/2.0/mlflow/runs/get?run_id={run}");
    assert_eq!(ask(port, &path, "").0, 200);
    disk.free();
    assert_eq!(post(kept).0, 200);
    kept += 1;
    let pid = rustix::process::Pid::from_child(&server);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    let csv = say(&sandbox, &format!("series {run} loss --csv")).ok();
    assert_eq!(steps(&csv), all(kept));
}
