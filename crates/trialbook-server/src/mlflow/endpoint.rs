//! What every endpoint of MLflow's needs: the message of a request, for whom it is done, an answer.
//!
//! A handler takes [`Ask`] and gives [`Answer`] or a [`Refusal`]. Not here: what messages mean.
//! Invariant: an answer is written while the look at the book is held, so nothing of the book is copied for it.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::Refusal;
use super::wire::{Message, WireError, read_body, read_query};
use crate::app::App;
pub(in crate::mlflow) use crate::http::asking::Caller;

/// The message of a request: of a GET with a query that, of all others the body.
#[derive(Debug)]
pub(in crate::mlflow) struct Ask<M>(pub M);

impl<M: Message> FromRequest<App> for Ask<M> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let query = request.uri().query().filter(|query| !query.is_empty());
        if *request.method() == Method::GET && query.is_some() {
            return Ok(Self(read_query(query)?));
        }
        check_content_type(request.method(), request.headers())?;
        let body = Bytes::from_request(request, app).await;
        let body = body.map_err(|refused| WireError::Body {
            reason: refused.body_text(),
        })?;
        Ok(Self(read_body(&body)?))
    }
}

fn check_content_type(method: &Method, headers: &HeaderMap) -> Result<(), WireError> {
    if *method != Method::POST && *method != Method::PUT {
        return Ok(());
    }
    let Some(given) = headers.get(header::CONTENT_TYPE) else {
        return Err(WireError::NoContentType);
    };
    let kind = given.to_str().unwrap_or_default().split(';').next();
    let is_json = kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if is_json {
        Ok(())
    } else {
        Err(WireError::ContentType)
    }
}

/// An answer in JSON, already written.
#[derive(Debug, Clone)]
pub(in crate::mlflow) struct Answer(Bytes);

impl Answer {
    /// The empty message.
    pub(in crate::mlflow) const fn empty() -> Self {
        Self(Bytes::from_static(b"{}"))
    }

    /// A message.
    pub(in crate::mlflow) fn of(message: &impl Serialize) -> Self {
        let json = serde_json::to_vec(message).expect("messages have texts as keys");
        Self(Bytes::from(json))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.0));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// What a handler gives.
pub(in crate::mlflow) type Answered = Result<Answer, Refusal>;
