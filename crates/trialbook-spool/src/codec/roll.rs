//! Roll-ups: what 256 consecutive values amount to, readable without the values.
//!
//! What belongs to the axis (steps, times) is rolled up once per axis, what belongs to a series once per
//! series; roll `k` of both speaks of the same 256 calls. Not here: folding them into buckets.
//! Invariant: `min` ≤ every finite value ≤ `max`, also after their narrowing to `f32`; counts add up to the
//! number of values.

mod pack;

use super::ROLL_VALUES;
use super::axis::{Axis, StepOrder};
use super::error::CodecError;
use super::order::order_of;

pub use pack::{decode_axis_rolls, decode_value_rolls, encode_axis_rolls, encode_value_rolls};

/// What 256 consecutive logging calls span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AxisRoll {
    /// How many calls: [`ROLL_VALUES`], fewer at the end of a series.
    pub count: u32,
    /// The least step (the first one, where steps ascend).
    pub first_step: i64,
    /// The greatest step.
    pub last_step: i64,
    /// The earliest time.
    pub first_time: i64,
    /// The latest time.
    pub last_time: i64,
}

/// What 256 consecutive values of one series amount to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueRoll {
    /// Finite values.
    pub finite: u32,
    /// NaNs.
    pub nan: u32,
    /// +∞.
    pub pos_inf: u32,
    /// −∞.
    pub neg_inf: u32,
    /// Not above the least finite value; +∞ without finite values.
    pub min: f32,
    /// Not below the greatest finite value; −∞ without finite values.
    pub max: f32,
    /// The value of the last point by (step, time, value), exact.
    pub last: f64,
    /// The sum of the finite values in stored order, rounded at each step (not exact; the exact sum of a
    /// whole series is in its summary).
    pub sum: f64,
}

impl ValueRoll {
    /// How many values.
    pub fn count(&self) -> u32 {
        self.finite + self.nan + self.pos_inf + self.neg_inf
    }

    fn of(steps: &[i64], times: &[i64], values: &[f64], order: StepOrder) -> Self {
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut roll = Self {
            finite: 0,
            nan: 0,
            pos_inf: 0,
            neg_inf: 0,
            min: f32::INFINITY,
            max: f32::NEG_INFINITY,
            last: last_of(steps, times, values, order),
            sum: 0.0,
        };
        for &value in values {
            if value.is_finite() {
                roll.finite += 1;
                roll.sum += value;
                min = if value < min { value } else { min };
                max = if value > max { value } else { max };
            } else if value.is_nan() {
                roll.nan += 1;
            } else if value > 0.0 {
                roll.pos_inf += 1;
            } else {
                roll.neg_inf += 1;
            }
        }
        if roll.finite > 0 {
            roll.min = not_above(min);
            roll.max = not_below(max);
        }
        roll
    }
}

/// The value of the last point by (step, time, value).
fn last_of(steps: &[i64], times: &[i64], values: &[f64], order: StepOrder) -> f64 {
    let key = |at: usize| order_of(steps[at], times[at], values[at]);
    let Some(mut best) = values.len().checked_sub(1) else {
        return 0.0;
    };
    for at in (0..best).rev() {
        if key(at) > key(best) {
            best = at;
        } else if order == StepOrder::Ascending
            && (steps[at], times[at]) < (steps[best], times[best])
        {
            break;
        }
    }
    values[best]
}

/// The greatest `f32` that is not above `value`, never −0.
fn not_above(value: f64) -> f32 {
    let near = value as f32;
    let near = if f64::from(near) > value {
        near.next_down()
    } else {
        near
    };
    near + 0.0
}

/// The least `f32` that is not below `value`, never −0.
fn not_below(value: f64) -> f32 {
    let near = value as f32;
    let near = if f64::from(near) < value {
        near.next_up()
    } else {
        near
    };
    near + 0.0
}

/// Rolls up an axis, 256 calls at a time.
pub fn axis_rolls(axis: &Axis) -> Vec<AxisRoll> {
    let blocks = axis
        .steps()
        .chunks(ROLL_VALUES)
        .zip(axis.times().chunks(ROLL_VALUES));
    let span = |column: &[i64]| {
        let span = column.iter().fold(None, |span: Option<(i64, i64)>, &at| {
            Some(span.map_or((at, at), |(least, greatest)| {
                (least.min(at), greatest.max(at))
            }))
        });
        span.expect("chunks are never empty")
    };
    blocks
        .map(|(steps, times)| {
            let (first_step, last_step) = span(steps);
            let (first_time, last_time) = span(times);
            AxisRoll {
                count: steps.len() as u32,
                first_step,
                last_step,
                first_time,
                last_time,
            }
        })
        .collect()
}

/// Rolls up the values of one series along its axis, 256 at a time.
pub fn value_rolls(axis: &Axis, values: &[f64]) -> Result<Vec<ValueRoll>, CodecError> {
    if axis.len() != values.len() {
        return Err(CodecError::Count {
            part: "values along an axis",
            found: values.len(),
            allowed: axis.len(),
        });
    }
    let blocks = values
        .chunks(ROLL_VALUES)
        .zip(axis.steps().chunks(ROLL_VALUES))
        .zip(axis.times().chunks(ROLL_VALUES));
    Ok(blocks
        .map(|((values, steps), times)| ValueRoll::of(steps, times, values, axis.order()))
        .collect())
}
#[cfg(test)]
mod tests;
