//! Blocks of events, console output and judgements: MessagePack under zstd, in the order of sealing.
//!
//! Not here: sorting (a reader sorts by stamps, as a later seal may bring earlier records).

use serde::Serialize;
use serde::de::DeserializeOwned;
use trialbook_spool::codec::CodecError;
use trialbook_spool::codec::bytes::{self, ChunkKind, put_varint};

use super::annotations::{put_document, read_document};
use super::stamps::{StampTable, Stamps};
use crate::nouns::Recorded;

const PART: &str = "a block of records";

/// zstd's level: 3 is its own default and as fast as records come.
const LEVEL: i32 = 3;

/// Bytes that one block may unpack to.
const MOST_BYTES: usize = 1 << 30;

/// Records that one block may hold.
const MOST_RECORDS: usize = 1 << 24;

/// Packs records into a block.
pub(crate) fn pack_records<T: Serialize>(records: &[Recorded<T>]) -> Result<Vec<u8>, CodecError> {
    let mut stamps = Stamps::default();
    let mut body = Vec::new();
    for record in records {
        stamps.put(record.stamp, &mut body);
        put_document(&record.record, &mut body)?;
    }
    let mut plain = Vec::with_capacity(body.len() + records.len() * 4);
    stamps.finish(&mut plain);
    plain.extend_from_slice(&body);
    let mut blob = bytes::open(ChunkKind::Records, plain.len() / 4);
    put_varint(&mut blob, records.len() as u64);
    blob.extend_from_slice(&compress(&plain, PART)?);
    Ok(bytes::seal(blob))
}

/// Unpacks a block behind the records already in `out`.
pub(crate) fn unpack_records<T: DeserializeOwned>(
    blob: &[u8],
    out: &mut Vec<Recorded<T>>,
) -> Result<(), CodecError> {
    let mut reader = bytes::check(blob, ChunkKind::Records)?;
    let count = reader.count(MOST_RECORDS, PART)?;
    let plain = decompress(reader.take_rest(), PART)?;
    let mut reader = bytes::Reader::over(&plain);
    let stamps = StampTable::read(&mut reader)?;
    for _ in 0..count {
        let stamp = stamps.stamp(&mut reader)?;
        let record = read_document(&mut reader)?;
        out.push(Recorded { stamp, record });
    }
    reader.finish()
}

/// zstd, with the length in front.
pub(super) fn compress(plain: &[u8], part: &'static str) -> Result<Vec<u8>, CodecError> {
    let mut packed = Vec::with_capacity(plain.len() / 3 + 16);
    put_varint(&mut packed, plain.len() as u64);
    let body = zstd::bulk::compress(plain, LEVEL);
    packed.extend_from_slice(&body.map_err(|_error| CodecError::Malformed { part })?);
    Ok(packed)
}

/// The inverse of [`compress`].
pub(super) fn decompress(packed: &[u8], part: &'static str) -> Result<Vec<u8>, CodecError> {
    let mut reader = bytes::Reader::over(packed);
    let length = reader.count(MOST_BYTES, part)?;
    let plain = zstd::bulk::decompress(reader.take_rest(), length)
        .map_err(|_error| CodecError::Malformed { part })?;
    if plain.len() == length {
        Ok(plain)
    } else {
        Err(CodecError::Malformed { part })
    }
}
