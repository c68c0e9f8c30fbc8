//! Making the frames of one record, with the definitions that the present file lacks for it.
//!
//! Invariant: after an error nothing of the record counts; what may be half defined is defined again.

use trialbook_model::record::{Op, Points};
use trialbook_model::time::Timestamp;

use super::{Note, SpoolWriter};
use crate::error::SpoolError;
use crate::frame::{
    self, Head, flag, kind, kind_of, odd_flags, put_body, put_payload, put_signature,
};

impl SpoolWriter {
    pub(super) fn frame_points(
        &mut self,
        time: Timestamp,
        points: &Points,
        note: &Note,
    ) -> Result<(), SpoolError> {
        let seq = self.next_seq;
        let subject = self.dictionary.subject(&points.subject);
        let pairs: Vec<_> = points
            .values
            .iter()
            .map(|(key, value)| (self.dictionary.key(key), *value))
            .collect();
        self.dictionary
            .define(&mut self.scratch, seq, subject, &pairs)?;
        let own_time = if points.time == time {
            0
        } else {
            flag::OWN_TIME
        };
        let set = if points.set { flag::SET } else { 0 };
        let start = self.open_record(time, kind::POINTS, own_time | set, note);
        if own_time != 0 {
            self.scratch.extend_from_slice(&points.time.0.to_le_bytes());
        }
        put_body(&mut self.scratch, subject.0, points.step, &pairs);
        self.close_record(start)
    }

    pub(super) fn frame_op(
        &mut self,
        time: Timestamp,
        op: &Op,
        note: &Note,
    ) -> Result<(), SpoolError> {
        let kind = kind_of(op);
        if kind < kind::FIRST_RECORD {
            return Err(SpoolError::ReservedKind { kind });
        }
        let start = self.open_record(time, kind, odd_flags(op), note);
        put_payload(&mut self.scratch, op).map_err(SpoolError::Encode)?;
        self.close_record(start)
    }

    pub(super) fn open_record(
        &mut self,
        time: Timestamp,
        kind: u8,
        flags: u8,
        note: &Note,
    ) -> usize {
        let actor = note.actor.as_deref();
        let head = Head {
            seq: self.next_seq,
            time: time.0,
            kind,
            flags: flags | frame::flags_of(actor, note.operation),
        };
        let start = frame::open(&mut self.scratch, head);
        put_signature(&mut self.scratch, actor, note.operation);
        start
    }

    pub(super) fn close_record(&mut self, start: usize) -> Result<(), SpoolError> {
        let bytes = self.scratch.len() - start;
        if frame::close(&mut self.scratch, start) {
            Ok(())
        } else {
            Err(SpoolError::TooLong { bytes })
        }
    }
}
