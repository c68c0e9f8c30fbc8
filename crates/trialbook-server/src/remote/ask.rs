//! Questions to the book.
//!
//! Invariant: secrets are told to those alone who may do everything.

use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Serialize;
use trialbook_model::code::ErrorCode;
use trialbook_store::asking::{AnswerError, Secrets, answer, question_of};

use super::{Caller, INSTANCE_HEADER, Json, PROTOCOL};
use crate::app::App;
use crate::desk::{DeskError, Scope};
use crate::http::error::Problem;

/// The name of this process among all that ever answered.
static INSTANCE: LazyLock<HeaderValue> = LazyLock::new(|| {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the operating system has a random generator");
    let name = format!("{:016x}", u64::from_le_bytes(bytes));
    HeaderValue::from_str(&name).expect("hex digits are a header's value")
});

/// What a program has to know before it asks.
#[derive(Serialize)]
pub(super) struct About {
    /// The book's identity, 32 hex digits.
    uid: String,
    /// How questions and answers are written.
    protocol: u32,
    /// The version of the program.
    version: &'static str,
    /// What the caller may do.
    scope: Scope,
}

/// Tells which book is here.
pub(super) async fn about(
    State(app): State<App>,
    Caller(actor): Caller,
) -> Result<Json<About>, Problem> {
    let uid = app.desk().read(|look| {
        let uid = look.book_uid();
        uid.map_err(DeskError::from)
    });
    Ok(Json(About {
        uid: uid.await?.to_string(),
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION"),
        scope: actor.scope,
    }))
}

/// Answers a question.
pub(super) async fn ask(
    State(app): State<App>,
    Caller(actor): Caller,
    body: Bytes,
) -> Result<Response, Problem> {
    let question = question_of(&body).map_err(|error| {
        Problem::new(
            ErrorCode::NotSupportedYet,
            format!("the question is not understood: {error}"),
        )
        .with_hint("program and server are of different versions")
    })?;
    let secrets = if actor.scope >= Scope::Admin {
        Secrets::Told
    } else {
        Secrets::Withheld
    };
    let packed = app.desk().read(move |look| {
        answer(&**look, &question, secrets).map_err(|error| match error {
            AnswerError::Book(error) => Problem::from(error),
            error @ AnswerError::Pack(_) => Problem::new(ErrorCode::Internal, error.to_string()),
        })
    });
    let mut response = Response::new(Body::from(packed.await?));
    let kind = HeaderValue::from_static("application/msgpack");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
        .headers_mut()
        .insert(INSTANCE_HEADER, INSTANCE.clone());
    Ok(response)
}
