//! The states of experiments, projects and entries, packed for their rows: MessagePack under zstd, then the directory
//! of their chunks.

use serde::Serialize;
use serde::de::DeserializeOwned;
use trialbook_spool::codec::CodecError;
use trialbook_spool::codec::bytes::{self, ChunkKind, put_bytes};

use super::names::Names;
use super::places::Places;
use super::records::{compress, decompress};

const PART: &str = "the state of an experiment or project";

/// Packs a state and its directory.
pub(crate) fn pack_noun(
    state: &impl Serialize,
    places: &Places,
    names: &mut Names,
) -> Result<Vec<u8>, CodecError> {
    let state =
        rmp_serde::to_vec_named(state).map_err(|_error| CodecError::Malformed { part: PART })?;
    let mut blob = bytes::open(ChunkKind::State, state.len() / 2);
    put_bytes(&mut blob, &compress(&state, PART)?);
    places.put(names, &mut blob);
    if places.spans.is_some() {
        places.put_spans(&mut blob);
    }
    Ok(bytes::seal(blob))
}

/// Unpacks a state and its directory.
pub(crate) fn unpack_noun<T: DeserializeOwned>(
    blob: &[u8],
    names: &Names,
) -> Result<(T, Places), CodecError> {
    let mut reader = bytes::check(blob, ChunkKind::State)?;
    let state = decompress(reader.bytes(PART)?, PART)?;
    let state =
        rmp_serde::from_slice(&state).map_err(|_error| CodecError::Malformed { part: PART })?;
    let mut places = Places::read(&mut reader, names)?;
    if reader.left() > 0 {
        places.read_spans(&mut reader)?;
    }
    reader.finish()?;
    Ok((state, places))
}

/// Packs a JSON document.
pub(crate) fn pack_document(document: &serde_json::Value) -> Result<Vec<u8>, CodecError> {
    let text = document.to_string();
    let mut blob = bytes::open(ChunkKind::State, text.len() / 3);
    blob.extend_from_slice(&compress(text.as_bytes(), DOCUMENT)?);
    Ok(bytes::seal(blob))
}

/// Unpacks a JSON document.
pub(crate) fn unpack_document(blob: &[u8]) -> Result<serde_json::Value, CodecError> {
    let mut reader = bytes::check(blob, ChunkKind::State)?;
    let text = decompress(reader.take_rest(), DOCUMENT)?;
    serde_json::from_slice(&text).map_err(|_error| CodecError::Malformed { part: DOCUMENT })
}

const DOCUMENT: &str = "a document";
