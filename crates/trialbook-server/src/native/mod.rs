//! The native API, `/api/v1`: what people's programs and pages ask of a book.
//!
//! A file for each resource; paths and types stand in `trialbook-api`. Not here: what our own command line asks of a
//! book elsewhere (`remote`), streams. Invariant: a handler is added by its route, so that what is described and what is
//! answered are the same.

mod bin;
mod docs;
mod experiments;
mod meta;
mod naming;
mod recording;
mod records;
mod runs;
mod tags;
mod windows;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use trialbook_api::{Method, Route};

use crate::app::App;

pub(crate) use windows::Windows;

/// Rows of a window at most.
const MOST_ROWS: u64 = 1_000;

/// Rows of a window where nothing is said.
const USUAL_ROWS: u64 = 100;

/// The routes of the room.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .merge(meta::router())
        .merge(docs::router())
        .merge(experiments::router())
        .merge(runs::router())
        .merge(recording::router())
        .merge(bin::router())
        .merge(records::router())
        .merge(tags::router())
}

/// A router with what answers a route.
fn at<H, T>(route: &Route, handler: H) -> Router<App>
where
    H: Handler<T, App>,
    T: 'static,
{
    let filter = match route.method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    };
    Router::new().route(route.path, on(filter, handler))
}

/// How many rows are given of so many asked for.
fn rows(asked: Option<u64>) -> usize {
    asked.unwrap_or(USUAL_ROWS).min(MOST_ROWS) as usize
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    /// Every route of the table is answered: by what it is for, or by what it misses.
    #[tokio::test]
    async fn every_route_of_the_table_is_there() {
        let bench = Bench::new();
        for route in trialbook_api::routes() {
            let path = route.path.replace(['{', '}'], "");
            let method = route.method.word().parse().unwrap();
            let answer = bench.send(method, &path, "").await;
            assert_ne!(answer.status, 405, "{} {}", route.method.word(), route.path);
            let nowhere = answer.text.contains("there is nothing at");
            assert!(!nowhere, "{} {}", route.method.word(), route.path);
        }
    }
}
