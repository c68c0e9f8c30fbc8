//! The book for programs of ours that are elsewhere: asked in the words of the store, written by batches of frames.
//!
//! What people's programs ask is the native API; here go the questions of the command line, answer by answer as the
//! book itself gives them, and what its users recorded where they are. Not here: what answers mean.
//! Promised of answers: each is whole and holds everything acknowledged before it was asked for; two of them may be of
//! different moments, the later one never of an earlier moment; the numbers of runs hold as long as the name of the
//! server's process in [`INSTANCE_HEADER`] does.
//! Invariant: a batch is acknowledged when it is on the disk, and is in the book once, however often it is sent.

mod ask;
mod files;
mod ingest;
mod turns;

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trialbook_model::code::ErrorCode;

pub(crate) use turns::Turns;

use crate::app::App;
use crate::desk::Actor;
use crate::http::error::Problem;

/// The header that names the process that answers.
pub(crate) const INSTANCE_HEADER: &str = "trialbook-instance";

/// How questions and answers, batches and numbers are written; raised where an older program cannot read them.
pub(crate) const PROTOCOL: u32 = 1;

/// The routes of the room.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/book", get(ask::about))
        .route("/api/v1/book/ask", post(ask::ask))
        .route("/api/v1/book/turns", post(turns::take))
        .route("/api/v1/book/turns/{turn}", delete(turns::give_back))
        .route("/api/v1/book/files/missing", post(files::missing))
        .route(
            "/api/v1/book/files/{sha256}",
            get(files::get)
                .put(files::put)
                .layer(DefaultBodyLimit::disable()),
        )
        .route("/api/v1/ingest/numbers", post(ingest::numbers))
        .route("/api/v1/ingest/frames", post(ingest::frames))
}

/// For whom a request is done, as whoever let it in has found out.
#[derive(Debug, Clone, Default)]
struct Caller(Actor);

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Infallible> {
        let actor = parts.extensions.get::<Actor>();
        Ok(Self(actor.cloned().unwrap_or_default()))
    }
}

/// A message in JSON, either way.
#[derive(Debug)]
struct Json<T>(T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0).expect("messages have texts as keys");
        let mut response = Response::new(Body::from(body));
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let wrong = |why: String| Problem::new(ErrorCode::ValueInvalid, why);
        let body = Bytes::from_request(request, app).await;
        let body = body.map_err(|refused| wrong(refused.body_text()))?;
        let read = serde_json::from_slice(&body);
        Ok(Self(read.map_err(|error| wrong(error.to_string()))?))
    }
}

#[cfg(test)]
mod tests;
