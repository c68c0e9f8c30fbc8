//! The bytes of artifacts by their sums, to and fro.
//!
//! Invariant: bytes have the sum that they are sent under, or they are refused.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use trialbook_model::code::ErrorCode;

use super::{Caller, Json};
use crate::app::App;
use crate::desk::{DeskError, Scope};
use crate::http::error::Problem;
use crate::mlflow::artifacts::stream;

/// Sums that are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    sha256: Vec<String>,
}

/// Sums whose bytes are not here.
#[derive(Serialize)]
pub(super) struct Missing {
    missing: Vec<String>,
}

/// Tells which bytes are not here, so that only these need be sent.
pub(super) async fn missing(
    State(app): State<App>,
    Json(asked): Json<Asked>,
) -> Result<Json<Missing>, Problem> {
    for sha256 in &asked.sha256 {
        check(sha256)?;
    }
    let artifacts = app.desk().book().artifacts();
    let looking = tokio::task::spawn_blocking(move || {
        let mut missing = asked.sha256;
        missing.retain(|sha256| !artifacts.contains(sha256));
        missing
    });
    let missing = looking.await.map_err(|_panic| DeskError::Panicked)?;
    Ok(Json(Missing { missing }))
}

/// Takes bytes.
pub(super) async fn put(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(sha256): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    check(&sha256)?;
    if actor.scope < Scope::Write {
        return Err(DeskError::Denied.into());
    }
    let artifacts = app.desk().book().artifacts();
    let received = stream::received(body, move |bytes| artifacts.put(bytes)).await;
    let sum = received.ok_or(DeskError::Panicked)??;
    if sum.sha256 != sha256 {
        let message = format!("the bytes have another sum than {sha256}: {}", sum.sha256);
        return Err(Problem::new(ErrorCode::ValueInvalid, message));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Gives bytes.
pub(super) async fn get(
    State(app): State<App>,
    Path(sha256): Path<String>,
) -> Result<Response, Problem> {
    check(&sha256)?;
    let artifacts = app.desk().book().artifacts();
    let opening = tokio::task::spawn_blocking(move || artifacts.get(&sha256));
    let file = opening.await.map_err(|_panic| DeskError::Panicked)??;
    let size = file
        .size()
        .map_err(|error| Problem::new(ErrorCode::Io, error.to_string()))?;
    let mut response = Response::new(stream::sent(file.starting_at(0), size));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn check(sha256: &str) -> Result<(), Problem> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if sha256.len() == 64 && sha256.bytes().all(is_digit) {
        return Ok(());
    }
    let message = format!("`{sha256}` is not a SHA-256 in 64 hex digits");
    Err(Problem::new(ErrorCode::ValueInvalid, message).at("sha256"))
}
