//! The bytes of a segment: a directory of columns and what one entry of it says.
//!
//! The layout is written down in `docs/format/index.md`. Not here: files, judging.
//! Invariant: reading damaged bytes ends in [`Damaged`], never in a panic.

/// Runs of one segment at most.
pub(super) const SEGMENT: u64 = 1 << 16;

/// The segment of a run and its place in it. The first run has the number 1 and stands at place 0.
pub(super) const fn place_of(no: u64) -> (u64, u16) {
    let at = no.saturating_sub(1);
    (at / SEGMENT, (at % SEGMENT) as u16)
}

/// The number of the run at place 0 of a segment.
pub(super) const fn first_of(segment: u64) -> u64 {
    segment * SEGMENT + 1
}

/// Bytes of a directory's head.
pub(super) const HEAD: usize = 16;
/// Bytes of one entry of a directory.
pub(super) const ENTRY: usize = 64;
/// Stands between the name and the context of a key; no UTF-8 text contains it.
const BETWEEN: u8 = 0xff;

/// Why a snapshot cannot be used: it is to be thrown away and built anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the snapshot of the column index is damaged")]
pub struct Damaged;

/// What a column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Kind {
    Uid = 0,
    Experiment = 1,
    /// `archived` and `deleted` of runs themselves.
    Flag = 2,
    Attribute = 3,
    Metric = 4,
    Derived = 5,
    Param = 6,
    Tag = 7,
    Dataset = 8,
}

/// Writes the key of a column, by which columns are sorted, over what `key` held.
pub(super) fn write_key(key: &mut Vec<u8>, kind: Kind, name: &str, context: &str) {
    key.clear();
    key.push(kind as u8);
    key.extend_from_slice(name.as_bytes());
    key.push(BETWEEN);
    key.extend_from_slice(context.as_bytes());
}

/// The parts of a column's key.
pub(super) fn split_key(key: &[u8]) -> Result<(Kind, &str, &str), Damaged> {
    let (kind, rest) = key.split_first().ok_or(Damaged)?;
    let between = rest
        .iter()
        .position(|byte| *byte == BETWEEN)
        .ok_or(Damaged)?;
    let kind = match kind {
        0 => Kind::Uid,
        1 => Kind::Experiment,
        2 => Kind::Flag,
        3 => Kind::Attribute,
        4 => Kind::Metric,
        5 => Kind::Derived,
        6 => Kind::Param,
        7 => Kind::Tag,
        8 => Kind::Dataset,
        _ => return Err(Damaged),
    };
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_invalid| Damaged);
    Ok((kind, text(&rest[..between])?, text(&rest[between + 1..])?))
}

/// What a column's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Shape {
    /// Presence alone.
    Mark = 0,
    /// 64-bit floats.
    Numbers = 1,
    /// 64-bit milliseconds.
    Times = 2,
    /// Codes of a dictionary.
    Words = 3,
    /// The six numbers of a series.
    Series = 4,
    /// 16 bytes each.
    Uids = 5,
}

/// In which places a column has values, and so how many it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Spread {
    /// In all: a value for each place.
    All = 0,
    /// In those of a bitmap: a value for each place, those of the others mean nothing.
    Bitmap = 1,
    /// In those of a list: a value for each of them.
    List = 2,
}

/// How a lane of numbers is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Packing {
    /// Number by number.
    Plain = 0,
    /// One number for all.
    Constant = 1,
    /// Those of the lane `last`.
    AsLast = 2,
}

/// One entry of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) shape: Shape,
    pub(super) spread: Spread,
    /// Bytes of one code: 0 where the dictionary has one entry, else 1, 2 or 4.
    pub(super) width: u8,
    /// How many places have a value.
    pub(super) present: u32,
    /// Where the key stands behind the entries.
    pub(super) key_at: u32,
    pub(super) key_len: u32,
    /// Where the values start in the segment.
    pub(super) main_at: u64,
    /// Bytes of presence and values; of a series those of the lane `last`.
    pub(super) main_len: u64,
    /// Bytes of the other lanes, which follow.
    pub(super) rest_len: u64,
    pub(super) main_crc: u32,
    pub(super) rest_crc: u32,
    /// Entries of the dictionary.
    pub(super) words: u32,
    /// Those of them that are numbers; they come first.
    pub(super) numeric: u32,
    /// How each lane is kept.
    pub(super) packing: [Packing; 6],
}

impl Entry {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.shape as u8, self.spread as u8, self.width, 0]);
        out.extend(self.present.to_le_bytes());
        out.extend(self.key_at.to_le_bytes());
        out.extend(self.key_len.to_le_bytes());
        out.extend(self.main_at.to_le_bytes());
        out.extend(self.main_len.to_le_bytes());
        out.extend(self.rest_len.to_le_bytes());
        out.extend(self.main_crc.to_le_bytes());
        out.extend(self.rest_crc.to_le_bytes());
        out.extend(self.words.to_le_bytes());
        out.extend(self.numeric.to_le_bytes());
        out.extend(self.packing.map(|packing| packing as u8));
        out.extend([0, 0]);
    }

    pub(super) fn read(bytes: &[u8; ENTRY]) -> Result<Self, Damaged> {
        let mut packing = [Packing::Plain; 6];
        for (slot, byte) in packing.iter_mut().zip(&bytes[56..62]) {
            *slot = match byte {
                0 => Packing::Plain,
                1 => Packing::Constant,
                2 => Packing::AsLast,
                _ => return Err(Damaged),
            };
        }
        Ok(Self {
            shape: match bytes[0] {
                0 => Shape::Mark,
                1 => Shape::Numbers,
                2 => Shape::Times,
                3 => Shape::Words,
                4 => Shape::Series,
                5 => Shape::Uids,
                _ => return Err(Damaged),
            },
            spread: match bytes[1] {
                0 => Spread::All,
                1 => Spread::Bitmap,
                2 => Spread::List,
                _ => return Err(Damaged),
            },
            width: bytes[2],
            present: u32_at(bytes, 4)?,
            key_at: u32_at(bytes, 8)?,
            key_len: u32_at(bytes, 12)?,
            main_at: u64_at(bytes, 16)?,
            main_len: u64_at(bytes, 24)?,
            rest_len: u64_at(bytes, 32)?,
            main_crc: u32_at(bytes, 40)?,
            rest_crc: u32_at(bytes, 44)?,
            words: u32_at(bytes, 48)?,
            numeric: u32_at(bytes, 52)?,
            packing,
        })
    }
}

/// So many bytes from a place on.
pub(super) fn part(bytes: &[u8], at: u64, len: u64) -> Result<&[u8], Damaged> {
    let from = usize::try_from(at).map_err(|_beyond| Damaged)?;
    let len = usize::try_from(len).map_err(|_beyond| Damaged)?;
    let to = from.checked_add(len).ok_or(Damaged)?;
    bytes.get(from..to).ok_or(Damaged)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Damaged> {
    let bytes = bytes
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map(u32::from_le_bytes).ok_or(Damaged)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Result<u64, Damaged> {
    let bytes = bytes
        .get(at..at + 8)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map(u64::from_le_bytes).ok_or(Damaged)
}
