//! Where the chunks of one subject are: a packed directory in its row.
//!
//! A subject numbers its streams (a long series, all axes, events …) from 0; the book hands out series
//! numbers in blocks of 64 to it. Not here: chunks themselves.
//! Invariant: a stream number once given is never given again in the same book, purged subjects included.

use std::collections::BTreeMap;

use trialbook_model::record::SeriesKey;
use trialbook_spool::codec::CodecError;
use trialbook_spool::codec::bytes::{Reader, put_varint};

use super::names::Names;

/// Series numbers that a subject gets at a time.
pub(crate) const BLOCK: u64 = 64;

/// Bits of a chunk's id that number it inside its series.
pub(crate) const SEQ_BITS: u32 = 20;

/// The id of a chunk's row.
pub(crate) fn chunk_id(series: u64, seq: u32) -> i64 {
    (series << SEQ_BITS | u64::from(seq)) as i64
}

/// Where a long series is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LongPlace {
    /// Its stream.
    pub(crate) stream: u32,
    /// Values in its chunks.
    pub(crate) count: u64,
    /// The axis chunk of its last chunk, where that is not full.
    pub(crate) tail_axis: Option<u32>,
}

/// Where blocks of records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordPlace {
    /// Their stream.
    pub(crate) stream: u32,
    /// How many blocks.
    pub(crate) blocks: u32,
    /// How much the last block holds (bytes, or items), so that a small one can be written again.
    pub(crate) tail: u64,
}

/// The directory of one subject.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Places {
    /// Blocks of series numbers, each in units of [`BLOCK`].
    pub(crate) blocks: Vec<u64>,
    /// Streams given out.
    streams: u32,
    /// The stream whose pieces together hold all short series.
    pub(crate) short: Option<u32>,
    /// The stream of axes and how many axis chunks were made.
    pub(crate) axes: Option<(u32, u32)>,
    pub(crate) events: Option<RecordPlace>,
    pub(crate) logs: Option<RecordPlace>,
    pub(crate) items: Option<RecordPlace>,
    pub(crate) assessments: Option<RecordPlace>,
    /// Behind everything else, and only where there are some.
    pub(crate) spans: Option<RecordPlace>,
    /// Series with chunks of their own.
    pub(crate) long: BTreeMap<SeriesKey, LongPlace>,
}

const PART: &str = "the directory of a row";

impl Places {
    /// A new stream; `next_block` is the first block that the book has not handed out.
    pub(crate) fn new_stream(&mut self, next_block: &mut u64) -> u32 {
        if u64::from(self.streams) == self.blocks.len() as u64 * BLOCK {
            self.blocks.push(*next_block);
            *next_block += 1;
        }
        self.streams += 1;
        self.streams - 1
    }

    /// The book-wide number of a stream.
    pub(crate) fn series(&self, stream: u32) -> u64 {
        let block = self.blocks.get(stream as usize / BLOCK as usize);
        block.copied().unwrap_or(0) * BLOCK + u64::from(stream) % BLOCK
    }

    /// The id of a chunk of a stream.
    pub(crate) fn chunk(&self, stream: u32, seq: u32) -> i64 {
        chunk_id(self.series(stream), seq)
    }

    /// Streams that it speaks of, by their book-wide numbers.
    pub(crate) fn in_use(&self) -> Vec<u64> {
        let records = [
            self.events,
            self.logs,
            self.items,
            self.assessments,
            self.spans,
        ];
        let records = records.into_iter().flatten().map(|place| place.stream);
        let long = self.long.values().map(|place| place.stream);
        let axes = self.axes.map(|(stream, _)| stream);
        let streams = self
            .short
            .into_iter()
            .chain(axes)
            .chain(records)
            .chain(long);
        let mut streams: Vec<u64> = streams.map(|stream| self.series(stream)).collect();
        streams.sort_unstable();
        streams
    }

    /// First and last id that a stream may use.
    pub(crate) fn stream_range(&self, stream: u32) -> (i64, i64) {
        let series = self.series(stream);
        (chunk_id(series, 0), chunk_id(series + 1, 0) - 1)
    }

    /// Appends it.
    pub(super) fn put(&self, names: &mut Names, out: &mut Vec<u8>) {
        put_varint(out, self.blocks.len() as u64);
        for block in &self.blocks {
            put_varint(out, *block);
        }
        if self.blocks.is_empty() {
            return;
        }
        put_varint(out, u64::from(self.streams));
        put_varint(out, self.short.map_or(0, |stream| u64::from(stream) + 1));
        put_varint(
            out,
            self.axes.map_or(0, |(stream, _)| u64::from(stream) + 1),
        );
        if let Some((_, made)) = self.axes {
            put_varint(out, u64::from(made));
        }
        for place in [self.events, self.logs, self.items, self.assessments] {
            put_record_place(place, out);
        }
        put_varint(out, self.long.len() as u64);
        for (key, place) in &self.long {
            put_varint(out, u64::from(names.number(&key.key)));
            put_varint(out, u64::from(names.number(&key.context)));
            put_varint(out, u64::from(place.stream));
            put_varint(out, place.count);
            put_varint(out, place.tail_axis.map_or(0, |seq| u64::from(seq) + 1));
        }
    }

    /// Appends what stands behind the directory: where spans are.
    pub(super) fn put_spans(&self, out: &mut Vec<u8>) {
        put_record_place(self.spans, out);
    }

    /// Reads what [`Places::put_spans`] wrote.
    pub(super) fn read_spans(&mut self, reader: &mut Reader<'_>) -> Result<(), CodecError> {
        self.spans = record_place(reader)?;
        Ok(())
    }

    /// Reads it.
    pub(super) fn read(reader: &mut Reader<'_>, names: &Names) -> Result<Self, CodecError> {
        let mut places = Self::default();
        let count = reader.count(reader.left(), PART)?;
        for _ in 0..count {
            places.blocks.push(reader.varint(PART)?);
        }
        if places.blocks.is_empty() {
            return Ok(places);
        }
        places.streams = number(reader)?;
        places.short = optional(reader)?;
        if let Some(stream) = optional(reader)? {
            places.axes = Some((stream, number(reader)?));
        }
        places.events = record_place(reader)?;
        places.logs = record_place(reader)?;
        places.items = record_place(reader)?;
        places.assessments = record_place(reader)?;
        let count = reader.count(reader.left() / 5, PART)?;
        for _ in 0..count {
            let key = names.name(reader.varint(PART)?)?.to_owned();
            let context = names.name(reader.varint(PART)?)?.to_owned();
            let place = LongPlace {
                stream: number(reader)?,
                count: reader.varint(PART)?,
                tail_axis: optional(reader)?,
            };
            places.long.insert(SeriesKey { key, context }, place);
        }
        Ok(places)
    }
}

fn number(reader: &mut Reader<'_>) -> Result<u32, CodecError> {
    u32::try_from(reader.varint(PART)?).map_err(|_too_big| CodecError::Malformed { part: PART })
}

fn optional(reader: &mut Reader<'_>) -> Result<Option<u32>, CodecError> {
    Ok(number(reader)?.checked_sub(1))
}

fn put_record_place(place: Option<RecordPlace>, out: &mut Vec<u8>) {
    put_varint(out, place.map_or(0, |place| u64::from(place.stream) + 1));
    if let Some(place) = place {
        put_varint(out, u64::from(place.blocks));
        put_varint(out, place.tail);
    }
}

fn record_place(reader: &mut Reader<'_>) -> Result<Option<RecordPlace>, CodecError> {
    let Some(stream) = optional(reader)? else {
        return Ok(None);
    };
    Ok(Some(RecordPlace {
        stream,
        blocks: number(reader)?,
        tail: reader.varint(PART)?,
    }))
}
