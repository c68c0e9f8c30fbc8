//! What happens in the book, told as it happens: server-sent events.
//!
//! `GET /api/v1/stream?topics=runs,logs:RUN,…` never ends. Each event has an id; whoever comes back with it
//! (`Last-Event-ID`, or `cursor=`) goes on behind it, also after a restart of the server. Not here: how writes come
//! in. Invariant: a stream on which nothing happens takes a place and a timer, and nothing else.

mod delta;
mod digest;
mod feed;
mod hub;
mod position;
mod records;
mod runs;
mod series;
mod stream;
mod topic;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use tokio::sync::{Semaphore, watch};
use trialbook_model::code::ErrorCode;
use trialbook_model::nearest::nearest;
use trialbook_store::reading::Reading as _;

use crate::app::App;
use crate::desk::DeskError;
use crate::http::error::Problem;
use crate::http::query::pairs;
use hub::Hub;
use position::{Cursor, Position, half};
use stream::{Followed, Follower, Greeting, Stream};
use topic::Topic;

/// Streams at once.
pub(crate) const MOST_STREAMS: usize = 2048;

/// Topics of one stream.
const MOST_TOPICS: usize = 64;

/// The header with which browsers come back.
const LAST_ID: &str = "last-event-id";

/// Parameters of the query.
const PARAMETERS: [&str; 3] = ["topics", "cursor", "from"];

/// What all streams share.
pub(crate) struct Streams {
    hub: Hub,
    seats: Arc<Semaphore>,
    ending: watch::Sender<bool>,
}

impl Streams {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            hub: Hub::default(),
            seats: Arc::new(Semaphore::new(most)),
            ending: watch::channel(false).0,
        }
    }

    /// Ends all streams: their subscribers come back with what they have.
    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }

    /// How many there are.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.ending.receiver_count()
    }
}

/// The routes of the room.
pub(crate) fn router() -> Router<App> {
    Router::new().route(trialbook_api::stream::FOLLOW.path, get(follow))
}

/// What a subscriber asks for.
struct Asked {
    topics: Vec<Topic>,
    cursor: Option<Cursor>,
    from: Position,
}

impl Asked {
    fn read(query: Option<&str>, headers: &HeaderMap) -> Result<Self, Problem> {
        let mut asked = Self {
            topics: Vec::new(),
            cursor: None,
            from: Position::Now,
        };
        for (name, value) in pairs(query) {
            match name.as_str() {
                "topics" => {
                    for text in value.split(',').filter(|text| !text.is_empty()) {
                        let topic = Topic::read(text)?;
                        if !asked.topics.contains(&topic) {
                            asked.topics.push(topic);
                        }
                    }
                }
                "cursor" if !value.is_empty() => asked.cursor = Some(cursor(&value)?),
                "cursor" => {}
                "from" => asked.from = begun(&value)?,
                other => return Err(unknown(other)),
            }
        }
        // What the browser had last is newer than what its page asked for.
        if let Some(id) = headers.get(LAST_ID).filter(|id| !id.is_empty()) {
            asked.cursor = Some(cursor(id.to_str().unwrap_or("?"))?);
        }
        if asked.topics.is_empty() || asked.topics.len() > MOST_TOPICS {
            let message = format!("a stream has 1 to {MOST_TOPICS} topics");
            let hint = "such as `topics=runs` or `topics=logs:RUN,series:RUN:loss`";
            let problem = Problem::new(ErrorCode::ValueInvalid, message);
            return Err(problem.at("topics").with_hint(hint));
        }
        Ok(asked)
    }

    /// Where a topic is begun: where the cursor says, if it is of this book.
    fn begin(&self, topic: &Topic, book: u64) -> Position {
        let known = self.cursor.as_ref().filter(|cursor| cursor.book == book);
        let position = known.and_then(|cursor| cursor.position(topic));
        match (position, &self.cursor) {
            (Some(position), _) => position.clone(),
            // Of another book: all of it.
            (None, Some(cursor)) if cursor.book != book && *topic != Topic::Runs => Position::Start,
            (None, _) => self.from.clone(),
        }
    }
}

fn cursor(text: &str) -> Result<Cursor, Problem> {
    Cursor::read(text).ok_or_else(|| {
        let problem = Problem::new(ErrorCode::ValueInvalid, "this is no id of an event");
        problem.at("cursor").with_hint("leave it out to begin anew")
    })
}

fn begun(text: &str) -> Result<Position, Problem> {
    match text {
        "now" => Ok(Position::Now),
        "start" => Ok(Position::Start),
        _ => {
            let message = format!("`{text}` is neither `now` nor `start`");
            Err(Problem::new(ErrorCode::ValueInvalid, message).at("from"))
        }
    }
}

fn unknown(name: &str) -> Problem {
    let message = format!("there is no parameter `{name}`");
    let problem = Problem::new(ErrorCode::ValueInvalid, message).at(name);
    match nearest(name, &PARAMETERS) {
        Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
        None => problem.with_hint(format!("known are {}", PARAMETERS.join(", "))),
    }
}

async fn follow(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = Asked::read(query.as_deref(), &headers)?;
    let live = app.live();
    let changes = app.desk().changes();
    let is_told = changes.has_changed().is_ok();
    let seat = Arc::clone(&live.seats).try_acquire_owned();
    let Some(seat) = seat.ok().filter(|_| is_told && !*live.ending.borrow()) else {
        let message = if is_told {
            "the server has too many streams open"
        } else {
            "no streams here"
        };
        let hint = "close others, or ask again later";
        return Err(Problem::new(ErrorCode::BookBusy, message).with_hint(hint));
    };
    let runs: Vec<_> = asked.topics.iter().filter_map(Topic::run).collect();
    let book = app.desk().read(move |look| {
        for run in runs {
            if look.run_no(run).map_err(DeskError::from)?.is_none() {
                let message = format!("there is no run `{run}`");
                return Err(Problem::new(ErrorCode::NotFound, message).at("topics"));
            }
        }
        Ok(half(look.book_uid().map_err(DeskError::from)?))
    });
    let book = book.await?;
    let followed = asked.topics.iter().map(|topic| Followed {
        topic: topic.clone(),
        cell: live.hub.cell(topic),
        position: asked.begin(topic, book),
        done: None,
    });
    let is_reset = asked
        .cursor
        .as_ref()
        .is_some_and(|known| known.book != book);
    let stream = Stream::of(Follower {
        topics: followed.collect(),
        book,
        changes,
        ending: live.ending.subscribe(),
        last_round: None,
        greeting: Greeting::Due { is_reset },
        _seat: seat,
        app: app.clone(),
    });
    let mut response = Response::new(Body::new(stream));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/event-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    let fresh = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, fresh);
    // Proxies that collect answers would keep events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

#[cfg(test)]
mod tests;
