//! The state of a run and the directory of its chunks, packed for its row.
//!
//! Params, tags and summaries by the numbers of their names, stamps in a table of their own; what is rare
//! stands as MessagePack. Invariant: a state unpacked equals the one packed, whatever its floats.

use std::collections::BTreeMap;

use serde::Serialize;
use trialbook_model::derived;
use trialbook_model::id::WriterUid;
use trialbook_model::record::{Heartbeat, Param, ParamKind};
use trialbook_model::state::{
    Counts, Earliest, Latest, ProgressHistory, Records, RunState, WriteOnce,
};
use trialbook_model::time::Timestamp;
use trialbook_spool::codec::CodecError;
use trialbook_spool::codec::bytes::{self, ChunkKind, Reader, put_bytes, put_signed, put_varint};

use super::annotations::{put_annotations, put_document, read_annotations, read_document};
use super::names::Names;
use super::places::Places;
use super::series::{put_series, read_series};
use super::stamps::{StampTable, Stamps};
use super::start::{put_start, read_start};

const PART: &str = "the state of a run";

/// Packs a run's state and directory; new names get numbers.
pub(crate) fn pack_run(
    state: &RunState,
    places: &Places,
    names: &mut Names,
) -> Result<Vec<u8>, CodecError> {
    let mut stamps = Stamps::default();
    let mut body = Vec::with_capacity(512);
    put_state(state, names, &mut stamps, &mut body)?;
    places.put(names, &mut body);
    put_rest(state, places, &mut body)?;
    let mut blob = bytes::open(ChunkKind::State, body.len() + 64);
    stamps.finish(&mut blob);
    blob.extend_from_slice(&body);
    Ok(bytes::seal(blob))
}

/// Unpacks a run's state and directory.
pub(crate) fn unpack_run(blob: &[u8], names: &Names) -> Result<(RunState, Places), CodecError> {
    let mut reader = bytes::check(blob, ChunkKind::State)?;
    let stamps = StampTable::read(&mut reader)?;
    let mut state = read_state(&mut reader, names, &stamps)?;
    let mut places = Places::read(&mut reader, names)?;
    if reader.left() > 0 {
        places.read_spans(&mut reader)?;
        state.records.counts.spans = reader.varint(PART)?;
        state.lineage = read_document(&mut reader)?;
    }
    reader.finish()?;
    Ok((state, places))
}

/// Appends what few runs have: spans, datasets, models. Without any nothing is appended.
fn put_rest(state: &RunState, places: &Places, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let spans = state.records.counts.spans;
    if spans == 0 && places.spans.is_none() && state.lineage.is_empty() {
        return Ok(());
    }
    places.put_spans(out);
    put_varint(out, spans);
    put_document(&state.lineage, out)
}

fn put_state(
    state: &RunState,
    names: &mut Names,
    stamps: &mut Stamps,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let RunState {
        start,
        changed,
        started,
        params,
        annotations,
        records,
        snapshots,
        progress,
        heartbeats,
        derived,
        born,
        alive,
        actor,
        lineage: _,
    } = state;
    out.push(u8::from(start.is_some()));
    if let Some(start) = start {
        stamps.put(start.stamp, out);
        put_start(&start.value, out);
    }
    put_latest(changed.as_ref(), stamps, out)?;
    put_time(*started, out);
    put_params(params, names, stamps, out);
    put_annotations(annotations, names, stamps, out)?;
    put_records(records, names, stamps, out)?;
    put_varint(out, snapshots.len() as u64);
    for (kind, sha256) in snapshots {
        put_bytes(out, kind.as_bytes());
        stamps.put(sha256.stamp, out);
        put_bytes(out, sha256.value.as_bytes());
    }
    put_signs((progress, heartbeats), stamps, out)?;
    let observed = *derived != derived::State::default();
    out.push(u8::from(observed));
    if observed {
        put_document(derived, out)?;
    }
    put_time(*born, out);
    put_time(*alive, out);
    out.push(u8::from(actor.is_some()));
    if let Some(actor) = actor {
        stamps.put(actor.stamp, out);
        put_bytes(out, actor.value.as_bytes());
    }
    Ok(())
}

/// How far the run said it was, and what its writers counted.
fn put_signs(
    (progress, heartbeats): (&ProgressHistory, &BTreeMap<WriterUid, Latest<Heartbeat>>),
    stamps: &mut Stamps,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    put_varint(out, progress.reports().len() as u64);
    for report in progress.reports() {
        stamps.put(report.stamp, out);
        put_document(&report.value, out)?;
    }
    put_varint(out, heartbeats.len() as u64);
    for (writer, beat) in heartbeats {
        stamps.put_writer(*writer, out);
        stamps.put(beat.stamp, out);
        put_document(&beat.value, out)?;
    }
    Ok(())
}

fn read_state(
    reader: &mut Reader<'_>,
    names: &Names,
    stamps: &StampTable,
) -> Result<RunState, CodecError> {
    let mut state = RunState::default();
    if reader.byte(PART)? != 0 {
        let stamp = stamps.stamp(reader)?;
        let value = read_start(reader)?;
        state.start = Some(Earliest { stamp, value });
    }
    if reader.byte(PART)? != 0 {
        let stamp = stamps.stamp(reader)?;
        state.changed = Some(Latest::new(stamp, read_document(reader)?));
    }
    state.started = read_time(reader)?;
    state.params = read_params(reader, names, stamps)?;
    state.annotations = read_annotations(reader, names, stamps)?;
    state.records = read_records(reader, names, stamps)?;
    for _ in 0..reader.count(reader.left(), PART)? {
        let kind = reader.text(PART)?.to_owned();
        let stamp = stamps.stamp(reader)?;
        let sha256 = reader.text(PART)?.to_owned();
        state.snapshots.insert(kind, Latest::new(stamp, sha256));
    }
    for _ in 0..reader.count(reader.left(), PART)? {
        let stamp = stamps.stamp(reader)?;
        state.progress.offer(stamp, read_document(reader)?);
    }
    for _ in 0..reader.count(reader.left(), PART)? {
        let writer = stamps.writer(reader)?;
        let stamp = stamps.stamp(reader)?;
        let beat = Latest::new(stamp, read_document(reader)?);
        state.heartbeats.insert(writer, beat);
    }
    if reader.byte(PART)? != 0 {
        state.derived = read_document(reader)?;
    }
    state.born = read_time(reader)?;
    state.alive = read_time(reader)?;
    if reader.byte(PART)? != 0 {
        let stamp = stamps.stamp(reader)?;
        let value = reader.text(PART)?.to_owned();
        state.actor = Some(Earliest { stamp, value });
    }
    Ok(state)
}

fn put_params(
    params: &BTreeMap<String, WriteOnce>,
    names: &mut Names,
    stamps: &mut Stamps,
    out: &mut Vec<u8>,
) {
    put_varint(out, params.len() as u64);
    for (key, param) in params {
        put_varint(out, u64::from(names.number(key)));
        // Bit 7 says that another value follows, which lost.
        put_param(
            param.stamp(),
            param.param(),
            u8::from(!param.conflicts().is_empty()) << 7,
            stamps,
            out,
        );
        for (at, (stamp, value)) in param.conflicts().iter().enumerate() {
            let more = u8::from(at + 1 < param.conflicts().len()) << 7;
            put_param(*stamp, value, more, stamps, out);
        }
    }
}

fn put_param(
    stamp: trialbook_model::state::Stamp,
    param: &Param,
    more: u8,
    stamps: &mut Stamps,
    out: &mut Vec<u8>,
) {
    let kind = match param.kind {
        ParamKind::Text => 0,
        ParamKind::Number => 1,
        ParamKind::Bool => 2,
        ParamKind::Null => 3,
    };
    out.push(kind | more);
    stamps.put(stamp, out);
    put_bytes(out, param.text.as_bytes());
}

fn read_params(
    reader: &mut Reader<'_>,
    names: &Names,
    stamps: &StampTable,
) -> Result<BTreeMap<String, WriteOnce>, CodecError> {
    let count = reader.count(reader.left() / 4, PART)?;
    let mut params = Vec::with_capacity(count);
    for _ in 0..count {
        let key = names.name(reader.varint(PART)?)?.to_owned();
        let mut param: Option<WriteOnce> = None;
        loop {
            let kind = reader.byte(PART)?;
            let stamp = stamps.stamp(reader)?;
            let value = Param {
                text: reader.text(PART)?.to_owned(),
                kind: match kind & 0x7f {
                    0 => ParamKind::Text,
                    1 => ParamKind::Number,
                    2 => ParamKind::Bool,
                    3 => ParamKind::Null,
                    _ => return Err(CodecError::Malformed { part: PART }),
                },
            };
            match &mut param {
                Some(param) => param.offer(stamp, value),
                None => param = Some(WriteOnce::new(stamp, value)),
            }
            if kind < 0x80 {
                break;
            }
        }
        params.extend(param.map(|param| (key, param)));
    }
    Ok(params.into_iter().collect())
}

fn put_records(
    records: &Records,
    names: &mut Names,
    stamps: &mut Stamps,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let Records {
        series,
        artifacts,
        counts,
    } = records;
    put_series(series, names, out);
    put_varint(out, artifacts.len() as u64);
    for (path, versions) in artifacts {
        put_bytes(out, path.as_bytes());
        put_varint(out, versions.len() as u64);
        for version in versions {
            stamps.put(version.stamp, out);
            put_document(&version.value, out)?;
        }
    }
    let Counts {
        points,
        events,
        items,
        assessments,
        log_bytes,
        spans: _,
    } = counts;
    for count in [points, items, assessments, log_bytes] {
        put_varint(out, *count);
    }
    put_varint(out, events.len() as u64);
    for (kind, count) in events {
        put_bytes(out, kind.as_bytes());
        put_varint(out, *count);
    }
    Ok(())
}

fn read_records(
    reader: &mut Reader<'_>,
    names: &Names,
    stamps: &StampTable,
) -> Result<Records, CodecError> {
    let mut records = Records {
        series: read_series(reader, names)?,
        ..Records::default()
    };
    for _ in 0..reader.count(reader.left(), PART)? {
        let path = reader.text(PART)?.to_owned();
        let mut versions = Vec::new();
        for _ in 0..reader.count(reader.left(), PART)? {
            let stamp = stamps.stamp(reader)?;
            versions.push(Latest::new(stamp, read_document(reader)?));
        }
        records.artifacts.insert(path, versions);
    }
    let counts = &mut records.counts;
    counts.points = reader.varint(PART)?;
    counts.items = reader.varint(PART)?;
    counts.assessments = reader.varint(PART)?;
    counts.log_bytes = reader.varint(PART)?;
    for _ in 0..reader.count(reader.left(), PART)? {
        let kind = reader.text(PART)?.to_owned();
        counts.events.insert(kind, reader.varint(PART)?);
    }
    Ok(records)
}

/// Appends a register that may be empty.
fn put_latest<T: Serialize>(
    latest: Option<&Latest<T>>,
    stamps: &mut Stamps,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    out.push(u8::from(latest.is_some()));
    if let Some(latest) = latest {
        stamps.put(latest.stamp, out);
        put_document(&latest.value, out)?;
    }
    Ok(())
}

fn put_time(time: Option<Timestamp>, out: &mut Vec<u8>) {
    out.push(u8::from(time.is_some()));
    if let Some(time) = time {
        put_signed(out, time.0);
    }
}

fn read_time(reader: &mut Reader<'_>) -> Result<Option<Timestamp>, CodecError> {
    Ok(match reader.byte(PART)? {
        0 => None,
        _ => Some(Timestamp(reader.signed(PART)?)),
    })
}
