//! The wrapper around one run's process: starts it, keeps what it says, ends it in time, and records how
//! it ended. The local engine calls it on threads; the verb `exec` calls it for any other engine.
//!
//! Not here: which run is next, what is printed. Invariant: whatever the program does, the wrapper comes
//! back after the process has ended, with the run in a final state; no output that was read is dropped;
//! what it holds in memory does not grow with the output.

mod console;
mod ending;
mod exit_record;
mod hearing;
mod meter;
mod process;
mod session;
mod waiting;

use std::path::PathBuf;
use std::time::Duration;

use trialbook_model::capture::{Part, Parts};
use trialbook_model::id::RunUid;
use trialbook_model::record::Op;
use trialbook_model::time::Clock;

use crate::begun::Begun;
use crate::guard::Guard;
use crate::known::KnownSecrets;
use crate::stop::Stop;

pub use ending::{CANCELLED, Ended, Ending};
pub use exit_record::ExitRecord;
pub use process::{Exit, Program, SpawnError};

/// How long a group is given between the request to end and the kill, where nothing else is said.
pub const GRACE: Duration = Duration::from_secs(10);

/// How often the resources of a run are looked at.
pub const SAMPLE_EVERY: Duration = Duration::from_secs(5);

/// One run to be executed.
#[derive(Debug, Clone)]
pub struct Task {
    /// The run; its start is recorded already.
    pub run: RunUid,
    /// What is started.
    pub program: Program,
    /// The files through which the program speaks.
    pub files: Files,
    /// How long it may take.
    pub limits: Limits,
    /// What is recorded beside what it tells.
    pub capture: Capture,
    /// What the program is told and must not be recorded.
    pub secrets: KnownSecrets,
}

/// What is recorded of a run beside what its program tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capture {
    /// Whether what it prints is kept.
    pub console: bool,
    /// How often processor time and memory of its processes are recorded.
    pub resources: Option<Duration>,
}

impl Capture {
    /// What is recorded where these parts are captured.
    pub fn of(parts: &Parts) -> Self {
        Self {
            console: parts.has(Part::Console),
            resources: parts.has(Part::Resources).then_some(SAMPLE_EVERY),
        }
    }
}

/// The files through which a program speaks, and the one through which the wrapper does.
#[derive(Debug, Clone)]
pub struct Files {
    /// Appended lines of JSON.
    pub metrics: PathBuf,
    /// One JSON object at the end.
    pub result: PathBuf,
    /// Where an exit record is wanted.
    pub exit: Option<PathBuf>,
    /// A file that asks for the end of the run as soon as it is there.
    pub cancel: Option<PathBuf>,
}

/// How long a run may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until it is asked to end.
    pub timeout: Option<Duration>,
    /// From then until it is killed.
    pub grace: Duration,
}

/// Where operations go.
pub trait Sink: Sync {
    /// Records one operation.
    fn record(&self, op: Op) -> Result<(), RecordError>;
}

/// An operation could not be recorded: the run's process is killed, and nothing more is started.
#[derive(Debug, thiserror::Error)]
#[error("what the run said could not be recorded")]
pub struct RecordError {
    /// The recorder's reason.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Why a run could not be brought to its end. What the program does is never a reason.
#[derive(Debug, thiserror::Error)]
pub enum WrapperError {
    /// The recorder refuses.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The process cannot be watched.
    #[error("the process of run {run} could not be watched")]
    Watch {
        /// The run.
        run: RunUid,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// The exit record cannot be written.
    #[error("the exit record `{path}` could not be written")]
    ExitRecord {
        /// Its file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
}

/// What a wrapper works with, shared by all wrappers of a process.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// Where operations go.
    pub sink: &'a dyn Sink,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The request to stop.
    pub stop: &'a Stop,
    /// Who kills the group when this process dies.
    pub guard: &'a Guard,
    /// Who is told when a program has started.
    pub begun: &'a Begun,
}

/// Executes one run from its start to its recorded end.
pub fn execute(task: &Task, tools: Tools<'_>) -> Result<Ended, WrapperError> {
    let ended = session::execute(task, tools)?;
    if let Some(path) = &task.files.exit {
        let written = ended.record(task.run).write(path);
        written.map_err(|source| WrapperError::ExitRecord {
            path: path.clone(),
            source,
        })?;
    }
    Ok(ended)
}

/// Ends a run that was cancelled before it began.
pub fn withdraw(run: RunUid, by: String, tools: Tools<'_>) -> Result<Ended, WrapperError> {
    Ok(session::withdraw(run, by, tools)?)
}

#[cfg(test)]
mod tests;
