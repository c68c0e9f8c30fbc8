//! Refusals in MLflow's form: `{"error_code": …, "message": …}` with the status of the code.
//!
//! Every family of operations has its own errors; here they come together, each with the one code that MLflow's
//! clients act on. A new family is a variant of [`Refusal`] and its arm in [`Refusal::code`]. Not here: the
//! native API's errors. Invariant: a bad request is never answered with a 5xx, which clients would repeat.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use trialbook_model::code::ErrorCode;
use trialbook_store::BookError;

use super::artifacts::ArtifactError;
use super::datasets::DatasetError;
use super::experiments::ExperimentError;
use super::limits::LimitError;
use super::logged_models::ModelError;
use super::metrics::HistoryError;
use super::registry::RegistryError;
use super::runs::RunError;
use super::search::SearchError;
use super::traces::otlp_code;
use super::webhooks::WebhookError;
use super::wire::WireError;
use crate::desk::DeskError;
use crate::http::error::{status_of, told};
use crate::otlp::OtlpError;

/// MLflow's code of an error, on which its clients act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mlflow) enum Code {
    /// A parameter is wrong.
    InvalidParameterValue,
    /// A name is taken.
    ResourceAlreadyExists,
    /// There is no such noun.
    ResourceDoesNotExist,
    /// There is no such route; clients fall back to older ones.
    EndpointNotFound,
    /// The request as such is wrong.
    BadRequest,
    /// The state does not allow it.
    InvalidState,
    /// Nobody may do this here.
    PermissionDenied,
    /// A server without that feature.
    NotImplemented,
    /// Later perhaps.
    TemporarilyUnavailable,
    /// A fault of ours.
    InternalError,
}

impl Code {
    /// The word on the wire.
    pub(in crate::mlflow) const fn word(self) -> &'static str {
        match self {
            Self::InvalidParameterValue => "INVALID_PARAMETER_VALUE",
            Self::ResourceAlreadyExists => "RESOURCE_ALREADY_EXISTS",
            Self::ResourceDoesNotExist => "RESOURCE_DOES_NOT_EXIST",
            Self::EndpointNotFound => "ENDPOINT_NOT_FOUND",
            Self::BadRequest => "BAD_REQUEST",
            Self::InvalidState => "INVALID_STATE",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::NotImplemented => "NOT_IMPLEMENTED",
            Self::TemporarilyUnavailable => "TEMPORARILY_UNAVAILABLE",
            Self::InternalError => "INTERNAL_ERROR",
        }
    }

    /// The status of the answer.
    pub(in crate::mlflow) const fn status(self) -> StatusCode {
        match self {
            // MLflow answers an invalid state with 500, which clients repeat for minutes.
            Self::InvalidParameterValue
            | Self::ResourceAlreadyExists
            | Self::BadRequest
            | Self::InvalidState => StatusCode::BAD_REQUEST,
            Self::ResourceDoesNotExist | Self::EndpointNotFound => StatusCode::NOT_FOUND,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Why a request is refused, whatever it was.
#[derive(Debug, thiserror::Error)]
pub(in crate::mlflow) enum Refusal {
    /// It cannot be read.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A name or a number of something is not taken.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// A search cannot be made.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// Something cannot be done with an experiment.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// Something cannot be done with a run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A history cannot be told.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Something cannot be done with a file.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// Datasets cannot be told.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Something cannot be done with a logged model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Something cannot be done with a webhook.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// Something cannot be done in the registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A request of OpenTelemetry's cannot be read.
    #[error(transparent)]
    Otlp(#[from] OtlpError),
    /// The book refused.
    #[error("{}", told(.0))]
    Desk(#[from] DeskError),
}

impl From<BookError> for Refusal {
    fn from(error: BookError) -> Self {
        Self::Desk(error.into())
    }
}

impl Refusal {
    /// The code that clients act on.
    pub(in crate::mlflow) fn code(&self) -> Code {
        match self {
            Self::Wire(WireError::Body { .. }) => Code::BadRequest,
            Self::Wire(_) | Self::Limit(_) | Self::Search(_) => Code::InvalidParameterValue,
            Self::Experiment(error) => error.code(),
            Self::Run(error) => error.code(),
            Self::History(error) => error.code(),
            Self::Artifact(error) => error.code(),
            Self::Dataset(error) => error.code(),
            Self::Model(error) => error.code(),
            Self::Webhook(error) => error.code(),
            Self::Registry(error) => error.code(),
            Self::Otlp(error) => otlp_code(error),
            Self::Desk(error) => desk_code(error.code()),
        }
    }
}

/// The body of a refusal.
#[derive(Serialize)]
struct Body<'a> {
    error_code: &'static str,
    message: &'a str,
}

/// MLflow's code for what the book refused.
fn desk_code(code: ErrorCode) -> Code {
    match status_of(code) {
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::SERVICE_UNAVAILABLE => Code::TemporarilyUnavailable,
        StatusCode::NOT_FOUND => Code::ResourceDoesNotExist,
        status if status.is_client_error() => Code::InvalidParameterValue,
        _ => Code::InternalError,
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = refused(self.code(), &self.to_string());
        if let Self::Desk(error) = &self {
            // A full disk has a status of its own.
            *response.status_mut() = status_of(error.code());
        }
        response
    }
}

/// A refusal as an answer.
pub(in crate::mlflow) fn refused(code: Code, message: &str) -> Response {
    let body = Body {
        error_code: code.word(),
        message,
    };
    let body = serde_json::to_vec(&body).expect("texts can be written as JSON");
    let json = HeaderValue::from_static("application/json");
    (code.status(), [(header::CONTENT_TYPE, json)], body).into_response()
}
