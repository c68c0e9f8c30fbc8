//! Registered models: `registered-models/…`. A prompt is one with a tag.
//!
//! Invariant: a name is held by one of them; deleting one frees its name, and the next one of that name begins at
//! version 1.

mod answer;
mod change;
mod read;
mod search;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::{get, patch, post};

use crate::app::App;

pub(in crate::mlflow) use answer::{Pair, aliases};
pub(in crate::mlflow) use search::{asks_for_prompts, is_of_prompts, models};

/// The routes of registered models, without their prefix.
pub(in crate::mlflow) fn router() -> Router<App> {
    Router::new()
        .route("/registered-models/create", post(change::create))
        .route("/registered-models/get", get(read::get))
        .route("/registered-models/search", get(search::search))
        .route("/registered-models/list", get(search::search))
        .route("/registered-models/rename", post(change::rename))
        .route("/registered-models/update", patch(change::update))
        .route(
            "/registered-models/delete",
            axum::routing::delete(change::delete),
        )
        .route("/registered-models/set-tag", post(change::set_tag))
        .route(
            "/registered-models/delete-tag",
            axum::routing::delete(change::delete_tag),
        )
        .route(
            "/registered-models/alias",
            get(read::by_alias)
                .post(change::set_alias)
                .delete(change::delete_alias),
        )
        .route(
            "/registered-models/get-latest-versions",
            post(read::latest_versions).get(read::latest_versions),
        )
}
