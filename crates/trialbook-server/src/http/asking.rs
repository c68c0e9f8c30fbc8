//! What handlers of our own APIs take and give: for whom, a query, a body, a JSON answer.
//!
//! Not here: other APIs' messages. Invariant: what is not known in a query or a body is refused by name.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trialbook_api::{read_body, read_query};
use trialbook_model::code::ErrorCode;

use super::error::Problem;
use crate::app::App;
use crate::desk::Actor;

/// For whom a request is done, as whoever let it in has found out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller(pub(crate) Actor);

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Infallible> {
        let actor = parts.extensions.get::<Actor>();
        Ok(Self(actor.cloned().unwrap_or_default()))
    }
}

/// The parameters of a query.
#[derive(Debug)]
pub(crate) struct Asked<Q>(pub(crate) Q);

impl<Q: DeserializeOwned> FromRequestParts<App> for Asked<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Problem> {
        Ok(Self(read_query(parts.uri.query().unwrap_or_default())?))
    }
}

/// A message in JSON, either way.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

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
        check_kind(&request)?;
        let body = Bytes::from_request(request, app).await;
        let body =
            body.map_err(|refused| Problem::new(ErrorCode::ValueInvalid, refused.body_text()))?;
        Ok(Self(read_body(&body)?))
    }
}

/// A page of another site cannot send JSON without being asked; what is sent as something else is none.
fn check_kind(request: &Request) -> Result<(), Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let Some(kind) = kind else { return Ok(()) };
    let word = kind.to_str().unwrap_or_default().split(';').next();
    if word.is_some_and(|word| word.trim().eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    let told = String::from_utf8_lossy(kind.as_bytes());
    let message = format!("a body of the kind `{told}` is not read here");
    Err(Problem::new(ErrorCode::ValueInvalid, message).with_hint("send `application/json`"))
}
