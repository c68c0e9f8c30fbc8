//! The thread that decides and writes, and the one that makes durable what was written.
//!
//! While one sync is under way the next requests are decided; all that were decided by then share the next
//! sync. Not here: who waits. Invariant: nothing is answered before its words are on the disk; only the first
//! thread writes to the book.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use trialbook_model::id::WriterUid;
use trialbook_model::record::Signed;
use trialbook_model::time::Clock;
use trialbook_spool::{Background, SyncPoint};
use trialbook_store::live::{Delivery, Gaps, Live, Standing};
use trialbook_store::{Book, RecorderOptions};

use super::{Actor, DeskError, DeskOptions, Draft, Look};

/// Tells a request how it ended, once it is known whether its words are on the disk.
pub(super) type Settle = Box<dyn FnOnce(Result<(), DeskError>) + Send>;

/// What a request does at the desk.
pub(super) type Job = Box<dyn FnOnce(&mut Worker<'_>) -> Settle + Send>;

/// Requests that are decided before those that were are synced.
const MOST_AT_ONCE: usize = 256;

/// Between two attempts to get the lease.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Between two looks at the spools of other processes when nobody asks.
const LOOK_AROUND: Duration = Duration::from_millis(250);

/// After a seal that failed, the next one waits.
const SEAL_AGAIN: Duration = Duration::from_secs(5);

/// What a desk has done.
#[derive(Debug, Default)]
pub struct Tally {
    /// Writes that were made durable.
    pub writes: AtomicU64,
    /// Syncs that made them so.
    pub syncs: AtomicU64,
    /// Microseconds that syncs took together.
    pub sync_micros: AtomicU64,
    /// Operations that were written.
    pub operations: AtomicU64,
    /// Seals that failed.
    pub failed_seals: AtomicU64,
}

/// How far a desk is.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// Somebody else has the lease, or it is just being opened.
    Opening,
    /// At work.
    Open,
    /// The book refused.
    Failed(DeskError),
    /// Stopped.
    Closed,
}

/// What the thread is started with.
pub(super) struct Start {
    pub(super) book: Arc<Book>,
    pub(super) options: DeskOptions,
    pub(super) standing: Arc<Standing>,
    pub(super) ticks: watch::Sender<u64>,
    pub(super) phase: watch::Sender<Phase>,
    pub(super) tally: Arc<Tally>,
}

/// The thread's own state.
pub(super) struct Worker<'b> {
    live: Live<'b>,
    clock: Arc<dyn Clock>,
    ticks: watch::Sender<u64>,
    tally: Arc<Tally>,
    stopped: bool,
    seal_after: Option<Instant>,
}

/// What is to be synced, and who waits for it.
struct Due {
    point: Option<SyncPoint>,
    settles: Vec<Settle>,
}

/// Works until it is stopped or nobody can ask any more.
pub(super) fn run(start: Start, queue: &Receiver<Job>) {
    let Start {
        book,
        options,
        standing,
        ticks,
        phase,
        tally,
    } = start;
    let DeskOptions { clock, actor } = options;
    let recorder = RecorderOptions {
        background: Background::None,
        ..RecorderOptions::new(actor, Arc::clone(&clock))
    };
    let Some(live) = opened(&book, &recorder, &standing, &phase) else {
        return;
    };
    phase.send_replace(Phase::Open);
    let (due, dues) = channel();
    let counted = Arc::clone(&tally);
    let syncer = thread::Builder::new().name("trialbook-fsync".to_owned());
    let syncer = syncer.spawn(move || sync_all(&dues, &counted));
    let mut worker = Worker {
        live,
        clock,
        ticks,
        tally,
        stopped: false,
        seal_after: None,
    };
    if syncer.is_ok() {
        worker.work(queue, &due);
    }
    drop(due);
    if let Ok(syncer) = syncer {
        syncer.join().ok();
    }
    // What was acknowledged is on the disk; what else could be told there is nobody to tell.
    worker.live.close().ok();
    phase.send_replace(Phase::Closed);
}

/// Waits for the lease.
fn opened<'b>(
    book: &'b Book,
    recorder: &RecorderOptions,
    standing: &Arc<Standing>,
    phase: &watch::Sender<Phase>,
) -> Option<Live<'b>> {
    loop {
        match Live::open(book, recorder.clone(), standing) {
            Ok(Some(live)) => return Some(live),
            Ok(None) => phase.send_if_modified(|phase| {
                let changes = !matches!(phase, Phase::Opening);
                *phase = Phase::Opening;
                changes
            }),
            Err(error) => {
                phase.send_replace(Phase::Failed(error.into()));
                false
            }
        };
        // Nobody is left who could ask.
        if phase.is_closed() {
            return None;
        }
        thread::sleep(ASK_AGAIN);
    }
}

impl Worker<'_> {
    fn work(&mut self, queue: &Receiver<Job>, due: &Sender<Due>) {
        while !self.stopped {
            let first = match queue.recv_timeout(LOOK_AROUND) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    self.look_around();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let jobs = std::iter::once(first).chain(queue.try_iter());
            let jobs: Vec<Job> = jobs.take(MOST_AT_ONCE).collect();
            // Once for all of them: what was acknowledged elsewhere before they asked is there now. A failure
            // is met again by those who look.
            let before = self.live.records();
            self.live.catch_up().ok();
            let settles = jobs.into_iter().map(|job| job(self)).collect();
            // Before anybody is answered: whoever has an answer has missed no change.
            self.tick_since(before);
            let point = self.live.sync_point();
            if due.send(Due { point, settles }).is_err() {
                return;
            }
            self.seal_if_heavy();
        }
    }

    fn tick_since(&self, before: u64) {
        if self.live.records() != before {
            self.ticks.send_modify(|tick| *tick += 1);
        }
    }

    /// Follows other processes while nobody asks.
    fn look_around(&mut self) {
        let before = self.live.records();
        // A failure is met again by those who look.
        self.live.catch_up().ok();
        self.tick_since(before);
        self.seal_if_heavy();
    }

    fn seal_if_heavy(&mut self) {
        let waits = self.seal_after.is_some_and(|after| Instant::now() < after);
        if waits || !self.live.is_heavy() {
            return;
        }
        self.seal_after = None;
        if self.live.seal().is_err() {
            // What hinders a seal hinders no write.
            self.tally.failed_seals.fetch_add(1, Ordering::Relaxed);
            self.seal_after = Some(Instant::now() + SEAL_AGAIN);
        }
    }

    /// Runs one decision and writes what it says.
    pub(super) fn decide<T, E: From<DeskError>>(
        &mut self,
        actor: &Actor,
        decide: impl FnOnce(&Look<'_>, &mut Draft) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut draft = Draft::new(self.clock.now(), &actor.name, actor.key.clone());
        let told = {
            let look = Look::new(self.live.view().map_err(DeskError::from)?);
            decide(&look, &mut draft)?
        };
        self.live.write(&draft.said).map_err(DeskError::from)?;
        let operations = draft.said.len() as u64;
        self.tally
            .operations
            .fetch_add(operations, Ordering::Relaxed);
        Ok(told)
    }

    /// Takes in what others recorded elsewhere.
    pub(super) fn deliver(
        &mut self,
        records: &[Signed],
        gaps: Gaps,
    ) -> Result<Delivery, DeskError> {
        let delivery = self.live.deliver(records, gaps)?;
        if let Delivery::Taken { new, .. } = delivery {
            self.tally.operations.fetch_add(new, Ordering::Relaxed);
        }
        Ok(delivery)
    }

    /// Which records of writers are in the book.
    pub(super) fn numbers_of(
        &mut self,
        writers: &[WriterUid],
    ) -> Result<Vec<Vec<(u64, u64)>>, DeskError> {
        Ok(self.live.numbers_of(writers)?)
    }

    /// Takes in what others spooled.
    pub(super) fn catch_up(&mut self) -> Result<(), DeskError> {
        Ok(self.live.catch_up()?)
    }

    /// Seals what there is.
    pub(super) fn seal(&mut self) -> Result<(), DeskError> {
        Ok(self.live.seal()?)
    }

    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }
}

/// Makes durable what is due, as much at once as there is by then, and tells those who wait.
fn sync_all(dues: &Receiver<Due>, tally: &Tally) {
    while let Ok(first) = dues.recv() {
        let mut points: Vec<SyncPoint> = first.point.into_iter().collect();
        let mut settles = first.settles;
        for due in dues.try_iter() {
            let known = |point: &SyncPoint| points.iter().any(|known| known.is_same(point));
            if let Some(point) = due.point.filter(|point| !known(point)) {
                points.push(point);
            }
            settles.extend(due.settles);
        }
        let synced = sync(&points, tally);
        tally
            .writes
            .fetch_add(settles.len() as u64, Ordering::Relaxed);
        for settle in settles {
            settle(synced.clone());
        }
    }
}

fn sync(points: &[SyncPoint], tally: &Tally) -> Result<(), DeskError> {
    let begun = Instant::now();
    for point in points {
        let due = point.sync().map_err(trialbook_store::BookError::from)?;
        if due {
            tally.syncs.fetch_add(1, Ordering::Relaxed);
        }
    }
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    tally.sync_micros.fetch_add(micros, Ordering::Relaxed);
    Ok(())
}
