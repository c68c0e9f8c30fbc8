use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use trialbook_model::id::{RunNo, RunUid, Uid};
use trialbook_model::record::*;
use trialbook_model::state::RunState;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_spool::Mode;

use super::*;
use crate::backend::{RunRecord, Wanted};
use crate::check::{Depth, Finding};
use crate::nouns::Owner;
use crate::query::Query;
use crate::reading::Reading as _;
use crate::sealed::Sealed;

/// A clock that goes on by a microsecond at each look.
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

fn options() -> RecorderOptions {
    RecorderOptions {
        mode: Mode::Written,
        ..RecorderOptions::new("me", Arc::new(Ticks(AtomicI64::new(1000))))
    }
}

#[test]
fn what_is_recorded_is_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let book = Book::create(&folder.path().join(".trialbook")).unwrap();
    let mut recorder = book.recorder(options()).unwrap();
    let run = RunUid(Uid([7; 16]));
    recorder.record(&Op::StartRun(StartRun::of(run))).unwrap();
    let time = recorder.tick();
    let values = [(SeriesKey::plain("loss"), 0.5)];
    let of = Subject::Run(run);
    recorder.points(&of, 3, time, &values).unwrap();
    let view = book.view().unwrap();
    let row = view.run_by_uid(run).unwrap().unwrap();
    assert_eq!(row.number, Some(1));
    assert_eq!(row.state.actor.as_ref().unwrap().value, "me");
    let series = view.series(&Owner::Run(row.no), &values[0].0).unwrap();
    assert_eq!((series.steps, series.values), (vec![3], vec![0.5]));
}

#[test]
fn a_book_that_is_not_there_is_missing_and_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".trialbook");
    assert!(matches!(
        Book::open(&path, Access::Read),
        Err(BookError::Missing { .. })
    ));
    assert!(!path.exists());
}

#[test]
fn a_seal_that_removes_spools_leaves_no_log() {
    let folder = crate::contract::folder();
    let path = folder.path().join("book");
    let book = Book::create(&path).unwrap();
    let run = RunUid(Uid([7; 16]));
    let mut state = 1_u64;
    let mut noise = |count: usize| -> String {
        let mut text = String::with_capacity(count);
        while text.len() < count {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            text.push(char::from(b' ' + (state >> 40) as u8 % 90));
        }
        text
    };
    let mut lengths = Vec::new();
    for _ in 0..4 {
        let mut recorder = book.recorder(options()).unwrap();
        for _ in 0..80 {
            let text = noise(100_000);
            let stream = LogStream::Stdout;
            recorder
                .record(&Op::Log(Log { run, stream, text }))
                .unwrap();
        }
        recorder.finish().unwrap();
        assert_eq!(book.seal(Effort::All).unwrap().outcome, SealOutcome::Sealed);
        lengths.push(fs::metadata(path.join("book.db-wal")).unwrap().len());
    }
    assert_eq!(
        lengths, [0; 4],
        "all is in the database once its spools are gone"
    );
}

#[test]
fn tails_longer_than_a_batch_are_read_in_several() {
    let folder = crate::contract::folder();
    let book = Book::create(&folder.path().join("book")).unwrap();
    let run = RunUid(Uid([7; 16]));
    for count in [1200, 3] {
        let mut recorder = book.recorder(options()).unwrap();
        for _ in 0..count {
            let (stream, text) = (LogStream::Stdout, "x".repeat(10_000));
            recorder
                .record(&Op::Log(Log { run, stream, text }))
                .unwrap();
        }
        recorder.finish().unwrap();
    }
    let look = book.backend().look().unwrap();
    let first = crate::tails::read_tails(book.files(), &book.spool_folder(), look.as_ref(), 1);
    let first = first.unwrap();
    assert!(!first.is_whole());
    assert!(first.batch.records < 1203, "{}", first.batch.records);
    drop(look);
    let report = book.seal(Effort::All).unwrap();
    assert_eq!(
        (report.outcome, report.records),
        (SealOutcome::Sealed, 1203)
    );
}

/// Changes rows behind the back of a book.
fn tamper(book: &Book, sql: &str) {
    let database = rusqlite::Connection::open(book.path().join(DATABASE)).unwrap();
    assert!(database.execute(sql, []).unwrap() > 0, "{sql}");
}

/// Records a start, an event and a few points of a run.
fn record(book: &Book, run: RunUid, step: i64) {
    let mut recorder = book.recorder(options()).unwrap();
    recorder.record(&Op::StartRun(StartRun::of(run))).unwrap();
    let of = Subject::Run(run);
    let event = serde_json::json!({"subject": of, "kind": "note"});
    let event: Event = serde_json::from_value(event).unwrap();
    recorder.record(&Op::Event(event)).unwrap();
    let time = recorder.tick();
    recorder
        .points(&of, step, time, &[(SeriesKey::plain("loss"), 0.5)])
        .unwrap();
    recorder.finish().unwrap();
}

#[test]
fn a_damaged_row_stops_neither_views_nor_seals_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let book = Book::create(&folder.path().join(".trialbook")).unwrap();
    let (damaged, whole) = (RunUid(Uid([7; 16])), RunUid(Uid([8; 16])));
    record(&book, damaged, 1);
    book.seal(Effort::All).unwrap();
    record(&book, whole, 1);
    book.seal(Effort::All).unwrap();
    tamper(&book, "UPDATE run SET state = x'ff00ff' WHERE no = 1");
    let view = book.view().unwrap();
    let numbers = view.newest(9).unwrap();
    assert_eq!(numbers.len(), 2);
    assert_eq!(view.runs(&numbers).unwrap().len(), 1);
    assert_eq!(view.damaged().unwrap(), BTreeSet::from([RunNo(1)]));
    assert!(view.run_by_uid(damaged).unwrap_err().is_damage());
    assert_eq!(view.search(&Query::all()).unwrap().total, 1);
    drop(view);
    // Also a view that was asked for nothing, and one whose index still knows the run.
    let view = book.view().unwrap();
    assert_eq!(view.damaged().unwrap(), BTreeSet::from([RunNo(1)]));
    drop(view);
    record(&book, damaged, 2);
    let view = book.view().unwrap();
    assert_eq!(view.damaged().unwrap(), BTreeSet::from([RunNo(1)]));
    let row = view.run_by_uid(damaged).unwrap().unwrap();
    assert_eq!((row.no, row.number), (RunNo(1), Some(1)));
    drop(view);
    let is_named = |wanted: fn(&Finding) -> bool| {
        let findings = book.check(Depth::Book).unwrap().findings;
        assert!(findings.iter().any(wanted), "{findings:?}");
    };
    is_named(|finding| matches!(finding, Finding::Row { .. }));
    assert_eq!(book.seal(Effort::All).unwrap().outcome, SealOutcome::Sealed);
    let kept = "UPDATE chunk SET data = data WHERE data = x'ff00ff'";
    tamper(&book, kept);
    is_named(|finding| matches!(finding, Finding::SetAside { .. }));
    is_named(|finding| matches!(finding, Finding::Masterless { .. }));
    let view = book.view().unwrap();
    let events = view.events(&Owner::Run(RunNo(1))).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(view.search(&Query::all()).unwrap().total, 2);
    drop(view);
    tamper(&book, "UPDATE run SET state = x'ff00ff' WHERE no = 1");
    let mut recorder = book.recorder(options()).unwrap();
    let subject = Subject::Run(damaged);
    recorder.record(&Op::Purge(Purge { subject })).unwrap();
    drop(recorder);
    book.seal(Effort::All).unwrap();
    assert_eq!(book.view().unwrap().run_count().unwrap(), 1);
}

#[test]
fn damaged_nouns_go_on_with_what_their_columns_say() {
    let folder = tempfile::tempdir().unwrap();
    let book = Book::create(&folder.path().join(".trialbook")).unwrap();
    let run = RunUid(Uid([7; 16]));
    record(&book, run, 1);
    book.seal(Effort::All).unwrap();
    tamper(&book, "UPDATE experiment SET state = x'ff00ff'");
    record(&book, run, 2);
    book.seal(Effort::All).unwrap();
    let rows = book.view().unwrap().experiments().unwrap();
    assert_eq!(rows[0].state.name(), Some("Default"));
    let findings = book.check(Depth::Book).unwrap().findings;
    assert!(
        matches!(findings[..], [Finding::SetAside { .. }]),
        "{findings:?}"
    );
}

#[test]
fn a_book_is_made_in_place_only_with_the_lease() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".trialbook");
    fs::create_dir(&path).unwrap();
    // A making that broke off.
    fs::write(path.join(DATABASE), []).unwrap();
    let lease = fs::File::create(path.join(LEASE)).unwrap();
    lease.try_lock().unwrap();
    assert!(matches!(Book::create(&path), Err(BookError::Restless)));
    assert!(fs::read(path.join(DATABASE)).unwrap().is_empty());
    drop(lease);
    let book = Book::create(&path).unwrap();
    assert_eq!(book.view().unwrap().experiments().unwrap().len(), 1);
}

#[test]
fn databases_of_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.pragma_update(None, "application_id", 7).unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    let refused = crate::sqlite::SqliteBackend::create(&path);
    assert!(matches!(refused, Err(BookError::NotABook { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn to_purge_an_experiment_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let book = Book::create(&folder.path().join(".trialbook")).unwrap();
    let mut recorder = book.recorder(options()).unwrap();
    let subject = Subject::Project("default".to_owned());
    let refused = recorder.record(&Op::Purge(Purge { subject }));
    assert!(matches!(refused, Err(BookError::NotARun)));
}

/// Writes the row of a run as `change` makes it.
fn rewrite(book: &Book, no: RunNo, change: impl FnOnce(&mut RunState)) {
    let sealed = Sealed::open(book.backend().look().unwrap()).unwrap();
    let run = sealed.run(no).unwrap().unwrap();
    let record = sealed
        .look()
        .runs(Wanted::Numbers(&[no]))
        .unwrap()
        .remove(0);
    let mut state = run.row.state.clone();
    change(&mut state);
    let mut names = sealed.names().clone();
    let state = crate::pack::pack_run(&state, &run.places, &mut names).unwrap();
    let change = Change {
        counters: sealed.counters(),
        runs: vec![RunRecord { state, ..record }],
        ..Change::default()
    };
    book.backend().commit(&change).unwrap();
}

#[test]
fn a_rebuild_mends_summaries_and_what_older_rules_have_folded() {
    let folder = tempfile::tempdir().unwrap();
    let book = Book::create(&folder.path().join(".trialbook")).unwrap();
    let run = RunUid(Uid([7; 16]));
    record(&book, run, 1);
    let item = serde_json::json!({"run": run, "id": "i", "scores": {"correct": true}});
    let item = || Op::Item(Box::new(serde_json::from_value(item.clone()).unwrap()));
    let mut recorder = book.recorder(options()).unwrap();
    recorder.record(&item()).unwrap();
    book.seal(Effort::All).unwrap();
    let state = || book.view().unwrap().run_by_uid(run).unwrap().unwrap().state;
    let right = state();
    assert_eq!(book.rebuild().unwrap().changed, 0);
    let old = || serde_json::from_value(serde_json::json!({"version": 0})).unwrap();
    rewrite(&book, RunNo(1), |state| {
        state.records.counts.events.clear();
        state.records.counts.items = 9;
        let series = state.records.series.values_mut();
        series.for_each(|summary| summary.max = 99.0);
        state.derived = old();
    });
    assert_ne!(state(), right);
    let report = book.check(Depth::Book).unwrap();
    assert_eq!(
        (report.findings.len(), report.outdated),
        (2, 1),
        "{report:?}"
    );
    assert_eq!(book.rebuild().unwrap().changed, 1);
    assert_eq!(state(), right);
    assert_eq!(book.check(Depth::Book).unwrap().findings, []);
    // Whoever is heard of again is brought up to date by that.
    recorder.record(&item()).unwrap();
    let right = state();
    rewrite(&book, RunNo(1), |state| state.derived = old());
    assert_eq!(state().derived, right.derived);
    book.seal(Effort::All).unwrap();
    assert_eq!(state(), right);
}

#[test]
fn a_damaged_snapshot_is_done_without_and_written_anew_by_a_seal() {
    let folder = tempfile::tempdir().unwrap();
    let book = Book::create(&folder.path().join(".trialbook")).unwrap();
    let runs = 300_u16;
    let mut recorder = book.recorder(options()).unwrap();
    for at in 0..runs {
        let mut uid = [7; 16];
        uid[..2].copy_from_slice(&at.to_be_bytes());
        let start = StartRun::of(RunUid(Uid(uid)));
        recorder.record(&Op::StartRun(start)).unwrap();
    }
    book.seal(Effort::All).unwrap();
    let snapshot = book.path().join(INDEX);
    let whole = fs::read(&snapshot).unwrap();
    // All bytes behind the head: some of them are met by every search.
    let mut damaged = whole.clone();
    damaged[4096..].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(&snapshot, &damaged).unwrap();
    let reader = Book::open(book.path(), Access::Read).unwrap();
    for _ in 0..2 {
        let hits = reader.view().unwrap().search(&Query::all()).unwrap();
        assert_eq!(hits.total, u64::from(runs));
    }
    assert_eq!(
        fs::read(&snapshot).unwrap(),
        damaged,
        "who reads changes nothing"
    );
    let writer = Book::open(book.path(), Access::Write).unwrap();
    writer.view().unwrap().search(&Query::all()).unwrap();
    record(&book, RunUid(Uid([9; 16])), 1);
    writer.seal(Effort::All).unwrap();
    assert_ne!(fs::read(&snapshot).unwrap(), damaged);
    fs::write(&snapshot, &damaged).unwrap();
    book.rebuild().unwrap();
    let rebuilt = fs::read(&snapshot).unwrap();
    assert_ne!(rebuilt, damaged);
}

#[test]
fn a_missing_file_between_others_of_a_writer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let book = Book::create(&folder.path().join(".trialbook")).unwrap();
    let mut recorder = book.recorder(options()).unwrap();
    let text = "x".repeat(1 << 20);
    let files = || {
        let entries = fs::read_dir(book.spool_folder()).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    };
    let mut lines = 0;
    while files().len() < 3 {
        let run = RunUid(Uid([7; 16]));
        let (stream, text) = (LogStream::Stdout, text.clone());
        recorder
            .record(&Op::Log(Log { run, stream, text }))
            .unwrap();
        lines += 1;
        assert!(lines < 1000, "files are not for ever");
    }
    assert_eq!(book.check(Depth::Book).unwrap().findings, []);
    fs::remove_file(&files()[1]).unwrap();
    let is_named = || {
        let findings = book.check(Depth::Book).unwrap().findings;
        let is_it =
            |finding: &Finding| matches!(finding, Finding::Missing { records, .. } if *records > 1);
        assert!(findings.iter().any(is_it), "{findings:?}");
    };
    is_named();
    recorder.finish().unwrap();
    book.seal(Effort::All).unwrap();
    is_named();
}

#[test]
fn a_reader_that_cannot_share_the_log_sees_every_later_seal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".trialbook");
    let run = RunUid(Uid([7; 16]));
    drop(Book::create(&path).unwrap());
    let index = path.join("book.db-shm");
    let points = |reader: &Book| {
        let row = reader.view().unwrap().run_by_uid(run).unwrap().unwrap();
        row.state.records.counts.points
    };
    let mut reader = None;
    for step in 1..7 {
        let book = Book::open(&path, Access::Write).unwrap();
        record(&book, run, step);
        book.seal(Effort::All).unwrap();
        drop(book);
        if step % 2 == 0 {
            // An empty log: the database is read where it is, as a file that never changes.
            let connection = rusqlite::Connection::open(path.join(DATABASE)).unwrap();
            let settle = "PRAGMA wal_checkpoint(TRUNCATE)";
            connection.query_row(settle, [], |_row| Ok(())).unwrap();
        }
        // What is in the place of the log's index keeps everybody from sharing it.
        fs::remove_file(&index).ok();
        std::os::unix::fs::symlink("nowhere", &index).unwrap();
        let reader = reader.get_or_insert_with(|| Book::open(&path, Access::Read).unwrap());
        assert_eq!((points(reader), points(reader)), (step as u64, step as u64));
        fs::remove_file(&index).unwrap();
    }
}

#[test]
fn a_database_put_in_the_place_of_another_is_seen_by_the_next_look() {
    let folder = tempfile::tempdir().unwrap();
    let books = ["a", "b"].map(|name| Book::create(&folder.path().join(name)).unwrap());
    let run = RunUid(Uid([7; 16]));
    for (book, steps) in books.iter().zip([1..3, 1..6]) {
        for step in steps {
            record(book, run, step);
        }
        book.seal(Effort::All).unwrap();
    }
    let [here, other] = books;
    let points = || {
        let row = here.view().unwrap().run_by_uid(run).unwrap().unwrap();
        row.state.records.counts.points
    };
    assert_eq!((points(), points()), (2, 2));
    let copy = folder.path().join("copy.db");
    other.database().unwrap().copy_to(&copy).unwrap();
    for ending in ["-wal", "-shm"] {
        fs::remove_file(here.path().join(format!("{DATABASE}{ending}"))).ok();
    }
    fs::rename(&copy, here.path().join(DATABASE)).unwrap();
    assert_eq!((points(), points()), (5, 5));
}
