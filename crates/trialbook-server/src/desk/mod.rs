//! The desk: the one door of requests to the book.
//!
//! One thread decides and writes, one request after the other; what it wrote is synced for all that wait at
//! once. Not here: what requests mean. Invariant: a write is answered only when it is on the disk; a decision
//! sees everything decided before it.

mod draft;
mod error;
mod look;
mod worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::sync::{oneshot, watch};
use trialbook_model::time::Clock;
use trialbook_store::Book;

pub use draft::Draft;
pub use error::DeskError;
pub use look::Look;

use worker::{Job, Settle, Worker};

/// Writes that may wait at the desk before others are turned away.
const MOST_WAITING: usize = 16_384;

/// How a desk works.
#[derive(Clone)]
pub struct DeskOptions {
    /// Where times come from.
    pub clock: Arc<dyn Clock>,
    /// Who writes what no request names another for.
    pub actor: String,
}

/// For whom something is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actor {
    /// The user, token or host; recorded with each operation.
    pub name: String,
    /// What the client repeats when it asks for the same thing again.
    pub key: Option<String>,
}

impl Actor {
    /// Somebody by name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            key: None,
        }
    }
}

/// The one door of requests to the book. A clone is the same one.
#[derive(Clone)]
pub struct Desk {
    inner: Arc<Inner>,
}

struct Inner {
    book: Arc<Book>,
    jobs: mpsc::Sender<Job>,
    waiting: Arc<AtomicUsize>,
    changes: watch::Receiver<u64>,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Desk {
    /// Opens the server's own spool and begins to work.
    pub fn open(book: Book, options: DeskOptions) -> Result<Self, DeskError> {
        let book = Arc::new(book);
        let (jobs, queue) = mpsc::channel();
        let (ticks, changes) = watch::channel(0);
        let worker = Worker::open(Arc::clone(&book), options, ticks)?;
        let thread = thread::Builder::new()
            .name("trialbook-desk".to_owned())
            .spawn(move || worker.run(&queue))
            .map_err(|_system| DeskError::Closed)?;
        Ok(Self {
            inner: Arc::new(Inner {
                book,
                jobs,
                waiting: Arc::default(),
                changes,
                thread: std::sync::Mutex::new(Some(thread)),
            }),
        })
    }

    /// The book, for what is not rows: its artifacts, its folder.
    pub fn book(&self) -> &Book {
        &self.inner.book
    }

    /// Reads on a consistent look that holds everything acknowledged so far, by whomever.
    pub async fn read<T, E>(
        &self,
        ask: impl FnOnce(&Look<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DeskError> + Send + 'static,
    {
        let book = Arc::clone(&self.inner.book);
        let asking = tokio::task::spawn_blocking(move || {
            let view = book.view().map_err(DeskError::from)?;
            ask(&Look::new(view))
        });
        asking
            .await
            .unwrap_or_else(|_panic| Err(DeskError::Panicked.into()))
    }

    /// Decides and writes: `decide` sees the newest state, and nobody else decides meanwhile. What it says is
    /// on the disk when this ends; where it refuses, nothing is written.
    pub async fn write<T, E>(
        &self,
        actor: &Actor,
        decide: impl FnOnce(&Look<'_>, &mut Draft) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DeskError> + Send + 'static,
    {
        let seat = self.seat()?;
        let (answer, answered) = oneshot::channel();
        let actor = actor.clone();
        let job: Job = Box::new(move |worker| {
            let decided = catch_unwind(AssertUnwindSafe(|| worker.decide(&actor, decide)))
                .unwrap_or_else(|_panic| Err(DeskError::Panicked.into()));
            let settle: Settle = Box::new(move |synced| {
                let told = decided.and_then(|told| synced.map(|()| told).map_err(E::from));
                // Whoever hung up meanwhile will ask again.
                answer.send(told).ok();
                drop(seat);
            });
            settle
        });
        if self.inner.jobs.send(job).is_err() {
            return Err(DeskError::Closed.into());
        }
        answered
            .await
            .unwrap_or_else(|_gone| Err(DeskError::Closed.into()))
    }

    /// Ticks at every change, for streams.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.clone()
    }

    /// Ends the desk: what was asked for is written, the spool is ended. Later writes are refused.
    pub fn close(&self) {
        let stop: Job = Box::new(|worker| {
            worker.stop();
            Box::new(drop)
        });
        self.inner.jobs.send(stop).ok();
        let thread = self.inner.thread.lock();
        let thread = thread
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            thread.join().ok();
        }
    }

    fn seat(&self) -> Result<Seat, DeskError> {
        let waiting = Arc::clone(&self.inner.waiting);
        let seat = Seat { waiting };
        if seat.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
            return Err(DeskError::Crowded);
        }
        Ok(seat)
    }
}

/// A place among those who wait.
struct Seat {
    waiting: Arc<AtomicUsize>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
