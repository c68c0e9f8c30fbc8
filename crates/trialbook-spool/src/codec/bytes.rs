//! The envelope of every chunk, and the small integers inside: varints, fixed-width columns.
//!
//! Not here: what the numbers mean. Invariant: a `Reader` never reads past its end and every count it
//! returns is checked against a limit given by the caller before anything is reserved.

use super::error::CodecError;

/// What a chunk holds; the byte after the CRC-32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ChunkKind {
    /// A column of values of one series.
    Values = 1,
    /// The steps and times shared by the series logged in the same calls.
    Axis = 2,
    /// Roll-ups of values.
    ValueRolls = 3,
    /// Roll-ups of an axis.
    AxisRolls = 4,
    /// All short series of one subject.
    ShortSeries = 5,
    /// Events, console output or judgements, in order.
    Records = 6,
    /// The columns of judged items that are counted by: labels, scores, numbers.
    ItemNumbers = 7,
    /// The columns of judged items that are only shown: ids, texts.
    ItemTexts = 8,
    /// The state of a run, experiment or project.
    State = 9,
}

impl ChunkKind {
    /// The newest version of this kind's layout, which is the one written.
    pub const fn version(self) -> u8 {
        match self {
            Self::Values
            | Self::Axis
            | Self::ValueRolls
            | Self::AxisRolls
            | Self::ShortSeries
            | Self::Records
            | Self::ItemNumbers
            | Self::ItemTexts
            | Self::State => 0,
        }
    }
}

/// Bytes before the body: CRC-32 (u32, little endian, over all that follows it), kind, version.
pub const ENVELOPE: usize = 6;

/// Starts a chunk of `kind`; the CRC is filled in by [`seal`].
pub fn open(kind: ChunkKind, capacity: usize) -> Vec<u8> {
    let mut blob = Vec::with_capacity(ENVELOPE + capacity);
    blob.extend_from_slice(&[0, 0, 0, 0, kind as u8, kind.version()]);
    blob
}

/// Writes the CRC of a finished chunk.
pub fn seal(mut blob: Vec<u8>) -> Vec<u8> {
    let crc = crc32fast::hash(&blob[4..]);
    blob[..4].copy_from_slice(&crc.to_le_bytes());
    blob
}

/// Checks the envelope of a chunk and returns a reader of its body.
pub fn check(blob: &[u8], kind: ChunkKind) -> Result<Reader<'_>, CodecError> {
    let Some((head, body)) = blob.split_at_checked(ENVELOPE) else {
        return Err(CodecError::Truncated {
            part: "envelope",
            need: ENVELOPE,
            have: blob.len(),
        });
    };
    let stored = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
    let computed = crc32fast::hash(&blob[4..]);
    if stored != computed {
        return Err(CodecError::Checksum { stored, computed });
    }
    if head[4] != kind as u8 {
        return Err(CodecError::Kind {
            expected: kind,
            found: head[4],
        });
    }
    if head[5] > kind.version() {
        return Err(CodecError::Version {
            kind,
            found: head[5],
            newest: kind.version(),
        });
    }
    Ok(Reader { rest: body })
}

/// A position in the body of a chunk.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads bytes that were checked before (a part of a chunk).
    pub fn over(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// The next `need` bytes.
    pub fn take(&mut self, need: usize, part: &'static str) -> Result<&'a [u8], CodecError> {
        let Some((taken, rest)) = self.rest.split_at_checked(need) else {
            return Err(CodecError::Truncated {
                part,
                need,
                have: self.rest.len(),
            });
        };
        self.rest = rest;
        Ok(taken)
    }

    /// All that is left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Fails unless everything was read.
    pub fn finish(self) -> Result<(), CodecError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(CodecError::Malformed {
                part: "bytes behind the end",
            })
        }
    }

    /// One byte.
    pub fn byte(&mut self, part: &'static str) -> Result<u8, CodecError> {
        Ok(self.take(1, part)?[0])
    }

    /// Eight bytes, little endian.
    pub fn word(&mut self, part: &'static str) -> Result<u64, CodecError> {
        let bytes = self.take(8, part)?;
        Ok(u64::from_le_bytes(
            bytes.try_into().expect("eight bytes were taken"),
        ))
    }

    /// A LEB128 varint of at most 64 bits.
    pub fn varint(&mut self, part: &'static str) -> Result<u64, CodecError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(part)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CodecError::Malformed {
            part: "a varint of over 64 bits",
        })
    }

    /// A signed varint (zigzag).
    pub fn signed(&mut self, part: &'static str) -> Result<i64, CodecError> {
        Ok(unzigzag(self.varint(part)?))
    }

    /// A length and so many bytes.
    pub fn bytes(&mut self, part: &'static str) -> Result<&'a [u8], CodecError> {
        let need = self.varint(part)?;
        self.take(usize::try_from(need).unwrap_or(usize::MAX), part)
    }

    /// A length and so many bytes of UTF-8.
    pub fn text(&mut self, part: &'static str) -> Result<&'a str, CodecError> {
        std::str::from_utf8(self.bytes(part)?).map_err(|_invalid| CodecError::Malformed { part })
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// A varint that counts entries, of which at most `allowed` are legal.
    pub fn count(&mut self, allowed: usize, part: &'static str) -> Result<usize, CodecError> {
        let found = self.varint(part)?;
        match usize::try_from(found) {
            Ok(found) if found <= allowed => Ok(found),
            _ => Err(CodecError::Count {
                part,
                found: usize::try_from(found).unwrap_or(usize::MAX),
                allowed,
            }),
        }
    }
}

/// Appends a LEB128 varint.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length and the bytes.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a signed varint.
pub fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, zigzag(value));
}

/// Small magnitudes of either sign become small numbers.
pub const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`zigzag`].
pub const fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

/// Appends a column of integers as its least value and offsets of 0, 1, 2, 4 or 8 bytes each: small and
/// readable at memory speed. The count is not stored.
pub fn put_offsets(out: &mut Vec<u8>, column: impl Iterator<Item = i64> + Clone) {
    let base = column.clone().min().unwrap_or(0);
    let widest = column
        .clone()
        .map(|value| value.wrapping_sub(base) as u64)
        .max()
        .unwrap_or(0);
    let width: usize = match widest {
        0 => 0,
        1..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    out.push(width as u8);
    put_signed(out, base);
    for value in column {
        let offset = (value.wrapping_sub(base) as u64).to_le_bytes();
        out.extend_from_slice(&offset[..width]);
    }
}

/// Reads a column of `count` integers written by [`put_offsets`], handing each to `each`.
pub fn read_offsets(
    reader: &mut Reader<'_>,
    count: usize,
    part: &'static str,
    mut each: impl FnMut(usize, i64),
) -> Result<(), CodecError> {
    let width = usize::from(reader.byte(part)?);
    let base = reader.signed(part)?;
    let bytes = reader.take(count.saturating_mul(width), part)?;
    match width {
        0 => (0..count).for_each(|at| each(at, base)),
        1 => spread::<1>(bytes, base, &mut each),
        2 => spread::<2>(bytes, base, &mut each),
        4 => spread::<4>(bytes, base, &mut each),
        8 => spread::<8>(bytes, base, &mut each),
        _ => {
            return Err(CodecError::Malformed {
                part: "width of an integer column",
            });
        }
    }
    Ok(())
}

fn spread<const WIDTH: usize>(bytes: &[u8], base: i64, each: &mut impl FnMut(usize, i64)) {
    for (at, offset) in bytes.chunks_exact(WIDTH).enumerate() {
        let mut word = [0; 8];
        word[..WIDTH].copy_from_slice(offset);
        each(at, base.wrapping_add(u64::from_le_bytes(word) as i64));
    }
}
