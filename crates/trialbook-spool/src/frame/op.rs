//! Operations other than points as payloads: MessagePack maps with field names.
//!
//! Invariant: a kind that this version does not know stays [`Op::Unknown`] with its kind and bytes; one that
//! it knows and cannot read is an error, so that nobody counts it as kept.

use serde::Serialize;
use serde::de::DeserializeOwned;
use trialbook_model::record::Op;

use super::{flag, kind};

/// The kind of an operation's frame.
pub(crate) fn kind_of(op: &Op) -> u8 {
    match op {
        Op::Points(_) => kind::POINTS,
        Op::CreateExperiment(_) => kind::CREATE_EXPERIMENT,
        Op::StartRun(_) => kind::START_RUN,
        Op::SetStatus(_) => kind::SET_STATUS,
        Op::SetParams(_) => kind::SET_PARAMS,
        Op::SetTags(_) => kind::SET_TAGS,
        Op::SetField(_) => kind::SET_FIELD,
        Op::PutNote(_) => kind::PUT_NOTE,
        Op::SetPointer(_) => kind::SET_POINTER,
        Op::DefineMetric(_) => kind::DEFINE_METRIC,
        Op::Event(_) => kind::EVENT,
        Op::Log(_) => kind::LOG,
        Op::Item(_) => kind::ITEM,
        Op::Assess(_) => kind::ASSESS,
        Op::PutArtifact(_) => kind::PUT_ARTIFACT,
        Op::LinkSnapshot(_) => kind::LINK_SNAPSHOT,
        Op::Progress(_) => kind::PROGRESS,
        Op::Heartbeat(_) => kind::HEARTBEAT,
        Op::Purge(_) => kind::PURGE,
        Op::CreateEntry(_) => kind::CREATE_ENTRY,
        Op::SetSecret(_) => kind::SET_SECRET,
        Op::UseDataset(_) => kind::USE_DATASET,
        Op::LinkModel(_) => kind::LINK_MODEL,
        Op::Span(_) => kind::SPAN,
        Op::Unknown { kind, .. } => *kind,
    }
}

/// Pushes an operation's payload. Points have no payload of this form and push nothing.
pub(crate) fn put_payload(out: &mut Vec<u8>, op: &Op) -> Result<(), rmp_serde::encode::Error> {
    match op {
        Op::Points(_) => Ok(()),
        Op::CreateExperiment(op) => put(out, op),
        Op::StartRun(op) => put(out, op),
        Op::SetStatus(op) => put(out, op),
        Op::SetParams(op) => put(out, op),
        Op::SetTags(op) => put(out, op),
        Op::SetField(op) => put(out, op),
        Op::PutNote(op) => put(out, op),
        Op::SetPointer(op) => put(out, op),
        Op::DefineMetric(op) => put(out, op),
        Op::Event(op) => put(out, op),
        Op::Log(op) => put(out, op),
        Op::Item(op) => put(out, op.as_ref()),
        Op::Assess(op) => put(out, op),
        Op::PutArtifact(op) => put(out, op),
        Op::LinkSnapshot(op) => put(out, op),
        Op::Progress(op) => put(out, op),
        Op::Heartbeat(op) => put(out, op),
        Op::Purge(op) => put(out, op),
        Op::CreateEntry(op) => put(out, op.as_ref()),
        Op::SetSecret(op) => put(out, op),
        Op::UseDataset(op) => put(out, op.as_ref()),
        Op::LinkModel(op) => put(out, op),
        Op::Span(op) => put(out, op),
        Op::Unknown { payload, .. } => {
            out.extend_from_slice(payload);
            Ok(())
        }
    }
}

fn put<T: Serialize>(out: &mut Vec<u8>, op: &T) -> Result<(), rmp_serde::encode::Error> {
    rmp_serde::encode::write_named(out, op)
}

/// Flags of a frame that this version gives no meaning.
pub(crate) fn odd_flags(op: &Op) -> u8 {
    if let Op::Unknown { flags, .. } = op {
        flags & !flag::SIGNED
    } else {
        0
    }
}

/// Reads an operation that is not points; `None` where the kind is known and the payload is not of it.
pub(crate) fn decode_op(kind: u8, flags: u8, payload: &[u8]) -> Option<Op> {
    match kind {
        kind::POINTS => None,
        kind::CREATE_EXPERIMENT => take(payload, Op::CreateExperiment),
        kind::START_RUN => take(payload, Op::StartRun),
        kind::SET_STATUS => take(payload, Op::SetStatus),
        kind::SET_PARAMS => take(payload, Op::SetParams),
        kind::SET_TAGS => take(payload, Op::SetTags),
        kind::SET_FIELD => take(payload, Op::SetField),
        kind::PUT_NOTE => take(payload, Op::PutNote),
        kind::SET_POINTER => take(payload, Op::SetPointer),
        kind::DEFINE_METRIC => take(payload, Op::DefineMetric),
        kind::EVENT => take(payload, Op::Event),
        kind::LOG => take(payload, Op::Log),
        kind::ITEM => take(payload, |item| Op::Item(Box::new(item))),
        kind::ASSESS => take(payload, Op::Assess),
        kind::PUT_ARTIFACT => take(payload, Op::PutArtifact),
        kind::LINK_SNAPSHOT => take(payload, Op::LinkSnapshot),
        kind::PROGRESS => take(payload, Op::Progress),
        kind::HEARTBEAT => take(payload, Op::Heartbeat),
        kind::PURGE => take(payload, Op::Purge),
        kind::CREATE_ENTRY => take(payload, |create| Op::CreateEntry(Box::new(create))),
        kind::SET_SECRET => take(payload, Op::SetSecret),
        kind::USE_DATASET => take(payload, |mention| Op::UseDataset(Box::new(mention))),
        kind::LINK_MODEL => take(payload, Op::LinkModel),
        kind::SPAN => take(payload, Op::Span),
        _ => Some(Op::Unknown {
            kind,
            flags: flags & !flag::SIGNED,
            payload: payload.to_vec(),
        }),
    }
}

fn take<T: DeserializeOwned>(payload: &[u8], into: impl FnOnce(T) -> Op) -> Option<Op> {
    rmp_serde::from_slice(payload).ok().map(into)
}
