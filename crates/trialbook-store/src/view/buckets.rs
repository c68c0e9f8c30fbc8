//! Series in buckets: sealed chunks or their roll-ups, and what is new.
//!
//! Not here: how a bucket is filled. Invariant: buckets asked for together are those asked for one by one.

use std::rc::Rc;

use rustc_hash::FxHashMap;
use trialbook_model::record::SeriesKey;
use trialbook_model::state::SeriesSummary;
use trialbook_spool::codec::{
    Along, Axis, AxisRoll, BucketSpec, Buckets, CHUNK_VALUES, CodecError, EXACT_POINTS, Scratch,
    ValueRoll, decode_axis_rolls, decode_value_rolls,
};

use super::BookView;
use crate::backend::Part;
use crate::error::BookError;
use crate::nouns::{Owner, Series};
use crate::pack::{LongPlace, Places};
use crate::reading::Reading as _;
use crate::sealed::PackedSeries;
use crate::shares;

/// Chunks that repay a thread of their own.
const CHUNKS_EACH: usize = 32;

/// Packed chunks from which they are unpacked before more are read, so that not all are in memory at once.
const CHUNKS_AT_ONCE: usize = 1024;

/// Roll-ups of series that were asked for before.
pub(super) type RollCache = FxHashMap<(Owner, SeriesKey), Rc<Rolls>>;

/// All roll-ups of a long series.
#[derive(Debug, Default)]
pub(super) struct Rolls {
    axis: Vec<AxisRoll>,
    values: Vec<ValueRoll>,
    /// First chunk's roll, and so on: every chunk but the last has as many.
    unordered: Option<()>,
}

/// Buckets, and the chunks that still have to go into them.
struct Filling {
    buckets: Buckets,
    packed: PackedSeries,
}

impl Filling {
    fn finish(&mut self, scratch: &mut Scratch) -> Result<(), BookError> {
        let Self { buckets, packed } = self;
        packed.each_chunk(scratch, |chunk| {
            buckets
                .add_values(&chunk.axis, &chunk.values)
                .map_err(BookError::pack("buckets"))
        })
    }
}

/// Unpacks the chunks of several series, with several threads where there are many.
fn finish_all(fillings: Vec<Filling>, chunks: usize) -> Result<Vec<Buckets>, BookError> {
    let least = (CHUNKS_EACH * fillings.len()).div_ceil(chunks.max(1));
    let finish = |mut filling: Filling| {
        filling.finish(&mut Scratch::default())?;
        Ok(filling.buckets)
    };
    shares::map(fillings, least, finish).into_iter().collect()
}

impl BookView<'_> {
    pub(super) fn buckets_of(
        &self,
        of: &Owner,
        key: &SeriesKey,
        spec: BucketSpec,
    ) -> Result<Buckets, BookError> {
        let mut filling = self.filling(of, key, spec)?;
        filling.finish(&mut self.sealed.scratch())?;
        Ok(filling.buckets)
    }

    pub(super) fn buckets_of_each(
        &self,
        of: &[Owner],
        key: &SeriesKey,
        spec: BucketSpec,
    ) -> Result<Vec<Buckets>, BookError> {
        let mut done = Vec::with_capacity(of.len());
        let (mut waiting, mut chunks) = (Vec::new(), 0);
        for of in of {
            let filling = self.filling(of, key, spec)?;
            chunks += filling.packed.len();
            waiting.push(filling);
            if chunks >= CHUNKS_AT_ONCE {
                done.extend(finish_all(std::mem::take(&mut waiting), chunks)?);
                chunks = 0;
            }
        }
        done.extend(finish_all(waiting, chunks)?);
        Ok(done)
    }

    /// Buckets that hold all but what has to be unpacked chunk by chunk.
    fn filling(&self, of: &Owner, key: &SeriesKey, spec: BucketSpec) -> Result<Filling, BookError> {
        let Some(summary) = self.summary_of(of, key)? else {
            return Ok(Filling {
                buckets: Buckets::new(spec),
                packed: PackedSeries::default(),
            });
        };
        let mut buckets = Buckets::new(whole_range(spec, &summary));
        let (places, kept) = self.places(of)?;
        let packed = if let Some(long) = places.long.get(key) {
            self.add_long(&mut buckets, of, key, (&places, *long))?
        } else {
            add(&mut buckets, self.sealed.series(&places, key)?)?;
            PackedSeries::default()
        };
        if let Some(kept) = kept
            && let Some(slot) = kept.points.known_slot(key)
        {
            let new = kept.points.columns(slot);
            add(
                &mut buckets,
                Series {
                    steps: new.steps,
                    times: new.times,
                    values: new.values,
                },
            )?;
        }
        Ok(Filling { buckets, packed })
    }

    /// Adds the roll-ups of many points; gives the chunks of few, to be added value by value.
    fn add_long(
        &self,
        buckets: &mut Buckets,
        of: &Owner,
        key: &SeriesKey,
        (places, long): (&Places, LongPlace),
    ) -> Result<PackedSeries, BookError> {
        if long.count > EXACT_POINTS {
            let rolls = self.rolls_of(of, key, places, long)?;
            let spec = buckets.spec();
            if rolls.unordered.is_none() && rolls.is_long(spec) {
                buckets
                    .add_rolls(&rolls.axis, &rolls.values)
                    .map_err(BookError::pack("buckets"))?;
                return Ok(PackedSeries::default());
            }
        }
        self.sealed.packed(places, long)
    }

    fn rolls_of(
        &self,
        of: &Owner,
        key: &SeriesKey,
        places: &Places,
        long: LongPlace,
    ) -> Result<Rc<Rolls>, BookError> {
        let entry = (of.clone(), key.clone());
        if let Some(known) = self.rolls.borrow().get(&entry) {
            return Ok(Rc::clone(known));
        }
        let count = long.count.div_ceil(CHUNK_VALUES as u64) as u32;
        let chunks = self.sealed.stream(places, long.stream, count, Part::Roll)?;
        let mut rolls = Rolls::default();
        for chunk in &chunks {
            let damaged = BookError::damaged("chunk", chunk.id);
            decode_value_rolls(&chunk.roll, &mut rolls.values).map_err(damaged)?;
            let axis = self
                .sealed
                .chunk(chunk.axis.unwrap_or(chunk.id), Part::Roll)?;
            let damaged = BookError::damaged("chunk", axis.id);
            decode_axis_rolls(&axis.roll, &mut rolls.axis).map_err(damaged)?;
            if rolls.axis.len() != rolls.values.len() {
                return Err(BookError::damaged("chunk", chunk.id)(
                    CodecError::Malformed {
                        part: "roll-ups and those of their axis differ in number",
                    },
                ));
            }
        }
        let falls = |pair: &[AxisRoll]| pair[0].last_step > pair[1].first_step;
        rolls.unordered = rolls.axis.windows(2).any(falls).then_some(());
        let rolls = Rc::new(rolls);
        self.rolls.borrow_mut().insert(entry, Rc::clone(&rolls));
        Ok(rolls)
    }

    fn summary_of(&self, of: &Owner, key: &SeriesKey) -> Result<Option<SeriesSummary>, BookError> {
        let find = |records: &trialbook_model::state::Records| records.series.get(key).cloned();
        Ok(match of {
            Owner::Run(no) => {
                if let Some(run) = self.fold.runs.get(no) {
                    return Ok(find(&run.row.state.records));
                }
                if self.fold.removed.contains_key(no) {
                    return Ok(None);
                }
                let sealed = self.sealed.run(*no)?;
                sealed.and_then(|sealed| find(&sealed.row.state.records))
            }
            Owner::Experiment(no) => {
                let row = self.experiment(*no)?;
                row.and_then(|row| find(&row.state.records))
            }
            Owner::Project(name) => find(&self.project(name)?.records),
            Owner::Entry(no) => self
                .entry_row(*no)?
                .and_then(|row| find(&row.state.records)),
        })
    }
}

impl Rolls {
    /// Whether a range touches roll-ups of more points than are folded one by one.
    fn is_long(&self, spec: BucketSpec) -> bool {
        let mut touched = self.axis.iter().filter(|roll| {
            let (first, last) = match spec.along {
                Along::Step => (roll.first_step, roll.last_step),
                Along::Time => (roll.first_time, roll.last_time),
            };
            last >= spec.from && first <= spec.to
        });
        let mut points = 0;
        touched.any(|roll| {
            points += u64::from(roll.count);
            points > EXACT_POINTS
        })
    }
}

fn whole_range(mut spec: BucketSpec, summary: &SeriesSummary) -> BucketSpec {
    if spec.from > spec.to {
        (spec.from, spec.to) = match spec.along {
            Along::Step => (summary.first_step, summary.last.step),
            Along::Time => (summary.first_time.0, summary.last_time.0),
        };
    }
    spec
}

fn add(buckets: &mut Buckets, series: Series) -> Result<(), BookError> {
    let pack = BookError::pack("buckets");
    let axis = Axis::new(series.steps, series.times);
    axis.and_then(|axis| buckets.add_values(&axis, &series.values))
        .map_err(pack)
}
