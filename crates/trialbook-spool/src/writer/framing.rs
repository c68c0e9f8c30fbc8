//! Making the frames of one record, with the definitions that its file lacks for it.
//!
//! Invariant: after an error nothing of the record counts; what may be half defined is defined again.

use trialbook_model::record::{Op, Points};
use trialbook_model::time::Timestamp;

use super::Note;
use super::dictionary::Dictionary;
use crate::error::SpoolError;
use crate::frame::{self, Head, flag, kind, kind_of, odd_flags, put_body, put_payload};

/// What is said, and where it stands among the writer's records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) seq: u64,
    pub(super) time: Timestamp,
    pub(super) op: &'a Op,
    pub(super) note: &'a Note,
}

/// Pushes the frames of a record.
pub(super) fn put_record(
    out: &mut Vec<u8>,
    dictionary: &mut Dictionary,
    said: Said<'_>,
) -> Result<(), SpoolError> {
    if let Op::Points(points) = said.op {
        put_points(out, dictionary, said, points)
    } else {
        put_op(out, said)
    }
}

fn put_points(
    out: &mut Vec<u8>,
    dictionary: &mut Dictionary,
    said: Said<'_>,
    points: &Points,
) -> Result<(), SpoolError> {
    let subject = dictionary.subject(&points.subject);
    let pairs: Vec<_> = points
        .values
        .iter()
        .map(|(key, value)| (dictionary.key(key), *value))
        .collect();
    dictionary.define(out, said.seq, subject, &pairs)?;
    let own_time = if points.time == said.time {
        0
    } else {
        flag::OWN_TIME
    };
    let set = if points.set { flag::SET } else { 0 };
    let start = open(out, said, kind::POINTS, own_time | set);
    if own_time != 0 {
        out.extend_from_slice(&points.time.0.to_le_bytes());
    }
    put_body(out, subject.0, points.step, &pairs);
    close(out, start)
}

fn put_op(out: &mut Vec<u8>, said: Said<'_>) -> Result<(), SpoolError> {
    let kind = kind_of(said.op);
    if kind < kind::FIRST_RECORD {
        return Err(SpoolError::ReservedKind { kind });
    }
    let start = open(out, said, kind, odd_flags(said.op));
    put_payload(out, said.op).map_err(SpoolError::Encode)?;
    close(out, start)
}

fn open(out: &mut Vec<u8>, said: Said<'_>, kind: u8, flags: u8) -> usize {
    let signature = said.note.signature();
    let head = Head {
        seq: said.seq,
        time: said.time.0,
        kind,
        flags: flags | signature.flags(),
    };
    let start = frame::open(out, head);
    signature.put(out);
    start
}

fn close(out: &mut Vec<u8>, start: usize) -> Result<(), SpoolError> {
    let bytes = out.len() - start;
    if frame::close(out, start) {
        Ok(())
    } else {
        Err(SpoolError::TooLong { bytes })
    }
}
