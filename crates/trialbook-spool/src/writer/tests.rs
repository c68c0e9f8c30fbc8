use std::path::Path;

use proptest::prelude::*;
use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{Log, LogStream, Signed};

use super::*;
use crate::liveness::{Liveness, list};
use crate::reader::{End, SpoolReader, Tail};
use crate::sim::{Faults, SimFiles};
use crate::tests::arbitrary;

fn options(mode: Mode) -> SpoolOptions {
    SpoolOptions {
        mode,
        actor: "ann".to_owned(),
        created: Timestamp(5),
        background: Background::None,
        ..SpoolOptions::default()
    }
}

/// All records of a folder in the order of file names, and how each file ended.
fn read(dir: &Path) -> (Vec<Signed>, Vec<End>) {
    let files = SystemFiles;
    let mut records = Vec::new();
    let mut ends = Vec::new();
    for spool in list(&files, dir).unwrap() {
        let mut reader = SpoolReader::open(&files, &spool.path, spool.past).unwrap();
        let end = reader.read_all(|frame, state| records.push(frame.to_signed(state).unwrap()));
        ends.push(end.unwrap());
    }
    (records, ends)
}

fn call(subject: SubjectIndex, step: i64) -> LogCall {
    LogCall {
        subject,
        step,
        time: Timestamp(step),
        repeat: Repeat::Set,
    }
}

fn run(byte: u8) -> Subject {
    Subject::Run(RunUid(Uid([byte; 16])))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_operation_comes_back(
        records in proptest::collection::vec((any::<i64>(), arbitrary::op(), arbitrary::note()), 1..12),
        mapped in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mode = if mapped { Mode::Mapped } else { Mode::Written };
        let mut writer = SpoolWriter::create(dir.path(), options(mode)).unwrap();
        let uid = writer.writer();
        let mut sent = Vec::new();
        for (at, (time, op, note)) in records.into_iter().enumerate() {
            let time = Timestamp(time);
            let seq = writer.append(time, &op, &note).unwrap();
            prop_assert_eq!(seq, at as u64 + 1);
            let Note {
                actor, operation, ..
            } = note;
            sent.push(Signed { time, writer: uid, seq, actor, operation, op });
        }
        let (live, ends) = read(dir.path());
        prop_assert_eq!(&live, &sent);
        prop_assert!(ends.iter().all(|end| end.tail == Tail::Clean && end.lost.is_empty()));
        writer.finish().unwrap();
        let (ended, ends) = read(dir.path());
        prop_assert_eq!(&ended, &sent);
        prop_assert!(ends.iter().all(|end| end.tail == Tail::Clean && end.lost.is_empty()));
    }
}

#[test]
fn files_follow_each_other_without_gaps_and_speak_for_themselves() {
    for mode in [Mode::Mapped, Mode::Written] {
        let dir = tempfile::tempdir().unwrap();
        let mut options = options(mode);
        options.rotate_at = 8192;
        let mut writer = SpoolWriter::create(dir.path(), options).unwrap();
        let subject = writer.subject(&run(1));
        let keys: Vec<_> = (0..20)
            .map(|at| writer.key(&SeriesKey::plain(format!("metric-{at}"))))
            .collect();
        for step in 0..100_i64 {
            let pairs: Vec<_> = keys.iter().map(|&key| (key, step as f64)).collect();
            writer.points(call(subject, step), &pairs).unwrap();
        }
        writer.flush(Durability::Disk).unwrap();
        let spools = list(&SystemFiles, dir.path()).unwrap();
        assert!(spools.len() > 2, "{}", spools.len());
        let last = spools.len() - 1;
        for (at, spool) in spools.iter().enumerate() {
            let header = spool.header.as_ref().unwrap();
            assert_eq!((header.file as usize, header.actor.as_str()), (at, "ann"));
            let expected = if at == last {
                Liveness::Alive
            } else {
                Liveness::Dead
            };
            assert_eq!(spool.liveness, expected);
        }
        let (records, _) = read(dir.path());
        let seqs: Vec<_> = records.iter().map(|record| record.seq).collect();
        assert_eq!(seqs, (1..=100).collect::<Vec<_>>());
        for record in &records {
            let Op::Points(points) = &record.op else {
                panic!("points")
            };
            assert_eq!(points.values.len(), 20);
            assert_eq!(points.values[19].0.key, "metric-19");
            assert_eq!(points.values[3].1, points.step as f64);
        }
        writer.finish().unwrap();
    }
}

#[test]
fn a_writer_that_said_nothing_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let writer = SpoolWriter::create(dir.path(), options(Mode::Auto)).unwrap();
    assert!(writer.is_empty());
    writer.finish().unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_framed_is_refused_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::create(dir.path(), options(Mode::Auto)).unwrap();
    let note = Note::default();
    let reserved = Op::Unknown {
        kind: 3,
        flags: 0,
        payload: vec![],
    };
    let refused = writer.append(Timestamp(1), &reserved, &note);
    assert!(matches!(refused, Err(SpoolError::ReservedKind { kind: 3 })));
    let subject = writer.subject(&Subject::Experiment(ExperimentUid(Uid([2; 16]))));
    let foreign = [(KeyIndex(9), 1.0)];
    let refused = writer.points(call(subject, 0), &foreign);
    assert!(matches!(
        refused,
        Err(SpoolError::UnknownIndex {
            what: "key",
            index: 9
        })
    ));
    let key = writer.key(&SeriesKey::plain("a"));
    let pairs = [(key, f64::NAN)];
    let seq = writer.points(call(subject, 0), &pairs).unwrap();
    assert_eq!(seq, 1);
    let (records, _) = read(dir.path());
    assert_eq!(records.len(), 1);
    let Op::Points(points) = &records[0].op else {
        panic!("points")
    };
    assert!(points.set && points.values[0].1.is_nan());
}

#[test]
fn a_long_text_grows_the_file_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::create(dir.path(), options(Mode::Auto)).unwrap();
    let op = Op::SetTags(trialbook_model::record::SetTags {
        subject: run(3),
        tags: vec![("big".to_owned(), Some("y".repeat(10 << 20)))],
    });
    for _ in 0..2 {
        writer.append(Timestamp(1), &op, &Note::default()).unwrap();
    }
    let (records, _) = read(dir.path());
    assert_eq!(records.len(), 2);
    assert_eq!(records[1].op, op);
}

fn in_simulation(files: &SimFiles) -> SpoolWriter {
    SpoolWriter::create_in(files.shared(), "spool", options(Mode::Auto)).unwrap()
}

fn log(len: usize) -> Op {
    Op::Log(Log {
        run: RunUid(Uid([4; 16])),
        stream: LogStream::Stdout,
        text: "z".repeat(len),
    })
}

/// Sequence number and text length of all records in a simulated folder.
fn texts(files: &SimFiles) -> Vec<(u64, usize)> {
    let mut texts = Vec::new();
    for spool in list(files, "spool".as_ref()).unwrap() {
        let mut reader = SpoolReader::open(files, &spool.path, spool.past).unwrap();
        reader
            .read_all(|frame, state| {
                let Op::Log(log) = frame.to_signed(state).unwrap().op else {
                    panic!("a log")
                };
                texts.push((frame.seq, log.text.len()));
            })
            .unwrap();
    }
    texts
}

#[test]
fn what_waits_in_memory_is_bounded_and_goes_first_when_there_is_room() {
    let files = SimFiles::new(1);
    let mut writer = in_simulation(&files);
    let note = Note::default();
    writer.append(Timestamp(1), &log(7), &note).unwrap();
    files.set_faults(Faults {
        capacity: Some(300_000),
        ..Faults::default()
    });
    let mut waiting = 0;
    let refused = loop {
        match writer.append(Timestamp(1), &log(3 << 20), &note) {
            Err(SpoolError::Waiting { seq, .. }) => {
                waiting += 1;
                assert_eq!(seq, waiting + 1);
            }
            other => break other,
        }
    };
    assert!(matches!(refused, Err(SpoolError::Full { .. })));
    assert_eq!(waiting, 5);
    assert_eq!(texts(&files), [(1, 7)]);
    files.set_faults(Faults::default());
    assert_eq!(writer.append(Timestamp(1), &log(9), &note).unwrap(), 7);
    let mut expected = vec![(1, 7)];
    expected.extend((2..7).map(|seq| (seq, 3 << 20)));
    expected.push((7, 9));
    assert_eq!(texts(&files), expected);
    writer.finish().unwrap();
    assert_eq!(texts(&files), expected);
}

#[test]
fn a_sync_that_fails_is_told_once_and_the_writer_goes_on_in_a_new_file() {
    let files = SimFiles::new(2);
    let mut writer = in_simulation(&files);
    let note = Note::default();
    writer.append(Timestamp(1), &log(1), &note).unwrap();
    writer.flush(Durability::Disk).unwrap();
    let durable = writer.len();
    writer.append(Timestamp(1), &log(2), &note).unwrap();
    files.set_faults(Faults {
        failed: 1000,
        ..Faults::default()
    });
    let told = writer.flush(Durability::Disk);
    let Err(SpoolError::SyncFailed { path, from, .. }) = told else {
        panic!("{told:?}")
    };
    assert_eq!((Some(path), from), (writer.path(), durable));
    // While the disk takes nothing, no new file can be made either: the record is refused, not kept.
    let refused = writer.append(Timestamp(1), &log(3), &note);
    assert!(matches!(refused, Err(SpoolError::Io { .. })), "{refused:?}");
    files.set_faults(Faults::default());
    assert_eq!(writer.append(Timestamp(1), &log(3), &note).unwrap(), 3);
    writer.flush(Durability::Disk).unwrap();
    assert_eq!(list(&files, "spool".as_ref()).unwrap().len(), 2);
    assert_eq!(texts(&files), [(1, 1), (2, 2), (3, 3)]);
    let after = files.power_cut();
    let kept = texts(&after);
    assert!(kept.contains(&(1, 1)) && kept.contains(&(3, 3)), "{kept:?}");
}

#[test]
fn what_waits_when_a_sync_fails_goes_into_a_new_file_that_defines_all() {
    let files = SimFiles::new(3);
    let mut writer = in_simulation(&files);
    let subject = writer.subject(&run(1));
    let key = writer.key(&SeriesKey::plain("a"));
    writer.points(call(subject, 7), &[(key, 0.5)]).unwrap();
    writer.flush(Durability::Disk).unwrap();
    files.set_faults(Faults {
        capacity: Some(0),
        failed: 1000,
        ..Faults::default()
    });
    let note = Note::default();
    let waits = writer.append(Timestamp(1), &log(3 << 20), &note);
    assert!(matches!(waits, Err(SpoolError::Waiting { seq: 2, .. })));
    let waits = writer.points(call(subject, 8), &[(key, 1.5)]);
    assert!(matches!(waits, Err(SpoolError::Waiting { seq: 3, .. })));
    // As the thread in the background does it.
    let open = writer.open.as_ref().unwrap();
    open.progress.sync_now(open.file.as_ref());
    files.set_faults(Faults::default());
    let told = writer.flush(Durability::Disk);
    assert!(
        matches!(told, Err(SpoolError::SyncFailed { .. })),
        "{told:?}"
    );
    writer.flush(Durability::Disk).unwrap();
    let after = files.power_cut();
    let spools = list(&after, "spool".as_ref()).unwrap();
    let read = |path: &Path, past| {
        let mut reader = SpoolReader::open(&after, path, past).unwrap();
        let mut records = Vec::new();
        let end = reader.read_all(|frame, state| records.push(frame.to_signed(state).unwrap()));
        assert_eq!(end.unwrap().lost, []);
        records
    };
    let [first, second] = &spools[..] else {
        panic!("{spools:?}")
    };
    let seqs = |records: &[Signed]| records.iter().map(|it| it.seq).collect::<Vec<_>>();
    assert_eq!(seqs(&read(&first.path, first.past)), [1]);
    let records = read(&second.path, second.past);
    assert_eq!(seqs(&records), [2, 3]);
    let Op::Points(points) = &records[1].op else {
        panic!("points")
    };
    assert_eq!((&points.subject, points.step), (&run(1), 8));
    assert_eq!(points.values, [(SeriesKey::plain("a"), 1.5)]);
}

#[test]
fn an_unfinished_file_that_a_cleaner_holds_stops_no_writer() {
    let dir = tempfile::tempdir().unwrap();
    let header = Header::default();
    let path = dir
        .path()
        .join(crate::header::name_of(header.writer, header.file));
    let unfinished = path.with_extension("spool.tmp");
    std::fs::write(&unfinished, "").unwrap();
    let files = SystemFiles::shared();
    let open = OpenSpool::create(files.as_ref(), dir.path(), &header, Chosen::Written).unwrap();
    assert_eq!(open.path, path);
    assert!(path.exists() && unfinished.exists());
}
