//! New events, console output, judgements, spans and items into blocks; a small last block is written again.

use serde::Serialize;
use serde::de::DeserializeOwned;
use trialbook_model::record::{Event, Log, Span};
use trialbook_spool::codec::CodecError;

use super::Writer;
use crate::backend::{ChunkRecord, Part};
use crate::error::BookError;
use crate::fold::Kept;
use crate::nouns::{ItemRecord, Recorded};
use crate::pack::{ItemBlock, RecordPlace, pack_items, pack_records, unpack_items, unpack_records};

/// Bytes that the records of one block have together, roughly.
const BLOCK_BYTES: usize = 256 << 10;

/// A last block of fewer packed bytes is written again with what follows.
const SMALL_BYTES: u64 = 16 << 10;

/// Items of one block.
const BLOCK_ITEMS: usize = 16_384;

/// A last block of fewer items is written again with what follows.
const SMALL_ITEMS: u64 = 4096;

/// Bytes of a record besides its texts, roughly.
const RECORD_BYTES: usize = 64;

impl Writer<'_> {
    /// Writes what is new of a subject, points apart.
    pub(super) fn write_records(&mut self, kept: &mut Kept) -> Result<(), BookError> {
        let event_bytes = |event: &Event| event.text.len() + event.data.to_string().len();
        let log_bytes = |log: &Log| log.text.len();
        let events = std::mem::take(&mut kept.events);
        kept.places.events = self.write_blocks(kept, kept.places.events, events, event_bytes)?;
        let logs = std::mem::take(&mut kept.logs);
        kept.places.logs = self.write_blocks(kept, kept.places.logs, logs, log_bytes)?;
        let judged = std::mem::take(&mut kept.assessments);
        let place = kept.places.assessments;
        kept.places.assessments = self.write_blocks(kept, place, judged, |_| 0)?;
        let span_bytes = |span: &Span| span.trace.len() + span.data.to_string().len();
        let spans = std::mem::take(&mut kept.spans);
        kept.places.spans = self.write_blocks(kept, kept.places.spans, spans, span_bytes)?;
        let items = std::mem::take(&mut kept.items);
        kept.places.items = self.write_items(kept, items)?;
        Ok(())
    }

    fn write_blocks<T: Serialize + DeserializeOwned>(
        &mut self,
        kept: &mut Kept,
        place: Option<RecordPlace>,
        new: Vec<Recorded<T>>,
        bytes: impl Fn(&T) -> usize,
    ) -> Result<Option<RecordPlace>, BookError> {
        if new.is_empty() {
            return Ok(place);
        }
        let mut place = self.record_place(kept, place);
        let mut records = Vec::new();
        if place.blocks > 0 && place.tail < SMALL_BYTES {
            place.blocks -= 1;
            let id = kept.places.chunk(place.stream, place.blocks);
            // A block that cannot be read makes room, and is kept.
            let mut chunks = self.sealed.look().chunks((id, id), Part::Data)?;
            if let Some(chunk) = chunks.pop()
                && unpack_records(&chunk.data, &mut records).is_err()
            {
                records.clear();
                self.keep_aside(&mut kept.places, chunk.data);
            }
        }
        records.extend(new);
        let mut start = 0;
        while start < records.len() {
            let mut weight = 0;
            let rest = &records[start..];
            let count = rest.iter().take_while(|record| {
                let fits = weight < BLOCK_BYTES;
                weight += bytes(&record.record) + RECORD_BYTES;
                fits
            });
            let count = count.count();
            let data = pack_records(&rest[..count]).map_err(BookError::pack("records"))?;
            place.tail = data.len() as u64;
            self.change.chunks.push(ChunkRecord {
                id: kept.places.chunk(place.stream, place.blocks),
                data,
                ..ChunkRecord::default()
            });
            place.blocks += 1;
            start += count;
        }
        Ok(Some(place))
    }

    fn write_items(
        &mut self,
        kept: &mut Kept,
        new: Vec<ItemRecord>,
    ) -> Result<Option<RecordPlace>, BookError> {
        if new.is_empty() {
            return Ok(kept.places.items);
        }
        let mut place = self.record_place(kept, kept.places.items);
        let mut items = Vec::new();
        if place.blocks > 0 && place.tail < SMALL_ITEMS {
            place.blocks -= 1;
            let id = kept.places.chunk(place.stream, place.blocks);
            let mut chunks = self.sealed.look().chunks((id, id), Part::Both)?;
            if let Some(chunk) = chunks.pop() {
                let block = ItemBlock {
                    numbers: chunk.roll,
                    texts: chunk.data,
                };
                let unpacked: Result<(), CodecError> =
                    unpack_items(&block, &mut self.sealed.scratch(), &mut items);
                // A block that cannot be read makes room, and is kept.
                if unpacked.is_err() {
                    items.clear();
                    self.keep_aside(&mut kept.places, block.numbers);
                    self.keep_aside(&mut kept.places, block.texts);
                }
            }
        }
        items.extend(new);
        for items in items.chunks(BLOCK_ITEMS) {
            let block = pack_items(items).map_err(BookError::pack("items"))?;
            self.change.chunks.push(ChunkRecord {
                id: kept.places.chunk(place.stream, place.blocks),
                axis: None,
                roll: block.numbers,
                data: block.texts,
            });
            place.tail = items.len() as u64;
            place.blocks += 1;
        }
        Ok(Some(place))
    }

    fn record_place(&mut self, kept: &mut Kept, place: Option<RecordPlace>) -> RecordPlace {
        place.unwrap_or_else(|| RecordPlace {
            stream: kept.places.new_stream(&mut self.change.counters.block),
            blocks: 0,
            tail: 0,
        })
    }
}
