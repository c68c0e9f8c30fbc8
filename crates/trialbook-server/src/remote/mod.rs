//! The book for programs of ours that are elsewhere: asked in the words of the store, written by batches of frames.
//!
//! What people's programs ask is the native API; here go the questions of the command line, answer by answer as the
//! book itself gives them, and what its users recorded where they are. Not here: what answers mean.
//! Promised of answers: each is whole and holds everything acknowledged before it was asked for; two of them may be of
//! different moments, the later one never of an earlier moment; the numbers of runs hold as long as the name of the
//! server's process in [`INSTANCE_HEADER`] does.
//! Invariant: a batch is acknowledged when it is on the disk, and is in the book once, however often it is sent.

mod ask;
mod files;
mod ingest;
mod turns;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};

pub(crate) use turns::Turns;

use crate::app::App;

/// The header that names the process that answers.
pub(crate) const INSTANCE_HEADER: &str = "trialbook-instance";

/// How questions and answers, batches and numbers are written; raised where an older program cannot read them.
pub(crate) const PROTOCOL: u32 = 1;

/// The routes of the room.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/book", get(ask::about))
        .route("/api/v1/book/ask", post(ask::ask))
        .route("/api/v1/book/turns", post(turns::take))
        .route("/api/v1/book/turns/{turn}", delete(turns::give_back))
        .route("/api/v1/book/files/missing", post(files::missing))
        .route(
            "/api/v1/book/files/{sha256}",
            get(files::get)
                .put(files::put)
                .layer(DefaultBodyLimit::disable()),
        )
        .route("/api/v1/ingest/numbers", post(ingest::numbers))
        .route("/api/v1/ingest/frames", post(ingest::frames))
}

#[cfg(test)]
mod tests;
