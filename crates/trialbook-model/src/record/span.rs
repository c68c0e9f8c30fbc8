//! Spans of traces, as they were given.
//!
//! Not here: what they mean. Invariant: nothing that was given is dropped or changed.

use serde::{Deserialize, Serialize};

use super::Subject;

/// In which form the data of a span are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanForm {
    /// A span of OpenTelemetry in its JSON form, with `resource` and `scope` beside it where they were given.
    Otlp,
    /// What MLflow's clients say of a trace as a whole.
    TraceInfo,
}

/// A span of a trace, or what was said of a whole trace. All are kept, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// The experiment or run on which it counts.
    pub subject: Subject,
    /// The trace's id as given, such as 32 hex digits.
    pub trace: String,
    /// The span's id as given; `None` where the whole trace is spoken of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// In which form its data are.
    pub form: SpanForm,
    /// The data.
    pub data: serde_json::Value,
}
