//! What holds for every request, whatever room answers it: who may come in, signs of life, counts, errors.
//!
//! Not here: the APIs.

pub mod access;
pub(crate) mod asking;
pub(crate) mod counters;
pub mod error;
pub(crate) mod guard;
pub mod post;
pub(crate) mod query;
pub mod tokens;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::IntoResponse;
use axum::routing::get;
use trialbook_model::code::ErrorCode;

use self::error::Problem;
use crate::app::App;

/// The routes that no room owns.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
}

/// What no room answers.
pub(crate) async fn nowhere(uri: Uri) -> Problem {
    let message = format!("there is nothing at `{}`", uri.path());
    Problem::new(ErrorCode::NotFound, message)
}

/// That the process answers; MLflow's tools expect this text.
async fn health() -> &'static str {
    "OK"
}

/// That the book can be asked; 503 until then.
async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    app.desk().ready_within(Duration::ZERO).await?;
    Ok("OK")
}

/// What is counted, as Prometheus reads it.
async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    (
        [(header::CONTENT_TYPE, kind)],
        app.counters().told(app.desk()),
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[tokio::test]
    async fn a_server_says_that_it_lives() {
        let bench = Bench::new();
        let answer = bench.get("/health").await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "OK"));
        let nothing = bench.post("/nowhere", &serde_json::json!({})).await;
        assert_eq!(nothing.status, 404);
        assert_eq!(nothing.json()["error"]["code"], "not_found");
        assert_eq!(nothing.headers["content-type"], "application/json");
    }
}
