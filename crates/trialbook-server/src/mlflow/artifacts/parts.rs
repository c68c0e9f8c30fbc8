//! What this server does not do: uploads in parts, and addresses that lead past it.
//!
//! Clients know the answers of a server without them and send and fetch whole files.

use super::ArtifactError;
use crate::mlflow::endpoint::Answered;

pub(super) async fn multipart() -> Answered {
    Err(ArtifactError::Multipart.into())
}

pub(super) async fn presigned_upload() -> Answered {
    Err(ArtifactError::PresignedUpload.into())
}

pub(super) async fn presigned_download() -> Answered {
    Err(ArtifactError::PresignedDownload.into())
}
