//! Tags, fields and notes of a run's row.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use trialbook_model::state::{Annotations, Latest};
use trialbook_spool::codec::CodecError;
use trialbook_spool::codec::bytes::{Reader, put_bytes, put_varint};

use super::names::Names;
use super::stamps::{StampTable, Stamps};

const PART: &str = "tags, fields and notes";

/// Appends them.
pub(super) fn put_annotations(
    annotations: &Annotations,
    names: &mut Names,
    stamps: &mut Stamps,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let Annotations {
        tags,
        fields,
        notes,
    } = annotations;
    put_varint(out, tags.len() as u64);
    for (tag, value) in tags {
        put_varint(out, u64::from(names.number(tag)));
        stamps.put(value.stamp, out);
        put_option(value.value.as_deref(), out);
    }
    put_varint(out, fields.len() as u64);
    for (field, value) in fields {
        put_varint(out, u64::from(names.number(field)));
        stamps.put(value.stamp, out);
        put_document(&value.value, out)?;
    }
    put_varint(out, notes.len() as u64);
    for ((namespace, key), note) in notes {
        put_bytes(out, namespace.as_bytes());
        put_bytes(out, key.as_bytes());
        stamps.put(note.stamp, out);
        put_document(&note.value, out)?;
    }
    Ok(())
}

/// Reads them.
pub(super) fn read_annotations(
    reader: &mut Reader<'_>,
    names: &Names,
    stamps: &StampTable,
) -> Result<Annotations, CodecError> {
    let mut annotations = Annotations::default();
    for _ in 0..reader.count(reader.left(), PART)? {
        let tag = names.name(reader.varint(PART)?)?.to_owned();
        let stamp = stamps.stamp(reader)?;
        let value = read_option(reader)?;
        annotations.tags.insert(tag, Latest::new(stamp, value));
    }
    for _ in 0..reader.count(reader.left(), PART)? {
        let field = names.name(reader.varint(PART)?)?.to_owned();
        let stamp = stamps.stamp(reader)?;
        let value = read_document(reader)?;
        annotations.fields.insert(field, Latest::new(stamp, value));
    }
    let mut notes = BTreeMap::new();
    for _ in 0..reader.count(reader.left(), PART)? {
        let namespace = reader.text(PART)?.to_owned();
        let key = reader.text(PART)?.to_owned();
        let stamp = stamps.stamp(reader)?;
        let value = read_document(reader)?;
        notes.insert((namespace, key), Latest::new(stamp, value));
    }
    annotations.notes = notes;
    Ok(annotations)
}

/// Appends text or its absence.
pub(super) fn put_option(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => {
            put_varint(out, text.len() as u64 + 1);
            out.extend_from_slice(text.as_bytes());
        }
        None => out.push(0),
    }
}

/// Reads text or its absence.
pub(super) fn read_option(reader: &mut Reader<'_>) -> Result<Option<String>, CodecError> {
    let Some(len) = reader.varint(PART)?.checked_sub(1) else {
        return Ok(None);
    };
    let bytes = reader.take(usize::try_from(len).unwrap_or(usize::MAX), PART)?;
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|_invalid| CodecError::Malformed { part: PART })?;
    Ok(Some(text.to_owned()))
}

/// Appends a value as MessagePack with field names, which ignores unknown fields when read.
pub(super) fn put_document(value: &impl Serialize, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let bytes = rmp_serde::to_vec_named(value).map_err(|_error| CodecError::Malformed {
        part: "a document that MessagePack cannot hold",
    })?;
    put_bytes(out, &bytes);
    Ok(())
}

/// Reads a value of [`put_document`].
pub(super) fn read_document<T: DeserializeOwned>(reader: &mut Reader<'_>) -> Result<T, CodecError> {
    let bytes = reader.bytes("a document")?;
    rmp_serde::from_slice(bytes).map_err(|_error| CodecError::Malformed { part: "a document" })
}
