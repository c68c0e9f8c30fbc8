use proptest::prelude::*;
use trialbook_model::id::{RunUid, Uid};
use trialbook_model::record::{Heartbeat, Op, SeriesKey, Signed, Subject};

use super::*;
use crate::files::Files as _;
use crate::header::{HEADER_PAGE, Header};
use crate::liveness::list;
use crate::sim::SimFiles;
use crate::writer::{Background, LogCall, Mode, Note, Repeat, SpoolOptions, SpoolWriter};

/// The bytes of a finished spool and its records.
fn spool(records: u64) -> (Vec<u8>, Vec<Signed>) {
    let files = SimFiles::new(1);
    let options = SpoolOptions {
        mode: Mode::Written,
        background: Background::None,
        ..SpoolOptions::default()
    };
    let mut writer = SpoolWriter::create_in(files.shared(), "s", options).unwrap();
    let run = RunUid(Uid([1; 16]));
    let subject = writer.subject(&Subject::Run(run));
    for seq in 1..=records {
        if seq % 5 == 0 {
            let op = Op::Heartbeat(Heartbeat {
                run,
                accepted: seq,
                dropped: 0,
                cost_ns: 0,
            });
            writer.append(Timestamp(1), &op, &Note::default()).unwrap();
            continue;
        }
        let key = writer.key(&SeriesKey::plain(format!("k{}", seq % 3)));
        let call = LogCall {
            subject,
            step: seq as i64,
            time: Timestamp(seq as i64),
            repeat: Repeat::Keep,
        };
        writer.points(call, &[(key, seq as f64)]).unwrap();
    }
    writer.finish().unwrap();
    let path = list(&files, "s".as_ref()).unwrap().remove(0).path;
    let mut reader = SpoolReader::open(&files, &path, Past::Ended).unwrap();
    let mut all = Vec::new();
    let end = reader
        .read_all(|frame, state| all.push(frame.to_signed(state).unwrap()))
        .unwrap();
    assert_eq!((end.tail, all.len() as u64), (Tail::Clean, records));
    let file = files.open(&path, crate::files::Access::Read).unwrap();
    let mut bytes = vec![0; file.size().unwrap() as usize];
    file.read_at(&mut bytes, 0).unwrap();
    assert_eq!(end.offset, bytes.len() as u64);
    (bytes, all)
}

fn header_of(bytes: &[u8]) -> Option<Header> {
    crate::header::read_page("x".as_ref(), bytes)
        .unwrap()
        .header
}

/// Reads the frames of a file's bytes; records whose definitions are lost are left out.
fn read(bytes: &[u8], durable: u64, past: Past) -> (Vec<Signed>, End) {
    let mut state = ReaderState::new(header_of(bytes));
    let frames = &bytes[HEADER_PAGE as usize..];
    let mut walk = Frames::new(frames, Trust { durable, past }, &mut state);
    let mut records = Vec::new();
    while let Some(frame) = walk.next() {
        records.extend(frame.to_signed(walk.state()).ok());
    }
    (records, walk.end())
}

/// Where frames start, and behind the last one.
fn starts(bytes: &[u8]) -> Vec<usize> {
    let mut at = HEADER_PAGE as usize;
    let mut starts = vec![at];
    while let Look::Frame(raw) = look(&bytes[at..]) {
        at += raw.step;
        starts.push(at);
    }
    starts
}

#[test]
fn every_cut_gives_exactly_the_whole_frames() {
    let (bytes, all) = spool(23);
    let starts = starts(&bytes);
    for cut in HEADER_PAGE as usize..=bytes.len() {
        for zeros in [0, 64] {
            let mut left = bytes[..cut].to_vec();
            left.resize(cut + zeros, 0);
            let (records, end) = read(&left, HEADER_PAGE, Past::Ended);
            // A frame that lacks only its padding is whole.
            let whole = *starts.iter().rfind(|&&start| start <= cut + 7).unwrap();
            let whole = if end.offset as usize == whole {
                whole
            } else {
                end.offset as usize
            };
            assert!(whole <= cut + 7 && starts.contains(&whole));
            assert!(starts.iter().all(|&start| start > cut || start <= whole));
            assert_eq!(records, all[..records.len()]);
            assert_eq!(end.lost, []);
            let clean = left[whole.min(left.len())..].iter().all(|&byte| byte == 0);
            assert_eq!(end.tail, if clean { Tail::Clean } else { Tail::Torn });
        }
    }
}

#[test]
fn a_hole_is_damage_before_the_durable_offset_and_a_torn_tail_behind_it() {
    let (bytes, all) = spool(20);
    let starts = starts(&bytes);
    let hole = starts[8];
    let mut left = bytes.clone();
    left[hole..starts[9]].fill(0);
    let behind = read(&left, hole as u64, Past::Stopped);
    assert_eq!((behind.1.tail, behind.1.offset), (Tail::Torn, hole as u64));
    assert_eq!(behind.1.lost, []);
    let before = behind.0.len();
    assert_eq!(behind.0, all[..before]);
    for (durable, past) in [
        (bytes.len() as u64, Past::Stopped),
        (bytes.len() as u64, Past::Open),
        (0, Past::Ended),
    ] {
        let (records, end) = read(&left, durable, past);
        assert_eq!((end.tail, end.offset), (Tail::Clean, bytes.len() as u64));
        let lost = Lost {
            offset: hole as u64,
            resumes_at: Some(starts[9] as u64),
            first_seq: before as u64 + 1,
            records: Some(1),
        };
        assert_eq!(end.lost, [lost]);
        assert_eq!(records.len(), all.len() - 1);
        assert_eq!(records[before..], all[before + 1..]);
    }
    // The end of a file that the disk had, and has no more.
    let (_, end) = read(&left[..hole], bytes.len() as u64, Past::Stopped);
    assert_eq!(end.tail, Tail::Damaged);
    assert_eq!((end.lost[0].resumes_at, end.lost[0].records), (None, None));
}

#[test]
fn a_flipped_bit_loses_its_frame_and_says_so() {
    let (bytes, all) = spool(12);
    let starts = starts(&bytes);
    let last = starts[starts.len() - 2];
    for at in (HEADER_PAGE as usize..bytes.len()).step_by(3) {
        let mut left = bytes.clone();
        left[at] ^= 1 << (at % 8);
        let (records, end) = read(&left, bytes.len() as u64, Past::Stopped);
        if records == all {
            // Padding, or the copy of a header that was there itself.
            assert!(end.lost.iter().all(|lost| lost.records == Some(0)));
        } else {
            assert_eq!(end.lost.len(), 1, "byte {at}");
            let start = *starts.iter().rfind(|&&start| start <= at).unwrap() as u64;
            assert_eq!(end.lost[0].offset, start);
            assert_eq!(end.tail == Tail::Damaged, at >= last);
        }
        for record in &records {
            assert_eq!(Some(record), all.get(record.seq as usize - 1));
        }
    }
}

#[test]
fn a_damaged_header_is_read_from_its_copy() {
    let (bytes, all) = spool(9);
    let files = SimFiles::new(2);
    for at in [0_usize, 8, 17, 21, 70] {
        let name = format!("{at}.spool");
        let file = files.create_new(name.as_ref()).unwrap();
        let mut left = bytes.clone();
        left[at] ^= 0x40;
        file.write_at(&left, 0).unwrap();
        let mut reader = SpoolReader::open(&files, name.as_ref(), Past::Ended).unwrap();
        let mut records = Vec::new();
        reader
            .read_all(|frame, state| records.push(frame.to_signed(state).unwrap()))
            .unwrap();
        assert_eq!(records, all);
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let header = Header::default().describe().unwrap();
    let mut page = crate::header::page_of(&header).unwrap();
    page[8] = 9;
    let check = crate::header::check(&page, &header);
    page[16..20].copy_from_slice(&check.to_le_bytes());
    let refused = crate::header::read_page("x".as_ref(), &page);
    assert!(matches!(
        refused,
        Err(crate::SpoolError::NewerFormat { version: 9, .. })
    ));
}

#[test]
fn reading_goes_on_where_it_ended_after_any_frame() {
    let (bytes, all) = spool(30);
    let files = SimFiles::new(3);
    let file = files.create_new("a.spool".as_ref()).unwrap();
    file.write_at(&bytes, 0).unwrap();
    for start in starts(&bytes) {
        let mut reader = SpoolReader::open(&files, "a.spool".as_ref(), Past::Ended).unwrap();
        reader.resume(start as u64).unwrap();
        assert_eq!(reader.state().offset(), start as u64);
        let mut records = Vec::new();
        // Also in pieces smaller than a frame.
        let mut limit = 16;
        loop {
            let before = reader.state().offset();
            let mut frames = reader.frames(limit).unwrap();
            while let Some(frame) = frames.next() {
                records.push(frame.to_signed(frames.state()).unwrap());
            }
            let end = frames.end();
            if end.tail != Tail::More {
                assert_eq!((end.tail, end.lost), (Tail::Clean, vec![]));
                break;
            }
            limit = if end.offset == before { limit * 2 } else { 16 };
        }
        assert_eq!(records, all[all.len() - records.len()..]);
        if start == HEADER_PAGE as usize {
            assert_eq!(records.len(), all.len());
        }
    }
}

#[test]
fn values_of_zero_at_the_end_are_no_end() {
    let files = SimFiles::new(4);
    let options = SpoolOptions {
        background: Background::None,
        ..SpoolOptions::default()
    };
    let mut writer = SpoolWriter::create_in(files.shared(), "s", options).unwrap();
    let subject = writer.subject(&Subject::Run(RunUid(Uid([1; 16]))));
    let key = writer.key(&SeriesKey::plain("zero"));
    let call = LogCall {
        subject,
        step: 0,
        time: Timestamp(0),
        repeat: Repeat::Keep,
    };
    for count in [1, 3000, 40_000, 1_000_000] {
        writer.points(call, &vec![(key, 0.0); count]).unwrap();
        let path = writer.path().unwrap();
        for past in [Past::Open, Past::Ended, Past::Stopped] {
            let mut reader = SpoolReader::open(&files, &path, past).unwrap();
            let mut last = 0;
            let end = reader
                .read_all(|frame, _| {
                    let Content::Points(points) = &frame.content else {
                        panic!("points")
                    };
                    last = points.len();
                })
                .unwrap();
            assert_eq!(
                (last, end.tail, end.offset),
                (count, Tail::Clean, writer.len())
            );
            reader.resume(end.offset).unwrap();
            assert_eq!(reader.state().offset(), end.offset);
            let again = reader.read_all(|_, _| panic!("a record twice")).unwrap();
            assert_eq!(again, end);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_walked_over(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        durable in 0_u64..8192,
        ended in any::<bool>(),
    ) {
        let past = if ended { Past::Ended } else { Past::Open };
        let mut state = ReaderState::new(None);
        let mut walk = Frames::new(&bytes, Trust { durable, past }, &mut state);
        while walk.next().is_some() {}
        prop_assert!(walk.end().offset >= HEADER_PAGE);
    }

    #[test]
    fn a_scrambled_spool_gives_only_true_records(
        damages in proptest::collection::vec((4096_usize..5600, any::<u8>()), 1..6),
    ) {
        let (mut bytes, all) = spool(20);
        for (at, byte) in damages {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        let (records, end) = read(&bytes, bytes.len() as u64, Past::Ended);
        for record in &records {
            prop_assert_eq!(Some(record), all.get(record.seq as usize - 1));
        }
        let seqs: Vec<_> = records.iter().map(|record| record.seq).collect();
        prop_assert!(seqs.is_sorted_by(|a, b| a < b));
        prop_assert!(records.len() == all.len() || !end.lost.is_empty());
    }
}
