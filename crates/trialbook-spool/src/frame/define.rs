//! Definition frames: what the indexes of later frames of the same file mean.
//!
//! Invariant: a file defines every index before it uses it; defining one again says the same.

use trialbook_model::id::{EntryUid, ExperimentUid, RunUid, Uid};
use trialbook_model::record::{SeriesKey, Subject};

use super::{Head, close, kind, open, put_varint, take_varint};

const RUN: u8 = 1;
const EXPERIMENT: u8 = 2;
const PROJECT: u8 = 3;
const ENTRY: u8 = 4;

/// A definition taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Definition<'a> {
    Key(u32, SeriesKey),
    Subject(u32, Subject),
    /// The writer's description, as in the header page.
    Writer(&'a [u8]),
}

fn head(kind: u8, seq: u64) -> Head {
    Head {
        seq,
        time: 0,
        kind,
        flags: 0,
    }
}

/// Pushes the definition of a key; false when it is too long for a frame.
#[must_use]
pub(crate) fn put_key(out: &mut Vec<u8>, seq: u64, index: u32, key: &SeriesKey) -> bool {
    let start = open(out, head(kind::KEY, seq));
    put_varint(out, u64::from(index));
    put_varint(out, key.key.len() as u64);
    out.extend_from_slice(key.key.as_bytes());
    out.extend_from_slice(key.context.as_bytes());
    close(out, start)
}

/// Pushes the definition of a subject; false when it is too long for a frame.
#[must_use]
pub(crate) fn put_subject(out: &mut Vec<u8>, seq: u64, index: u32, subject: &Subject) -> bool {
    let start = open(out, head(kind::SUBJECT, seq));
    put_varint(out, u64::from(index));
    match subject {
        Subject::Run(RunUid(Uid(bytes))) => {
            out.push(RUN);
            out.extend_from_slice(bytes);
        }
        Subject::Experiment(ExperimentUid(Uid(bytes))) => {
            out.push(EXPERIMENT);
            out.extend_from_slice(bytes);
        }
        Subject::Project(name) => {
            out.push(PROJECT);
            out.extend_from_slice(name.as_bytes());
        }
        Subject::Entry(EntryUid(Uid(bytes))) => {
            out.push(ENTRY);
            out.extend_from_slice(bytes);
        }
    }
    close(out, start)
}

/// Pushes who writes; false when it is too long for a frame.
#[must_use]
pub(crate) fn put_writer(out: &mut Vec<u8>, seq: u64, description: &[u8]) -> bool {
    let start = open(out, head(kind::WRITER, seq));
    out.extend_from_slice(description);
    close(out, start)
}

impl<'a> Definition<'a> {
    /// Takes a definition apart; `None` when it is not one that this version knows.
    pub(crate) fn of(kind: u8, payload: &'a [u8]) -> Option<Self> {
        match kind {
            kind::KEY => key(payload),
            kind::SUBJECT => subject(payload),
            kind::WRITER => Some(Self::Writer(payload)),
            _ => None,
        }
    }
}

fn index(payload: &mut &[u8]) -> Option<u32> {
    u32::try_from(take_varint(payload)?).ok()
}

fn key(mut payload: &[u8]) -> Option<Definition<'_>> {
    let index = index(&mut payload)?;
    let len = usize::try_from(take_varint(&mut payload)?).ok()?;
    let (key, context) = payload.split_at_checked(len)?;
    Some(Definition::Key(
        index,
        SeriesKey {
            key: std::str::from_utf8(key).ok()?.to_owned(),
            context: std::str::from_utf8(context).ok()?.to_owned(),
        },
    ))
}

fn subject(mut payload: &[u8]) -> Option<Definition<'_>> {
    let index = index(&mut payload)?;
    let (&form, rest) = payload.split_first()?;
    let uid = || rest.try_into().ok().map(Uid);
    let subject = match form {
        RUN => Subject::Run(RunUid(uid()?)),
        EXPERIMENT => Subject::Experiment(ExperimentUid(uid()?)),
        PROJECT => Subject::Project(std::str::from_utf8(rest).ok()?.to_owned()),
        ENTRY => Subject::Entry(EntryUid(uid()?)),
        _ => return None,
    };
    Some(Definition::Subject(index, subject))
}
