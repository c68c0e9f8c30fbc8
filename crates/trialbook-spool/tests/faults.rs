//! Real processes on the real file system: killed, stopped, forked, in another pid namespace, on a full
//! disk. The test binary starts itself again as the writer; what is acknowledged there is noted in a
//! file that survives it.
//!
//! Invariant: nothing here waits for a time to pass; it waits for what a process has noted.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use rustix::process::{Pid, Resource, Rlimit, Signal};
use trialbook_model::id::{RunUid, Uid, WriterUid};
use trialbook_model::record::{Op, SeriesKey, Subject};
use trialbook_model::time::Timestamp;
use trialbook_spool::sim::left_out::not_exercised;
use trialbook_spool::sim::rounds;
use trialbook_spool::{
    Access, Background, Durability, FileHandle, Files, Identity, Liveness, LogCall, Lost, Mode,
    Repeat, SpoolError, SpoolOptions, SpoolReader, SpoolWriter, SystemFiles, Tail, claim_dead,
    list,
};

/// Says what a started writer has to do; unset in the tests themselves.
const TASK: &str = "TRIALBOOK_FAULT_TASK";
const KEYS: u64 = 12;
/// Kills where nobody says how long to go on.
const ROUNDS: u64 = 24;

struct Recorder {
    writer: SpoolWriter,
    acknowledged: File,
}

impl Recorder {
    fn new(dir: &Path, options: SpoolOptions) -> Self {
        let acknowledged = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join("acknowledged"))
            .unwrap();
        let writer = SpoolWriter::create(dir.join("spool"), options).unwrap();
        Self {
            writer,
            acknowledged,
        }
    }

    /// One record, whose content follows from its number.
    fn say(&mut self) -> Result<u64, SpoolError> {
        let seq = self.writer.next_seq();
        let subject = self.writer.subject(&Subject::Run(RunUid(Uid([1; 16]))));
        let pairs: Vec<_> = (0..seq % KEYS)
            .map(|at| {
                let key = SeriesKey::plain(format!("metric-{at}"));
                (self.writer.key(&key), (seq * 31 + at) as f64)
            })
            .collect();
        let call = LogCall {
            subject,
            step: seq as i64,
            time: Timestamp(1),
            repeat: Repeat::Keep,
        };
        self.writer.points(call, &pairs)
    }

    /// Says one more and notes that it was acknowledged.
    fn note(&mut self) {
        let seq = self.say().unwrap();
        self.acknowledged
            .write_all_at(&seq.to_le_bytes(), 0)
            .unwrap();
    }
}

/// The number that was noted last.
fn noted(dir: &Path, name: &str) -> u64 {
    fs::read(dir.join(name)).map_or(0, |bytes| bytes.try_into().map_or(0, u64::from_le_bytes))
}

/// Waits until a started writer has noted at least `least`.
fn wait_for(dir: &Path, name: &str, least: u64, writer: &mut Child) {
    while noted(dir, name) < least {
        assert!(writer.try_wait().unwrap().is_none(), "the writer has ended");
        std::thread::yield_now();
    }
}

fn options(mode: Mode, rotate_at: u64) -> SpoolOptions {
    SpoolOptions {
        mode,
        rotate_at,
        ..SpoolOptions::default()
    }
}

/// The records of each writer, each checked against its number; they have no gap.
fn records(dir: &Path) -> Vec<(WriterUid, u64)> {
    let mut writers: Vec<(WriterUid, u64)> = Vec::new();
    for spool in list(&SystemFiles, &dir.join("spool")).unwrap() {
        let writer = spool.header.as_ref().unwrap().writer;
        if writers.last().is_none_or(|(last, _)| *last != writer) {
            writers.push((writer, 0));
        }
        let count = &mut writers.last_mut().unwrap().1;
        let mut reader = SpoolReader::open(&SystemFiles, &spool.path, spool.past).unwrap();
        let end = reader
            .read_all(|frame, state| {
                *count += 1;
                assert_eq!(frame.seq, *count);
                check(frame.seq, &frame.to_signed(state).unwrap().op);
            })
            .unwrap();
        assert_eq!(end.lost, []);
        assert_ne!(end.tail, Tail::Damaged);
    }
    writers
}

fn check(seq: u64, op: &Op) {
    let Op::Points(points) = op else {
        panic!("points")
    };
    assert_eq!(
        (points.step, points.values.len() as u64),
        (seq as i64, seq % KEYS)
    );
    for (at, (key, value)) in points.values.iter().enumerate() {
        assert_eq!(key.key, format!("metric-{at}"));
        assert_eq!(*value, (seq * 31 + at as u64) as f64);
    }
}

fn liveness(dir: &Path) -> Vec<Liveness> {
    let spools = list(&SystemFiles, &dir.join("spool")).unwrap();
    spools.iter().map(|spool| spool.liveness).collect()
}

/// Starts this binary again with a task.
fn start(task: &str, dir: &Path) -> Child {
    start_through(Command::new(std::env::current_exe().unwrap()), task, dir)
}

fn start_through(mut command: Command, task: &str, dir: &Path) -> Child {
    command
        .args(["started_writer", "--exact", "--test-threads=1"])
        .env(TASK, format!("{task}={}", dir.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test of its own: what started writers do.
#[test]
#[expect(clippy::disallowed_methods, reason = "the task is told from outside")]
fn started_writer() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let (task, dir) = task.split_once('=').unwrap();
    let dir = Path::new(dir);
    match task {
        "mapped" => write_for_ever(dir, options(Mode::Mapped, 200_000)),
        "written" => write_for_ever(dir, options(Mode::Written, 200_000)),
        "durable" => write_durably(dir),
        "fork" => write_on_both_sides(dir),
        "heir" => leave_the_lock_to_a_child(dir),
        "limited" => write_to_the_limit(dir),
        other => panic!("no task {other}"),
    }
}

fn write_for_ever(dir: &Path, options: SpoolOptions) {
    let mut recorder = Recorder::new(dir, options);
    loop {
        recorder.note();
    }
}

fn write_durably(dir: &Path) {
    let mut recorder = Recorder::new(dir, options(Mode::Auto, 100_000));
    loop {
        recorder.note();
        if recorder.writer.next_seq().is_multiple_of(50) {
            recorder.writer.flush(Durability::Disk).unwrap();
        }
    }
}

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let begin = Instant::now();
    let seed = rounds::first_seed().unwrap_or(0);
    let duration = rounds::duration().unwrap_or_default();
    for round in 0_u64.. {
        if round >= ROUNDS && begin.elapsed() >= duration {
            break;
        }
        let dir = tempfile::tempdir().unwrap();
        let task = ["mapped", "written", "durable"][round as usize % 3];
        let mut writer = start(task, dir.path());
        let least = [1, 150, 2_000, 9_000][round as usize % 4]
            + (seed.wrapping_add(round)).wrapping_mul(0x9E37_79B9) % 500;
        let least = if task == "durable" {
            least % 400 + 1
        } else {
            least
        };
        wait_for(dir.path(), "acknowledged", least, &mut writer);
        writer.kill().unwrap();
        writer.wait().unwrap();
        let acknowledged = noted(dir.path(), "acknowledged");
        let found = records(dir.path());
        assert_eq!(found.len(), 1);
        assert!(
            (acknowledged..=acknowledged + 1).contains(&found[0].1),
            "{task}: {acknowledged} acknowledged, {} found",
            found[0].1
        );
        assert!(liveness(dir.path()).iter().all(|&is| is == Liveness::Dead));
        unlink_all(dir.path());
    }
}

/// As the sealer does when everything is taken over.
fn unlink_all(dir: &Path) {
    for spool in list(&SystemFiles, &dir.join("spool")).unwrap() {
        let claimed = claim_dead(&SystemFiles, &spool.path).unwrap().unwrap();
        assert_eq!(
            claim_dead(&SystemFiles, &spool.path).unwrap().map(|_| ()),
            None,
            "two sealers cannot have one file"
        );
        claimed.unlink(&SystemFiles).unwrap();
    }
    assert_eq!(liveness(dir), []);
}

#[test]
fn damage_in_a_killed_writers_file_is_named_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = start("mapped", dir.path());
    wait_for(dir.path(), "acknowledged", 300, &mut writer);
    writer.kill().unwrap();
    writer.wait().unwrap();
    let found = records(dir.path())[0].1;
    let spool = list(&SystemFiles, &dir.path().join("spool"))
        .unwrap()
        .remove(0);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&spool.path)
        .unwrap();
    for at in [5_000, 9_001] {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
    }
    let mut reader = SpoolReader::open(&SystemFiles, &spool.path, spool.past).unwrap();
    let mut seqs = Vec::new();
    let end = reader.read_all(|frame, _| seqs.push(frame.seq)).unwrap();
    let named = |lost: &Lost| lost.records.is_some_and(|records| records <= 1);
    assert_eq!(end.lost.len(), 2);
    assert!(end.lost.iter().all(named), "{:?}", end.lost);
    let missing: u64 = end.lost.iter().filter_map(|lost| lost.records).sum();
    assert!(seqs.is_sorted());
    assert!(
        seqs.last()
            .is_some_and(|&last| last - missing == seqs.len() as u64)
    );
    assert!(found >= seqs.len() as u64);
}

#[test]
fn a_stopped_writer_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = start("written", dir.path());
    wait_for(dir.path(), "acknowledged", 20, &mut writer);
    let pid = Pid::from_child(&writer);
    rustix::process::kill_process(pid, Signal::STOP).unwrap();
    let before = noted(dir.path(), "acknowledged");
    assert!(liveness(dir.path()).contains(&Liveness::Alive));
    assert!(records(dir.path())[0].1 >= before);
    for spool in list(&SystemFiles, &dir.path().join("spool")).unwrap() {
        if spool.liveness == Liveness::Alive {
            assert!(claim_dead(&SystemFiles, &spool.path).unwrap().is_none());
        }
    }
    let other = tempfile::tempdir_in(dir.path()).unwrap();
    let mut mine = Recorder::new(other.path(), options(Mode::Auto, 1 << 20));
    mine.note();
    mine.writer.finish().unwrap();
    rustix::process::kill_process(pid, Signal::CONT).unwrap();
    let more = noted(dir.path(), "acknowledged") + 10;
    wait_for(dir.path(), "acknowledged", more, &mut writer);
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert!(records(dir.path())[0].1 >= more);
}

#[expect(unsafe_code, reason = "programs fork, so the test has to")]
fn fork() -> i32 {
    // SAFETY: the child only uses what it has itself, and ends without running destructors of others.
    unsafe { libc::fork() }
}

#[expect(unsafe_code, reason = "a child must not run the test harness's end")]
fn end_child() -> ! {
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(0) }
}

fn write_on_both_sides(dir: &Path) {
    let mut recorder = Recorder::new(dir, options(Mode::Auto, 64 << 20));
    for _ in 0..100 {
        recorder.say().unwrap();
    }
    let child = fork();
    if child == 0 {
        for _ in 0..50 {
            recorder.say().unwrap();
        }
        recorder.writer.finish().unwrap();
        end_child();
    }
    for _ in 0..100 {
        recorder.say().unwrap();
    }
    let pid = Pid::from_raw(child).unwrap();
    rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).unwrap();
    for _ in 0..100 {
        recorder.say().unwrap();
    }
    recorder.writer.finish().unwrap();
}

#[test]
fn a_fork_writes_its_own_spool_and_leaves_its_parents_alone() {
    let dir = tempfile::tempdir().unwrap();
    assert!(start("fork", dir.path()).wait().unwrap().success());
    let mut counts: Vec<_> = records(dir.path()).iter().map(|writer| writer.1).collect();
    counts.sort_unstable();
    assert_eq!(counts, [50, 300]);
    assert_eq!(liveness(dir.path()), [Liveness::Dead, Liveness::Dead]);
}

fn leave_the_lock_to_a_child(dir: &Path) {
    let mut recorder = Recorder::new(dir, options(Mode::Auto, 64 << 20));
    recorder.note();
    let child = fork();
    if child == 0 {
        // Lives until it is killed, without a record of its own.
        loop {
            std::thread::park();
        }
    }
    fs::write(dir.join("heir"), (child as u64).to_le_bytes()).unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn an_inherited_lock_leaves_its_file_unknown_until_the_heir_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = start("heir", dir.path());
    wait_for(dir.path(), "heir", 1, &mut writer);
    assert_eq!(liveness(dir.path()), [Liveness::Alive]);
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert_eq!(liveness(dir.path()), [Liveness::Unknown]);
    assert_eq!(records(dir.path())[0].1, 1);
    let spool = list(&SystemFiles, &dir.path().join("spool"))
        .unwrap()
        .remove(0);
    assert!(claim_dead(&SystemFiles, &spool.path).unwrap().is_none());
    let heir = Pid::from_raw(noted(dir.path(), "heir") as i32).unwrap();
    rustix::process::kill_process(heir, Signal::KILL).unwrap();
    while liveness(dir.path()) == [Liveness::Unknown] {
        std::thread::yield_now();
    }
    assert_eq!(liveness(dir.path()), [Liveness::Dead]);
}

#[test]
fn a_writer_in_another_pid_namespace_is_unknown() {
    let permitted = Command::new("unshare")
        .args(["--pid", "--fork", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !permitted {
        // The same rule is tested with an edited identity below.
        not_exercised("a writer in another pid namespace", "the right to make one");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["--pid", "--fork", "--kill-child"])
        .arg(std::env::current_exe().unwrap());
    let mut writer = start_through(command, "mapped", dir.path());
    wait_for(dir.path(), "acknowledged", 10, &mut writer);
    assert!(liveness(dir.path()).contains(&Liveness::Unknown));
    assert!(!liveness(dir.path()).contains(&Liveness::Alive));
    writer.kill().unwrap();
    writer.wait().unwrap();
    while liveness(dir.path()).contains(&Liveness::Unknown) {
        std::thread::yield_now();
    }
    let acknowledged = noted(dir.path(), "acknowledged");
    assert!(records(dir.path())[0].1 >= acknowledged);
}

/// The real files, with writers that say they are somebody else.
struct Disguised(Identity);

impl Files for Disguised {
    fn make_dir(&self, dir: &Path) -> io::Result<bool> {
        SystemFiles.make_dir(dir)
    }
    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        SystemFiles.remove_dir(dir)
    }
    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn FileHandle>> {
        SystemFiles.create_new(path)
    }
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn FileHandle>> {
        SystemFiles.open(path, access)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemFiles.rename(from, to)
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        SystemFiles.unlink(path)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        SystemFiles.list(dir)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        SystemFiles.sync_dir(dir)
    }
    fn may_map(&self, dir: &Path) -> bool {
        SystemFiles.may_map(dir)
    }
    fn identity(&self) -> Identity {
        self.0.clone()
    }
    fn process_started(&self, pid: u32) -> Option<u64> {
        SystemFiles.process_started(pid)
    }
    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        SystemFiles.random(bytes)
    }
}

#[test]
fn a_held_file_whose_header_fits_no_process_here_is_unknown() {
    let me = SystemFiles.identity();
    let reused = Identity {
        started: me.started + 1,
        ..me.clone()
    };
    let gone = Identity {
        pid: u32::MAX,
        ..me.clone()
    };
    let container = Identity {
        pid_namespace: 1,
        ..me.clone()
    };
    let rebooted = Identity {
        boot: "another".to_owned(),
        ..me.clone()
    };
    let elsewhere = Identity {
        host: "another".to_owned(),
        ..me.clone()
    };
    for (identity, held) in [
        (me, Liveness::Alive),
        (reused, Liveness::Unknown),
        (gone, Liveness::Unknown),
        (container, Liveness::Unknown),
        (rebooted, Liveness::Unknown),
        (elsewhere, Liveness::Unknown),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let files: Arc<dyn Files> = Arc::new(Disguised(identity));
        let quiet = SpoolOptions {
            background: Background::None,
            ..SpoolOptions::default()
        };
        let spool = dir.path().join("spool");
        let writer = SpoolWriter::create_in(files, &spool, quiet).unwrap();
        assert_eq!(liveness(dir.path()), [held]);
        let path = writer.path().unwrap();
        assert!(claim_dead(&SystemFiles, &path).unwrap().is_none());
        drop(writer);
        // Other tests start processes meanwhile, which hold the lock until they are what they become.
        while liveness(dir.path()) != [Liveness::Dead] {
            std::thread::yield_now();
        }
    }
}

/// Writes until the file may not grow any more, then lifts the limit and goes on.
fn write_to_the_limit(dir: &Path) {
    for mode in [Mode::Written, Mode::Mapped] {
        let mut recorder = Recorder::new(dir, options(mode, 64 << 20));
        let before = rustix::process::getrlimit(Resource::Fsize);
        fill(&mut recorder);
        rustix::process::setrlimit(
            Resource::Fsize,
            Rlimit {
                current: before.maximum,
                maximum: before.maximum,
            },
        )
        .unwrap();
        go_on(&mut recorder);
        recorder.writer.finish().unwrap();
        rustix::process::setrlimit(Resource::Fsize, before).unwrap();
    }
}

fn fill(recorder: &mut Recorder) {
    let mut waiting = 0;
    while waiting < 5 {
        match recorder.say() {
            Ok(_) => assert_eq!(waiting, 0, "space does not come back by itself"),
            Err(SpoolError::Waiting { seq, .. }) => {
                assert_eq!(seq, recorder.writer.next_seq() - 1);
                waiting += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    let flushed = recorder.writer.flush(Durability::Kernel);
    assert!(matches!(flushed, Err(SpoolError::Waiting { .. })));
}

fn go_on(recorder: &mut Recorder) {
    for _ in 0..1000 {
        recorder.say().unwrap();
    }
}

#[test]
fn a_file_that_may_not_grow_keeps_what_was_acknowledged_and_goes_on_later() {
    let dir = tempfile::tempdir().unwrap();
    let exe = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    // The signal that the limit raises is ignored in what the shell becomes.
    command
        .args(["-c", "trap '' XFSZ; ulimit -S -f 600; exec \"$0\" \"$@\""])
        .arg(exe);
    let mut writer = start_through(command, "limited", dir.path());
    assert!(writer.wait().unwrap().success());
    let counts = records(dir.path());
    assert_eq!(counts.len(), 2);
    assert!(counts.iter().all(|&(_, count)| count > 2000), "{counts:?}");
}

/// A small file system that is gone at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=400k", "trialbook-test"])
            .arg(dir.path())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        mounted.then_some(Self(dir))
    }

    fn grow(&self) {
        let grown = Command::new("mount")
            .args(["-o", "remount,size=8m"])
            .arg(self.0.path())
            .status();
        assert!(grown.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0.path()).status());
    }
}

#[test]
fn a_full_disk_keeps_what_was_acknowledged_and_goes_on_when_it_has_room() {
    for mode in [Mode::Mapped, Mode::Written] {
        let Some(disk) = SmallDisk::mount() else {
            // The limit on a file's size is tested above by everybody.
            not_exercised("a spool on a full disk", "root, to mount a small one");
            return;
        };
        let dir = disk.0.path();
        let mut recorder = Recorder::new(dir, options(mode, 100_000));
        fill(&mut recorder);
        let acknowledged = recorder.writer.next_seq() - 1 - 5;
        assert_eq!(records(dir)[0].1, acknowledged);
        disk.grow();
        go_on(&mut recorder);
        let all = recorder.writer.next_seq() - 1;
        recorder.writer.finish().unwrap();
        assert_eq!(records(dir)[0].1, all);
    }
}

#[test]
fn what_nobody_flushes_reaches_the_disk_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(dir.path(), options(Mode::Auto, 64 << 20));
    for _ in 0..10 {
        recorder.say().unwrap();
    }
    let file = File::open(recorder.writer.path().unwrap()).unwrap();
    let durable = || {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, 24).unwrap();
        u64::from_le_bytes(bytes)
    };
    while durable() < recorder.writer.len() {
        std::thread::yield_now();
    }
    assert!(recorder.writer.take_failure().is_none());
    recorder.writer.finish().unwrap();
    // Files that are full are given up as soon as the disk has them.
    let mut recorder = Recorder::new(dir.path(), options(Mode::Auto, 10_000));
    while liveness(dir.path()).len() < 4 {
        recorder.say().unwrap();
    }
    let dead = |is: &Liveness| *is == Liveness::Dead;
    while liveness(dir.path()).into_iter().filter(dead).count() < 3 {
        std::thread::yield_now();
    }
}
