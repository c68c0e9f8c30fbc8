//! New points into chunks: short series into the subject's one packed chunk, long ones behind their tails.
//!
//! Series logged in the same calls share an axis as long as they go together: what shares both the calls of
//! this batch and the axis of its unfilled tail shares the axis that follows. Not here: codecs.
//! Invariant: a chunk that is full is never written again; every chunk of values names its axis chunk.

use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::record::SeriesKey;
use trialbook_spool::codec::{
    Axis, CHUNK_VALUES, axis_rolls, encode_axis, encode_axis_rolls, encode_value_rolls,
    encode_values, value_rolls,
};

use super::Writer;
use super::groups::{Calls, Form, Prior, bundles, calls_of, groups_of, values_of};
use crate::backend::{ChunkRecord, Part};
use crate::error::BookError;
use crate::fold::Kept;
use crate::pack::{LongPlace, Places, ShortPack, ShortSeries};
use crate::sealed::LongChunk;

/// Bytes of one piece of the packed chunk. Whole, it would mostly fill half a page of the database and leave
/// the other half empty; so small, pieces fill pages to the brim (ADR 0002).
const PIECE_BYTES: usize = 480;

/// Axis chunks that are open, and what becomes of them.
#[derive(Default)]
struct Tails {
    met: BTreeSet<u32>,
    reused: BTreeSet<u32>,
}

impl Writer<'_> {
    /// Writes the new points of a subject.
    pub(super) fn write_points(&mut self, kept: &mut Kept) -> Result<(), BookError> {
        if kept.points.is_empty() {
            return Ok(());
        }
        let groups = groups_of(&kept.points);
        let old = self.sealed.short(&kept.places, None)?.unwrap_or_default();
        let packed: BTreeMap<&SeriesKey, &ShortSeries> = old
            .series
            .iter()
            .map(|series| (&series.key, series))
            .collect();
        let mut short = ShortPack::default();
        let mut moved = BTreeSet::new();
        let mut tails = Tails::default();
        for group in &groups {
            let calls = calls_of(&kept.points, group);
            for ((prior, form), members) in bundles(kept, group, &packed, calls.calls.steps.len()) {
                moved.extend(members.iter().map(|member| member.key.clone()));
                let before =
                    |key: &SeriesKey| packed.get(key).map(|series| series.values.as_slice());
                match form {
                    Form::Short => {
                        let axis = self.prior_calls(kept, prior, &old)?.then(&calls.calls);
                        short.axes.push(axis.into_axis()?);
                        for member in members {
                            let mut values = before(&member.key).unwrap_or_default().to_vec();
                            values.extend(values_of(&kept.points, group, member, &calls));
                            short.series.push(ShortSeries {
                                key: member.key.clone(),
                                axis: short.axes.len() - 1,
                                values,
                            });
                        }
                    }
                    Form::Long => {
                        let all = self.prior_calls(kept, prior, &old)?.then(&calls.calls);
                        let axes =
                            self.write_axis(kept, &all, tails.meet(kept, prior, members.len()))?;
                        for member in members {
                            let mut values = before(&member.key).unwrap_or_default().to_vec();
                            if let Prior::Tail(_) = prior {
                                values = self.tail_values(&kept.places, &member.key)?;
                            }
                            values.extend(values_of(&kept.points, group, member, &calls));
                            self.write_values(kept, &member.key, &values, &axes)?;
                        }
                    }
                }
            }
        }
        self.drop_tails(kept, &tails);
        self.write_short(kept, &old, short, &moved)
    }

    /// The calls that new ones follow.
    fn prior_calls(&self, kept: &Kept, prior: Prior, old: &ShortPack) -> Result<Calls, BookError> {
        let axis = match prior {
            Prior::Nothing => return Ok(Calls::default()),
            Prior::Packed(at) => old.axes[at].clone(),
            Prior::Tail(seq) => {
                let stream = kept.places.axes.map_or(0, |(stream, _)| stream);
                let chunk = self
                    .sealed
                    .chunk(kept.places.chunk(stream, seq), Part::Data)?;
                let mut axis = Axis::default();
                let scratch = &mut self.sealed.scratch();
                trialbook_spool::codec::decode_axis(&chunk.data, scratch, &mut axis)
                    .map_err(BookError::damaged("chunk", chunk.id))?;
                axis
            }
        };
        Ok(Calls {
            steps: axis.steps().to_vec(),
            times: axis.times().to_vec(),
        })
    }

    /// The values of a long series' last chunk, which is not full.
    pub(super) fn tail_values(
        &self,
        places: &Places,
        key: &SeriesKey,
    ) -> Result<Vec<f64>, BookError> {
        let Some(place) = places.long.get(key) else {
            return Ok(Vec::new());
        };
        let seq = (place.count / CHUNK_VALUES as u64) as u32;
        let chunk = self
            .sealed
            .chunk(places.chunk(place.stream, seq), Part::Data)?;
        let axes = self.sealed.axes_of(std::slice::from_ref(&chunk))?;
        let mut buffer = LongChunk::default();
        self.sealed.unpack_chunk(&chunk, &axes[0], &mut buffer)?;
        Ok(buffer.values)
    }

    /// Writes calls as axis chunks, the first in the place of one that goes on; gives each with its number.
    fn write_axis(
        &mut self,
        kept: &mut Kept,
        calls: &Calls,
        mut reused: Option<u32>,
    ) -> Result<Vec<(u32, Axis)>, BookError> {
        let (stream, mut made) = match kept.places.axes {
            Some(axes) => axes,
            None => (kept.places.new_stream(&mut self.change.counters.block), 0),
        };
        let mut axes = Vec::new();
        for (steps, times) in calls
            .steps
            .chunks(CHUNK_VALUES)
            .zip(calls.times.chunks(CHUNK_VALUES))
        {
            let seq = reused.take().unwrap_or_else(|| {
                made += 1;
                made - 1
            });
            let pack = BookError::pack("an axis");
            let axis = Axis::new(steps.to_vec(), times.to_vec()).map_err(pack)?;
            let rolls = encode_axis_rolls(&axis_rolls(&axis));
            self.change.chunks.push(ChunkRecord {
                id: kept.places.chunk(stream, seq),
                axis: None,
                roll: rolls.map_err(BookError::pack("roll-ups"))?,
                data: encode_axis(steps, times).map_err(BookError::pack("an axis"))?,
            });
            axes.push((seq, axis));
        }
        kept.places.axes = Some((stream, made));
        Ok(axes)
    }

    /// Writes values behind the full chunks of a series.
    fn write_values(
        &mut self,
        kept: &mut Kept,
        key: &SeriesKey,
        values: &[f64],
        axes: &[(u32, Axis)],
    ) -> Result<(), BookError> {
        let full = CHUNK_VALUES as u64;
        let mut place = match kept.places.long.get(key) {
            Some(place) => *place,
            None => LongPlace {
                stream: kept.places.new_stream(&mut self.change.counters.block),
                count: 0,
                tail_axis: None,
            },
        };
        let first = place.count / full;
        let axis_stream = kept.places.axes.map_or(0, |(stream, _)| stream);
        for (at, (values, (axis_seq, axis))) in values.chunks(CHUNK_VALUES).zip(axes).enumerate() {
            let rolls = value_rolls(axis, values).and_then(|rolls| encode_value_rolls(&rolls));
            let seq = (first + at as u64) as u32;
            self.change.chunks.push(ChunkRecord {
                id: kept.places.chunk(place.stream, seq),
                axis: Some(kept.places.chunk(axis_stream, *axis_seq)),
                roll: rolls.map_err(BookError::pack("roll-ups"))?,
                data: encode_values(values).map_err(BookError::pack("values"))?,
            });
        }
        place.count = first * full + values.len() as u64;
        let open = place.count % full != 0;
        place.tail_axis = axes.last().filter(|_| open).map(|(seq, _)| *seq);
        kept.places.long.insert(key.clone(), place);
        Ok(())
    }

    /// Removes axis chunks that were open and that nobody refers to any more.
    fn drop_tails(&mut self, kept: &Kept, tails: &Tails) {
        let Some((stream, _)) = kept.places.axes else {
            return;
        };
        for seq in tails.met.difference(&tails.reused) {
            let held = kept
                .places
                .long
                .values()
                .any(|place| place.tail_axis == Some(*seq));
            if !held {
                let id = kept.places.chunk(stream, *seq);
                self.change.removed_chunks.push((id, id));
            }
        }
    }

    /// Writes the packed chunk anew: what has moved as it is now, the rest as it was.
    fn write_short(
        &mut self,
        kept: &mut Kept,
        old: &ShortPack,
        mut short: ShortPack,
        moved: &BTreeSet<SeriesKey>,
    ) -> Result<(), BookError> {
        let mut axes = BTreeMap::new();
        for series in old
            .series
            .iter()
            .filter(|series| !moved.contains(&series.key))
        {
            let axis = *axes.entry(series.axis).or_insert_with(|| {
                short.axes.push(old.axes[series.axis].clone());
                short.axes.len() - 1
            });
            short.series.push(ShortSeries {
                axis,
                ..series.clone()
            });
        }
        let before = kept.places.short.take();
        if let Some(stream) = before {
            let range = kept.places.stream_range(stream);
            self.change.removed_chunks.push(range);
        }
        if short.series.is_empty() {
            return Ok(());
        }
        short.series.sort_by(|left, right| left.key.cmp(&right.key));
        let stream = match before {
            Some(stream) => stream,
            None => kept.places.new_stream(&mut self.change.counters.block),
        };
        kept.places.short = Some(stream);
        let blob = short
            .pack(&mut self.names)
            .map_err(BookError::pack("short series"))?;
        for (seq, piece) in (0..).zip(blob.chunks(PIECE_BYTES)) {
            self.change.chunks.push(ChunkRecord {
                id: kept.places.chunk(stream, seq),
                data: piece.to_vec(),
                ..ChunkRecord::default()
            });
        }
        Ok(())
    }
}

impl Tails {
    /// Notes an axis that goes on; gives it where all series that share it go on together.
    fn meet(&mut self, kept: &Kept, prior: Prior, members: usize) -> Option<u32> {
        let Prior::Tail(seq) = prior else {
            return None;
        };
        let places = kept.places.long.values();
        let holders = places.filter(|place| place.tail_axis == Some(seq)).count();
        let together = self.met.insert(seq) && holders == members;
        together.then(|| {
            self.reused.insert(seq);
            seq
        })
    }
}
