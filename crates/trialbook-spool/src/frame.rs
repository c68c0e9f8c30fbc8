//! Frames: the bytes of one record or definition, made and taken apart.
//!
//! `len u32 | crc32 u32 | seq u64 | time i64 | kind u8 | flags u8 | …`, little endian, starting at
//! multiples of 8. Not here: files, and what follows what. The layout with an example stands in
//! `docs/format/spool.md`.
//! Invariant: taking apart accepts any bytes; it never panics and never reserves more than the bytes
//! that are there.

mod define;
mod op;
mod points;
mod varint;

use trialbook_model::id::{OperationUid, Uid, WriterUid};

pub(crate) use define::{Definition, put_key, put_subject, put_writer};
pub(crate) use op::{decode_op, kind_of, odd_flags, put_payload};
pub use points::PointsView;
pub(crate) use points::{PointsHead, put_body, put_points};
pub(crate) use varint::{put_varint, take_varint};

/// Bytes before the body: length and check.
pub const PREFIX: usize = 8;
/// Bytes of a body that every frame has: seq, time, kind, flags.
pub const HEAD: usize = 18;
/// Bytes of the longest body.
pub const MAX_BODY: usize = 1 << 28;
/// What frames start at multiples of.
pub const ALIGN: usize = 8;

/// Kinds of frames. 0 to 15 belong to the format; what is not listed is kept as it is.
pub mod kind {
    /// Defines a series key.
    pub const KEY: u8 = 1;
    /// Defines a subject.
    pub const SUBJECT: u8 = 2;
    /// Says again who writes, so that frames speak for themselves.
    pub const WRITER: u8 = 3;
    /// Metric points.
    pub const POINTS: u8 = 16;
    /// Creates an experiment.
    pub const CREATE_EXPERIMENT: u8 = 17;
    /// Starts a run.
    pub const START_RUN: u8 = 18;
    /// Moves a run to a state.
    pub const SET_STATUS: u8 = 19;
    /// Sets params.
    pub const SET_PARAMS: u8 = 20;
    /// Sets tags.
    pub const SET_TAGS: u8 = 21;
    /// Sets a field.
    pub const SET_FIELD: u8 = 22;
    /// Puts a note.
    pub const PUT_NOTE: u8 = 23;
    /// Sets a pointer.
    pub const SET_POINTER: u8 = 24;
    /// Defines a metric.
    pub const DEFINE_METRIC: u8 = 25;
    /// An event.
    pub const EVENT: u8 = 26;
    /// Console output.
    pub const LOG: u8 = 27;
    /// A judged answer.
    pub const ITEM: u8 = 28;
    /// A later judgement.
    pub const ASSESS: u8 = 29;
    /// A file.
    pub const PUT_ARTIFACT: u8 = 30;
    /// A snapshot.
    pub const LINK_SNAPSHOT: u8 = 31;
    /// Progress.
    pub const PROGRESS: u8 = 32;
    /// A sign of life.
    pub const HEARTBEAT: u8 = 33;
    /// Removes for good.
    pub const PURGE: u8 = 34;
    /// Makes an entry of the register.
    pub const CREATE_ENTRY: u8 = 35;
    /// Sets a secret.
    pub const SET_SECRET: u8 = 36;
    /// A dataset that a run used.
    pub const USE_DATASET: u8 = 37;
    /// A model that a run used or made.
    pub const LINK_MODEL: u8 = 38;
    /// A span of a trace.
    pub const SPAN: u8 = 64;
    /// The first kind that records may have.
    pub const FIRST_RECORD: u8 = 16;
}

/// Flags of frames; those not listed must be 0 in what is written and are ignored in what is read.
pub mod flag {
    /// An actor stands behind the head: its length as a varint, then UTF-8.
    pub const ACTOR: u8 = 1;
    /// An operation uid of 16 bytes stands behind the head (and the actor).
    pub const OPERATION: u8 = 2;
    /// Points: an equal (series, step, time, value) is kept once.
    pub const SET: u8 = 4;
    /// Points: a time of their own, 8 bytes, opens the payload; else theirs is the frame's.
    pub const OWN_TIME: u8 = 8;
    /// The record is another writer's: its uid of 16 bytes and its sequence number there as a varint stand behind
    /// actor and operation. The actor is the one that is named, not the header's.
    pub const ORIGIN: u8 = 16;
    /// What says who speaks, of records of every kind.
    pub(crate) const SIGNED: u8 = ACTOR | OPERATION | ORIGIN;
}

/// What every frame says first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: u64,
    pub(crate) time: i64,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
}

/// Opens a frame at the end of `out`; what is pushed until [`close`] is its payload.
pub(crate) fn open(out: &mut Vec<u8>, head: Head) -> usize {
    let start = out.len();
    let mut bytes = [0; PREFIX + HEAD];
    bytes[8..16].copy_from_slice(&head.seq.to_le_bytes());
    bytes[16..24].copy_from_slice(&head.time.to_le_bytes());
    bytes[24] = head.kind;
    bytes[25] = head.flags;
    out.extend_from_slice(&bytes);
    start
}

/// Closes the frame that was opened at `start`; false, and the frame is taken back, when it is too long.
#[must_use]
pub(crate) fn close(out: &mut Vec<u8>, start: usize) -> bool {
    let len = out.len() - start - PREFIX;
    if len > MAX_BODY {
        out.truncate(start);
        return false;
    }
    let crc = crc32fast::hash(&out[start + PREFIX..]);
    out[start..start + 4].copy_from_slice(&(len as u32).to_le_bytes());
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    out.resize(start + padded(len), 0);
    true
}

/// Bytes from a frame's start to the next one's.
pub(crate) fn padded(body: usize) -> usize {
    (PREFIX + body).next_multiple_of(ALIGN)
}

/// A frame whose check was right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawFrame<'a> {
    pub(crate) head: Head,
    /// Behind the head.
    pub(crate) rest: &'a [u8],
    /// Bytes to the next frame.
    pub(crate) step: usize,
}

/// What stands at the beginning of some bytes.
#[derive(Debug)]
pub(crate) enum Look<'a> {
    /// A zero length word, or fewer bytes than one.
    Nothing,
    /// The beginning of a frame that needs more bytes than there are.
    Short,
    /// Bytes that are no frame.
    Bad,
    /// A frame.
    Frame(RawFrame<'a>),
}

/// Looks at the beginning of `bytes`.
pub(crate) fn look(bytes: &[u8]) -> Look<'_> {
    let Some((word, _)) = bytes.split_first_chunk::<4>() else {
        return if bytes.iter().all(|&byte| byte == 0) {
            Look::Nothing
        } else {
            Look::Short
        };
    };
    let len = u32::from_le_bytes(*word) as usize;
    if len == 0 {
        return Look::Nothing;
    }
    if !(HEAD..=MAX_BODY).contains(&len) {
        return Look::Bad;
    }
    let Some(body) = bytes.get(PREFIX..PREFIX + len) else {
        return Look::Short;
    };
    let crc = u32::from_le_bytes(bytes[4..8].try_into().expect("the body lies behind it"));
    if crc32fast::hash(body) != crc {
        return Look::Bad;
    }
    Look::Frame(RawFrame {
        head: head_of(body),
        rest: &body[HEAD..],
        step: padded(len),
    })
}

/// The head of a body of at least [`HEAD`] bytes.
pub(crate) fn head_of(body: &[u8]) -> Head {
    let eight = |at: usize| body[at..at + 8].try_into().expect("eight bytes were taken");
    Head {
        seq: u64::from_le_bytes(eight(0)),
        time: i64::from_le_bytes(eight(8)),
        kind: body[16],
        flags: body[17],
    }
}

/// Where a record was written first, which is what it is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Who wrote it.
    pub writer: WriterUid,
    /// Its number among that writer's records.
    pub seq: u64,
}

/// Who says a record, and why it is known when it is said again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Signature<'a> {
    pub(crate) actor: Option<&'a str>,
    pub(crate) operation: Option<OperationUid>,
    pub(crate) origin: Option<Origin>,
}

impl<'a> Signature<'a> {
    /// Its flags.
    pub(crate) fn flags(&self) -> u8 {
        let actor = if self.actor.is_some() { flag::ACTOR } else { 0 };
        let operation = if self.operation.is_some() {
            flag::OPERATION
        } else {
            0
        };
        let origin = if self.origin.is_some() {
            flag::ORIGIN
        } else {
            0
        };
        actor | operation | origin
    }

    /// Pushes it behind a head that has its flags.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        if let Some(actor) = self.actor {
            put_varint(out, actor.len() as u64);
            out.extend_from_slice(actor.as_bytes());
        }
        if let Some(OperationUid(Uid(bytes))) = self.operation {
            out.extend_from_slice(&bytes);
        }
        if let Some(Origin { writer, seq }) = self.origin {
            out.extend_from_slice(&writer.0.0);
            put_varint(out, seq);
        }
    }

    /// Takes one apart, and gives the payload behind it; `None` when it is not well formed.
    pub(crate) fn take(flags: u8, rest: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut rest = rest;
        let mut signature = Self::default();
        if flags & flag::ACTOR != 0 {
            let len = take_varint(&mut rest)?;
            let (text, behind) = rest.split_at_checked(usize::try_from(len).ok()?)?;
            signature.actor = Some(std::str::from_utf8(text).ok()?);
            rest = behind;
        }
        if flags & flag::OPERATION != 0 {
            let (bytes, behind) = rest.split_first_chunk::<16>()?;
            signature.operation = Some(OperationUid(Uid(*bytes)));
            rest = behind;
        }
        if flags & flag::ORIGIN != 0 {
            let (bytes, behind) = rest.split_first_chunk::<16>()?;
            rest = behind;
            signature.origin = Some(Origin {
                writer: WriterUid(Uid(*bytes)),
                seq: take_varint(&mut rest)?,
            });
        }
        Some((signature, rest))
    }
}

#[cfg(test)]
mod tests;
