//! Judged items as two blobs: columns that are counted by, and everything else.
//!
//! A group-by reads only the first: labels as numbers into a dictionary, the primary score, errors,
//! latency, cost. Invariant: both blobs together give back each item bit for bit, in its place.

use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::record::{Item, Score};
use trialbook_spool::codec::bytes::{self, ChunkKind, Reader, put_bytes, put_varint};
use trialbook_spool::codec::{CodecError, Scratch, decode_numbers, encode_numbers};

use super::annotations::{put_document, read_document};
use super::records::{compress, decompress};
use super::stamps::{StampTable, Stamps};
use crate::nouns::ItemRecord;

const PART: &str = "a block of items";

/// Items of one block at most.
const MOST_ITEMS: usize = 1 << 20;

/// A packed block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemBlock {
    /// The columns that are counted by.
    pub(crate) numbers: Vec<u8>,
    /// The rest.
    pub(crate) texts: Vec<u8>,
}

/// One label of all items of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LabelColumn {
    /// The label.
    pub(crate) label: String,
    /// Its values.
    pub(crate) values: Vec<String>,
    /// For each item 0 where it lacks the label, else the place of its value and one.
    pub(crate) codes: Vec<u32>,
}

/// The columns that are counted by.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ItemColumns {
    /// How many items.
    pub(crate) count: usize,
    /// Labels, by name; only those asked for.
    pub(crate) labels: Vec<LabelColumn>,
    /// The primary score as a number, right counting 1 and wrong 0.
    pub(crate) scores: NumberColumn,
    /// Whether the answer failed.
    pub(crate) errors: Vec<u32>,
    /// Milliseconds.
    pub(crate) latencies: NumberColumn,
    /// Money.
    pub(crate) costs: NumberColumn,
}

/// Numbers of which some may be missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct NumberColumn {
    /// For each item 0 where it has none, else 1.
    present: Vec<u32>,
    /// Those that are there, in order.
    pub(crate) values: Vec<f64>,
}

impl NumberColumn {
    /// For each item its number, if it has one.
    pub(crate) fn optional(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        let mut values = self.values.iter().copied();
        let present = self.present.iter();
        present.map(move |present| if *present == 0 { None } else { values.next() })
    }

    /// Whether every item has one.
    pub(crate) fn is_whole(&self) -> bool {
        self.present.len() == self.values.len()
    }
}

impl From<Vec<Option<f64>>> for NumberColumn {
    fn from(column: Vec<Option<f64>>) -> Self {
        Self {
            present: column
                .iter()
                .map(|entry| u32::from(entry.is_some()))
                .collect(),
            values: column.into_iter().flatten().collect(),
        }
    }
}

/// Packs items; all of them fit a block.
pub(crate) fn pack_items(items: &[ItemRecord]) -> Result<ItemBlock, CodecError> {
    let mut numbers = bytes::open(ChunkKind::ItemNumbers, items.len() * 8);
    put_varint(&mut numbers, items.len() as u64);
    put_labels(items, &mut numbers)?;
    put_optional(
        items.iter().map(|item| score_of(&item.record)),
        &mut numbers,
    )?;
    let errors = items
        .iter()
        .map(|item| u32::from(item.record.error.is_some()));
    put_codes(&errors.collect::<Vec<u32>>(), &mut numbers)?;
    put_optional(
        items.iter().map(|item| item.record.latency_ms),
        &mut numbers,
    )?;
    put_optional(items.iter().map(|item| item.record.cost), &mut numbers)?;
    Ok(ItemBlock {
        numbers: bytes::seal(numbers),
        texts: pack_texts(items)?,
    })
}

/// The primary score as a number.
pub(crate) fn score_of(item: &Item) -> Option<f64> {
    match item.primary_score()? {
        Score::Bool(right) => Some(f64::from(u8::from(*right))),
        Score::Number(value) => Some(*value),
        Score::Text(_) => None,
    }
}

fn pack_texts(items: &[ItemRecord]) -> Result<Vec<u8>, CodecError> {
    let mut stamps = Stamps::default();
    let mut body = Vec::new();
    for item in items {
        stamps.put(item.stamp, &mut body);
        let mut rest = item.record.clone();
        rest.labels = BTreeMap::new();
        rest.latency_ms = None;
        rest.cost = None;
        put_document(&rest, &mut body)?;
    }
    let mut plain = Vec::with_capacity(body.len() + items.len() * 4);
    stamps.finish(&mut plain);
    plain.extend_from_slice(&body);
    let mut blob = bytes::open(ChunkKind::ItemTexts, plain.len() / 4);
    blob.extend_from_slice(&compress(&plain, PART)?);
    Ok(bytes::seal(blob))
}

/// Unpacks whole items behind those already in `out`.
pub(crate) fn unpack_items(
    block: &ItemBlock,
    scratch: &mut Scratch,
    out: &mut Vec<ItemRecord>,
) -> Result<(), CodecError> {
    let columns = unpack_numbers(&block.numbers, None, scratch)?;
    let mut reader = bytes::check(&block.texts, ChunkKind::ItemTexts)?;
    let plain = decompress(reader.take_rest(), PART)?;
    let mut reader = Reader::over(&plain);
    let stamps = StampTable::read(&mut reader)?;
    let numbers = columns.latencies.optional().zip(columns.costs.optional());
    for (at, (latency_ms, cost)) in numbers.enumerate() {
        let stamp = stamps.stamp(&mut reader)?;
        let mut record: Item = read_document(&mut reader)?;
        for column in &columns.labels {
            let value = column.codes[at].checked_sub(1);
            if let Some(value) = value.and_then(|code| column.values.get(code as usize)) {
                record.labels.insert(column.label.clone(), value.clone());
            }
        }
        record.latency_ms = latency_ms;
        record.cost = cost;
        out.push(ItemRecord { stamp, record });
    }
    reader.finish()
}

/// Unpacks the columns that are counted by: of labels only those in `wanted`, or all.
pub(crate) fn unpack_numbers(
    blob: &[u8],
    wanted: Option<&[String]>,
    scratch: &mut Scratch,
) -> Result<ItemColumns, CodecError> {
    let mut reader = bytes::check(blob, ChunkKind::ItemNumbers)?;
    let count = reader.count(MOST_ITEMS, PART)?;
    let labels = read_labels(&mut reader, count, wanted, scratch)?;
    let columns = ItemColumns {
        count,
        labels,
        scores: read_optional(&mut reader, count, scratch)?,
        errors: read_codes(&mut reader, count, scratch)?,
        latencies: read_optional(&mut reader, count, scratch)?,
        costs: read_optional(&mut reader, count, scratch)?,
    };
    reader.finish()?;
    Ok(columns)
}

fn put_labels(items: &[ItemRecord], out: &mut Vec<u8>) -> Result<(), CodecError> {
    let labels: BTreeSet<&String> = items
        .iter()
        .flat_map(|item| item.record.labels.keys())
        .collect();
    put_varint(out, labels.len() as u64);
    for label in labels {
        let mut column = Vec::new();
        let values: BTreeSet<&String> = items
            .iter()
            .filter_map(|item| item.record.labels.get(label))
            .collect();
        let places: BTreeMap<&String, u32> = values
            .iter()
            .zip(1..)
            .map(|(value, place)| (*value, place))
            .collect();
        put_varint(&mut column, values.len() as u64);
        for value in values {
            put_bytes(&mut column, value.as_bytes());
        }
        let codes: Vec<u32> = items
            .iter()
            .map(|item| {
                item.record
                    .labels
                    .get(label)
                    .map_or(0, |value| places[value])
            })
            .collect();
        put_codes(&codes, &mut column)?;
        put_bytes(out, label.as_bytes());
        put_bytes(out, &column);
    }
    Ok(())
}

fn read_labels(
    reader: &mut Reader<'_>,
    count: usize,
    wanted: Option<&[String]>,
    scratch: &mut Scratch,
) -> Result<Vec<LabelColumn>, CodecError> {
    let mut labels = Vec::new();
    for _ in 0..reader.count(reader.left() / 2, PART)? {
        let label = reader.text(PART)?;
        let column = reader.bytes(PART)?;
        if wanted.is_some_and(|wanted| !wanted.iter().any(|name| name == label)) {
            continue;
        }
        let mut column = Reader::over(column);
        let mut values = Vec::new();
        for _ in 0..column.count(column.left(), PART)? {
            values.push(column.text(PART)?.to_owned());
        }
        let codes = read_codes(&mut column, count, scratch)?;
        column.finish()?;
        if codes.iter().any(|code| *code as usize > values.len()) {
            return Err(CodecError::Malformed { part: PART });
        }
        labels.push(LabelColumn {
            label: label.to_owned(),
            values,
            codes,
        });
    }
    Ok(labels)
}

/// All entries are this one, which follows.
const EQUAL: u8 = 0;
/// pco.
const PACKED: u8 = 1;

fn put_codes(codes: &[u32], out: &mut Vec<u8>) -> Result<(), CodecError> {
    let first = codes.first().copied().unwrap_or(0);
    if codes.iter().all(|code| *code == first) {
        out.push(EQUAL);
        put_varint(out, u64::from(first));
        return Ok(());
    }
    out.push(PACKED);
    let mut packed = Vec::new();
    encode_numbers(codes, &mut packed)?;
    put_bytes(out, &packed);
    Ok(())
}

fn read_codes(
    reader: &mut Reader<'_>,
    count: usize,
    scratch: &mut Scratch,
) -> Result<Vec<u32>, CodecError> {
    match reader.byte(PART)? {
        EQUAL => {
            let code = u32::try_from(reader.varint(PART)?);
            let code = code.map_err(|_too_big| CodecError::Malformed { part: PART })?;
            Ok(vec![code; count])
        }
        PACKED => {
            let mut codes = vec![0; count];
            let rest = decode_numbers(reader.bytes(PART)?, &mut codes, scratch)?;
            Reader::over(rest).finish()?;
            Ok(codes)
        }
        _ => Err(CodecError::Malformed { part: PART }),
    }
}

/// Which entries there are, then the entries.
fn put_optional(
    column: impl Iterator<Item = Option<f64>>,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let column = NumberColumn::from(column.collect::<Vec<Option<f64>>>());
    put_codes(&column.present, out)?;
    let mut packed = Vec::new();
    encode_numbers(&column.values, &mut packed)?;
    put_varint(out, column.values.len() as u64);
    put_bytes(out, &packed);
    Ok(())
}

fn read_optional(
    reader: &mut Reader<'_>,
    count: usize,
    scratch: &mut Scratch,
) -> Result<NumberColumn, CodecError> {
    let present = read_codes(reader, count, scratch)?;
    let entries = reader.count(count, PART)?;
    if present.iter().filter(|present| **present != 0).count() != entries {
        return Err(CodecError::Malformed { part: PART });
    }
    let mut values = vec![0.0; entries];
    let rest = decode_numbers(reader.bytes(PART)?, &mut values, scratch)?;
    Reader::over(rest).finish()?;
    Ok(NumberColumn { present, values })
}
