//! MLflow's REST interface over a book: the routes of tracking, registry and files that its clients use.
//!
//! MLflow's words stay in here: an experiment, a run, a file is the book's own, whoever made it. Each noun has a
//! folder; what all share is [`wire`] (messages), [`error`] (refusals), [`limits`] (names and sizes), [`search`]
//! (filters, sort keys, pages) and [`endpoint`] (a request's message, an answer).
//! Invariant: everything that MLflow's server accepts is accepted, what it refuses is refused with its code.

pub(crate) mod artifacts;
mod datasets;
mod endpoint;
mod error;
mod experiments;
mod limits;
mod logged_models;
mod metrics;
mod model_versions;
mod names;
mod registered_models;
mod registry;
mod runs;
mod search;
mod server;
mod status;
#[cfg(test)]
mod testing;
mod traces;
mod webhooks;
mod wire;

use axum::Router;
use axum::routing::{any, get, post};

use crate::app::App;

pub(in crate::mlflow) use error::Refusal;
pub use webhooks::{Tested, test_webhook};

/// All routes. The same ones stand below `/api`, for clients, and below `/ajax-api`, for pages.
pub(crate) fn router() -> Router<App> {
    let mut router = traces::router()
        .route("/version", get(server::version))
        .route("/get-artifact", get(artifacts::get_artifact))
        .route(
            "/model-versions/get-artifact",
            get(artifacts::get_version_artifact),
        )
        // The Python client leaves a slash out.
        .route(
            "/api/2.0mlflow/experiments/search-datasets",
            post(datasets::search),
        );
    for root in ["/api", "/ajax-api"] {
        router = router
            .nest(&format!("{root}/2.0/mlflow"), tracking())
            .nest(&format!("{root}/2.0/preview/mlflow"), tracking())
            .nest(
                &format!("{root}/2.0/mlflow-artifacts"),
                artifacts::proxy_router(),
            )
            .nest(&format!("{root}/3.0/mlflow"), newer())
            .route(&format!("{root}/2.0/{{*rest}}"), any(server::unknown))
            .route(&format!("{root}/3.0/{{*rest}}"), any(server::unknown));
    }
    router
}

/// The routes of version 2.0.
fn tracking() -> Router<App> {
    Router::new()
        .merge(experiments::router())
        .merge(runs::router())
        .merge(metrics::router())
        .merge(artifacts::router())
        .merge(logged_models::router())
        .merge(registered_models::router())
        .merge(model_versions::router())
        .merge(webhooks::router())
        .route("/experiments/search-datasets", post(datasets::search))
        .route("/upload-artifact", post(artifacts::upload_artifact))
        .fallback(server::unknown)
        .method_not_allowed_fallback(server::unknown)
}

/// The routes of version 3.0.
fn newer() -> Router<App> {
    Router::new()
        .route("/server-info", get(server::info))
        .route("/server-features", get(server::info))
        .fallback(server::unknown)
        .method_not_allowed_fallback(server::unknown)
}
