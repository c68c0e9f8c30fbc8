//! What is sealed, unpacked: rows of nouns, points of series, blocks of records.
//!
//! Not here: unsealed tails, sorting. Invariant: nothing here changes what it reads.

mod nouns;
mod sharing;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use serde::de::DeserializeOwned;
use trialbook_model::record::SeriesKey;
use trialbook_model::state::ProjectState;
use trialbook_spool::codec::{Axis, CHUNK_VALUES, Scratch, decode_axis, decode_values};

use crate::backend::{ChunkRecord, Counters, Look, Part};
use crate::error::BookError;
use crate::fold::Shared;
use crate::nouns::{ExperimentRow, ItemRecord, Recorded, RunRow, Series};
use crate::pack::{
    ItemBlock, LongPlace, Names, Places, RecordPlace, ShortPack, unpack_items, unpack_records,
};

/// A sealed run.
#[derive(Debug, Clone)]
pub(crate) struct SealedRun {
    pub(crate) row: Shared<RunRow>,
    pub(crate) places: Places,
}

/// A sealed experiment.
#[derive(Debug, Clone)]
pub(crate) struct SealedExperiment {
    pub(crate) row: ExperimentRow,
    pub(crate) places: Places,
    /// The bytes of its row, where they are damaged: then only project and name are known.
    pub(crate) aside: Option<Vec<u8>>,
}

/// A sealed project.
#[derive(Debug, Clone)]
pub(crate) struct SealedProject {
    pub(crate) rev: u64,
    pub(crate) state: ProjectState,
    pub(crate) places: Places,
    /// The bytes of its row, where they are damaged: then nothing else is known of it.
    pub(crate) aside: Option<Vec<u8>>,
}

/// A look at what is sealed.
pub(crate) struct Sealed<'a> {
    look: Box<dyn Look + 'a>,
    names: Arc<Names>,
    counters: Counters,
    scratch: RefCell<Scratch>,
    /// The run that was asked for last: one question mostly follows another.
    last_run: RefCell<Option<Rc<SealedRun>>>,
}

/// The chunks of a long series as they were read, each with its axis.
#[derive(Debug, Default)]
pub(crate) struct PackedSeries {
    chunks: Vec<ChunkRecord>,
    axes: Vec<ChunkRecord>,
}

impl PackedSeries {
    /// How many chunks of values.
    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Unpacks each chunk and gives it to `each`, in order.
    pub(crate) fn each_chunk(
        &self,
        scratch: &mut Scratch,
        mut each: impl FnMut(&LongChunk) -> Result<(), BookError>,
    ) -> Result<(), BookError> {
        let mut buffer = LongChunk::default();
        for (chunk, axis) in self.chunks.iter().zip(&self.axes) {
            unpack(chunk, axis, &mut buffer, scratch)?;
            each(&buffer)?;
        }
        Ok(())
    }
}

/// The axis and the values of one chunk of a long series.
#[derive(Debug, Default)]
pub(crate) struct LongChunk {
    pub(crate) axis: Axis,
    pub(crate) values: Vec<f64>,
}

impl<'a> Sealed<'a> {
    /// Reads what every look needs.
    pub(crate) fn open(look: Box<dyn Look + 'a>) -> Result<Self, BookError> {
        let mut names = Names::default();
        for (_, name) in look.names(names.len())? {
            names.number(&name);
        }
        let counters = look.counters()?;
        Ok(Self::with(look, counters, Arc::new(names)))
    }

    pub(crate) fn look(&self) -> &dyn Look {
        self.look.as_ref()
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }

    /// One chunk, which has to exist.
    pub(crate) fn chunk(&self, id: i64, part: Part) -> Result<ChunkRecord, BookError> {
        let chunk = self.look.chunks((id, id), part)?.pop();
        chunk.ok_or_else(|| BookError::Lost {
            table: "chunk",
            row: id,
        })
    }

    /// All chunks of a stream from 0 to before `count`, which have to exist.
    pub(crate) fn stream(
        &self,
        places: &Places,
        stream: u32,
        count: u32,
        part: Part,
    ) -> Result<Vec<ChunkRecord>, BookError> {
        let Some(last) = count.checked_sub(1) else {
            return Ok(Vec::new());
        };
        let range = (places.chunk(stream, 0), places.chunk(stream, last));
        let chunks = self.look.chunks(range, part)?;
        let gap = chunks
            .iter()
            .zip(range.0..)
            .find(|(chunk, id)| chunk.id != *id);
        let gap = gap.map(|(_, id)| id);
        let missing = gap
            .or_else(|| (chunks.len() < count as usize).then_some(range.0 + chunks.len() as i64));
        match missing {
            Some(row) => Err(BookError::Lost {
                table: "chunk",
                row,
            }),
            None => Ok(chunks),
        }
    }

    /// The sealed points of a series, in stored order.
    pub(crate) fn series(&self, places: &Places, key: &SeriesKey) -> Result<Series, BookError> {
        let mut series = Series::default();
        if let Some(long) = places.long.get(key) {
            let packed = self.packed(places, *long)?;
            return unpacked(&packed.chunks, &packed.axes);
        } else if let Some(pack) = self.short(places, Some(key))? {
            for short in pack.series {
                let axis = &pack.axes[short.axis];
                series.steps.extend_from_slice(axis.steps());
                series.times.extend_from_slice(axis.times());
                series.values.extend(short.values);
            }
        }
        Ok(series)
    }

    /// All short series by key: for whoever needs each of them, the pack is unpacked once.
    pub(crate) fn short_by_key(
        &self,
        places: &Places,
    ) -> Result<BTreeMap<SeriesKey, Series>, BookError> {
        let Some(pack) = self.short(places, None)? else {
            return Ok(BTreeMap::new());
        };
        let axes = pack.axes;
        let series = pack.series.into_iter().map(|short| {
            let axis = &axes[short.axis];
            let series = Series {
                steps: axis.steps().to_vec(),
                times: axis.times().to_vec(),
                values: short.values,
            };
            (short.key, series)
        });
        Ok(series.collect())
    }

    /// All short series, or only one.
    pub(crate) fn short(
        &self,
        places: &Places,
        only: Option<&SeriesKey>,
    ) -> Result<Option<ShortPack>, BookError> {
        let Some(stream) = places.short else {
            return Ok(None);
        };
        let range = places.stream_range(stream);
        let pieces = self.look.chunks(range, Part::Data)?;
        let blob: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.data).collect();
        let scratch = &mut self.scratch.borrow_mut();
        let pack = ShortPack::unpack(&blob, &self.names, only, scratch)
            .map_err(BookError::damaged("chunk", range.0))?;
        Ok(Some(pack))
    }

    /// The packed chunks of a long series and the axis of each.
    pub(crate) fn packed(
        &self,
        places: &Places,
        long: LongPlace,
    ) -> Result<PackedSeries, BookError> {
        let count = long.count.div_ceil(CHUNK_VALUES as u64) as u32;
        let chunks = self.stream(places, long.stream, count, Part::Data)?;
        let axes = self.axes_of(&chunks)?;
        Ok(PackedSeries { chunks, axes })
    }

    /// The axis chunk of each chunk of values.
    pub(crate) fn axes_of(&self, chunks: &[ChunkRecord]) -> Result<Vec<ChunkRecord>, BookError> {
        let ids = chunks.iter().filter_map(|chunk| chunk.axis);
        let (least, greatest) = ids.fold((i64::MAX, i64::MIN), |(least, greatest), id| {
            (least.min(id), greatest.max(id))
        });
        // Axes of one series lie close together, unless many series went ways of their own.
        if greatest.wrapping_sub(least) >= 0 && (greatest - least) < 2 * chunks.len() as i64 {
            let near = self.look.chunks((least, greatest), Part::Data)?;
            let wanted = chunks.iter().map(|chunk| chunk.axis);
            if near.iter().map(|axis| Some(axis.id)).eq(wanted) {
                return Ok(near);
            }
            let find = |id: i64| {
                let at = near.binary_search_by_key(&id, |axis| axis.id).ok()?;
                near.get(at).cloned()
            };
            return chunks
                .iter()
                .map(|chunk| {
                    chunk.axis.and_then(find).ok_or_else(|| BookError::Lost {
                        table: "chunk",
                        row: chunk.axis.unwrap_or(chunk.id),
                    })
                })
                .collect();
        }
        chunks
            .iter()
            .map(|chunk| self.chunk(chunk.axis.unwrap_or(chunk.id), Part::Data))
            .collect()
    }

    /// Unpacks a chunk of values and its axis.
    pub(crate) fn unpack_chunk(
        &self,
        chunk: &ChunkRecord,
        axis: &ChunkRecord,
        buffer: &mut LongChunk,
    ) -> Result<(), BookError> {
        unpack(chunk, axis, buffer, &mut self.scratch.borrow_mut())
    }

    /// All records of a stream, in stored order.
    pub(crate) fn records<T: DeserializeOwned>(
        &self,
        places: &Places,
        place: Option<RecordPlace>,
    ) -> Result<Vec<Recorded<T>>, BookError> {
        let mut records = Vec::new();
        let Some(place) = place else {
            return Ok(records);
        };
        for chunk in self.stream(places, place.stream, place.blocks, Part::Data)? {
            unpack_records(&chunk.data, &mut records)
                .map_err(BookError::damaged("chunk", chunk.id))?;
        }
        Ok(records)
    }

    /// All items, in stored order.
    pub(crate) fn items(&self, places: &Places) -> Result<Vec<ItemRecord>, BookError> {
        let mut items = Vec::new();
        let Some(place) = places.items else {
            return Ok(items);
        };
        for chunk in self.stream(places, place.stream, place.blocks, Part::Both)? {
            let block = ItemBlock {
                numbers: chunk.roll,
                texts: chunk.data,
            };
            unpack_items(&block, &mut self.scratch.borrow_mut(), &mut items)
                .map_err(BookError::damaged("chunk", chunk.id))?;
        }
        Ok(items)
    }

    /// Memory for decoding.
    pub(crate) fn scratch(&self) -> std::cell::RefMut<'_, Scratch> {
        self.scratch.borrow_mut()
    }
}

/// Unpacks a chunk of values and its axis.
fn unpack(
    chunk: &ChunkRecord,
    axis: &ChunkRecord,
    buffer: &mut LongChunk,
    scratch: &mut Scratch,
) -> Result<(), BookError> {
    buffer.axis.clear();
    buffer.values.clear();
    decode_axis(&axis.data, scratch, &mut buffer.axis)
        .map_err(BookError::damaged("chunk", axis.id))?;
    decode_values(&chunk.data, scratch, &mut buffer.values)
        .map_err(BookError::damaged("chunk", chunk.id))?;
    if buffer.axis.len() == buffer.values.len() {
        return Ok(());
    }
    Err(BookError::damaged("chunk", chunk.id)(
        trialbook_spool::codec::CodecError::Malformed {
            part: "values and their axis differ in length",
        },
    ))
}

/// Chunks that repay a thread of their own.
const CHUNKS_EACH: usize = 32;

/// The points of chunks and their axes, in their order; unpacked by several threads where there are many.
fn unpacked(chunks: &[ChunkRecord], axes: &[ChunkRecord]) -> Result<Series, BookError> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = chunks.len().div_ceil(threads).max(CHUNKS_EACH);
    let mut parts = chunks.chunks(share).zip(axes.chunks(share));
    let Some((first, first_axes)) = parts.next() else {
        return Ok(Series::default());
    };
    thread::scope(|scope| {
        let others: Vec<_> = parts
            .map(|(part, axes)| scope.spawn(move || unpack_part(part, axes, part.len())))
            .collect();
        let mut series = unpack_part(first, first_axes, chunks.len())?;
        for other in others {
            let other = other.join().expect("unpacking does not panic")?;
            series.steps.extend_from_slice(&other.steps);
            series.times.extend_from_slice(&other.times);
            series.values.extend_from_slice(&other.values);
        }
        Ok(series)
    })
}

/// The points of some chunks; there is room for those of `room` chunks.
fn unpack_part(
    chunks: &[ChunkRecord],
    axes: &[ChunkRecord],
    room: usize,
) -> Result<Series, BookError> {
    let room = room * CHUNK_VALUES;
    let mut series = Series {
        steps: Vec::with_capacity(room),
        times: Vec::with_capacity(room),
        values: Vec::with_capacity(room),
    };
    let (mut buffer, mut scratch) = (LongChunk::default(), Scratch::default());
    for (chunk, axis) in chunks.iter().zip(axes) {
        unpack(chunk, axis, &mut buffer, &mut scratch)?;
        series.steps.extend_from_slice(buffer.axis.steps());
        series.times.extend_from_slice(buffer.axis.times());
        series.values.extend_from_slice(&buffer.values);
    }
    Ok(series)
}
