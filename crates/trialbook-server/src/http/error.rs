//! How a failure is told over HTTP: one status for each code, and the native body.
//!
//! Not here: other APIs' ways to tell them. Invariant: every code has one status; a message never holds more
//! than its error says.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use trialbook_api::Unreadable;
use trialbook_model::code::ErrorCode;
use trialbook_store::BookError;

use crate::desk::DeskError;

/// The status that a code is answered with.
pub const fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Internal | ErrorCode::Io | ErrorCode::DataDamaged => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        ErrorCode::Usage
        | ErrorCode::Ambiguous
        | ErrorCode::ConfigInvalid
        | ErrorCode::FilterInvalid
        | ErrorCode::ValueInvalid => StatusCode::BAD_REQUEST,
        ErrorCode::NotFound | ErrorCode::BookMissing => StatusCode::NOT_FOUND,
        ErrorCode::BookReadOnly | ErrorCode::PermissionDenied => StatusCode::FORBIDDEN,
        ErrorCode::BookBusy | ErrorCode::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::ParamConflict
        | ErrorCode::RunEnded
        | ErrorCode::StateConflict
        | ErrorCode::ExperimentBusy
        | ErrorCode::DataChanged => StatusCode::CONFLICT,
        ErrorCode::Expired => StatusCode::GONE,
        ErrorCode::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::BookNewer | ErrorCode::NotSupportedYet => StatusCode::NOT_IMPLEMENTED,
        ErrorCode::CriteriaNotMet | ErrorCode::RunFailed => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// A failure as the native API tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its code.
    #[serde(serialize_with = "word")]
    pub code: ErrorCode,
    /// What went wrong.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The parameter or key that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Where in its text, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// The version to ask with instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn word<S: serde::Serializer>(code: &ErrorCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(code.word())
}

impl Problem {
    /// A failure of a code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            field: None,
            position: None,
            version: None,
        }
    }

    /// With advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Of a parameter or key.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

impl From<Unreadable> for Problem {
    fn from(error: Unreadable) -> Self {
        Self {
            hint: error.hint(),
            field: error.field().map(str::to_owned),
            position: error.position(),
            ..Self::new(ErrorCode::ValueInvalid, error.to_string())
        }
    }
}

impl From<BookError> for Problem {
    fn from(error: BookError) -> Self {
        Self {
            hint: error.hint().map(str::to_owned),
            ..Self::new(error.code(), told(&error))
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        Self {
            hint: error.hint().map(str::to_owned),
            ..Self::new(error.code(), told(&error))
        }
    }
}

/// An error and its causes in one line.
pub fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = next.source();
    }
    text
}

/// The seconds after which a busy server is to be asked again.
const AGAIN: HeaderValue = HeaderValue::from_static("1");

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Told {
            error: Problem,
        }
        let status = status_of(self.code);
        let body = serde_json::to_vec(&Told { error: self }).expect("words and texts are JSON");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, AGAIN);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_of_failure() {
        for code in ErrorCode::ALL {
            let status = status_of(code);
            assert!(
                status.is_client_error() || status.is_server_error(),
                "{code}"
            );
        }
    }

    #[test]
    fn a_problem_tells_only_what_it_has() {
        let problem = Problem::new(ErrorCode::NotFound, "no run `a`").at("run_id");
        let told = serde_json::to_value(&problem).unwrap();
        let expected =
            serde_json::json!({ "code": "not_found", "message": "no run `a`", "field": "run_id" });
        assert_eq!(told, expected);
    }
}
