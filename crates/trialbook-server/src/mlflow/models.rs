//! Logged models: which of them there are.
//!
//! None can be made here yet, so a search finds none; clients of version 3 ask for them whenever they list files.

use axum::Router;
use axum::routing::post;

use super::endpoint::Answer;
use crate::app::App;

/// The routes of logged models, without their prefix.
pub(in crate::mlflow) fn router() -> Router<App> {
    Router::new().route("/logged-models/search", post(search))
}

async fn search() -> Answer {
    Answer::empty()
}
