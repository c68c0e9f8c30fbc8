//! Files: MLflow's artifact proxy, served from the book's own content-addressed files.
//!
//! A file that a client puts under `EXPERIMENT/RUN/artifacts/` is an artifact of that run, the same that native
//! programs log; everything else has its place with the experiment or the project.
//! Invariant: a file is acknowledged when its bytes and its record are on the disk; a broken upload leaves nothing.

mod get;
mod list;
mod parts;
mod place;
mod proxy;
mod range;
pub(crate) mod stream;
#[cfg(test)]
mod tests;
mod upload;

use axum::Router;
use axum::routing::{get as get_route, post};

use super::error::Code;
use crate::app::App;

pub(in crate::mlflow) use get::{get_artifact, get_version_artifact};
pub(in crate::mlflow) use list::list_model;
pub(in crate::mlflow) use upload::upload_artifact;

/// The routes that stand with those of runs, without their prefix.
pub(in crate::mlflow) fn router() -> Router<App> {
    Router::new()
        .route("/artifacts/list", get_route(list::list))
        .route(
            "/artifacts/presigned-upload-url",
            post(parts::presigned_upload),
        )
        .route(
            "/artifacts/presigned-download-url",
            post(parts::presigned_download),
        )
}

/// The routes of the proxy, without their prefix.
pub(in crate::mlflow) fn proxy_router() -> Router<App> {
    let file = get_route(proxy::get).put(proxy::put).delete(proxy::delete);
    Router::new()
        .route("/artifacts", get_route(proxy::list))
        .route("/artifacts/", get_route(proxy::list))
        .route("/artifacts/{*path}", file)
        .route("/mpu/create/{*path}", post(parts::multipart))
        .route("/mpu/complete/{*path}", post(parts::multipart))
        .route("/mpu/abort/{*path}", post(parts::multipart))
        .route("/presigned/{*path}", get_route(parts::presigned_download))
}

/// Why something cannot be done with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::mlflow) enum ArtifactError {
    /// A path that leads out of its place, or is none.
    #[error("Invalid path")]
    Path,
    /// There is no such file.
    #[error("No such artifact: '{path}'")]
    Unknown {
        /// The path as given.
        path: String,
    },
    /// It is a folder.
    #[error("Artifact path refers to a directory, not a file: '{path}'")]
    Folder {
        /// The path as given.
        path: String,
    },
    /// Its bytes are elsewhere.
    #[error("The artifact '{path}' is a reference; its bytes are at '{uri}'")]
    Reference {
        /// The path as given.
        path: String,
        /// Where they are.
        uri: String,
    },
    /// Files are not taken in parts.
    #[error("Multipart upload is not supported for the current artifact repository")]
    Multipart,
    /// Nobody else takes files for this server.
    #[error("Presigned upload is not supported for the current artifact repository")]
    PresignedUpload,
    /// Nobody else gives files for this server.
    #[error("Presigned download is not supported for the current artifact repository")]
    PresignedDownload,
    /// A request of the UI's lacks something.
    #[error("Request must specify {what}.")]
    Lacks {
        /// What it lacks.
        what: &'static str,
    },
    /// A file of the UI's is too large.
    #[error("Artifact size is too large. Max size is 10MB.")]
    TooLarge,
    /// The client went away, or sent less than it had announced.
    #[error("The upload of '{path}' ended before all bytes were there")]
    Broken {
        /// The path as given.
        path: String,
    },
}

impl ArtifactError {
    /// MLflow's code.
    pub(in crate::mlflow) const fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => Code::ResourceDoesNotExist,
            Self::Multipart | Self::PresignedUpload | Self::PresignedDownload => {
                Code::NotImplemented
            }
            Self::Broken { .. } => Code::BadRequest,
            Self::Path
            | Self::Folder { .. }
            | Self::Reference { .. }
            | Self::Lacks { .. }
            | Self::TooLarge => Code::InvalidParameterValue,
        }
    }
}
