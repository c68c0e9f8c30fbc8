//! Real processes, real kills, real stops and real disks around one book.
//!
//! Children are this test program again, told by a variable what to be. Not here: crashes at single file
//! operations (the simulation has them). Invariant: whatever is done to processes and files, acknowledged
//! records are there once, or what is lost is named.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and children speak through their output"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use trialbook_model::id::{RunNo, RunUid, Uid};
use trialbook_model::record::*;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_spool::sim::left_out::not_exercised;
use trialbook_spool::sim::rounds::{self, Random};
use trialbook_spool::{Background, Mode};
use trialbook_store::check::Depth;
use trialbook_store::nouns::Owner;
use trialbook_store::query::Query;
use trialbook_store::reading::Reading as _;
use trialbook_store::{
    Access, Book, BookError, BookView, Effort, Finding, Recorder, RecorderOptions, SealOutcome,
    unpack_archive,
};

/// What a child is to be: `role|book|argument`.
const ROLE: &str = "TRIALBOOK_FAULT_CHILD";

#[expect(
    clippy::disallowed_methods,
    reason = "children are told by the environment what to be"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A clock that goes on by itself, the same for all writers of a process.
struct Ticks;

static NOW: AtomicI64 = AtomicI64::new(1);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp(NOW.fetch_add(1, Ordering::Relaxed))
    }
}

fn recorder(book: &Book) -> Recorder {
    let clock: Arc<dyn Clock> = Arc::new(Ticks);
    let options = RecorderOptions {
        background: Background::None,
        ..RecorderOptions::new("me", clock)
    };
    book.recorder(options).unwrap()
}

fn uid(at: u64) -> RunUid {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&at.to_be_bytes());
    RunUid(Uid(bytes))
}

fn record_step(recorder: &mut Recorder, run: RunUid, step: i64) -> Result<(), BookError> {
    let values = [
        (SeriesKey::plain("loss"), step as f64),
        (SeriesKey::plain("acc"), -(step as f64)),
    ];
    let time = recorder.tick();
    recorder.points(&Subject::Run(run), step, time, &values)?;
    Ok(())
}

/// Steps 0, 1, 2 … of a run, each once; gives how many.
fn assert_steps(book: &Book, run: RunUid) -> u64 {
    let view = book.view().unwrap();
    let Some(no) = view.run_no(run).unwrap() else {
        return 0;
    };
    let of = Owner::Run(no);
    let loss = view.series(&of, &SeriesKey::plain("loss")).unwrap();
    let acc = view.series(&of, &SeriesKey::plain("acc")).unwrap();
    let expected: Vec<i64> = (0..loss.len() as i64).collect();
    assert_eq!(loss.steps, expected, "every step once and in order");
    assert_eq!(acc.steps, expected);
    assert!(
        loss.values
            .iter()
            .zip(&acc.values)
            .all(|(loss, acc)| *loss == -*acc)
    );
    loss.len() as u64
}

fn spawn(role: &str, book: &Path, argument: &str) -> Child {
    command(role, book, argument).spawn().unwrap()
}

fn command(role: &str, book: &Path, argument: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture", "--quiet"])
        .env(ROLE, format!("{role}|{}|{argument}", book.display()))
        .stdout(Stdio::piped());
    command
}

/// Waits until a child says something.
fn wait_for_word(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let word = lines.find_map(|line| line.unwrap().strip_prefix("says ").map(str::to_owned));
    word.expect("a child says one word")
}

/// Kills a child without a word.
fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).unwrap();
}

fn say(word: &str) {
    println!("says {word}");
    std::io::stdout().flush().unwrap();
}

/// Children: without the variable there is nothing to do.
#[test]
fn child() {
    let Some(role) = variable(ROLE) else {
        return;
    };
    let mut parts = role.split('|');
    let (role, path, argument) = (
        parts.next().unwrap(),
        parts.next().unwrap(),
        parts.next().unwrap(),
    );
    let path = Path::new(path);
    match role {
        "writer" => write_for_ever(path, argument),
        "sealer" => loop {
            Book::open(path, Access::Write)
                .unwrap()
                .seal(Effort::All)
                .unwrap();
        },
        "holder" => hold_a_transaction(path),
        "reader" => {
            let book = Book::open(path, Access::Read).unwrap();
            assert_eq!(book.check(Depth::Book).unwrap().findings, []);
            let steps = assert_steps(&book, uid(1));
            assert!(matches!(
                book.seal(Effort::All),
                Err(BookError::ReadOnly { .. })
            ));
            say(&steps.to_string());
        }
        _ => panic!("no such role: {role}"),
    }
}

/// Records steps and writes after each how many were acknowledged.
fn write_for_ever(path: &Path, argument: &str) {
    let (at, acknowledged) = argument.split_once(' ').unwrap();
    let run = uid(at.parse().unwrap());
    let count = fs::File::options().write(true).open(acknowledged).unwrap();
    let book = Book::open(path, Access::Write).unwrap();
    let mut recorder = recorder(&book);
    recorder.record(&Op::StartRun(StartRun::of(run))).unwrap();
    let mut next = assert_steps(&book, run) as i64;
    loop {
        record_step(&mut recorder, run, next).unwrap();
        next += 1;
        count.write_all_at(&next.to_le_bytes(), 0).unwrap();
    }
}

/// Holds the lease and a transaction that has written much, for ever.
fn hold_a_transaction(path: &Path) {
    let lease = fs::File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path.join("seal.lock"))
        .unwrap();
    lease.try_lock().unwrap();
    let database = rusqlite::Connection::open(path.join("book.db")).unwrap();
    database
        .execute_batch("PRAGMA cache_size = 10; BEGIN IMMEDIATE")
        .unwrap();
    for at in 0..300 {
        let junk = vec![at as u8; 9000];
        database
            .execute(
                "INSERT INTO chunk VALUES (?1, NULL, x'', ?2)",
                (1_i64 << 50 | at, junk),
            )
            .unwrap();
    }
    say("holding");
    loop {
        std::thread::park();
    }
}

fn new_book() -> (tempfile::TempDir, PathBuf, Book) {
    new_book_in(&std::env::temp_dir())
}

/// A book in memory where that is possible: a thousand files need not be waited for.
fn book_in_memory() -> (tempfile::TempDir, PathBuf, Book) {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        return new_book_in(memory);
    }
    new_book()
}

fn new_book_in(place: &Path) -> (tempfile::TempDir, PathBuf, Book) {
    let folder = tempfile::tempdir_in(place).unwrap();
    let path = folder.path().join("book");
    let book = Book::create(&path).unwrap();
    (folder, path, book)
}

fn fill(book: &Book, run: RunUid, steps: std::ops::Range<i64>) {
    let mut recorder = recorder(book);
    recorder.record(&Op::StartRun(StartRun::of(run))).unwrap();
    for step in steps {
        record_step(&mut recorder, run, step).unwrap();
    }
    recorder.finish().unwrap();
}

#[test]
fn killed_writers_and_sealers_lose_and_double_nothing() {
    let (folder, path, book) = new_book();
    let seed = rounds::first_seed().unwrap_or(1);
    let duration = rounds::duration().unwrap_or(Duration::from_secs(6));
    let begin = Instant::now();
    let mut random = Random::new(seed);
    let acknowledged: Vec<PathBuf> = (0..3)
        .map(|at| {
            let file = folder.path().join(format!("acknowledged-{at}"));
            fs::write(&file, [0; 8]).unwrap();
            file
        })
        .collect();
    while begin.elapsed() < duration {
        let writers: Vec<Child> = (0..3)
            .map(|at| {
                spawn(
                    "writer",
                    &path,
                    &format!("{at} {}", acknowledged[at].display()),
                )
            })
            .collect();
        let sealers: Vec<Child> = (0..2).map(|_| spawn("sealer", &path, "")).collect();
        let mut children: Vec<Child> = writers.into_iter().chain(sealers).collect();
        // The moment of a kill is what this is about; nothing waits for anything here.
        std::thread::sleep(Duration::from_millis(150 + random.below(400)));
        while !children.is_empty() {
            let mut child = children.swap_remove(random.below(children.len() as u64) as usize);
            kill(&mut child);
        }
        for (at, file) in acknowledged.iter().enumerate() {
            let acknowledged = i64::from_le_bytes(fs::read(file).unwrap().try_into().unwrap());
            let found = assert_steps(&book, uid(at as u64));
            assert!(
                found as i64 >= acknowledged,
                "{found} of {acknowledged}, seed {seed}"
            );
        }
    }
    let found: Vec<u64> = (0..3).map(|at| assert_steps(&book, uid(at))).collect();
    // The last sealer may have left nothing to do.
    assert_ne!(book.seal(Effort::All).unwrap().outcome, SealOutcome::Busy);
    let sealed: Vec<u64> = (0..3).map(|at| assert_steps(&book, uid(at))).collect();
    assert_eq!(found, sealed);
    assert_eq!(book.check(Depth::Book).unwrap().findings, []);
    assert_eq!(
        fs::read_dir(path.join("spool")).unwrap().count(),
        0,
        "no spool is left"
    );
}

#[test]
fn a_sealer_that_is_stopped_or_killed_in_its_transaction_stops_nobody() {
    let (_folder, path, book) = new_book();
    fill(&book, uid(1), 0..50);
    book.seal(Effort::All).unwrap();
    let mut holder = spawn("holder", &path, "");
    assert_eq!(wait_for_word(&mut holder), "holding");
    signal(&holder, rustix::process::Signal::STOP);
    fill(&book, uid(1), 50..80);
    assert_eq!(assert_steps(&book, uid(1)), 80);
    let other = Book::open(&path, Access::Write).unwrap();
    assert_eq!(other.seal(Effort::All).unwrap().outcome, SealOutcome::Busy);
    assert_eq!(assert_steps(&other, uid(1)), 80);
    // Making a book that is there writes nothing.
    assert_eq!(assert_steps(&Book::create(&path).unwrap(), uid(1)), 80);
    kill(&mut holder);
    assert_eq!(
        other.seal(Effort::All).unwrap().outcome,
        SealOutcome::Sealed
    );
    assert_eq!(assert_steps(&book, uid(1)), 80);
    assert_eq!(book.check(Depth::Book).unwrap().findings, []);
}

#[test]
fn a_thousand_spools_are_read_and_sealed() {
    let (_folder, path, book) = book_in_memory();
    for at in 0..1000 {
        fill(&book, uid(at), 0..3);
    }
    let query = Query::all();
    assert_eq!(book.view().unwrap().search(&query).unwrap().total, 1000);
    let report = book.seal(Effort::IfLarge).unwrap();
    assert_eq!(
        (report.outcome, report.removed),
        (SealOutcome::Sealed, 1000)
    );
    let view = book.view().unwrap();
    assert_eq!(view.search(&query).unwrap().total, 1000);
    assert_eq!(view.dead_spools(), 0);
    assert_eq!(assert_steps(&book, uid(999)), 3);
    assert!(path.join("index.snapshot").exists());
}

#[test]
fn a_damaged_chunk_is_named_and_the_rest_is_read() {
    let (_folder, path, book) = new_book();
    fill(&book, uid(1), 0..10_000);
    fill(&book, uid(2), 0..100);
    book.seal(Effort::All).unwrap();
    let database = rusqlite::Connection::open(path.join("book.db")).unwrap();
    let (id, mut data): (i64, Vec<u8>) = database
        .query_row(
            "SELECT id, data FROM chunk WHERE axis IS NOT NULL ORDER BY id LIMIT 1 OFFSET 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let middle = data.len() / 2;
    data[middle] ^= 4;
    database
        .execute("UPDATE chunk SET data = ?1 WHERE id = ?2", (data, id))
        .unwrap();
    let findings = book.check(Depth::Book).unwrap().findings;
    let [Finding::Records { of, what, .. }] = &findings[..] else {
        panic!("one series is damaged: {findings:?}");
    };
    assert!(of.contains("run 1"), "{of}");
    let damaged = what
        .strip_prefix("series `")
        .unwrap()
        .strip_suffix('`')
        .unwrap();
    let whole = if damaged == "loss" { "acc" } else { "loss" };
    let view = book.view().unwrap();
    let of = Owner::Run(RunNo(1));
    let series = view.series(&of, &SeriesKey::plain(damaged));
    assert!(matches!(
        series,
        Err(BookError::Damaged { table: "chunk", .. })
    ));
    assert_eq!(
        view.series(&of, &SeriesKey::plain(whole)).unwrap().len(),
        10_000
    );
    assert_eq!(assert_steps(&book, uid(2)), 100);
}

#[test]
fn a_damaged_spool_is_named_kept_and_read_around() {
    let (_folder, path, book) = new_book();
    fill(&book, uid(1), 0..500);
    let spool = fs::read_dir(path.join("spool"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = fs::read(&spool).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&spool, bytes).unwrap();
    let of = Owner::Run(RunNo(1));
    let loss = SeriesKey::plain("loss");
    let before = book.view().unwrap().series(&of, &loss).unwrap();
    assert_eq!(before.len(), 499, "one record is lost, the others are not");
    for _ in 0..2 {
        book.seal(Effort::All).unwrap();
        assert_eq!(book.view().unwrap().series(&of, &loss).unwrap(), before);
        let findings = book.check(Depth::Book).unwrap().findings;
        let [
            Finding::Spool {
                lost: 1, damage, ..
            },
        ] = &findings[..]
        else {
            panic!("one spool is damaged: {findings:?}");
        };
        assert!(damage.contains("1 records from number"), "{damage}");
        assert!(spool.exists(), "what is damaged is kept");
    }
}

/// A backup, unpacked to a folder.
fn back_up(book: &Book, to: &Path) {
    let (mut bytes, name) = (Vec::new(), Path::new("b.tar"));
    let packed = book.archive(&mut bytes, name).unwrap().unwrap();
    let unpacked = unpack_archive(&mut bytes.as_slice(), name, to).unwrap();
    assert_eq!(packed, unpacked);
}

#[test]
fn an_old_backup_takes_in_newer_spools_once() {
    let (folder, path, book) = new_book();
    fill(&book, uid(1), 0..20);
    book.seal(Effort::All).unwrap();
    let mut open = recorder(&book);
    open.record(&Op::StartRun(StartRun::of(uid(2)))).unwrap();
    (0..10).for_each(|step| record_step(&mut open, uid(2), step).unwrap());
    let backup = folder.path().join("backup");
    back_up(&book, &backup);
    (10..30).for_each(|step| record_step(&mut open, uid(2), step).unwrap());
    book.seal(Effort::All).unwrap();
    (30..40).for_each(|step| record_step(&mut open, uid(2), step).unwrap());
    // The book goes back; the writer goes on.
    assert_eq!(book.restore(&backup).unwrap(), SealOutcome::Sealed);
    (40..45).for_each(|step| record_step(&mut open, uid(2), step).unwrap());
    let again = Book::open(&path, Access::Write).unwrap();
    assert_eq!(assert_steps(&again, uid(2)), 45);
    again.seal(Effort::All).unwrap();
    assert_eq!(assert_steps(&again, uid(2)), 45);
    assert_eq!(assert_steps(&again, uid(1)), 20);
    let copy = Book::open(&backup, Access::Write).unwrap();
    copy.seal(Effort::All).unwrap();
    assert_eq!(
        assert_steps(&copy, uid(2)),
        10,
        "a backup is a book of its own"
    );
    assert_eq!(again.check(Depth::Book).unwrap().findings, []);
}

#[test]
fn a_restore_brings_artifacts_back_and_others_see_it_at_once() {
    let (folder, path, book) = new_book();
    fill(&book, uid(1), 0..20);
    let put = book.artifacts().put(&mut &b"abc"[..]).unwrap();
    book.seal(Effort::All).unwrap();
    let backup = folder.path().join("backup");
    back_up(&book, &backup);
    fill(&book, uid(2), 0..20);
    book.seal(Effort::All).unwrap();
    fs::remove_dir_all(path.join("artifacts")).unwrap();
    // A reader that has everything open, with an index of a later rev.
    let other = Book::open(&path, Access::Write).unwrap();
    let view = other.view().unwrap();
    let runs = |view: &BookView<'_>| view.search(&Query::all()).unwrap().total;
    assert_eq!(runs(&view), 2);
    let mut copied = path.join("spool");
    copied.push("half.spool.tmp");
    fs::write(&copied, b"what a restore that was killed left").unwrap();
    assert_eq!(book.restore(&backup).unwrap(), SealOutcome::Sealed);
    assert_eq!(runs(&view), 2, "what is open does not change");
    drop(view);
    assert_eq!(runs(&other.view().unwrap()), 1);
    fill(&other, uid(3), 0..20);
    other.seal(Effort::All).unwrap();
    assert_eq!(runs(&book.view().unwrap()), 2);
    assert_eq!(book.artifacts().verify(&put.sha256).unwrap(), put);
    assert_eq!(book.check(Depth::Artifacts).unwrap().findings, []);
    assert!(!copied.exists() && !path.join("restored.tmp").exists());
}

/// Seals while somebody reads, so that what is sealed stays in the log of the database.
fn seal_into_the_log(book: &Book) {
    let view = book.view().unwrap();
    let report = book.seal(Effort::All).unwrap();
    assert_eq!((report.outcome, report.removed), (SealOutcome::Sealed, 0));
    drop(view);
    let log = book.path().join("book.db-wal");
    assert!(fs::metadata(log).unwrap().len() > 0);
}

#[test]
fn stale_files_beside_the_database_do_not_matter() {
    let (folder, path, book) = new_book();
    fill(&book, uid(1), 0..30);
    seal_into_the_log(&book);
    drop(book);
    // A log that a crash left behind: all of it is in the copy, nothing is in the database yet.
    let moved = folder.path().join("moved");
    fs::create_dir(&moved).unwrap();
    for name in ["book.db", "book.db-wal"] {
        fs::copy(path.join(name), moved.join(name)).unwrap();
    }
    // An index of the log that belongs to nobody.
    fs::write(moved.join("book.db-shm"), vec![0xab; 32_768]).unwrap();
    let book = Book::open(&moved, Access::Write).unwrap();
    assert_eq!(assert_steps(&book, uid(1)), 30);
    // Garbage instead of a snapshot.
    fs::write(moved.join("index.snapshot"), b"TBINDEX\0garbage").unwrap();
    assert_eq!(book.view().unwrap().search(&Query::all()).unwrap().total, 1);
    fs::remove_file(moved.join("index.snapshot")).unwrap();
    assert_eq!(book.view().unwrap().search(&Query::all()).unwrap().total, 1);
}

#[test]
fn a_read_only_folder_is_read_by_somebody_else() {
    for keep in ["", "book.db-wal book.db-shm", "book.db-wal"] {
        let (folder, path, book) = new_book();
        fill(&book, uid(1), 0..600);
        seal_into_the_log(&book);
        fill(&book, uid(1), 600..650);
        drop(book);
        if !keep.contains("wal") {
            let database = rusqlite::Connection::open(path.join("book.db")).unwrap();
            database
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_row| Ok(()))
                .unwrap();
        }
        for name in ["book.db-wal", "book.db-shm"] {
            if !keep.split(' ').any(|kept| kept == name) {
                fs::remove_file(path.join(name)).ok();
            }
        }
        set_rights(folder.path(), 0o755);
        set_rights_below(&path, 0o555, 0o444);
        let mut reader = command("reader", &path, "");
        if rustix::process::geteuid().is_root() {
            reader.uid(65_534).gid(65_534);
        }
        let mut reader = reader.spawn().unwrap();
        assert_eq!(wait_for_word(&mut reader), "650", "with `{keep}`");
        assert!(reader.wait().unwrap().success());
        set_rights_below(&path, 0o755, 0o644);
    }
}

fn set_rights(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn set_rights_below(path: &Path, folder: u32, file: u32) {
    set_rights(path, folder | 0o200);
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap().path();
        if entry.is_dir() {
            set_rights_below(&entry, folder, file);
        } else {
            set_rights(&entry, file);
        }
    }
    set_rights(path, folder);
}

#[test]
fn a_book_whose_tables_a_newer_version_changed_is_refused_by_name() {
    let (_folder, path, book) = new_book();
    fill(&book, uid(1), 0..20);
    book.seal(Effort::All).unwrap();
    let open_before = Book::open(&path, Access::Write).unwrap();
    assert_eq!(assert_steps(&open_before, uid(1)), 20);
    fill(&book, uid(2), 0..20);
    let database = rusqlite::Connection::open(path.join("book.db")).unwrap();
    let apply = "INSERT INTO migration (name, sha256) VALUES ('0009_later', 'x')";
    database.execute(apply, []).unwrap();
    let change = "UPDATE meta SET value = '7.2.0' WHERE key = 'program'";
    database.execute(change, []).unwrap();
    drop(database);
    let is_refused = |result: Result<(), BookError>| match result {
        Err(BookError::UnknownMigration { migration, .. }) => assert_eq!(migration, "0009_later"),
        other => panic!("{other:?}"),
    };
    // Those who have it open already, to read and to write, and those who open it now.
    is_refused(open_before.view().map(|_view| ()));
    is_refused(open_before.seal(Effort::All).map(|_report| ()));
    for access in [Access::Read, Access::Write] {
        is_refused(Book::open(&path, access).and_then(|book| book.view().map(|_view| ())));
    }
    is_refused(Book::create(&path).map(|_book| ()));
    assert_eq!(
        trialbook_store::program_of(&path.join("book.db")).as_deref(),
        Some("7.2.0"),
        "nobody has written to it"
    );
    let spools = fs::read_dir(path.join("spool")).unwrap();
    assert_eq!(spools.count(), 1, "nothing was sealed");
}

#[test]
fn a_newer_book_and_other_files_are_refused_by_name() {
    let (folder, path, book) = new_book();
    drop(book);
    let database = rusqlite::Connection::open(path.join("book.db")).unwrap();
    database.pragma_update(None, "user_version", 9).unwrap();
    drop(database);
    let refused = Book::open(&path, Access::Read).and_then(|book| book.view().map(|_view| ()));
    assert!(matches!(
        refused,
        Err(BookError::NewerFormat { version: 9, .. })
    ));
    assert!(matches!(
        Book::create(&path),
        Err(BookError::NewerFormat { version: 9, .. })
    ));
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(
        other.join("book.db"),
        "a diary, not a database, long enough to be looked at",
    )
    .unwrap();
    let refused = Book::open(&other, Access::Read).and_then(|book| book.view().map(|_view| ()));
    assert!(matches!(refused, Err(BookError::NotABook { .. })));
}

#[test]
fn a_full_disk_keeps_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = |options: &str| {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(&disk)
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    };
    if !mount("size=3m") {
        // The simulation fills its disk in any case.
        not_exercised("a book on a full disk", "root, to mount a small one");
        return;
    }
    let outcome = std::panic::catch_unwind(|| {
        let book = Book::create(&disk.join("book")).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(Ticks);
        let mut recorder = book
            .recorder(RecorderOptions {
                mode: Mode::Written,
                background: Background::None,
                ..RecorderOptions::new("me", clock)
            })
            .unwrap();
        let mut acknowledged = 0;
        while record_step(&mut recorder, uid(1), acknowledged).is_ok() {
            acknowledged += 1;
        }
        assert!(acknowledged > 1000);
        assert_eq!(assert_steps(&book, uid(1)) as i64, acknowledged);
        assert!(
            book.seal(Effort::All).is_err(),
            "there is no room for chunks"
        );
        assert_eq!(assert_steps(&book, uid(1)) as i64, acknowledged);
        assert!(mount("remount,size=64m"));
        // The record that was refused waited in memory.
        record_step(&mut recorder, uid(1), acknowledged + 1).unwrap();
        assert_eq!(book.seal(Effort::All).unwrap().outcome, SealOutcome::Sealed);
        assert_eq!(assert_steps(&book, uid(1)) as i64, acknowledged + 2);
    });
    let unmounted = Command::new("umount").arg(&disk).status().unwrap();
    assert!(unmounted.success());
    assert!(outcome.is_ok());
}
