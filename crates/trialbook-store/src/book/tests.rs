use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use trialbook_model::id::{RunUid, Uid};
use trialbook_model::record::*;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_spool::Mode;

use super::*;
use crate::nouns::Owner;
use crate::reading::Reading as _;

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
fn the_log_of_the_database_does_not_grow_from_seal_to_seal() {
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
    assert!(lengths[0] > 6 << 20, "{lengths:?}");
    assert!(lengths[3] < lengths[0] * 3 / 2, "{lengths:?}");
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
    let mut known: Vec<crate::backend::SpoolRecord> = Vec::new();
    let (mut records, mut batches) = (0, 0);
    loop {
        known.sort_by(|left, right| left.name.cmp(&right.name));
        let tails = crate::tails::read_tails(book.files(), &book.spool_folder(), &known, 1);
        let tails = tails.unwrap();
        records += tails.batch.records;
        batches += 1;
        let whole = tails.is_whole();
        for tail in tails.spools.into_iter().filter(|tail| tail.bytes > 0) {
            known.retain(|record| record.name != tail.record.name);
            known.push(tail.record);
        }
        if whole {
            break;
        }
    }
    assert_eq!(records, 1203);
    assert!(batches >= 3, "{batches}");
}
