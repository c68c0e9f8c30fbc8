//! The stamps of one row, each written once: most entries of a run were said in the same breath.

use rustc_hash::FxHashMap;
use trialbook_model::id::{Uid, WriterUid};
use trialbook_model::state::Stamp;
use trialbook_model::time::Timestamp;
use trialbook_spool::codec::CodecError;
use trialbook_spool::codec::bytes::{Reader, put_signed, put_varint};

/// Stamps met while packing.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    table: Vec<Stamp>,
    places: FxHashMap<Stamp, u64>,
    writers: Vec<WriterUid>,
}

impl Stamps {
    /// Appends the place of a stamp in the table.
    pub(super) fn put(&mut self, stamp: Stamp, out: &mut Vec<u8>) {
        let next = self.table.len() as u64;
        let place = *self.places.entry(stamp).or_insert(next);
        if place == next {
            self.table.push(stamp);
        }
        put_varint(out, place);
    }

    /// Appends a writer's place in its table.
    pub(super) fn put_writer(&mut self, writer: WriterUid, out: &mut Vec<u8>) {
        let place = self.writer(writer);
        put_varint(out, place);
    }

    fn writer(&mut self, writer: WriterUid) -> u64 {
        let known = self.writers.iter().position(|known| *known == writer);
        known.unwrap_or_else(|| {
            self.writers.push(writer);
            self.writers.len() - 1
        }) as u64
    }

    /// Appends the tables.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        let mut columns = Vec::new();
        let (mut time, mut seq) = (0_i64, 0_u64);
        let stamps = std::mem::take(&mut self.table);
        for stamp in &stamps {
            put_signed(&mut columns, stamp.time.0.wrapping_sub(time));
            put_varint(&mut columns, self.writer(stamp.writer));
            put_signed(&mut columns, stamp.seq.wrapping_sub(seq) as i64);
            (time, seq) = (stamp.time.0, stamp.seq);
        }
        put_varint(out, self.writers.len() as u64);
        for writer in &self.writers {
            out.extend_from_slice(&writer.0.0);
        }
        put_varint(out, stamps.len() as u64);
        out.extend_from_slice(&columns);
    }
}

/// The tables of a row being read.
#[derive(Debug, Default)]
pub(super) struct StampTable {
    stamps: Vec<Stamp>,
    writers: Vec<WriterUid>,
}

const PART: &str = "the stamps of a row";

impl StampTable {
    /// Reads the tables.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let count = reader.count(reader.left() / 16, PART)?;
        let mut writers = Vec::with_capacity(count);
        for _ in 0..count {
            let bytes = reader.take(16, PART)?;
            let bytes = bytes.try_into().expect("sixteen bytes were taken");
            writers.push(WriterUid(Uid(bytes)));
        }
        let mut table = Self {
            stamps: Vec::new(),
            writers,
        };
        let count = reader.count(reader.left() / 3, PART)?;
        let (mut time, mut seq) = (0_i64, 0_u64);
        for _ in 0..count {
            time = time.wrapping_add(reader.signed(PART)?);
            let writer = table.writer(reader)?;
            seq = seq.wrapping_add(reader.signed(PART)? as u64);
            table.stamps.push(Stamp {
                time: Timestamp(time),
                writer,
                seq,
            });
        }
        Ok(table)
    }

    /// Reads a stamp's place.
    pub(super) fn stamp(&self, reader: &mut Reader<'_>) -> Result<Stamp, CodecError> {
        let place = reader.varint(PART)?;
        let stamp = usize::try_from(place)
            .ok()
            .and_then(|at| self.stamps.get(at));
        stamp.copied().ok_or(CodecError::Malformed { part: PART })
    }

    /// Reads a writer's place.
    pub(super) fn writer(&self, reader: &mut Reader<'_>) -> Result<WriterUid, CodecError> {
        let place = reader.varint(PART)?;
        let writer = usize::try_from(place)
            .ok()
            .and_then(|at| self.writers.get(at));
        writer.copied().ok_or(CodecError::Malformed { part: PART })
    }
}
