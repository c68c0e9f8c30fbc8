//! The summaries of a subject's series: a table of what series logged together share, then one short
//! entry for each.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use trialbook_model::exact_sum::{ExactSum, SumParts};
use trialbook_model::record::SeriesKey;
use trialbook_model::state::{Point, SeriesSummary};
use trialbook_model::time::Timestamp;
use trialbook_spool::codec::CodecError;
use trialbook_spool::codec::bytes::{Reader, put_bytes, put_signed, put_varint};

use super::names::Names;

const PART: &str = "the summaries of series";

/// Count, first and last step, first and last time, time of the last point.
type Span = (u64, i64, i64, i64, i64, i64);

/// Some values are not finite; their counts follow.
const ODD: u8 = 1;
/// One finite value: it is least, greatest and sum.
const SINGLE: u8 = 2;
/// Least and greatest fit `f32`.
const NARROW_BOUNDS: u8 = 4;
/// The last value fits `f32`.
const NARROW_LAST: u8 = 8;
/// No finite value: no bounds and no sum.
const NOTHING: u8 = 16;

fn span_of(summary: &SeriesSummary) -> Span {
    (
        summary.count,
        summary.first_step,
        summary.last.step,
        summary.first_time.0,
        summary.last_time.0,
        summary.last.time.0,
    )
}

/// Appends all summaries.
pub(super) fn put_series(
    series: &BTreeMap<SeriesKey, SeriesSummary>,
    names: &mut Names,
    out: &mut Vec<u8>,
) {
    let mut spans = Vec::new();
    let mut places: FxHashMap<Span, u64> = FxHashMap::default();
    let mut body = Vec::with_capacity(series.len() * 28);
    for (key, summary) in series {
        let next = places.len() as u64;
        let place = *places.entry(span_of(summary)).or_insert(next);
        if place == next {
            put_span(span_of(summary), &mut spans);
        }
        put_varint(&mut body, u64::from(names.number(&key.key)));
        put_varint(&mut body, u64::from(names.number(&key.context)));
        put_varint(&mut body, place);
        put_summary(summary, &mut body);
    }
    put_varint(out, places.len() as u64);
    out.extend_from_slice(&spans);
    put_varint(out, series.len() as u64);
    out.extend_from_slice(&body);
}

fn put_span(span: Span, out: &mut Vec<u8>) {
    let (count, first_step, last_step, first_time, last_time, last_at) = span;
    put_varint(out, count);
    put_signed(out, first_step);
    put_signed(out, last_step.wrapping_sub(first_step));
    put_signed(out, first_time);
    put_signed(out, last_time.wrapping_sub(first_time));
    put_signed(out, last_time.wrapping_sub(last_at));
}

fn put_summary(summary: &SeriesSummary, out: &mut Vec<u8>) {
    let finite = summary.finite();
    let odd = summary.count != finite;
    let single = finite == 1 && !odd && summary.min.to_bits() == summary.last.value.to_bits();
    let mut flags = if odd { ODD } else { 0 };
    if single {
        flags |= SINGLE;
    } else if finite == 0 {
        flags |= NOTHING;
    } else if is_narrow(summary.min) && is_narrow(summary.max) {
        flags |= NARROW_BOUNDS;
    }
    if is_narrow(summary.last.value) {
        flags |= NARROW_LAST;
    }
    out.push(flags);
    if odd {
        put_varint(out, summary.nan);
        put_varint(out, summary.pos_inf);
        put_varint(out, summary.neg_inf);
    }
    put_float(summary.last.value, flags & NARROW_LAST, out);
    if single || finite == 0 {
        return;
    }
    put_float(summary.min, flags & NARROW_BOUNDS, out);
    put_float(summary.max, flags & NARROW_BOUNDS, out);
    let parts = summary.sum.to_parts();
    put_varint(out, (parts.low as u64) << 1 | u64::from(parts.negative));
    put_bytes(out, &parts.bytes);
}

/// Reads all summaries.
pub(super) fn read_series(
    reader: &mut Reader<'_>,
    names: &Names,
) -> Result<BTreeMap<SeriesKey, SeriesSummary>, CodecError> {
    let count = reader.count(reader.left() / 6, PART)?;
    let mut spans = Vec::with_capacity(count);
    for _ in 0..count {
        spans.push(read_span(reader)?);
    }
    let count = reader.count(reader.left() / 4, PART)?;
    let mut series = Vec::with_capacity(count);
    for _ in 0..count {
        let key = names.name(reader.varint(PART)?)?.to_owned();
        let context = names.name(reader.varint(PART)?)?.to_owned();
        let place = reader.varint(PART)?;
        let span = usize::try_from(place).ok().and_then(|at| spans.get(at));
        let span = span.ok_or(CodecError::Malformed { part: PART })?;
        series.push((SeriesKey { key, context }, read_summary(reader, *span)?));
    }
    Ok(series.into_iter().collect())
}

fn read_span(reader: &mut Reader<'_>) -> Result<Span, CodecError> {
    let count = reader.varint(PART)?;
    let first_step = reader.signed(PART)?;
    let last_step = first_step.wrapping_add(reader.signed(PART)?);
    let first_time = reader.signed(PART)?;
    let last_time = first_time.wrapping_add(reader.signed(PART)?);
    let last_at = last_time.wrapping_sub(reader.signed(PART)?);
    Ok((count, first_step, last_step, first_time, last_time, last_at))
}

fn read_summary(reader: &mut Reader<'_>, span: Span) -> Result<SeriesSummary, CodecError> {
    let (count, first_step, last_step, first_time, last_time, last_at) = span;
    let flags = reader.byte(PART)?;
    let mut odd = [0; 3];
    if flags & ODD != 0 {
        for count in &mut odd {
            *count = reader.varint(PART)?;
        }
    }
    let last = read_float(reader, flags & NARROW_LAST)?;
    let mut summary = SeriesSummary {
        count,
        nan: odd[0],
        pos_inf: odd[1],
        neg_inf: odd[2],
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        sum: ExactSum::new(),
        last: Point {
            step: last_step,
            time: Timestamp(last_at),
            value: last,
        },
        first_step,
        first_time: Timestamp(first_time),
        last_time: Timestamp(last_time),
    };
    if odd
        .iter()
        .try_fold(0_u64, |sum, odd| sum.checked_add(*odd))
        .is_none_or(|odd| odd > count)
    {
        return Err(CodecError::Malformed { part: PART });
    }
    if flags & SINGLE != 0 {
        (summary.min, summary.max) = (last, last);
        summary.sum.add(last);
    } else if flags & NOTHING == 0 {
        summary.min = read_float(reader, flags & NARROW_BOUNDS)?;
        summary.max = read_float(reader, flags & NARROW_BOUNDS)?;
        let place = reader.varint(PART)?;
        let parts = SumParts {
            negative: place & 1 == 1,
            low: usize::try_from(place >> 1).unwrap_or(usize::MAX),
            bytes: reader.bytes(PART)?.to_vec(),
        };
        summary.sum = ExactSum::from_parts(&parts).ok_or(CodecError::Malformed { part: PART })?;
    }
    Ok(summary)
}

/// Whether `f32` holds a value exactly. NaN does not count: its payload depends on the processor.
fn is_narrow(value: f64) -> bool {
    !value.is_nan() && f64::from(value as f32).to_bits() == value.to_bits()
}

fn put_float(value: f64, narrow: u8, out: &mut Vec<u8>) {
    if narrow != 0 {
        out.extend_from_slice(&(value as f32).to_le_bytes());
    } else {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn read_float(reader: &mut Reader<'_>, narrow: u8) -> Result<f64, CodecError> {
    if narrow != 0 {
        let bytes = reader.take(4, PART)?;
        let bytes = bytes.try_into().expect("four bytes were taken");
        return Ok(f64::from(f32::from_le_bytes(bytes)));
    }
    Ok(f64::from_bits(reader.word(PART)?))
}
