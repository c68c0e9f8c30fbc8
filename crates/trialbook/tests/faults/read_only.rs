//! A folder that may be read and not written, for somebody who is not the superuser.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::sandbox::{Ended, Sandbox, copy};
use super::{all, lines, seal, spawn, steps, told, wait};

/// Nobody in particular.
const NOBODY: u32 = 65_534;

/// A book that nobody may change, and a binary that everybody may run.
struct Shelf {
    folder: tempfile::TempDir,
}

impl Shelf {
    /// Puts a copy of a book there.
    fn of(book: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        // By another program: children of other tests would hold a file open that this one writes, and
        // such a file cannot be executed.
        let copied = Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_trialbook"))
            .arg(folder.path().join("trialbook"))
            .status()
            .unwrap();
        assert!(copied.success());
        let shelf = Self { folder };
        copy(book, &shelf.book());
        set_rights(&shelf.book(), 0o555, 0o444);
        shelf
    }

    fn book(&self) -> PathBuf {
        self.folder.path().join("book")
    }

    fn say(&self, words: &str) -> Ended {
        let mut command = Command::new(self.folder.path().join("trialbook"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("TRIALBOOK", self.book())
            .stdin(Stdio::null())
            .args(words.split(' '));
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        wait(spawn(&mut command))
    }

    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.book(), &mut files);
        files.sort();
        files
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        // So that the folder can be removed.
        set_rights(&self.book(), 0o755, 0o644);
    }
}

fn set_rights(folder: &Path, of_folders: u32, of_files: u32) {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            set_rights(&path, of_folders, of_files);
        } else {
            fs::set_permissions(&path, Permissions::from_mode(of_files)).unwrap();
        }
    }
    fs::set_permissions(folder, Permissions::from_mode(of_folders)).unwrap();
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let bytes = fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
}

/// Reading works, writing is refused, and nothing changes.
#[track_caller]
fn can_be_read_only(shelf: &Shelf, run: &str) {
    let before = shelf.files();
    let csv = shelf.say(&format!("series {run} loss --csv")).ok();
    assert_eq!(steps(&csv), all(300));
    let show = shelf.say(&format!("show {run} --json")).json();
    assert_eq!(show["params"]["lr"], 0.1, "{show}");
    assert_eq!(show["metrics"]["loss"]["count"], 300);
    assert_eq!(shelf.say("list --json").json()["total"], 1);
    assert_eq!(shelf.say("search params.lr=0.1 --json").json()["total"], 1);
    let doctor = shelf.say("doctor --json");
    assert_eq!(doctor.json()["healthy"], true);
    for words in [
        format!("log metric loss=1 --json --run {run}"),
        format!("log - --json --run {run}"),
        format!("end --json --run {run}"),
        "start --json".to_owned(),
        "doctor --rebuild --json".to_owned(),
    ] {
        let refused = shelf.say(&words);
        assert_eq!(refused.code, 5, "{words}: {refused:?}");
        assert_eq!(told(&refused)["code"], "book_read_only", "{refused:?}");
    }
    assert!(before == shelf.files(), "a read-only book was changed");
}

#[test]
fn a_book_that_is_not_sealed_yet() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--param lr=0.1");
    let log = format!("log - --run {run}");
    sandbox.feed(&log, lines(0..300).as_bytes()).ok();
    can_be_read_only(&Shelf::of(&sandbox.book()), &run);
}

#[test]
fn a_book_that_is_half_sealed_with_a_log_that_is_open() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--param lr=0.1");
    let log = format!("log - --run {run}");
    sandbox.feed(&log, lines(0..200).as_bytes()).ok();
    seal(&sandbox);
    sandbox.feed(&log, lines(200..300).as_bytes()).ok();
    let shelf = Shelf::of(&sandbox.book());
    can_be_read_only(&shelf, &run);
    // Without the files beside the database: what a careful copy leaves out.
    let only = Sandbox::new();
    copy(&sandbox.book(), &only.book());
    fs::remove_file(only.book().join("book.db-shm")).ok();
    can_be_read_only(&Shelf::of(&only.book()), &run);
}

#[test]
fn a_book_that_may_not_be_looked_into_is_not_taken_for_missing() {
    let sandbox = Sandbox::new();
    sandbox.start("--experiment hidden");
    let shelf = Shelf::of(&sandbox.book());
    fs::set_permissions(shelf.book(), Permissions::from_mode(0o000)).unwrap();
    let refused = shelf.say("list --json");
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.err.contains("cannot open"), "{refused:?}");
    assert!(!refused.err.contains("init"), "{refused:?}");
}
