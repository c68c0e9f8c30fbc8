//! The axis of long series: step and time of each logging call, stored once for all series logged together.
//!
//! Not here: which series share an axis (the store decides). Invariant: `StepOrder::Ascending` holds exactly
//! when (step, time) never falls; readers sort only when it does not hold.

use super::CHUNK_VALUES;
use super::bytes::{self, ChunkKind, Reader, put_signed, put_varint};
use super::error::CodecError;
use super::number::{self, Course, SHORT, Scratch};

/// Whether (step, time) ever falls along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StepOrder {
    /// (step, time) never falls: stored order is reading order.
    #[default]
    Ascending,
    /// Some step came late: readers sort, roll-ups hold least and greatest.
    Mixed,
}

/// Steps and times (microseconds since 1970) of consecutive logging calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Axis {
    steps: Vec<i64>,
    times: Vec<i64>,
    order: StepOrder,
}

impl Axis {
    /// An axis of the given columns, which must have equal lengths.
    pub fn new(steps: Vec<i64>, times: Vec<i64>) -> Result<Self, CodecError> {
        if steps.len() != times.len() {
            return Err(CodecError::Count {
                part: "times of an axis",
                found: times.len(),
                allowed: steps.len(),
            });
        }
        let order = order_of_columns(&steps, &times);
        Ok(Self {
            steps,
            times,
            order,
        })
    }

    /// Adds one logging call.
    pub fn push(&mut self, step: i64, time: i64) {
        if self.end().is_some_and(|end| end > (step, time)) {
            self.order = StepOrder::Mixed;
        }
        self.steps.push(step);
        self.times.push(time);
    }

    /// Forgets all calls and keeps the memory.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.times.clear();
        self.order = StepOrder::Ascending;
    }

    /// How many calls.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is no call.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps.
    pub fn steps(&self) -> &[i64] {
        &self.steps
    }

    /// The times.
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// Whether (step, time) ever falls.
    pub fn order(&self) -> StepOrder {
        self.order
    }

    fn end(&self) -> Option<(i64, i64)> {
        Some((*self.steps.last()?, *self.times.last()?))
    }
}

fn order_of_columns(steps: &[i64], times: &[i64]) -> StepOrder {
    let rising = |at: usize| (steps[at - 1], times[at - 1]) <= (steps[at], times[at]);
    if (1..steps.len()).all(rising) {
        StepOrder::Ascending
    } else {
        StepOrder::Mixed
    }
}

/// Bit of the flag byte: (step, time) never falls.
const ASCENDING: u8 = 1;
/// A column in arithmetic progression: first and stride follow.
const PROGRESSION: u8 = 0;
/// pco over `i64`.
const PACKED: u8 = 1;

/// Packs the steps and times of up to [`CHUNK_VALUES`] logging calls.
pub fn encode_axis(steps: &[i64], times: &[i64]) -> Result<Vec<u8>, CodecError> {
    if steps.len() > CHUNK_VALUES || steps.len() != times.len() {
        return Err(CodecError::Count {
            part: "steps and times of an axis",
            found: steps.len().max(times.len()),
            allowed: CHUNK_VALUES.min(steps.len()),
        });
    }
    let mut blob = bytes::open(ChunkKind::Axis, steps.len() + 32);
    put_varint(&mut blob, steps.len() as u64);
    blob.push(match order_of_columns(steps, times) {
        StepOrder::Ascending => ASCENDING,
        StepOrder::Mixed => 0,
    });
    for (column, part) in [(steps, "steps"), (times, "times")] {
        if let Some((first, stride)) = progression(column) {
            blob.push(PROGRESSION);
            put_signed(&mut blob, first);
            put_signed(&mut blob, stride);
        } else {
            blob.push(PACKED);
            let length_at = blob.len();
            blob.extend_from_slice(&[0; 4]);
            if column.len() > SHORT {
                number::compress(column, &mut blob, part)?;
            } else {
                // Calls follow each other.
                number::compress_short(column, Course::Smooth, &mut blob)?;
            }
            let length = (blob.len() - length_at - 4) as u32;
            blob[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
        }
    }
    Ok(bytes::seal(blob))
}

/// Unpacks an axis chunk behind the calls already in `axis`; returns how many calls it held.
pub fn decode_axis(
    blob: &[u8],
    scratch: &mut Scratch,
    axis: &mut Axis,
) -> Result<usize, CodecError> {
    let mut reader = bytes::check(blob, ChunkKind::Axis)?;
    let count = reader.count(CHUNK_VALUES, "steps")?;
    let order = match reader.byte("flags of an axis")? {
        ASCENDING => StepOrder::Ascending,
        0 => StepOrder::Mixed,
        _ => {
            return Err(CodecError::Malformed {
                part: "flags of an axis",
            });
        }
    };
    let before = axis.len();
    let result = decode_column(&mut reader, count, scratch, &mut axis.steps)
        .and_then(|()| decode_column(&mut reader, count, scratch, &mut axis.times))
        .and_then(|()| reader.finish());
    if let Err(error) = result {
        axis.steps.truncate(before);
        axis.times.truncate(before);
        return Err(error);
    }
    let joined = match before.checked_sub(1) {
        Some(end) if count > 0 => {
            (axis.steps[end], axis.times[end]) <= (axis.steps[before], axis.times[before])
        }
        _ => true,
    };
    if order == StepOrder::Mixed || !joined {
        axis.order = StepOrder::Mixed;
    }
    Ok(count)
}

fn decode_column(
    reader: &mut Reader<'_>,
    count: usize,
    scratch: &mut Scratch,
    out: &mut Vec<i64>,
) -> Result<(), CodecError> {
    match reader.byte("encoding of an axis column")? {
        PROGRESSION => {
            let first = reader.signed("axis column")?;
            let stride = reader.signed("axis column")?;
            out.extend((0..count as i64).map(|at| first.wrapping_add(stride.wrapping_mul(at))));
        }
        PACKED => {
            let length = reader.take(4, "length of an axis column")?;
            let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
            let packed = reader.take(length as usize, "axis column")?;
            let before = out.len();
            out.resize(before + count, 0);
            let rest = number::decompress(packed, &mut out[before..], &mut scratch.pco, "axis")?;
            Reader::over(rest).finish()?;
        }
        _ => {
            return Err(CodecError::Malformed {
                part: "unknown encoding of an axis column",
            });
        }
    }
    Ok(())
}

/// First entry and stride, when every entry follows from them.
fn progression(column: &[i64]) -> Option<(i64, i64)> {
    let first = column.first().copied().unwrap_or(0);
    let stride = column.get(1).map_or(0, |second| second.wrapping_sub(first));
    column
        .windows(2)
        .all(|pair| pair[1].wrapping_sub(pair[0]) == stride)
        .then_some((first, stride))
}

#[cfg(test)]
mod tests;
