//! A chunk of values of one long series: up to 4,096 `f64`, bit for bit.
//!
//! Not here: steps and times (they are an axis chunk, shared by the series logged in the same calls) and
//! short series (they are packed together). Invariant: what is decoded has the bits that were encoded, NaN
//! payloads and the sign of zero included.

use super::CHUNK_VALUES;
use super::bytes::{self, ChunkKind, Reader, put_signed, put_varint};
use super::error::CodecError;
use super::number::{self, Course, SHORT, Scratch};

/// All values have the same bits, which follow.
const CONSTANT: u8 = 0;
/// Whole numbers that rise or fall by the same amount: first and stride follow.
const COUNTER: u8 = 1;
/// pco over `f64`.
const DOUBLE: u8 = 2;
/// pco over `f32`: every value is a number that `f32` holds exactly.
const SINGLE: u8 = 3;

/// The largest whole number below which every whole number is a `f64`.
const EXACT_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Packs up to [`CHUNK_VALUES`] values.
pub fn encode_values(values: &[f64]) -> Result<Vec<u8>, CodecError> {
    if values.len() > CHUNK_VALUES {
        return Err(CodecError::Count {
            part: "values",
            found: values.len(),
            allowed: CHUNK_VALUES,
        });
    }
    let mut blob = bytes::open(ChunkKind::Values, values.len() * 3 + 16);
    put_varint(&mut blob, values.len() as u64);
    put_values(values, &mut blob)?;
    Ok(bytes::seal(blob))
}

/// Appends values as the body of a chunk that has an envelope of its own and knows how many they are.
pub fn put_values(values: &[f64], out: &mut Vec<u8>) -> Result<(), CodecError> {
    let Some((&first, rest)) = values.split_first() else {
        return Ok(());
    };
    if rest.iter().all(|value| value.to_bits() == first.to_bits()) {
        out.push(CONSTANT);
        out.extend_from_slice(&first.to_bits().to_le_bytes());
    } else if let Some((first, stride)) = counter(values) {
        out.push(COUNTER);
        put_signed(out, first);
        put_signed(out, stride);
    } else if let Some(narrow) = singles(values) {
        out.push(SINGLE);
        put_numbers(&narrow, values, out)?;
    } else {
        out.push(DOUBLE);
        put_numbers(values, values, out)?;
    }
    Ok(())
}

fn put_numbers<T: pco::data_types::Number>(
    column: &[T],
    values: &[f64],
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    if values.len() > SHORT {
        number::compress(column, out, "values")
    } else {
        number::compress_short(column, course_of(values), out)
    }
}

/// Whether neighbours differ by less than a tenth of what all values span.
fn course_of(values: &[f64]) -> Course {
    let (mut least, mut greatest, mut way) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
    let mut before = values.first().copied().unwrap_or(0.0);
    for &value in values {
        least = least.min(value);
        greatest = greatest.max(value);
        way += (value - before).abs();
        before = value;
    }
    if way / values.len() as f64 * 10.0 < greatest - least {
        Course::Smooth
    } else {
        Course::Rough
    }
}

/// Unpacks `count` values of [`put_values`], which are all of `bytes`, behind those already in `out`.
pub fn take_values(
    bytes: &[u8],
    count: usize,
    scratch: &mut Scratch,
    out: &mut Vec<f64>,
) -> Result<(), CodecError> {
    let before = out.len();
    let reader = Reader::over(bytes);
    let result = if count == 0 {
        reader.finish()
    } else {
        decode_body(reader, count, scratch, out)
    };
    if result.is_err() {
        out.truncate(before);
    }
    result
}

/// Unpacks a chunk of values behind those already in `out`; returns how many there were.
pub fn decode_values(
    blob: &[u8],
    scratch: &mut Scratch,
    out: &mut Vec<f64>,
) -> Result<usize, CodecError> {
    let mut reader = bytes::check(blob, ChunkKind::Values)?;
    let count = reader.count(CHUNK_VALUES, "values")?;
    if count == 0 {
        reader.finish()?;
        return Ok(0);
    }
    take_values(reader.take_rest(), count, scratch, out)?;
    Ok(count)
}

fn decode_body(
    mut reader: Reader<'_>,
    count: usize,
    scratch: &mut Scratch,
    out: &mut Vec<f64>,
) -> Result<(), CodecError> {
    let before = out.len();
    match reader.byte("value encoding")? {
        CONSTANT => {
            let value = f64::from_bits(reader.word("constant")?);
            out.resize(before + count, value);
        }
        COUNTER => {
            let mut value = reader.signed("counter")?;
            let stride = reader.signed("counter")?;
            for _ in 0..count {
                out.push(value as f64);
                value = value.wrapping_add(stride);
            }
        }
        DOUBLE => {
            out.resize(before + count, 0.0);
            let rest = reader.take_rest();
            let rest = number::decompress(rest, &mut out[before..], &mut scratch.pco, "values")?;
            reader = Reader::over(rest);
        }
        SINGLE => {
            scratch.narrow.resize(count, 0.0);
            let rest = reader.take_rest();
            let rest = number::decompress(rest, &mut scratch.narrow, &mut scratch.pco, "values")?;
            out.extend(scratch.narrow.iter().map(|&value| f64::from(value)));
            reader = Reader::over(rest);
        }
        _ => {
            return Err(CodecError::Malformed {
                part: "unknown encoding of values",
            });
        }
    }
    reader.finish()
}

/// First value and stride, when the values are whole numbers in arithmetic progression.
fn counter(values: &[f64]) -> Option<(i64, i64)> {
    let whole = |value: f64| {
        let cast = value as i64;
        let same = value.abs() < EXACT_WHOLE && (cast as f64).to_bits() == value.to_bits();
        same.then_some(cast)
    };
    let first = whole(values[0])?;
    let stride = whole(*values.get(1)?)? - first;
    let mut expected = first;
    for &value in values {
        if whole(value)? != expected {
            return None;
        }
        expected += stride;
    }
    Some((first, stride))
}

/// The values as `f32`, when that loses nothing. NaNs do not count as lossless: what a conversion does to
/// their payload depends on the processor.
fn singles(values: &[f64]) -> Option<Vec<f32>> {
    let exact =
        |value: f64| f64::from(value as f32).to_bits() == value.to_bits() && !value.is_nan();
    // A look at a few values spares the full pass over columns that are plainly not single precision.
    let step = values.len().div_ceil(16);
    let sampled = values.iter().step_by(step).all(|&value| exact(value));
    (sampled && values.iter().all(|&value| exact(value)))
        .then(|| values.iter().map(|&value| value as f32).collect())
}

#[cfg(test)]
mod tests;
