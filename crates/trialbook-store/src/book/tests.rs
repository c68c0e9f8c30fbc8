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
