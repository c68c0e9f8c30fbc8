//! OpenTelemetry's protocol for traces: requests in protobuf or JSON, read into one JSON form.
//!
//! Not here: where spans are kept, what they mean. Invariant: what is read is what was sent, ids as hex digits and
//! 64-bit integers as texts, as the protocol's JSON has them; a body that is cut or nests too deep is refused.

mod protobuf;
mod schema;
#[cfg(test)]
mod tests;

use std::io::Read as _;

use serde_json::{Map, Value};

/// Bytes that a body may have once it is unpacked.
const MOST_BYTES: u64 = 64 << 20;

/// Why a request cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OtlpError {
    /// Neither of the two forms.
    #[error("Invalid Content-Type: {found}. Expected: application/x-protobuf or application/json")]
    ContentType {
        /// What it is announced as.
        found: String,
    },
    /// Packed in a way that is not known.
    #[error("Unsupported Content-Encoding: {found}")]
    Encoding {
        /// How it is packed.
        found: String,
    },
    /// It cannot be unpacked, or is too long then.
    #[error("Failed to decompress {encoding} payload")]
    Packed {
        /// How it is packed.
        encoding: String,
    },
    /// It is not what it is announced as.
    #[error("Invalid OpenTelemetry format: {reason}")]
    Format {
        /// What is wrong.
        reason: String,
    },
    /// It holds no spans.
    #[error("Invalid OpenTelemetry format - no spans found")]
    Empty,
}

impl OtlpError {
    fn format(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Format { reason }
    }
}

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Protobuf.
    Protobuf,
    /// JSON.
    Json,
}

impl Form {
    /// The form that a header announces.
    pub(crate) fn of(content_type: Option<&str>) -> Result<Self, OtlpError> {
        let kind = content_type.unwrap_or_default();
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/x-protobuf" => Ok(Self::Protobuf),
            "application/json" => Ok(Self::Json),
            _ => Err(OtlpError::ContentType {
                found: kind.to_owned(),
            }),
        }
    }

    /// What it is called in headers.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }

    /// The empty answer.
    pub(crate) const fn empty_answer(self) -> &'static str {
        match self {
            Self::Protobuf => "",
            Self::Json => "{}",
        }
    }
}

/// A span as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SpanSent {
    /// The trace's id, hex digits.
    pub trace: String,
    /// The span's id, hex digits.
    pub id: String,
    /// All of it, with `resource` and `scope` beside its own fields.
    pub data: Value,
}

/// Unpacks a body.
pub(crate) fn unpacked(body: &[u8], encoding: Option<&str>) -> Result<Vec<u8>, OtlpError> {
    let encoding = encoding.unwrap_or_default().trim().to_ascii_lowercase();
    let mut bytes = Vec::new();
    let mut read = |from: &mut dyn std::io::Read| {
        bytes.clear();
        let whole = from.take(MOST_BYTES + 1).read_to_end(&mut bytes);
        whole.is_ok() && bytes.len() as u64 <= MOST_BYTES
    };
    let is_whole = match encoding.as_str() {
        "" | "identity" => return Ok(body.to_vec()),
        "gzip" => read(&mut flate2::read::MultiGzDecoder::new(body)),
        // Some send it without the frame that the name stands for.
        "deflate" => {
            read(&mut flate2::read::ZlibDecoder::new(body))
                || read(&mut flate2::read::DeflateDecoder::new(body))
        }
        _ => return Err(OtlpError::Encoding { found: encoding }),
    };
    if is_whole {
        Ok(bytes)
    } else {
        Err(OtlpError::Packed { encoding })
    }
}

/// The spans of a request.
pub(crate) fn spans(body: &[u8], form: Form) -> Result<Vec<SpanSent>, OtlpError> {
    let request = match form {
        Form::Protobuf => protobuf::decoded(body, schema::REQUEST)?,
        Form::Json => {
            serde_json::from_slice(body).map_err(|error| OtlpError::format(format!("{error}")))?
        }
    };
    let mut spans = Vec::new();
    for of_resource in list(&request, "resourceSpans") {
        for of_scope in list(of_resource, "scopeSpans") {
            for span in list(of_scope, "spans") {
                spans.push(span_of(span, (of_resource, of_scope))?);
            }
        }
    }
    if spans.is_empty() {
        return Err(OtlpError::Empty);
    }
    Ok(spans)
}

fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

fn span_of(span: &Value, (resource, scope): (&Value, &Value)) -> Result<SpanSent, OtlpError> {
    let id = |field: &str| {
        let id = span[field].as_str().filter(|id| !id.is_empty());
        id.map(str::to_owned)
            .ok_or_else(|| OtlpError::format(format!("a span lacks its {field}")))
    };
    let (trace, id) = (id("traceId")?, id("spanId")?);
    let mut data: Map<String, Value> = span.as_object().cloned().unwrap_or_default();
    for (name, value) in [
        ("resource", &resource["resource"]),
        ("scope", &scope["scope"]),
    ] {
        if !value.is_null() {
            data.insert(name.to_owned(), value.clone());
        }
    }
    Ok(SpanSent {
        trace,
        id,
        data: Value::Object(data),
    })
}
