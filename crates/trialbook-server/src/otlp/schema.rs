//! The messages of OpenTelemetry's traces, as far as their protobuf is read: number, name and kind of each field.
//!
//! From `opentelemetry/proto/{collector/trace,trace,common,resource}/v1` of version 1. Fields that stand nowhere here
//! are passed over. Invariant: names are those of the protocol's JSON.

/// A message.
pub(super) type Message = &'static [Field];

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// Its number.
    pub(super) number: u64,
    /// Its name in JSON.
    pub(super) name: &'static str,
    /// What its values are.
    pub(super) kind: Kind,
    /// Whether there may be several.
    pub(super) arity: Arity,
}

/// Whether a field may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arity {
    /// One value.
    One,
    /// A list.
    Many,
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// UTF-8.
    Text,
    /// Bytes that JSON has as hex digits.
    Id,
    /// Bytes that JSON has as base64.
    Bytes,
    /// `true` or `false`.
    Flag,
    /// An integer of 32 bits or a choice: a number.
    Small,
    /// A signed integer of 64 bits: a text.
    Large,
    /// An unsigned integer in 8 bytes: a text.
    Fixed64,
    /// An unsigned integer in 4 bytes: a number.
    Fixed32,
    /// A double.
    Double,
    /// A message; behind a function, since values hold values.
    Message(fn() -> Message),
}

const fn one(number: u64, name: &'static str, kind: Kind) -> Field {
    Field {
        number,
        name,
        kind,
        arity: Arity::One,
    }
}

const fn many(number: u64, name: &'static str, inner: fn() -> Message) -> Field {
    Field {
        number,
        name,
        kind: Kind::Message(inner),
        arity: Arity::Many,
    }
}

/// `ExportTraceServiceRequest`.
pub(super) const REQUEST: Message = &[many(1, "resourceSpans", || RESOURCE_SPANS)];

const RESOURCE_SPANS: Message = &[
    one(1, "resource", Kind::Message(|| RESOURCE)),
    many(2, "scopeSpans", || SCOPE_SPANS),
    one(3, "schemaUrl", Kind::Text),
];

const RESOURCE: Message = &[
    many(1, "attributes", || KEY_VALUE),
    one(2, "droppedAttributesCount", Kind::Small),
];

const SCOPE_SPANS: Message = &[
    one(1, "scope", Kind::Message(|| SCOPE)),
    many(2, "spans", || SPAN),
    one(3, "schemaUrl", Kind::Text),
];

const SCOPE: Message = &[
    one(1, "name", Kind::Text),
    one(2, "version", Kind::Text),
    many(3, "attributes", || KEY_VALUE),
    one(4, "droppedAttributesCount", Kind::Small),
];

const SPAN: Message = &[
    one(1, "traceId", Kind::Id),
    one(2, "spanId", Kind::Id),
    one(3, "traceState", Kind::Text),
    one(4, "parentSpanId", Kind::Id),
    one(5, "name", Kind::Text),
    one(6, "kind", Kind::Small),
    one(7, "startTimeUnixNano", Kind::Fixed64),
    one(8, "endTimeUnixNano", Kind::Fixed64),
    many(9, "attributes", || KEY_VALUE),
    one(10, "droppedAttributesCount", Kind::Small),
    many(11, "events", || EVENT),
    one(12, "droppedEventsCount", Kind::Small),
    many(13, "links", || LINK),
    one(14, "droppedLinksCount", Kind::Small),
    one(15, "status", Kind::Message(|| STATUS)),
    one(16, "flags", Kind::Fixed32),
];

const EVENT: Message = &[
    one(1, "timeUnixNano", Kind::Fixed64),
    one(2, "name", Kind::Text),
    many(3, "attributes", || KEY_VALUE),
    one(4, "droppedAttributesCount", Kind::Small),
];

const LINK: Message = &[
    one(1, "traceId", Kind::Id),
    one(2, "spanId", Kind::Id),
    one(3, "traceState", Kind::Text),
    many(4, "attributes", || KEY_VALUE),
    one(5, "droppedAttributesCount", Kind::Small),
    one(6, "flags", Kind::Fixed32),
];

const STATUS: Message = &[one(2, "message", Kind::Text), one(3, "code", Kind::Small)];

const KEY_VALUE: Message = &[
    one(1, "key", Kind::Text),
    one(2, "value", Kind::Message(|| VALUE)),
];

const VALUE: Message = &[
    one(1, "stringValue", Kind::Text),
    one(2, "boolValue", Kind::Flag),
    one(3, "intValue", Kind::Large),
    one(4, "doubleValue", Kind::Double),
    one(5, "arrayValue", Kind::Message(|| ARRAY)),
    one(6, "kvlistValue", Kind::Message(|| KEY_VALUES)),
    one(7, "bytesValue", Kind::Bytes),
];

const ARRAY: Message = &[many(1, "values", || VALUE)];

const KEY_VALUES: Message = &[many(1, "values", || KEY_VALUE)];
