//! The local engine: executes planned runs by wrappers on threads of this process.
//!
//! Not here: what is planned, what is printed. Invariant: a run that fails stops no other; after a request to
//! stop no run begins; each run that began is in a final state when [`Engine::execute`] returns, unless
//! recording itself fails.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use trialbook_model::status::RunStatus;

use crate::ledger::Job;
use crate::preparation::{Preparation, PrepareError};
use crate::snapshot::Snapshot;
use crate::stop::Urgency;
use crate::wrapper::{self, Ended, RecordError, Tools, WrapperError};

/// Whoever wants to know how far the runs are. Called from several threads.
pub trait Progress: Sync {
    /// A run begins.
    fn started(&self, job: &Job);
    /// A run has ended.
    fn ended(&self, job: &Job, ended: &Ended);
}

/// Why not all runs could be executed. What a run's program does is never a reason.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A run's folder or command.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// Recording.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A run's process.
    #[error(transparent)]
    Wrapper(#[from] WrapperError),
}

/// How many runs ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Ended as intended.
    pub completed: usize,
    /// Failed.
    pub failed: usize,
    /// Cancelled on request.
    pub cancelled: usize,
    /// Not begun because of it.
    pub left: usize,
}

/// The engine.
pub struct Engine<'a> {
    /// How many runs at a time, at least one.
    pub workers: usize,
    /// What wrappers work with.
    pub tools: Tools<'a>,
    /// What all runs have in common.
    pub preparation: &'a Preparation,
    /// What each run is tied to.
    pub snapshots: &'a [Snapshot],
    /// Who is told.
    pub progress: &'a dyn Progress,
}

impl Engine<'_> {
    /// Executes runs in their order.
    pub fn execute(&self, jobs: &[Job]) -> Result<Totals, EngineError> {
        let next = AtomicUsize::new(0);
        let totals = Mutex::new(Totals::default());
        let failure = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..self.workers.clamp(1, jobs.len().max(1)) {
                scope.spawn(|| {
                    if let Err(error) = self.work(jobs, &next, &totals) {
                        // Without recording nothing may go on: end the other runs at once.
                        self.tools.stop.request();
                        self.tools.stop.request();
                        let mut first = failure.lock().unwrap_or_else(PoisonError::into_inner);
                        first.get_or_insert(error);
                    }
                });
            }
        });
        // Perhaps no program could be started.
        self.tools.begun.tell();
        let failure = failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = failure {
            return Err(error);
        }
        let mut totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        totals.left = jobs.len() - totals.completed - totals.failed - totals.cancelled;
        Ok(totals)
    }

    fn work(
        &self,
        jobs: &[Job],
        next: &AtomicUsize,
        totals: &Mutex<Totals>,
    ) -> Result<(), EngineError> {
        while self.tools.stop.urgency() == Urgency::None {
            let Some(job) = jobs.get(next.fetch_add(1, Ordering::SeqCst)) else {
                break;
            };
            let ended = self.one(job)?;
            let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
            match ended.status {
                RunStatus::Completed => totals.completed += 1,
                RunStatus::Cancelled => totals.cancelled += 1,
                RunStatus::Failed | RunStatus::Queued | RunStatus::Running => totals.failed += 1,
            }
        }
        Ok(())
    }

    fn one(&self, job: &Job) -> Result<Ended, EngineError> {
        let requests = self.preparation.requests();
        let ended = match requests.asked(job.run) {
            Some(by) => {
                let ended = wrapper::withdraw(job.run, by, self.tools)?;
                self.progress.ended(job, &ended);
                ended
            }
            None => self.executed(job)?,
        };
        requests.withdraw(job.run);
        Ok(ended)
    }

    fn executed(&self, job: &Job) -> Result<Ended, EngineError> {
        let task = self.preparation.task(job)?;
        for snapshot in self.snapshots {
            snapshot.link(job.run, self.tools.sink)?;
        }
        self.progress.started(job);
        let ended = wrapper::execute(&task, self.tools)?;
        if ended.not_understood == 0 {
            self.preparation.clear(job);
        }
        self.progress.ended(job, &ended);
        Ok(ended)
    }
}
