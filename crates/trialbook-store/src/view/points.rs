//! Points and buckets of a series: sealed chunks and what is new.

use std::rc::Rc;

use rustc_hash::FxHashMap;
use trialbook_model::record::SeriesKey;
use trialbook_model::state::SeriesSummary;
use trialbook_spool::codec::{
    Along, Axis, AxisRoll, BucketSpec, Buckets, CHUNK_VALUES, CodecError, EXACT_POINTS, ValueRoll,
    decode_axis_rolls, decode_value_rolls, order_of,
};

use super::BookView;
use crate::backend::Part;
use crate::error::BookError;
use crate::nouns::{Owner, Series};
use crate::pack::{LongPlace, Places};
use crate::reading::Reading as _;

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

impl BookView<'_> {
    /// All points of a series, in the order of points.
    pub(super) fn points_of(&self, of: &Owner, key: &SeriesKey) -> Result<Series, BookError> {
        let (places, kept) = self.places(of)?;
        let mut series = self.sealed.series(&places, key)?;
        if let Some(kept) = kept
            && let Some(slot) = kept.points.known_slot(key)
        {
            let new = kept.points.columns(slot);
            series.steps.extend(new.steps);
            series.times.extend(new.times);
            series.values.extend(new.values);
        }
        Ok(sorted(series))
    }

    pub(super) fn buckets_of(
        &self,
        of: &Owner,
        key: &SeriesKey,
        spec: BucketSpec,
    ) -> Result<Buckets, BookError> {
        let Some(summary) = self.summary_of(of, key)? else {
            return Ok(Buckets::new(spec));
        };
        let spec = whole_range(spec, &summary);
        let mut buckets = Buckets::new(spec);
        let (places, kept) = self.places(of)?;
        match places.long.get(key) {
            Some(long) => self.add_long(&mut buckets, of, key, (&places, *long))?,
            None => add(&mut buckets, self.sealed.series(&places, key)?)?,
        }
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
        Ok(buckets)
    }

    /// Chunks value by value while there are few, else their roll-ups.
    fn add_long(
        &self,
        buckets: &mut Buckets,
        of: &Owner,
        key: &SeriesKey,
        (places, long): (&Places, LongPlace),
    ) -> Result<(), BookError> {
        if long.count > EXACT_POINTS {
            let rolls = self.rolls_of(of, key, places, long)?;
            let spec = buckets.spec();
            if rolls.unordered.is_none() && rolls.points_in(spec) > EXACT_POINTS {
                return buckets
                    .add_rolls(&rolls.axis, &rolls.values)
                    .map_err(BookError::pack("buckets"));
            }
        }
        self.sealed.each_chunk(places, long, |chunk| {
            buckets
                .add_values(&chunk.axis, &chunk.values)
                .map_err(BookError::pack("buckets"))
        })
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
        })
    }
}

impl Rolls {
    /// Points of all roll-ups that a range touches.
    fn points_in(&self, spec: BucketSpec) -> u64 {
        let touched = self.axis.iter().filter(|roll| {
            let (first, last) = match spec.along {
                Along::Step => (roll.first_step, roll.last_step),
                Along::Time => (roll.first_time, roll.last_time),
            };
            last >= spec.from && first <= spec.to
        });
        touched.map(|roll| u64::from(roll.count)).sum()
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

/// In the order of points: stored order mostly is it.
fn sorted(series: Series) -> Series {
    let rank = |at: usize| order_of(series.steps[at], series.times[at], series.values[at]);
    if (1..series.len()).all(|at| rank(at - 1) <= rank(at)) {
        return series;
    }
    let mut order: Vec<usize> = (0..series.len()).collect();
    order.sort_by_key(|at| rank(*at));
    Series {
        steps: order.iter().map(|at| series.steps[*at]).collect(),
        times: order.iter().map(|at| series.times[*at]).collect(),
        values: order.iter().map(|at| series.values[*at]).collect(),
    }
}
