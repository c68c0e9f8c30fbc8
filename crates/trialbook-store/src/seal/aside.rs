//! What a seal does with damaged bytes that it would go on with: they are kept apart, and it begins anew.
//!
//! Not here: naming them (a check does, by the streams that no directory speaks of). Invariant: no bytes of
//! a subject are thrown away because they cannot be read, and none of them stop a seal.

use trialbook_spool::codec::CHUNK_VALUES;

use super::Writer;
use crate::backend::{ChunkRecord, Part};
use crate::error::BookError;
use crate::fold::Kept;
use crate::pack::Places;

impl Writer<'_> {
    /// Writes new points; where chunks that they follow are damaged, behind what can be read.
    pub(super) fn write_points_or_go_round(&mut self, kept: &mut Kept) -> Result<(), BookError> {
        if kept.points.is_empty() {
            return Ok(());
        }
        let before = kept.places.clone();
        let (chunks, removed) = (self.change.chunks.len(), self.change.removed_chunks.len());
        match self.write_points(kept) {
            Err(error) if error.is_damage() => {
                kept.places = before;
                self.change.chunks.truncate(chunks);
                self.change.removed_chunks.truncate(removed);
                self.go_round(&mut kept.places)?;
                self.write_points(kept)
            }
            written => written,
        }
    }

    /// Lets go of all open chunks of points that cannot be read.
    fn go_round(&mut self, places: &mut Places) -> Result<(), BookError> {
        if is_damaged(self.sealed.short(places, None))? {
            // The stream stays, and a new one is begun.
            places.short = None;
        }
        let full = CHUNK_VALUES as u64;
        let open: Vec<_> = places
            .long
            .iter()
            .filter(|(_, place)| place.tail_axis.is_some())
            .map(|(key, place)| (key.clone(), *place))
            .collect();
        for (key, mut place) in open {
            if !is_damaged(self.tail_values(places, &key))? {
                continue;
            }
            let id = places.chunk(place.stream, (place.count / full) as u32);
            if let Some(chunk) = self.sealed.look().chunks((id, id), Part::Data)?.pop() {
                self.keep_aside(places, chunk.data);
            }
            place.count -= place.count % full;
            place.tail_axis = None;
            places.long.insert(key, place);
        }
        Ok(())
    }

    /// Keeps bytes in a stream of their own, which no directory speaks of.
    pub(super) fn keep_aside(&mut self, places: &mut Places, data: Vec<u8>) {
        let stream = places.new_stream(&mut self.change.counters.block);
        self.change.chunks.push(ChunkRecord {
            id: places.chunk(stream, 0),
            data,
            ..ChunkRecord::default()
        });
    }
}

/// Whether what was read is damaged; other failures stay failures.
fn is_damaged<T>(read: Result<T, BookError>) -> Result<bool, BookError> {
    match read {
        Ok(_) => Ok(false),
        Err(error) if error.is_damage() => Ok(true),
        Err(error) => Err(error),
    }
}
