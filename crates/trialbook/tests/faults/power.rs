//! The power goes: what the disk had of a real file system, without what only memory had, as the next start finds it.
//!
//! A file holds the disk. The file is copied when nobody writes and before anything else was written back, and the
//! copy is mounted in its place. Invariant: the copy is not taken in the middle of a command, so that it is what a
//! disk could have had at one moment.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use trialbook_spool::sim::left_out::not_exercised;
use trialbook_spool::sim::rounds::{self, Random};

use super::sandbox::Sandbox;
use super::{all, lines, say, seal, spawn, steps, wait};

/// Cuts where nobody says how long to go on.
const CUTS: u64 = 3;
const BYTES: u64 = 48 << 20;
/// What is written and not synced, to see that it is lost.
const CONTROL: &[u8] = &[7; 100_000];

/// A disk in a file, mounted at a folder.
struct Disk {
    file: PathBuf,
    at: PathBuf,
}

impl Disk {
    /// A new one; `None` where it cannot be made or mounted.
    fn new(file: &Path, at: &Path) -> Option<Self> {
        fs::File::create(file).unwrap().set_len(BYTES).unwrap();
        let mut make = Command::new("mkfs.ext4");
        make.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
        let made = make.args(["-q", "-F"]).arg(file).status();
        made.is_ok_and(|status| status.success())
            .then(|| Self::mount(file, at))?
    }

    fn mount(file: &Path, at: &Path) -> Option<Self> {
        // The journal is not written by the clock: only what somebody syncs is on the disk.
        let mounted = Command::new("mount")
            .args(["-t", "ext4", "-o", "loop,commit=300"])
            .args([file, at])
            .stderr(Stdio::null())
            .status();
        let disk = Self {
            file: file.to_owned(),
            at: at.to_owned(),
        };
        if mounted.is_ok_and(|status| status.success()) {
            return Some(disk);
        }
        std::mem::forget(disk);
        None
    }

    /// Cuts the power and starts again.
    fn cut(self) -> Self {
        let (file, at) = (self.file.with_extension("after"), self.at.clone());
        fs::copy(&self.file, &file).unwrap();
        drop(self);
        Self::mount(&file, &at).expect("the file system puts itself in order")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A disk that stays mounted is told by the folder that cannot be removed.
        drop(Command::new("umount").arg(&self.at).status());
        fs::remove_file(&self.file).ok();
    }
}

#[test]
fn what_ended_before_the_power_went_is_there_afterwards() {
    let first = rounds::first_seed().unwrap_or(1);
    let begin = Instant::now();
    for at in 0.. {
        let enough = rounds::duration().map_or(at >= CUTS, |it| begin.elapsed() >= it);
        if at > 0 && enough {
            return;
        }
        let seed = first.wrapping_add(at);
        if !cut_once(seed) {
            not_exercised(
                "a power cut on a real file system",
                "root, to mount one that lies in a file, and mkfs.ext4",
            );
            return;
        }
    }
}

/// One start of the machine and its end; false where no disk can be had.
fn cut_once(seed: u64) -> bool {
    let mut random = Random::new(seed);
    let sandbox = Sandbox::new();
    let file = sandbox.home().join("disk");
    let Some(disk) = Disk::new(&file, &sandbox.work()) else {
        return false;
    };
    let run = sandbox.start("--experiment power");
    let ended = 1 + random.below(12);
    let sealed_at = random.below(12);
    for step in 0..ended {
        let words = format!("log metric loss={step} --step {step} --run {run}");
        say(&sandbox, &words).ok();
        if step == sealed_at {
            seal(&sandbox);
        }
    }
    let words = format!("log artifact note.txt --run {run}");
    fs::write(sandbox.work().join("note.txt"), b"of weight").unwrap();
    say(&sandbox, &words).ok();
    let streamed = stream_and_kill(&sandbox, &run, ended, &mut random);
    fs::write(sandbox.work().join("control"), CONTROL).unwrap();

    let disk = disk.cut();
    let control = fs::read(sandbox.work().join("control")).unwrap_or_default();
    assert_ne!(control, CONTROL, "the copy has what nobody synced");
    let found = || {
        let csv = say(&sandbox, &format!("series {run} loss --csv")).ok();
        let mut found = steps(&csv);
        found.sort_unstable();
        found
    };
    let before = found();
    let many = before.len() as u64;
    assert_eq!(before, all(many), "seed {seed}: no gap and none twice");
    let may_be = ended..=ended + streamed;
    assert!(may_be.contains(&many), "seed {seed}: {many} of {may_be:?}");
    seal(&sandbox);
    assert_eq!(found(), before, "seed {seed}: sealing changes no answer");
    let doctor = say(&sandbox, "doctor --json").json();
    assert_eq!(doctor["healthy"], true, "seed {seed}: {doctor}");
    say(
        &sandbox,
        &format!("artifact get {run} note.txt --output-dir out"),
    )
    .ok();
    let note = fs::read(sandbox.work().join("out/note.txt")).unwrap();
    assert_eq!(note, b"of weight", "seed {seed}");
    drop(disk);
    true
}

/// A command that is killed somewhere in a stream of points; says how many it was given.
fn stream_and_kill(sandbox: &Sandbox, run: &str, from: u64, random: &mut Random) -> u64 {
    let many = 1 + random.below(3_000);
    let mut command = sandbox.command();
    command
        .args(["log", "-", "--run", run])
        .stdin(Stdio::piped());
    let mut child = spawn(&mut command);
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(lines(from..from + many).as_bytes())
        .unwrap();
    child.kill().unwrap();
    drop(input);
    wait(child);
    many
}
