//! One subscriber: an answer that has no end, and is made as fast as it is read.
//!
//! Nothing is made before the connection takes it, and what was not made yet is found by the position alone. So a slow
//! subscriber costs no memory: it is told later, and more at once. Not here: what follows a position. Invariant: the
//! id of an event says where the subscriber stands when it has it.

use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::hub::Cell;
use super::position::{Position, written};
use super::topic::Topic;
use crate::app::App;

/// Between two signs of life.
const PULSE: Duration = Duration::from_secs(15);

/// Between two rounds over the topics: what happens meanwhile is told together.
const BREATH: Duration = Duration::from_millis(5);

/// How long a subscriber waits before it comes back, in milliseconds.
const RETRY: u32 = 1000;

/// A topic that is followed.
pub(super) struct Followed {
    pub(super) topic: Topic,
    pub(super) cell: Cell,
    pub(super) position: Position,
    /// The change of the book at which nothing more was behind the position.
    pub(super) done: Option<u64>,
}

impl Followed {
    fn is_due(&self, tick: u64) -> bool {
        self.position != Position::Gone && self.done != Some(tick)
    }
}

/// A subscriber.
pub(super) struct Follower {
    pub(super) app: App,
    pub(super) book: u64,
    pub(super) topics: Vec<Followed>,
    pub(super) changes: watch::Receiver<u64>,
    pub(super) ending: watch::Receiver<bool>,
    /// The round before.
    pub(super) last_round: Option<Instant>,
    pub(super) greeting: Greeting,
    pub(super) _seat: OwnedSemaphorePermit,
}

/// Whether a subscriber was greeted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    /// The first words are to come; those of whom positions did not fit are told so.
    Due {
        is_reset: bool,
    },
    Done,
}

/// Why a subscriber stopped waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    Changed,
    Pulse,
    Ended,
}

impl Follower {
    /// The next words; `None` where the stream ends.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if *self.ending.borrow() {
                return None;
            }
            let tick = *self.changes.borrow_and_update();
            if let Greeting::Due { .. } = self.greeting {
                self.settle(tick).await?;
                let words = self.greeted();
                self.greeting = Greeting::Done;
                return Some(words);
            }
            let round = self.round(tick).await?;
            if round.is_some() {
                return round;
            }
            match self.wait().await {
                Woken::Changed => {}
                Woken::Ended => return None,
                Woken::Pulse => return Some(Bytes::from_static(b": alive\n\n")),
            }
        }
    }

    /// Waits until there may be something to tell.
    async fn wait(&mut self) -> Woken {
        let woken = tokio::select! {
            changed = self.changes.changed() => match changed {
                Ok(()) => Woken::Changed,
                Err(_gone) => Woken::Ended,
            },
            _ended = self.ending.changed() => Woken::Ended,
            () = sleep(PULSE) => Woken::Pulse,
        };
        if let (Woken::Changed, Some(last)) = (woken, self.last_round) {
            sleep_until(last + BREATH).await;
        }
        woken
    }

    /// Looks at all topics once, until one has something to tell; `None` where nothing can be looked at any more.
    async fn round(&mut self, tick: u64) -> Option<Option<Bytes>> {
        self.last_round = Some(Instant::now());
        for at in 0..self.topics.len() {
            while self.topics[at].is_due(tick) {
                let followed = &self.topics[at];
                let (app, of) = (&self.app, (&followed.topic, &followed.cell));
                let position = &followed.position;
                let delta = app.live().hub.delta(app.desk(), of, position, tick).await;
                let delta = match delta {
                    Ok(delta) => delta,
                    Err(error) => {
                        tracing::warn!(%error, topic = %followed.topic, "a stream ends");
                        return None;
                    }
                };
                let followed = &mut self.topics[at];
                // Whoever begins now stands behind all that is there from here on.
                followed.position = delta.to;
                if !delta.more {
                    followed.done = Some(tick);
                }
                if let Some((word, data)) = delta.told {
                    // Those who are told first are last the next time.
                    let words = self.event(word, &data);
                    self.topics.rotate_left(at + 1);
                    return Some(Some(words));
                }
            }
        }
        Some(None)
    }

    fn event(&self, word: &str, data: &[u8]) -> Bytes {
        let id = self.id();
        let mut bytes = format!("event: {word}\nid: {id}\ndata: ").into_bytes();
        bytes.extend_from_slice(data);
        bytes.extend_from_slice(b"\n\n");
        bytes.into()
    }

    fn id(&self) -> String {
        let mut topics: Vec<_> = self.topics.iter().collect();
        topics.sort_by(|one, other| one.topic.cmp(&other.topic));
        let positions = topics.iter().map(|at| (&at.topic, &at.position));
        written(self.book, positions)
    }

    /// Finds where those stand who begin now, so that the first id says it: whoever comes back with it misses nothing.
    async fn settle(&mut self, tick: u64) -> Option<()> {
        for followed in &mut self.topics {
            if followed.position != Position::Now {
                continue;
            }
            let of = (&followed.topic, &followed.cell);
            let (hub, desk) = (&self.app.live().hub, self.app.desk());
            let delta = hub.delta(desk, of, &Position::Now, tick).await;
            match delta {
                Ok(delta) => followed.position = delta.to,
                Err(error) => {
                    tracing::warn!(%error, topic = %followed.topic, "a stream ends");
                    return None;
                }
            }
        }
        Some(())
    }

    /// The first words: the topics as they are understood, with an id to come back with at once.
    fn greeted(&self) -> Bytes {
        let is_reset = self.greeting == Greeting::Due { is_reset: true };
        let mut names: Vec<_> = self.topics.iter().map(|at| at.topic.to_string()).collect();
        names.sort();
        let data = serde_json::json!({ "topics": names, "reset": is_reset });
        let id = self.id();
        let mut text = String::new();
        write!(
            text,
            "retry: {RETRY}\nevent: hello\nid: {id}\ndata: {data}\n\n"
        )
        .expect("a string takes all");
        text.into()
    }
}

type Next = Pin<Box<dyn Future<Output = (Box<Follower>, Option<Bytes>)> + Send>>;

/// The body of the answer.
pub(super) struct Stream {
    /// `None` at the end.
    next: Option<Next>,
}

impl Stream {
    pub(super) fn of(follower: Follower) -> Self {
        Self {
            next: Some(next(Box::new(follower))),
        }
    }
}

fn next(mut follower: Box<Follower>) -> Next {
    Box::pin(async move {
        let words = follower.next().await;
        (follower, words)
    })
}

impl Body for Stream {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(future) = &mut self.next else {
            return Poll::Ready(None);
        };
        let Poll::Ready((follower, words)) = future.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        self.next = words.is_some().then(|| next(follower));
        Poll::Ready(words.map(|words| Ok(Frame::data(words))))
    }
}
