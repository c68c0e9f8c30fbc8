//! What a frame says, as an operation of the model.
//!
//! Invariant: what this version cannot say in full is an error, never half an operation.

use trialbook_model::id::WriterUid;
use trialbook_model::record::{Op, Points, Signed};
use trialbook_model::time::Timestamp;

use super::{Content, Frame, ReaderState};
use crate::frame::{Origin, PointsView, decode_op};

/// Why a frame whose check is right has no meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame that defined an index was lost to damage.
    #[error("record {seq} speaks of {what} {index}, whose definition is lost")]
    Undefined {
        /// The record.
        seq: u64,
        /// `key` or `subject`.
        what: &'static str,
        /// The index.
        index: u32,
    },
    /// A kind that this version knows, with bytes that it cannot read.
    #[error("record {seq} of kind {kind} cannot be read")]
    Unreadable {
        /// The record.
        seq: u64,
        /// Its kind.
        kind: u8,
    },
    /// Nobody says who wrote: the header and its copy are lost.
    #[error("record {seq} has no writer: the file's header is lost")]
    NoWriter {
        /// The record.
        seq: u64,
    },
}

impl Frame<'_> {
    /// The operation as the model has it. Its actor is `None` where the header's is meant; a record of another
    /// origin says its own.
    pub fn to_signed(&self, state: &ReaderState) -> Result<Signed, FrameError> {
        let seq = self.seq;
        let header = state.header().ok_or(FrameError::NoWriter { seq })?;
        let op = match &self.content {
            Content::Points(view) => Op::Points(points_of(view, seq, state)?),
            Content::Op {
                kind,
                flags,
                is_signed,
                payload,
            } => is_signed
                .then(|| decode_op(*kind, *flags, payload))
                .flatten()
                .ok_or(FrameError::Unreadable { seq, kind: *kind })?,
        };
        Ok(self.signed(header.writer, op))
    }

    fn signed(&self, writer: WriterUid, op: Op) -> Signed {
        let Origin { writer, seq } = self.origin.unwrap_or(Origin {
            writer,
            seq: self.seq,
        });
        Signed {
            time: self.time,
            writer,
            seq,
            actor: self.actor.map(str::to_owned),
            operation: self.operation,
            op,
        }
    }
}

fn points_of(view: &PointsView<'_>, seq: u64, state: &ReaderState) -> Result<Points, FrameError> {
    let undefined = |what, index| FrameError::Undefined { seq, what, index };
    let subject = state
        .subject(view.subject)
        .ok_or_else(|| undefined("subject", view.subject))?;
    let values = view
        .iter()
        .map(|(index, value)| {
            let key = state.key(index).ok_or_else(|| undefined("key", index))?;
            Ok((key.clone(), value))
        })
        .collect::<Result<_, FrameError>>()?;
    Ok(Points {
        subject: subject.clone(),
        step: view.step,
        time: Timestamp(view.time),
        set: view.set,
        values,
    })
}
