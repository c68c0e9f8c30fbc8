//! Buckets: a series of any length as a given number of points for a chart.
//!
//! Equal widths along step or time, so that buckets of several series can be laid over each other.
//! Values are folded as they are decoded (exact), or roll-ups instead of them (each roll-up counts whole in
//! the bucket of its first step: borders snap to 256 values, and [`Detail`] says so).
//! Not here: reading chunks, choosing between the two ways (exact up to [`EXACT_POINTS`]).
//! Invariant: apart from rounding of `sum`, the result does not depend on the order in which parts are added.

mod spec;

use super::axis::{Axis, StepOrder};
use super::error::CodecError;
use super::order::{last_rank, order_of};
use super::roll::{AxisRoll, ValueRoll};
use serde::{Deserialize, Serialize};
pub use spec::{Along, BucketSpec, Detail};

/// Ranges of at most this many points are to be folded value by value; decoding them takes about 2 ms.
pub const EXACT_POINTS: u64 = 256 * 1024;

/// What the points of one bucket amount to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Finite values.
    pub finite: u64,
    /// NaNs.
    pub nan: u64,
    /// +∞.
    pub pos_inf: u64,
    /// −∞.
    pub neg_inf: u64,
    /// Least finite value (never −0); +∞ without finite values.
    pub min: f64,
    /// Greatest finite value (never −0); −∞ without finite values.
    pub max: f64,
    /// Sum of the finite values, rounded at each addition.
    pub sum: f64,
    /// The value of the last point by (step, time, value).
    pub last: f64,
    /// Least step met.
    pub first_step: i64,
    /// Greatest step met.
    pub last_step: i64,
    /// Earliest time met.
    pub first_time: i64,
    /// Latest time met.
    pub last_time: i64,
    /// Time of `last`, which is not the latest when the clock went back.
    last_at: i64,
}

impl Bucket {
    const EMPTY: Self = Self {
        finite: 0,
        nan: 0,
        pos_inf: 0,
        neg_inf: 0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        sum: 0.0,
        last: f64::NAN,
        first_step: i64::MAX,
        last_step: i64::MIN,
        first_time: i64::MAX,
        last_time: i64::MIN,
        last_at: i64::MIN,
    };

    /// How many points.
    pub fn count(&self) -> u64 {
        self.finite + self.nan + self.pos_inf + self.neg_inf
    }

    /// Whether no point is in it; all other fields but the counts then mean nothing.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The mean of the finite values, if there is one.
    pub fn mean(&self) -> Option<f64> {
        (self.finite > 0).then(|| self.sum / self.finite as f64)
    }

    /// Takes over `value` if it is the last one so far. To be called before the step bounds are widened.
    fn offer_last(&mut self, step: i64, time: i64, value: f64) {
        let (here, known) = ((step, time), (self.last_step, self.last_at));
        if here > known
            || here == known && last_rank(value) > last_rank(self.last)
            || self.is_empty()
        {
            self.last = value;
            self.last_at = time;
        }
    }

    fn widen(&mut self, steps: (i64, i64), times: (i64, i64)) {
        self.first_step = self.first_step.min(steps.0);
        self.last_step = self.last_step.max(steps.1);
        self.first_time = self.first_time.min(times.0);
        self.last_time = self.last_time.max(times.1);
    }

    fn add_run(&mut self, steps: &[i64], times: &[i64], values: &[f64], order: StepOrder) {
        let Some(end) = values.len().checked_sub(1) else {
            return;
        };
        let (last, span_of_steps) = match order {
            StepOrder::Ascending => (
                last_of_ascending(steps, times, values, end),
                (steps[0], steps[end]),
            ),
            StepOrder::Mixed => {
                let last = (0..=end).max_by_key(|&at| order_of(steps[at], times[at], values[at]));
                (last.unwrap_or(end), span(steps))
            }
        };
        self.offer_last(steps[last], times[last], values[last]);
        self.widen(span_of_steps, span(times));
        self.add_values(values);
    }

    fn add_values(&mut self, values: &[f64]) {
        let (mut min, mut max, mut sum) = (self.min, self.max, 0.0);
        for &value in values {
            min = if value < min { value } else { min };
            max = if value > max { value } else { max };
            sum += value;
        }
        // A finite sum proves that every value is finite.
        if f64::is_finite(sum) {
            self.finite += values.len() as u64;
            self.sum += sum;
            self.min = min + 0.0;
            self.max = max + 0.0;
        } else {
            for &value in values {
                self.add_value(value);
            }
        }
    }

    fn add_value(&mut self, value: f64) {
        if value.is_finite() {
            self.finite += 1;
            self.sum += value;
            self.min = self.min.min(value) + 0.0;
            self.max = self.max.max(value) + 0.0;
        } else if value.is_nan() {
            self.nan += 1;
        } else if value > 0.0 {
            self.pos_inf += 1;
        } else {
            self.neg_inf += 1;
        }
    }

    fn add_roll(&mut self, axis: &AxisRoll, roll: &ValueRoll) {
        self.offer_last(axis.last_step, axis.last_time, roll.last);
        self.widen(
            (axis.first_step, axis.last_step),
            (axis.first_time, axis.last_time),
        );
        self.finite += u64::from(roll.finite);
        self.nan += u64::from(roll.nan);
        self.pos_inf += u64::from(roll.pos_inf);
        self.neg_inf += u64::from(roll.neg_inf);
        self.sum += roll.sum;
        let (min, max) = (f64::from(roll.min), f64::from(roll.max));
        // One that is no number, which only foreign bytes hold, bounds nothing.
        self.min = if min < self.min { min } else { self.min };
        self.max = if max > self.max { max } else { self.max };
    }

    fn merge(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        self.offer_last(other.last_step, other.last_at, other.last);
        self.widen(
            (other.first_step, other.last_step),
            (other.first_time, other.last_time),
        );
        self.finite += other.finite;
        self.nan += other.nan;
        self.pos_inf += other.pos_inf;
        self.neg_inf += other.neg_inf;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// The place of the last point where (step, time) never falls: among those that end alike the greatest value.
fn last_of_ascending(steps: &[i64], times: &[i64], values: &[f64], end: usize) -> usize {
    let mut last = end;
    let mut at = end;
    while at > 0 && (steps[at - 1], times[at - 1]) == (steps[end], times[end]) {
        at -= 1;
        if last_rank(values[at]) > last_rank(values[last]) {
            last = at;
        }
    }
    last
}

fn span(column: &[i64]) -> (i64, i64) {
    column
        .iter()
        .fold((i64::MAX, i64::MIN), |(least, greatest), &at| {
            (least.min(at), greatest.max(at))
        })
}

/// Buckets being filled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Buckets {
    spec: BucketSpec,
    /// First step or time of each bucket.
    starts: Vec<i64>,
    filled: Vec<Bucket>,
    detail: Detail,
}

impl Buckets {
    /// Empty buckets. A range that ends before it begins holds nothing.
    pub fn new(spec: BucketSpec) -> Self {
        let count = spec.count.max(1);
        let span = (i128::from(spec.to) - i128::from(spec.from) + 1).max(0);
        let wide = (span / count as i128) as i64;
        let rest = (span % count as i128) as usize;
        let mut starts = Vec::with_capacity(count);
        let (mut start, mut owed) = (spec.from, 0);
        for _ in 0..count {
            starts.push(start);
            owed += rest;
            let extra = i64::from(owed >= count);
            owed -= if extra == 1 { count } else { 0 };
            start = start.wrapping_add(wide).wrapping_add(extra);
        }
        Self {
            spec,
            starts,
            filled: vec![Bucket::EMPTY; count],
            detail: Detail::Exact,
        }
    }

    /// What is divided, and how.
    pub fn spec(&self) -> BucketSpec {
        self.spec
    }

    /// Whether any roll-up was added.
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// The buckets, in order; empty ones included.
    pub fn as_slice(&self) -> &[Bucket] {
        &self.filled
    }

    /// First and last step or time of bucket `at`.
    pub fn bounds(&self, at: usize) -> Option<(i64, i64)> {
        let start = *self.starts.get(at)?;
        let end = self
            .starts
            .get(at + 1)
            .map_or(self.spec.to, |next| next.wrapping_sub(1));
        Some((start, end))
    }

    /// Empties all buckets and keeps the memory and the range.
    pub fn clear(&mut self) {
        self.filled.fill(Bucket::EMPTY);
        self.detail = Detail::Exact;
    }

    /// Adds the points of an axis inside the range, value by value.
    pub fn add_values(&mut self, axis: &Axis, values: &[f64]) -> Result<(), CodecError> {
        if axis.len() != values.len() {
            return Err(CodecError::Count {
                part: "values along an axis",
                found: values.len(),
                allowed: axis.len(),
            });
        }
        let places = match self.spec.along {
            Along::Step => axis.steps(),
            Along::Time => axis.times(),
        };
        let (mut at, mut bucket) = (0, 0);
        while at < places.len() {
            let place = places[at];
            if place < self.spec.from || place > self.spec.to {
                at += 1;
                continue;
            }
            bucket = self.locate(place, bucket);
            let (first, last) = self.bounds(bucket).expect("`locate` returns a bucket");
            let width = last.wrapping_sub(first) as u64;
            let inside = |place: i64| place.wrapping_sub(first) as u64 <= width;
            let run = places[at..].iter().position(|&place| !inside(place));
            let end = run.map_or(places.len(), |run| at + run);
            let range = at..end;
            self.filled[bucket].add_run(
                &axis.steps()[range.clone()],
                &axis.times()[range.clone()],
                &values[range],
                axis.order(),
            );
            at = end;
        }
        Ok(())
    }

    /// Adds roll-ups instead of the values they stand for. Those that lie outside the range are left out,
    /// those that begin before it count in the first bucket.
    pub fn add_rolls(&mut self, axis: &[AxisRoll], values: &[ValueRoll]) -> Result<(), CodecError> {
        if axis.len() != values.len() {
            return Err(CodecError::Count {
                part: "roll-ups along an axis",
                found: values.len(),
                allowed: axis.len(),
            });
        }
        let spec = self.spec;
        let mut rolls = axis.iter().zip(values).peekable();
        let mut bucket = 0;
        while let Some((span, roll)) = rolls.next() {
            let Some(place) = spec.place_of(span, roll) else {
                continue;
            };
            self.detail = Detail::Snapped;
            bucket = self.locate(place, bucket);
            let (first, last) = self.bounds(bucket).expect("`locate` returns a bucket");
            // Neighbours mostly count in one bucket, which need not be written down for each of them.
            let mut filled = self.filled[bucket];
            filled.add_roll(span, roll);
            let inside = |place| (first..=last).contains(&place);
            while let Some((span, roll)) =
                rolls.next_if(|(span, roll)| spec.place_of(span, roll).is_some_and(inside))
            {
                filled.add_roll(span, roll);
            }
            self.filled[bucket] = filled;
        }
        Ok(())
    }

    /// Adds what other buckets of the same range hold (another part, or another series).
    pub fn merge(&mut self, other: &Self) -> Result<(), CodecError> {
        if self.spec != other.spec {
            return Err(CodecError::Malformed {
                part: "buckets of two different ranges",
            });
        }
        self.detail = self.detail.max(other.detail);
        for (bucket, other) in self.filled.iter_mut().zip(&other.filled) {
            bucket.merge(other);
        }
        Ok(())
    }

    /// The bucket of a place inside the range; `hint` is the one met last.
    fn locate(&self, place: i64, hint: usize) -> usize {
        let next = |at: usize| self.starts.get(at + 1).is_none_or(|&next| place < next);
        if self.starts[hint] <= place && next(hint) {
            return hint;
        }
        let following = hint + 1;
        if following < self.starts.len() && self.starts[following] <= place && next(following) {
            return following;
        }
        self.starts.partition_point(|&start| start <= place) - 1
    }
}

#[cfg(test)]
mod tests;
