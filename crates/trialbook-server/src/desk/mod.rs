//! The desk: the one door of requests to the book.
//!
//! One thread decides and writes, one request after the other; a second one syncs what was written, for all
//! that wait at once; reads go on beside both. While it is open it holds the lease to seal. Not here: what
//! requests mean. Invariant: a write is answered only when it is on the disk; a decision sees everything
//! decided before it.

mod beside;
mod draft;
mod error;
mod look;
mod scope;
mod worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use trialbook_model::id::WriterUid;
use trialbook_model::record::Signed;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_store::Book;
use trialbook_store::live::{Delivery, Gaps, Measure, Standing};

pub use draft::Draft;
pub use error::DeskError;
pub use look::Look;
pub use scope::Scope;
pub use worker::Tally;

use beside::Beside;
use worker::{Job, Phase, Settle, Start};

/// Writes that may wait at the desk before others are turned away.
const MOST_WAITING: usize = 16_384;

/// How long a request waits for a desk that is not open yet.
const PATIENCE: Duration = Duration::from_secs(5);

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
    /// What it may do.
    pub scope: Scope,
}

impl Actor {
    /// Somebody by name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
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
    /// What writes where another process has the book in service; the thread does otherwise.
    beside: Option<Beside>,
    clock: Arc<dyn Clock>,
    standing: Arc<Standing>,
    jobs: mpsc::Sender<Job>,
    waiting: Arc<AtomicUsize>,
    changes: watch::Receiver<u64>,
    phase: watch::Receiver<Phase>,
    tally: Arc<Tally>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Desk {
    /// Begins to open a book: its lease is waited for beside, and requests wait for that some seconds.
    pub fn open(book: Book, options: DeskOptions) -> Result<Self, DeskError> {
        let book = Arc::new(book);
        let (jobs, queue) = mpsc::channel();
        let (ticks, changes) = watch::channel(0);
        let (phase, phases) = watch::channel(Phase::Opening);
        let (standing, tally) = (Arc::default(), Arc::default());
        let clock = Arc::clone(&options.clock);
        let start = Start {
            book: Arc::clone(&book),
            options,
            standing: Arc::clone(&standing),
            ticks,
            phase,
            tally: Arc::clone(&tally),
        };
        let thread = thread::Builder::new()
            .name("trialbook-desk".to_owned())
            .spawn(move || worker::run(start, &queue))
            .map_err(|_system| DeskError::Closed)?;
        Ok(Self {
            inner: Arc::new(Inner {
                book,
                beside: None,
                clock,
                standing,
                jobs,
                waiting: Arc::default(),
                changes,
                phase: phases,
                tally,
                thread: Mutex::new(Some(thread)),
            }),
        })
    }

    /// A desk that works beside whoever has the book in service, if somebody has.
    pub fn beside(book: Book, options: DeskOptions) -> Result<Self, DeskError> {
        let clock = Arc::clone(&options.clock);
        let beside = Some(Beside::open(&book, options)?);
        let (jobs, _nobody) = mpsc::channel();
        Ok(Self {
            inner: Arc::new(Inner {
                book: Arc::new(book),
                beside,
                clock,
                standing: Arc::default(),
                jobs,
                waiting: Arc::default(),
                changes: watch::channel(0).1,
                phase: watch::channel(Phase::Open).1,
                tally: Arc::default(),
                thread: Mutex::new(None),
            }),
        })
    }

    /// The book, for what is not rows: its artifacts, its folder.
    pub fn book(&self) -> &Book {
        &self.inner.book
    }

    /// Waits until the book can be asked, some seconds at most.
    pub async fn ready(&self) -> Result<(), DeskError> {
        self.ready_within(PATIENCE).await
    }

    /// Waits until the book can be asked.
    pub async fn ready_within(&self, patience: Duration) -> Result<(), DeskError> {
        let mut phase = self.inner.phase.clone();
        if matches!(*phase.borrow(), Phase::Open) {
            return Ok(());
        }
        let settled = |phase: &Phase| !matches!(phase, Phase::Opening);
        match timeout(patience, phase.wait_for(settled)).await {
            Err(_elapsed) => Err(DeskError::Held),
            Ok(Err(_gone)) => Err(DeskError::Closed),
            Ok(Ok(phase)) => match &*phase {
                Phase::Open => Ok(()),
                Phase::Opening => Err(DeskError::Held),
                Phase::Failed(error) => Err(error.clone()),
                Phase::Closed => Err(DeskError::Closed),
            },
        }
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
        self.ready().await?;
        let inner = Arc::clone(&self.inner);
        let asking = tokio::task::spawn_blocking(move || {
            let look = inner.look()?;
            ask(&look)
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
        self.ready().await?;
        if actor.scope < Scope::Write {
            return Err(DeskError::Denied.into());
        }
        let seat = self.seat()?;
        let actor = actor.clone();
        if self.inner.beside.is_some() {
            return self.write_beside(actor, decide).await;
        }
        self.at_desk(seat, move |worker| worker.decide(&actor, decide))
            .await
    }

    /// Takes in what others recorded elsewhere; it is on the disk when this ends.
    pub async fn deliver(
        &self,
        actor: &Actor,
        records: Vec<Signed>,
        gaps: Gaps,
    ) -> Result<Delivery, DeskError> {
        self.ready().await?;
        if actor.scope < Scope::Write {
            return Err(DeskError::Denied);
        }
        // A desk beside another one decides nothing, so it cannot tell what is known already.
        if self.inner.beside.is_some() {
            return Err(DeskError::Held);
        }
        let seat = self.seat()?;
        self.at_desk(seat, move |worker| worker.deliver(&records, gaps))
            .await
    }

    /// Which records of writers are in the book, as ranges of their numbers.
    pub async fn numbers_of(
        &self,
        writers: Vec<WriterUid>,
    ) -> Result<Vec<Vec<(u64, u64)>>, DeskError> {
        self.ready().await?;
        if self.inner.beside.is_some() {
            return Err(DeskError::Held);
        }
        let seat = self.seat()?;
        self.at_desk(seat, move |worker| worker.numbers_of(&writers))
            .await
    }

    /// Has the thread do something, which is answered when what it wrote is on the disk.
    async fn at_desk<T, E>(
        &self,
        seat: Seat,
        work: impl FnOnce(&mut worker::Worker<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DeskError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |worker| {
            let decided = catch_unwind(AssertUnwindSafe(|| work(worker)))
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

    async fn write_beside<T, E>(
        &self,
        actor: Actor,
        decide: impl FnOnce(&Look<'_>, &mut Draft) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DeskError> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let writing = tokio::task::spawn_blocking(move || match &inner.beside {
            Some(beside) => beside.write(&inner.book, &actor, decide),
            None => Err(DeskError::Closed.into()),
        });
        writing
            .await
            .unwrap_or_else(|_panic| Err(DeskError::Panicked.into()))
    }

    /// Seals what there is.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "a method of a worker of one lifetime is none of all of them"
    )]
    pub async fn seal(&self) -> Result<(), DeskError> {
        self.ready().await?;
        let (answer, answered) = oneshot::channel();
        self.inner.ask(|worker| worker.seal(), answer)?;
        answered.await.unwrap_or(Err(DeskError::Closed))
    }

    /// Ticks at every change, for streams.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.clone()
    }

    /// What it has done.
    pub fn tally(&self) -> &Tally {
        &self.inner.tally
    }

    /// How much is not sealed, and in how many spools.
    pub fn measure(&self) -> Measure {
        self.inner.standing.measure()
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Bytes of the snapshot of the column index.
    pub fn index_bytes(&self) -> u64 {
        self.inner.book.index_bytes()
    }

    /// Writes that wait.
    pub fn waiting(&self) -> usize {
        self.inner.waiting.load(Ordering::Relaxed)
    }

    /// Ends the desk: what was asked for is written, the spool is ended. Later writes are refused.
    pub fn close(&self) {
        if let Some(beside) = &self.inner.beside {
            beside.close();
            return;
        }
        let stop: Job = Box::new(|worker| {
            worker.stop();
            Box::new(drop)
        });
        self.inner.jobs.send(stop).ok();
        let thread = self.inner.thread.lock();
        let thread = thread.unwrap_or_else(PoisonError::into_inner).take();
        let opening = matches!(
            *self.inner.phase.borrow(),
            Phase::Opening | Phase::Failed(_)
        );
        // One that never got the lease has nothing to end.
        if let Some(thread) = thread.filter(|_| !opening) {
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

impl Inner {
    /// A look that holds everything acknowledged by now. Blocks for as long as others' words are taken in.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "a method of a worker of one lifetime is none of all of them"
    )]
    fn look(&self) -> Result<Look<'_>, DeskError> {
        if self.beside.is_some() {
            return Ok(Look::new(self.book.view()?));
        }
        if !self.standing.is_current(&self.book)? {
            let (answer, answered) = oneshot::channel();
            self.ask(|worker| worker.catch_up(), answer)?;
            answered.blocking_recv().unwrap_or(Err(DeskError::Closed))?;
        }
        Ok(Look::new(self.standing.view(&self.book)?))
    }

    /// Has the thread do something that is answered before any sync.
    fn ask(
        &self,
        what: fn(&mut worker::Worker<'_>) -> Result<(), DeskError>,
        answer: oneshot::Sender<Result<(), DeskError>>,
    ) -> Result<(), DeskError> {
        let job: Job = Box::new(move |worker| {
            answer.send(what(worker)).ok();
            Box::new(drop)
        });
        self.jobs.send(job).map_err(|_gone| DeskError::Closed)
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
