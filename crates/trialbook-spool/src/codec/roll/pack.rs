//! Roll-ups as bytes: the columns of many roll-ups, packed into one checked blob and back.
//!
//! Not here: what a roll-up says. Invariant: unpacking gives the roll-ups that were packed, bit for bit,
//! or an error and no roll-up at all.

use super::super::ROLL_VALUES;
use super::super::bytes::{self, ChunkKind, Reader, put_offsets, put_varint, read_offsets};
use super::super::error::CodecError;
use super::{AxisRoll, ValueRoll};

/// Roll-ups of one blob at most (2^16, of 16.7 million values).
const ROLLS_AT_MOST: usize = 1 << 16;

/// Packs roll-ups of an axis; those of several chunks may stand in one blob.
pub fn encode_axis_rolls(rolls: &[AxisRoll]) -> Result<Vec<u8>, CodecError> {
    let mut blob = bytes::open(ChunkKind::AxisRolls, rolls.len() * 16 + 32);
    put_count(&mut blob, rolls.len())?;
    put_offsets(&mut blob, rolls.iter().map(|roll| i64::from(roll.count)));
    put_offsets(&mut blob, rolls.iter().map(|roll| roll.first_step));
    put_offsets(&mut blob, rolls.iter().map(|roll| roll.last_step));
    put_offsets(&mut blob, rolls.iter().map(|roll| roll.first_time));
    put_offsets(&mut blob, rolls.iter().map(|roll| roll.last_time));
    Ok(bytes::seal(blob))
}

/// Unpacks roll-ups of an axis behind those already in `out`.
pub fn decode_axis_rolls(blob: &[u8], out: &mut Vec<AxisRoll>) -> Result<(), CodecError> {
    let mut reader = bytes::check(blob, ChunkKind::AxisRolls)?;
    let count = reader.count(ROLLS_AT_MOST, "roll-ups of an axis")?;
    let before = out.len();
    let empty = AxisRoll {
        count: 0,
        first_step: 0,
        last_step: 0,
        first_time: 0,
        last_time: 0,
    };
    out.resize(before + count, empty);
    let result = decode_spans(&mut reader, &mut out[before..]).and_then(|()| reader.finish());
    if result.is_err() {
        out.truncate(before);
    }
    result
}

fn decode_spans(reader: &mut Reader<'_>, rolls: &mut [AxisRoll]) -> Result<(), CodecError> {
    const PART: &str = "roll-ups of an axis";
    let count = rolls.len();
    read_offsets(reader, count, PART, |at, to| rolls[at].count = few(to))?;
    read_offsets(reader, count, PART, |at, to| rolls[at].first_step = to)?;
    read_offsets(reader, count, PART, |at, to| rolls[at].last_step = to)?;
    read_offsets(reader, count, PART, |at, to| rolls[at].first_time = to)?;
    read_offsets(reader, count, PART, |at, to| rolls[at].last_time = to)?;
    if rolls.iter().any(|roll| roll.count as usize > ROLL_VALUES) {
        return Err(CodecError::Malformed { part: PART });
    }
    Ok(())
}

/// Every roll but the last is of [`ROLL_VALUES`] finite values, and the last holds only finite ones.
const REGULAR: u8 = 1;
/// Counts of each roll are listed.
const COUNTED: u8 = 0;

/// Packs roll-ups of one series; those of several chunks may stand in one blob.
pub fn encode_value_rolls(rolls: &[ValueRoll]) -> Result<Vec<u8>, CodecError> {
    let mut blob = bytes::open(ChunkKind::ValueRolls, rolls.len() * 24 + 16);
    put_count(&mut blob, rolls.len())?;
    let Some((end, full)) = rolls.split_last() else {
        return Ok(bytes::seal(blob));
    };
    let regular = end.finite == end.count()
        && full
            .iter()
            .all(|roll| roll.finite as usize == ROLL_VALUES && roll.count() == roll.finite);
    if regular {
        blob.push(REGULAR);
        put_varint(&mut blob, u64::from(end.finite));
    } else {
        blob.push(COUNTED);
        put_offsets(&mut blob, rolls.iter().map(|roll| i64::from(roll.finite)));
        put_offsets(&mut blob, rolls.iter().map(|roll| i64::from(roll.nan)));
        put_offsets(&mut blob, rolls.iter().map(|roll| i64::from(roll.pos_inf)));
        put_offsets(&mut blob, rolls.iter().map(|roll| i64::from(roll.neg_inf)));
    }
    put_singles(&mut blob, rolls, |roll| roll.min);
    put_singles(&mut blob, rolls, |roll| roll.max);
    put_doubles(&mut blob, rolls, |roll| roll.last);
    put_doubles(&mut blob, rolls, |roll| roll.sum);
    Ok(bytes::seal(blob))
}

/// Unpacks roll-ups of one series behind those already in `out`.
pub fn decode_value_rolls(blob: &[u8], out: &mut Vec<ValueRoll>) -> Result<(), CodecError> {
    let mut reader = bytes::check(blob, ChunkKind::ValueRolls)?;
    let count = reader.count(ROLLS_AT_MOST, "roll-ups of values")?;
    let before = out.len();
    let full = ValueRoll {
        finite: ROLL_VALUES as u32,
        nan: 0,
        pos_inf: 0,
        neg_inf: 0,
        min: 0.0,
        max: 0.0,
        last: 0.0,
        sum: 0.0,
    };
    out.resize(before + count, full);
    let result = decode_rolls(&mut reader, &mut out[before..]).and_then(|()| reader.finish());
    if result.is_err() {
        out.truncate(before);
    }
    result
}

fn decode_rolls(reader: &mut Reader<'_>, rolls: &mut [ValueRoll]) -> Result<(), CodecError> {
    const PART: &str = "counts of a roll-up";
    let count = rolls.len();
    let Some(end) = rolls.last_mut() else {
        return Ok(());
    };
    match reader.byte(PART)? {
        REGULAR => end.finite = reader.count(ROLL_VALUES, PART)? as u32,
        COUNTED => {
            read_offsets(reader, count, PART, |at, to| rolls[at].finite = few(to))?;
            read_offsets(reader, count, PART, |at, to| rolls[at].nan = few(to))?;
            read_offsets(reader, count, PART, |at, to| rolls[at].pos_inf = few(to))?;
            read_offsets(reader, count, PART, |at, to| rolls[at].neg_inf = few(to))?;
        }
        _ => return Err(CodecError::Malformed { part: PART }),
    }
    if rolls.iter().any(|roll| roll.count() as usize > ROLL_VALUES) {
        return Err(CodecError::Malformed { part: PART });
    }
    read_singles(reader, count, |at, to| rolls[at].min = to)?;
    read_singles(reader, count, |at, to| rolls[at].max = to)?;
    read_doubles(reader, count, |at, to| rolls[at].last = to)?;
    read_doubles(reader, count, |at, to| rolls[at].sum = to)
}

/// A count that cannot overflow when four of them are added; what is no legal count stays illegal.
fn few(count: i64) -> u32 {
    const TOO_MANY: u32 = ROLL_VALUES as u32 + 1;
    u32::try_from(count).unwrap_or(TOO_MANY).min(TOO_MANY)
}

fn put_count(blob: &mut Vec<u8>, count: usize) -> Result<(), CodecError> {
    if count > ROLLS_AT_MOST {
        return Err(CodecError::Count {
            part: "roll-ups",
            found: count,
            allowed: ROLLS_AT_MOST,
        });
    }
    put_varint(blob, count as u64);
    Ok(())
}

/// All entries of a column are equal; one follows.
const EQUAL: u8 = 0;
/// Four bytes each.
const FOUR: u8 = 4;
/// Eight bytes each.
const EIGHT: u8 = 8;

fn put_singles(blob: &mut Vec<u8>, rolls: &[ValueRoll], of: impl Fn(&ValueRoll) -> f32) {
    let bits = |roll: &ValueRoll| of(roll).to_bits();
    if rolls
        .windows(2)
        .all(|pair| bits(&pair[0]) == bits(&pair[1]))
    {
        blob.push(EQUAL);
        blob.extend(
            rolls
                .iter()
                .take(1)
                .flat_map(|roll| bits(roll).to_le_bytes()),
        );
    } else {
        blob.push(FOUR);
        blob.extend(rolls.iter().flat_map(|roll| bits(roll).to_le_bytes()));
    }
}

fn put_doubles(blob: &mut Vec<u8>, rolls: &[ValueRoll], of: impl Fn(&ValueRoll) -> f64) {
    let bits = |roll: &ValueRoll| of(roll).to_bits();
    let narrow = |roll: &ValueRoll| of(roll) as f32;
    if rolls
        .windows(2)
        .all(|pair| bits(&pair[0]) == bits(&pair[1]))
    {
        blob.push(EQUAL);
        blob.extend(
            rolls
                .iter()
                .take(1)
                .flat_map(|roll| bits(roll).to_le_bytes()),
        );
    } else if rolls
        .iter()
        .all(|roll| f64::from(narrow(roll)).to_bits() == bits(roll) && !of(roll).is_nan())
    {
        blob.push(FOUR);
        blob.extend(
            rolls
                .iter()
                .flat_map(|roll| narrow(roll).to_bits().to_le_bytes()),
        );
    } else {
        blob.push(EIGHT);
        blob.extend(rolls.iter().flat_map(|roll| bits(roll).to_le_bytes()));
    }
}

fn read_singles(
    reader: &mut Reader<'_>,
    count: usize,
    mut each: impl FnMut(usize, f32),
) -> Result<(), CodecError> {
    const PART: &str = "bounds of a roll-up";
    let single =
        |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes were taken"));
    match reader.byte(PART)? {
        EQUAL => {
            let value = single(reader.take(4, PART)?);
            (0..count).for_each(|at| each(at, value));
        }
        FOUR => {
            let bytes = reader.take(count * 4, PART)?;
            for (at, bytes) in bytes.chunks_exact(4).enumerate() {
                each(at, single(bytes));
            }
        }
        _ => return Err(CodecError::Malformed { part: PART }),
    }
    Ok(())
}

fn read_doubles(
    reader: &mut Reader<'_>,
    count: usize,
    mut each: impl FnMut(usize, f64),
) -> Result<(), CodecError> {
    const PART: &str = "last values and sums of a roll-up";
    let single =
        |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes were taken"));
    let double =
        |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().expect("eight bytes were taken"));
    match reader.byte(PART)? {
        EQUAL => {
            let value = double(reader.take(8, PART)?);
            (0..count).for_each(|at| each(at, value));
        }
        FOUR => {
            let bytes = reader.take(count * 4, PART)?;
            for (at, bytes) in bytes.chunks_exact(4).enumerate() {
                each(at, f64::from(single(bytes)));
            }
        }
        EIGHT => {
            let bytes = reader.take(count * 8, PART)?;
            for (at, bytes) in bytes.chunks_exact(8).enumerate() {
                each(at, double(bytes));
            }
        }
        _ => return Err(CodecError::Malformed { part: PART }),
    }
    Ok(())
}
