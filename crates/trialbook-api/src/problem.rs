//! How every route tells that something went wrong.
//!
//! Not here: the codes, which the model has. Invariant: `code` is one of the words of the model's codes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of every answer that is a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorDetail {
    /// A stable word for programs, such as `not_found`.
    pub code: String,
    /// A sentence for people; it may change.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The parameter or key that is wrong; one inside others with dots between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Where in its text, in bytes from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// The version to ask with instead, where that of the request is not held any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}
