//! Versions of registered models: `model-versions/…`.
//!
//! Invariant: a number is never given twice, not even that of a deleted version.

mod answer;
mod change;
mod create;
mod read;
mod search;
mod source;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::{get, patch, post};

use crate::app::App;

pub(in crate::mlflow) use answer::ModelVersion;
pub(in crate::mlflow) use source::Place;

/// The routes of versions, without their prefix.
pub(in crate::mlflow) fn router() -> Router<App> {
    Router::new()
        .route("/model-versions/create", post(create::create))
        .route("/model-versions/get", get(read::get))
        .route("/model-versions/get-download-uri", get(read::download_uri))
        .route("/model-versions/search", get(search::search))
        .route("/model-versions/update", patch(change::update))
        .route(
            "/model-versions/delete",
            axum::routing::delete(change::delete),
        )
        .route("/model-versions/transition-stage", post(change::transition))
        .route("/model-versions/set-tag", post(change::set_tag))
        .route(
            "/model-versions/delete-tag",
            axum::routing::delete(change::delete_tag),
        )
}
