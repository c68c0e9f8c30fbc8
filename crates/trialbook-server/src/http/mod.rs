//! What holds for every request, whatever room answers it: signs of life, errors.
//!
//! Not here: the APIs.

pub mod error;
pub mod post;

use axum::Router;
use axum::http::Uri;
use axum::routing::get;
use trialbook_model::code::ErrorCode;

use self::error::Problem;
use crate::app::App;

/// The routes that no room owns.
pub(crate) fn router() -> Router<App> {
    Router::new().route("/health", get(health))
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
