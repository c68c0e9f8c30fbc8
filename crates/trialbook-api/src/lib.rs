//! The contract of the native API: what is asked and answered at `/api/v1`, as types, and the table of its
//! routes, of which the OpenAPI document is made.
//!
//! Not here: answering. Invariant: server, clients and the `--json` of the command line share these types, so
//! that a word or a number is the same on both sides; what a route takes and gives stands in [`routes`].

mod number;
mod openapi;
mod problem;
mod route;
mod scope;
mod strict;

pub mod experiments;
pub mod meta;
pub mod records;
pub mod runs;
pub mod stream;
pub mod tags;

pub use number::Number;
pub use openapi::document;
pub use problem::{ErrorBody, ErrorDetail};
pub use route::{Content, Method, Route, SchemaOf, schema};
pub use scope::Scope;
pub use strict::{Unreadable, read_body, read_query};

/// The version of the API, part of every path. Fields may be added under one version; none changes its meaning.
pub const VERSION: u32 = 1;

/// What every path of the API begins with.
pub const ROOT: &str = "/api/v1";

/// All routes, by resource.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    [
        meta::ROUTES,
        experiments::ROUTES,
        runs::ROUTES,
        records::ROUTES,
        tags::ROUTES,
        stream::ROUTES,
    ]
    .into_iter()
    .flatten()
    .copied()
}
