//! The live stream: what happens in the book, told as it happens.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::route::Route;

/// Follows topics.
pub const FOLLOW: Route = Route::get("/api/v1/stream", "follow")
    .about("What happens in the book, as server-sent events without an end")
    .query::<StreamQuery>()
    .gives_bytes(
        "text/event-stream",
        "Events `hello`, `runs`, `logs`, `events`, `series`; the id of each is a cursor.",
    );

/// The routes of the resource.
pub const ROUTES: &[&Route] = &[&FOLLOW];

/// What is followed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamQuery {
    /// Topics: `runs`, `logs:RUN`, `events:RUN`, `series:RUN:KEY`.
    pub topics: Vec<String>,
    /// The id of the last event that was received, as the header `Last-Event-ID` says it too: what came behind it is
    /// told, once.
    pub cursor: Option<String>,
    /// Where to begin without a cursor: `now`, or `start` for all that there is.
    pub from: Option<String>,
}
