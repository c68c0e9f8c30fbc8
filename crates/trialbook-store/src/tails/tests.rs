use std::path::PathBuf;
use std::sync::Arc;

use trialbook_model::id::{RunNo, RunUid, Uid};
use trialbook_model::record::*;
use trialbook_spool::{Background, Mode};

use crate::book::{Access, Book, Effort};
use crate::contract::{TurnedClock, folder};
use crate::nouns::Owner;
use crate::reading::Reading as _;
use crate::recorder::{Recorder, RecorderOptions};

const RUN: RunUid = RunUid(Uid([3; 16]));

fn new_book() -> (tempfile::TempDir, Book) {
    let folder = folder();
    let book = Book::create(&folder.path().join("book")).unwrap();
    (folder, book)
}

fn recorder(book: &Book) -> Recorder {
    let options = RecorderOptions {
        mode: Mode::Written,
        background: Background::None,
        ..RecorderOptions::new("me", Arc::<TurnedClock>::default())
    };
    book.recorder(options).unwrap()
}

fn record(recorder: &mut Recorder, steps: std::ops::Range<i64>) {
    for step in steps {
        let time = recorder.tick();
        let values = [(SeriesKey::plain("a"), 1.0)];
        let of = Subject::Run(RUN);
        recorder.points(&of, step, time, &values).unwrap();
    }
}

/// The steps of the run's series.
fn steps(book: &Book) -> Vec<i64> {
    let view = book.view().unwrap();
    let no = view.run_no(RUN).unwrap().unwrap_or(RunNo(0));
    let series = view.series(&Owner::Run(no), &SeriesKey::plain("a"));
    series.unwrap().steps
}

fn spools(book: &Book) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(book.spool_folder()).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn kinds_of_later_versions_are_kept_byte_for_byte() {
    let (_folder, book) = new_book();
    let mut recorder = recorder(&book);
    let later = Op::Unknown {
        kind: 99,
        flags: 128,
        payload: vec![1, 2, 3],
    };
    let stamp = recorder.record(&later).unwrap();
    recorder.finish().unwrap();
    let before = book.view().unwrap().unknown().unwrap();
    assert_eq!(book.seal(Effort::All).unwrap().records, 1);
    assert!(spools(&book).is_empty());
    let again = Book::open(book.path(), Access::Read).unwrap();
    let kept = again.view().unwrap().unknown().unwrap();
    assert_eq!(before, kept);
    let [kept] = &kept[..] else {
        panic!("{kept:?}")
    };
    assert_eq!(
        (kept.time, kept.writer, kept.seq),
        (stamp.time, stamp.writer, stamp.seq)
    );
    assert_eq!((kept.actor.as_deref(), &kept.op), (Some("me"), &later));
}

#[test]
fn a_known_kind_that_cannot_be_read_is_lost_and_its_spool_stays() {
    let (_folder, book) = new_book();
    let mut recorder = recorder(&book);
    // A later version may give a kind a payload that this one cannot read.
    let start = Op::Unknown {
        kind: 18,
        flags: 0,
        payload: vec![0xc1],
    };
    recorder.record(&start).unwrap();
    record(&mut recorder, 0..3);
    recorder.finish().unwrap();
    let report = book.seal(Effort::All).unwrap();
    assert_eq!((report.records, report.removed), (3, 0));
    assert_eq!((spools(&book).len(), steps(&book)), (1, vec![0, 1, 2]));
    let found = book.check(crate::check::Depth::Book).unwrap().findings;
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("record 1 of kind 18 cannot be read"));
}

#[test]
fn a_spool_that_is_there_twice_counts_once() {
    let (_folder, book) = new_book();
    let mut recorder = recorder(&book);
    record(&mut recorder, 0..3);
    let path = spools(&book).remove(0);
    std::fs::copy(&path, path.with_file_name("a copy.spool")).unwrap();
    record(&mut recorder, 3..5);
    assert_eq!(steps(&book), [0, 1, 2, 3, 4]);
    assert_eq!(book.seal(Effort::All).unwrap().records, 5);
    assert_eq!(steps(&book), [0, 1, 2, 3, 4]);
    // A copy that turns up later says more than the book knows.
    record(&mut recorder, 5..8);
    let late = path.with_file_name("late.spool");
    std::fs::copy(&path, &late).unwrap();
    assert_eq!(steps(&book), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(book.seal(Effort::All).unwrap().records, 3);
    std::fs::copy(&path, &late).unwrap();
    assert_eq!(book.seal(Effort::All).unwrap().records, 0);
    assert_eq!(steps(&book), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(spools(&book), [path]);
}

#[test]
fn files_of_a_writer_that_turn_up_in_any_order_are_all_new() {
    let (folder, book) = new_book();
    let aside = folder.path().join("aside");
    let options = trialbook_spool::SpoolOptions {
        mode: Mode::Written,
        background: Background::None,
        rotate_at: 4400,
        ..trialbook_spool::SpoolOptions::default()
    };
    let mut writer = trialbook_spool::SpoolWriter::create(&aside, options).unwrap();
    let subject = writer.subject(&Subject::Run(RUN));
    let key = writer.key(&SeriesKey::plain("a"));
    for step in 0..40 {
        let call = trialbook_spool::LogCall {
            subject,
            step,
            time: trialbook_model::time::Timestamp(step),
            repeat: trialbook_spool::Repeat::Keep,
        };
        writer.points(call, &[(key, 1.0)]).unwrap();
    }
    writer.finish().unwrap();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&aside)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() > 2, "{files:?}");
    let mut records = 0;
    for path in files.iter().rev() {
        let name = path.file_name().unwrap();
        std::fs::copy(path, book.spool_folder().join(name)).unwrap();
        records += book.seal(Effort::All).unwrap().records;
    }
    assert_eq!(records, 40);
    assert_eq!(steps(&book), (0..40).collect::<Vec<i64>>());
}

/// Overwrites bytes of a file.
fn overwrite(path: &std::path::Path, at: u64, bytes: &[u8]) {
    use std::os::unix::fs::FileExt as _;
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

#[test]
fn a_zeroed_word_where_sealing_ended_hides_no_records() {
    for flush in [None, Some(trialbook_spool::Durability::Disk)] {
        let (_folder, book) = new_book();
        let mut recorder = recorder(&book);
        record(&mut recorder, 0..3);
        book.seal(Effort::All).unwrap();
        let path = spools(&book).remove(0);
        let sealed = std::fs::metadata(&path).unwrap().len();
        record(&mut recorder, 3..6);
        if let Some(durability) = flush {
            recorder.flush(durability).unwrap();
            overwrite(&path, sealed, &[0; 4]);
            assert_eq!(steps(&book), [0, 1, 2, 4, 5]);
        }
        recorder.finish().unwrap();
        overwrite(&path, sealed, &[0; 4]);
        let report = book.seal(Effort::All).unwrap();
        assert_eq!((report.records, report.removed), (2, 0));
        assert_eq!(steps(&book), [0, 1, 2, 4, 5]);
        assert_eq!(book.seal(Effort::All).unwrap().removed, 0);
        assert_eq!(
            book.check(crate::check::Depth::Book)
                .unwrap()
                .findings
                .len(),
            1
        );
    }
}

#[test]
fn a_spool_without_its_beginning_is_read_from_its_next_frame_on() {
    let (_folder, book) = new_book();
    let mut recorder = recorder(&book);
    record(&mut recorder, 0..3);
    recorder.finish().unwrap();
    let path = spools(&book).remove(0);
    // The header page, the first frame and nothing of the next one.
    overwrite(&path, 0, &[0xff; 4096 + 64]);
    assert_eq!(steps(&book), [0, 1, 2]);
    let report = book.seal(Effort::All).unwrap();
    assert_eq!((report.records, report.removed), (3, 0));
    assert_eq!(steps(&book), [0, 1, 2]);
    let found = book.check(crate::check::Depth::Book).unwrap().findings;
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        found.len() == 1 && found[0].contains("bytes 4096 to"),
        "{found:?}"
    );
}

#[test]
fn a_view_seals_before_it_reads_more_than_memory_is_to_hold() {
    let (_folder, book) = new_book();
    let mut recorder = recorder(&book);
    record(&mut recorder, 0..200);
    let reader = Book::open(book.path(), Access::Read).unwrap();
    for (book, sealed) in [(&reader, 0), (&book, 1), (&book, 1)] {
        let view = crate::view::BookView::open_below(book, 1000).unwrap();
        assert_eq!(view.rev(), sealed);
        let run = view.run_by_uid(RUN).unwrap().unwrap();
        assert_eq!(run.state.records.counts.points, 200);
    }
}
