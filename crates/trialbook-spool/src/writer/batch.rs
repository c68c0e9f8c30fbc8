//! Frames of one writer as they go over a network: who writes, then definitions and records, as in a spool file.
//!
//! A batch speaks for itself: it defines all that it uses. Not here: HTTP, which records are due.
//! Invariant: the records of a batch follow each other without a gap; what is not whole and right to its last byte
//! is refused, and the place is named.

use trialbook_model::record::Signed;

use super::Note;
use super::dictionary::Dictionary;
use super::framing::{Said, put_record};
use crate::error::SpoolError;
use crate::frame::put_writer;
use crate::header::{HEADER_PAGE, Header};
use crate::reader::{FrameError, Frames, Past, ReaderState, Tail, Trust};

/// A batch being made.
pub struct FrameBatch {
    header: Header,
    bytes: Vec<u8>,
    dictionary: Dictionary,
    next_seq: u64,
}

impl FrameBatch {
    /// An empty one of a writer's records from `first_seq` on.
    pub fn new(header: &Header, first_seq: u64) -> Result<Self, SpoolError> {
        let header = Header {
            first_seq,
            ..header.clone()
        };
        let mut bytes = Vec::new();
        let description = header.describe()?;
        if !put_writer(&mut bytes, first_seq, &description) {
            return Err(SpoolError::HeaderTooLong {
                bytes: description.len(),
            });
        }
        Ok(Self {
            header,
            bytes,
            dictionary: Dictionary::new(),
            next_seq: first_seq,
        })
    }

    /// Adds the next record; false, and nothing is added, for another one.
    pub fn push(&mut self, signed: &Signed) -> Result<bool, SpoolError> {
        if signed.seq != self.next_seq || signed.writer != self.header.writer {
            return Ok(false);
        }
        let note = Note {
            actor: signed.actor.clone(),
            operation: signed.operation,
            origin: None,
        };
        let said = Said {
            seq: signed.seq,
            time: signed.time,
            op: &signed.op,
            note: &note,
        };
        let start = self.bytes.len();
        let put = put_record(&mut self.bytes, &mut self.dictionary, said);
        put.inspect_err(|_| {
            self.bytes.truncate(start);
            self.dictionary.forget_file();
        })?;
        self.next_seq += 1;
        Ok(true)
    }

    /// How many records it has.
    pub const fn records(&self) -> u64 {
        self.next_seq - self.header.first_seq
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why bytes are no batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// It does not begin with who writes.
    #[error("the batch does not begin with the frame that says who writes")]
    NoWriter,
    /// No frame stands where one should.
    #[error("no frame stands at byte {at} of the batch, where record {seq} is expected")]
    Broken {
        /// Where.
        at: u64,
        /// The record that should stand there.
        seq: u64,
    },
    /// A frame is right and means nothing.
    #[error("the frame at byte {at} of the batch cannot be taken")]
    Frame {
        /// Where.
        at: u64,
        /// Why.
        #[source]
        source: FrameError,
    },
    /// A record that was written by another one first: it is to come under that one's name.
    #[error("record {seq} is of another writer")]
    Foreign {
        /// The record.
        seq: u64,
    },
}

/// Reads a batch to its last byte.
pub fn read_batch(bytes: &[u8]) -> Result<Vec<Signed>, BatchError> {
    let mut state = ReaderState::new(None);
    let trust = Trust {
        durable: HEADER_PAGE + bytes.len() as u64,
        past: Past::Ended,
    };
    let mut frames = Frames::new(bytes, trust, &mut state);
    let mut records = Vec::new();
    while let Some(frame) = frames.next() {
        let at = frame.offset - HEADER_PAGE;
        if let Some(lost) = frames.lost().first() {
            return Err(BatchError::Broken {
                at: lost.offset - HEADER_PAGE,
                seq: lost.first_seq,
            });
        }
        if frames.state().header().is_none() {
            return Err(BatchError::NoWriter);
        }
        if frame.origin.is_some() {
            return Err(BatchError::Foreign { seq: frame.seq });
        }
        let signed = frame.to_signed(frames.state());
        let mut signed = signed.map_err(|source| BatchError::Frame { at, source })?;
        let actor = frames.state().header().map(|header| header.actor.clone());
        signed.actor = signed.actor.or(actor.filter(|actor| !actor.is_empty()));
        records.push(signed);
    }
    let end = frames.end();
    if let Some(lost) = end.lost.first() {
        return Err(BatchError::Broken {
            at: lost.offset - HEADER_PAGE,
            seq: lost.first_seq,
        });
    }
    if end.tail != Tail::Clean || end.offset - HEADER_PAGE < bytes.len() as u64 {
        return Err(BatchError::Broken {
            at: end.offset - HEADER_PAGE,
            seq: state.next_seq(),
        });
    }
    if state.header().is_none() {
        return Err(BatchError::NoWriter);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::arbitrary::{note, op};

    fn header() -> Header {
        Header {
            actor: "ann".to_owned(),
            ..Header::default()
        }
    }

    proptest! {
        #[test]
        fn a_batch_is_read_back_and_a_broken_one_is_refused(
            ops in prop::collection::vec((op(), note()), 1..20),
            first in 1..1000_u64,
            (at, bit) in (any::<prop::sample::Index>(), 0..8_u8),
        ) {
            let mut batch = FrameBatch::new(&header(), first).unwrap();
            let mut said = Vec::new();
            for (place, (op, note)) in ops.into_iter().enumerate() {
                let mut one = Signed {
                    time: trialbook_model::time::Timestamp(place as i64),
                    writer: header().writer,
                    seq: first + place as u64,
                    actor: note.actor,
                    operation: note.operation,
                    op,
                };
                prop_assert!(batch.push(&one).unwrap());
                one.actor = one.actor.or(Some("ann".to_owned()));
                said.push(one);
            }
            prop_assert_eq!(batch.records(), said.len() as u64);
            let read = read_batch(batch.bytes()).unwrap();
            // As text, because a NaN is unlike itself.
            prop_assert_eq!(format!("{read:?}"), format!("{said:?}"));
            let mut bytes = batch.bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(read) = read_batch(&bytes) {
                // A bit of the padding says nothing.
                prop_assert_eq!(format!("{read:?}"), format!("{said:?}"));
            }
            let cut = &batch.bytes()[..at];
            if let Ok(read) = read_batch(cut) {
                prop_assert!(read.len() <= said.len());
                prop_assert_eq!(format!("{read:?}"), format!("{:?}", &said[..read.len()]));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read_batch(&bytes).ok();
        }
    }

    #[test]
    fn another_record_than_the_next_is_not_taken() {
        let mut batch = FrameBatch::new(&header(), 5).unwrap();
        let record = Signed {
            time: trialbook_model::time::Timestamp(1),
            writer: header().writer,
            seq: 6,
            actor: None,
            operation: None,
            op: trialbook_model::record::Op::Unknown {
                kind: 200,
                flags: 0,
                payload: vec![1],
            },
        };
        assert!(!batch.push(&record).unwrap());
        assert_eq!(batch.records(), 0);
    }
}
