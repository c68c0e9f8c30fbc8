//! The unsealed tails of a book's spools as one batch.
//!
//! Who lives is found out before anything is read: a writer that dies later has written nothing that is
//! missed. Not here: what records do, the lease. Invariant: what damage destroyed is counted and named, and
//! the rest is read.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use trialbook_spool::{
    Access, End, Files, Frame, Liveness, Lost, Origin, Past, ReaderState, SpoolError, SpoolFile,
    SpoolReader, Tail, list,
};

use crate::backend::{Look, SpoolRecord};
use crate::error::BookError;
use crate::fold::{Batch, Collector, SpoolPlaces};
use crate::sequences::{Known, Numbers, Sequences};

/// Bytes read of a spool at once.
const PIECE: usize = 4 << 20;

/// Bytes read at least.
const LEAST_PIECE: u64 = 4096;

/// Bytes of all tails that one batch takes at most: folded, records with operations take many times as much.
pub(crate) const BATCH_BYTES: u64 = 32 << 20;

/// Bytes of a spool's damage from which single records are only counted.
const DAMAGE_BYTES: usize = 1000;

/// A spool and how far a batch has read it.
#[derive(Debug, Clone)]
pub(crate) struct TailRead {
    pub(crate) path: PathBuf,
    pub(crate) liveness: Liveness,
    /// As it stands when the batch is sealed.
    pub(crate) record: SpoolRecord,
    /// How many bytes the batch holds of it.
    pub(crate) bytes: u64,
    /// Whether nothing more is there.
    pub(crate) whole: bool,
    /// Whether its row says something else now.
    pub(crate) changed: bool,
}

/// Tails as a batch.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    pub(crate) batch: Batch,
    pub(crate) spools: Vec<TailRead>,
    /// Files that are no spools any more.
    pub(crate) unreadable: Vec<PathBuf>,
    /// Which records of these writers are sealed once the batch is.
    pub(crate) sequences: Sequences,
}

impl Tails {
    /// Bytes that are not sealed.
    pub(crate) fn bytes(&self) -> u64 {
        self.spools.iter().map(|spool| spool.bytes).sum()
    }

    /// Spools of dead writers.
    pub(crate) fn dead(&self) -> usize {
        self.spools
            .iter()
            .filter(|spool| spool.liveness == Liveness::Dead)
            .count()
    }

    /// Whether everything that was there is in the batch.
    pub(crate) fn is_whole(&self) -> bool {
        self.spools.iter().all(|spool| spool.whole)
    }
}

/// Reads what stands behind the sealed offsets, but for records that are sealed or read already: the same
/// ones may stand in several files.
pub(crate) fn read_tails(
    files: &dyn Files,
    folder: &Path,
    look: &dyn Look,
    limit: u64,
) -> Result<Tails, BookError> {
    let mut ordered = BTreeSet::new();
    loop {
        let mut collector = Collector::new(ordered.clone());
        let mut tails = Tails::default();
        let mut left = limit;
        for spool in list(files, folder)? {
            let name = name_of(&spool.path);
            let (Some(name), Some(header)) = (name, &spool.header) else {
                tails.unreadable.push(spool.path);
                continue;
            };
            let record = look.spool(&name)?.unwrap_or(SpoolRecord {
                name,
                offset: 0,
                lost: 0,
                damage: String::new(),
            });
            let sequences = &mut tails.sequences;
            let mut known = Known { look, sequences };
            let mut sealed = known.take(header.writer)?;
            let into = (&mut collector, &mut sealed, &mut known);
            let tail = read_tail(files, &spool, record, left, into)?;
            known.sequences.insert(header.writer, sealed);
            if let Some(tail) = tail {
                left = left.saturating_sub(tail.bytes);
                tails.spools.push(tail);
            }
        }
        match collector.finish() {
            Ok(batch) => {
                tails.batch = batch;
                return Ok(tails);
            }
            Err(subjects) => ordered.extend(subjects),
        }
    }
}

pub(crate) fn name_of(path: &Path) -> Option<String> {
    path.file_name()?.to_str().map(str::to_owned)
}

/// Reads one tail; `None` when the file is gone.
fn read_tail(
    files: &dyn Files,
    spool: &SpoolFile,
    mut record: SpoolRecord,
    left: u64,
    into: (&mut Collector, &mut Numbers, &mut Known<'_>),
) -> Result<Option<TailRead>, BookError> {
    let mut tail = TailRead {
        path: spool.path.clone(),
        liveness: spool.liveness,
        record: record.clone(),
        bytes: 0,
        whole: true,
        changed: false,
    };
    if record.offset > 0 && has_nothing_new(files, spool, record.offset)? {
        return Ok(Some(tail));
    }
    if left == 0 {
        tail.whole = false;
        return Ok(Some(tail));
    }
    let Some(mut reader) = reader_at(files, &spool.path, spool.past, record.offset)? else {
        return Ok(None);
    };
    // Memory is made ready for all that is asked for, so no more is asked for than there may be.
    let there = spool.size.saturating_sub(reader.state().offset());
    let there = there.min(left).max(LEAST_PIECE);
    let piece = usize::try_from(there).unwrap_or(PIECE).min(PIECE);
    let walked = walk(&mut reader, &mut record, (piece, left), into)?;
    tail.whole = walked.whole;
    tail.bytes = walked.bytes;
    tail.changed = tail.record != record;
    tail.record = record;
    Ok(Some(tail))
}

/// A reader of a spool from an offset on; `None` when the file is gone.
pub(crate) fn reader_at(
    files: &dyn Files,
    path: &Path,
    past: Past,
    offset: u64,
) -> Result<Option<SpoolReader>, BookError> {
    let mut reader = match SpoolReader::open(files, path, past) {
        Ok(reader) => reader,
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if offset > 0 {
        reader.resume(offset)?;
    }
    Ok(Some(reader))
}

/// How far a walk over a tail came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walked {
    pub(crate) bytes: u64,
    /// Whether nothing more is there.
    pub(crate) whole: bool,
}

/// Collects what stands behind a reader's place, in pieces of some bytes, until `left` bytes were walked over;
/// the record is told how far that is.
pub(crate) fn walk(
    reader: &mut SpoolReader,
    record: &mut SpoolRecord,
    (piece, left): (usize, u64),
    (collector, sealed, others): (&mut Collector, &mut Numbers, &mut Known<'_>),
) -> Result<Walked, BookError> {
    let start = reader.state().offset();
    let mut places = SpoolPlaces::default();
    let mut limit = piece;
    loop {
        let before = reader.state().offset();
        let mut frames = reader.frames(limit)?;
        while let Some(frame) = frames.next() {
            if sealed.has(frame.seq) {
                continue;
            }
            // What another one wrote first is known by that one's number.
            let origin = match frame.origin {
                Some(Origin { writer, seq }) => Some((others.of(writer)?, seq)),
                None => None,
            };
            if origin.as_ref().is_some_and(|(known, seq)| known.has(*seq)) {
                sealed.add(frame.seq);
            } else if collector.take(&frame, frames.state(), &mut places) {
                sealed.add(frame.seq);
                if let Some((known, seq)) = origin {
                    known.add(seq);
                }
            } else {
                note_lost(record, &frame, frames.state());
            }
        }
        let end = frames.end();
        note_damage(record, &end);
        let whole = end.tail != Tail::More;
        limit = if end.offset == before {
            limit * 2
        } else {
            piece
        };
        if whole || (end.offset > before && end.offset - start >= left) {
            record.offset = reader.state().offset();
            let bytes = record.offset - start;
            return Ok(Walked { bytes, whole });
        }
    }
}

/// Whether reading from an offset on would surely give nothing, found out without reading what is before.
///
/// Not where the disk surely had more, and not of a file that is soon to be removed: there, a word that should
/// not be zero may hide frames.
fn has_nothing_new(files: &dyn Files, spool: &SpoolFile, offset: u64) -> Result<bool, BookError> {
    if offset < spool.durable {
        return Ok(false);
    }
    if spool.liveness == Liveness::Dead {
        return Ok(spool.size <= offset);
    }
    let mut word = [0; 4];
    let read = files
        .open(&spool.path, Access::Read)
        .and_then(|file| file.read_at(&mut word, offset));
    match read {
        Ok(some) => Ok(some == 0 || word == [0; 4]),
        // It is asked for again, and then known to be gone.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(BookError::io("read", &spool.path)(error)),
    }
}

fn is_gone(error: &SpoolError) -> bool {
    matches!(error, SpoolError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

fn note_damage(record: &mut SpoolRecord, end: &End) {
    for lost in &end.lost {
        let text = describe(lost);
        if !record.damage.contains(&text) {
            record.damage.push_str(&text);
            record.damage.push_str("; ");
            record.lost += lost.records.unwrap_or(0);
        }
    }
}

/// A record that is there and cannot be read: its file stays, for a version that can.
fn note_lost(record: &mut SpoolRecord, frame: &Frame<'_>, state: &ReaderState) {
    record.lost += 1;
    if record.damage.len() < DAMAGE_BYTES
        && let Err(error) = frame.to_signed(state)
    {
        record.damage.push_str(&error.to_string());
        record.damage.push_str("; ");
    }
}

/// A damaged range, for people.
fn describe(lost: &Lost) -> String {
    let Lost {
        offset,
        resumes_at,
        first_seq,
        records,
    } = lost;
    let many = records.map_or("records".to_owned(), |records| format!("{records} records"));
    let place = resumes_at.map_or("to the end".to_owned(), |next| format!("to {next}"));
    format!("bytes {offset} {place}: {many} from number {first_seq} on")
}

#[cfg(test)]
mod tests;
