//! What the server says of itself: `server-info`, `/version`, and answers for routes that it does not have.
//!
//! Invariant: an unknown route is a 404 with ENDPOINT_NOT_FOUND, on which clients fall back to what there is.

use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::endpoint::Answer;
use super::error::{Code, refused};

/// The newest MLflow version whose behaviour we answer. From 3.4 on clients send spans to `/v1/traces`.
const VERSION: &str = "3.17.2";

/// `/version`: the bare text.
pub(super) async fn version() -> Response {
    VERSION.into_response()
}

/// `server-info`, and `server-features` of older clients.
pub(super) async fn info() -> Answer {
    Answer::of(&json!({
        "store_type": "SqlStore",
        "workspaces_enabled": false,
        "trace_archival_enabled": false,
        "multipart_uploads_enabled": false,
        "multipart_downloads_enabled": false,
        "presigned_upload_run_id_supported": false,
        "presigned_upload_model_id_supported": false,
        "features_enabled": {},
    }))
}

/// A route that there is not.
pub(super) async fn unknown(uri: Uri) -> Response {
    let path = uri.path();
    refused(
        Code::EndpointNotFound,
        &format!("The endpoint '{path}' does not exist on this server."),
    )
}
