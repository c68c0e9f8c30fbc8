//! How a run ended, and the words for it.
//!
//! Invariant: the kinds of errors are `exit(N)`, `signal(N)`, `timeout`, `spawn`, `interrupted`, `cancelled`, or the
//! program's own word in its result file.

use std::time::Duration;

use trialbook_model::id::RunUid;
use trialbook_model::record::RunError;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use super::exit_record::ExitRecord;
use super::process::{Exit, SpawnError};

/// The kind of the error of runs that somebody cancelled.
pub const CANCELLED: &str = "cancelled";

/// How a process came to its end.
#[derive(Debug)]
pub enum Ending {
    /// By itself, or by somebody else's signal.
    Exited(Exit),
    /// It took longer than allowed.
    TimedOut {
        /// How long was allowed.
        after: Duration,
        /// How it ended then.
        exit: Exit,
    },
    /// It was asked to end.
    Stopped(Exit),
    /// Somebody asked for its end.
    Cancelled {
        /// Who.
        by: String,
        /// How it ended then.
        exit: Exit,
    },
    /// Somebody asked for its end before it began.
    Withdrawn {
        /// Who.
        by: String,
    },
    /// It was never started.
    NotStarted(SpawnError),
}

/// A run at its end.
#[derive(Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "`ended` is the word for this moment everywhere"
)]
pub struct Ended {
    /// How.
    pub ending: Ending,
    /// Its final state.
    pub status: RunStatus,
    /// Why it failed or was cancelled.
    pub error: Option<RunError>,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How long it took, by a clock that is never set.
    pub took: Duration,
    /// The metrics that it told, each with the value told last.
    pub metrics: Vec<(String, f64)>,
    /// Pieces of its files that could not be understood; each is an event of the run.
    pub not_understood: u64,
}

impl Ended {
    /// The exit code of its process, if it ended with one.
    pub fn exit_code(&self) -> Option<i32> {
        match self.ending {
            Ending::Exited(exit)
            | Ending::TimedOut { exit, .. }
            | Ending::Stopped(exit)
            | Ending::Cancelled { exit, .. } => match exit {
                Exit::Code(code) => Some(code),
                Exit::Signal(_) => None,
            },
            Ending::NotStarted(_) | Ending::Withdrawn { .. } => None,
        }
    }

    pub(super) fn record(&self, run: RunUid) -> ExitRecord {
        ExitRecord {
            run,
            status: self.status,
            error: self.error.clone(),
            exit_code: self.exit_code(),
            started: self.started,
            ended: self.ended,
        }
    }
}

/// The final state and the error of an ending, given what the program itself said: its result file's
/// error and its last line on standard error.
pub(super) fn verdict(
    ending: &Ending,
    told: Option<RunError>,
    last_line: &str,
) -> (RunStatus, Option<RunError>) {
    let error = |kind: String, message: String| RunError { kind, message };
    match ending {
        Ending::Exited(Exit::Code(0)) => match told {
            Some(told) => (RunStatus::Failed, Some(told)),
            None => (RunStatus::Completed, None),
        },
        Ending::Exited(Exit::Code(code)) => {
            let unnamed = |told: &RunError| told.kind == "error";
            let message = match &told {
                Some(told) => told.message.clone(),
                None if last_line.is_empty() => format!("ended with exit code {code}"),
                None => last_line.to_owned(),
            };
            let kind = told
                .filter(|told| !unnamed(told))
                .map_or_else(|| format!("exit({code})"), |told| told.kind);
            (RunStatus::Failed, Some(error(kind, message)))
        }
        Ending::Exited(Exit::Signal(signal)) => {
            let message = format!("ended by signal {signal}{}", name_of(*signal));
            let kind = format!("signal({signal})");
            (RunStatus::Failed, Some(error(kind, message)))
        }
        Ending::TimedOut { after, .. } => {
            let message = format!("did not end within {after:?}");
            let error = error("timeout".to_owned(), message);
            (RunStatus::Failed, Some(error))
        }
        Ending::Stopped(_) => {
            let message = "stopped on request".to_owned();
            let error = error("interrupted".to_owned(), message);
            (RunStatus::Cancelled, Some(error))
        }
        Ending::Cancelled { by, .. } | Ending::Withdrawn { by } => {
            let message = format!("cancelled by {by}");
            let error = error(CANCELLED.to_owned(), message);
            (RunStatus::Cancelled, Some(error))
        }
        Ending::NotStarted(reason) => {
            let error = error("spawn".to_owned(), chain(reason));
            (RunStatus::Failed, Some(error))
        }
    }
}

/// An error with its sources in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

/// The signals that a program usually dies of have the same numbers everywhere.
fn name_of(signal: i32) -> &'static str {
    match signal {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        3 => " (SIGQUIT)",
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        15 => " (SIGTERM)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ending: &Ending, told: Option<(&str, &str)>, expected: (RunStatus, &str, &str)) {
        let told = told.map(|(kind, message)| RunError {
            kind: kind.to_owned(),
            message: message.to_owned(),
        });
        let (status, error) = verdict(ending, told, "last line");
        let error = error.unwrap_or_default();
        assert_eq!(
            (status, error.kind.as_str(), error.message.as_str()),
            expected,
            "{ending:?}"
        );
    }

    #[test]
    fn endings_become_states_and_errors() {
        use RunStatus::{Cancelled, Completed, Failed};
        let code = |code| Ending::Exited(Exit::Code(code));
        check(&code(0), None, (Completed, "", ""));
        check(
            &code(0),
            Some(("error", "no data")),
            (Failed, "error", "no data"),
        );
        check(&code(3), None, (Failed, "exit(3)", "last line"));
        check(
            &code(3),
            Some(("error", "no data")),
            (Failed, "exit(3)", "no data"),
        );
        check(
            &code(3),
            Some(("ValueError", "x")),
            (Failed, "ValueError", "x"),
        );
        let signal = Ending::Exited(Exit::Signal(9));
        check(
            &signal,
            None,
            (Failed, "signal(9)", "ended by signal 9 (SIGKILL)"),
        );
        let timeout = Ending::TimedOut {
            after: Duration::from_secs(90),
            exit: Exit::Code(0),
        };
        check(
            &timeout,
            None,
            (Failed, "timeout", "did not end within 90s"),
        );
        let stopped = Ending::Stopped(Exit::Code(0));
        check(
            &stopped,
            None,
            (Cancelled, "interrupted", "stopped on request"),
        );
        let by = "me@here".to_owned();
        let withdrawn = Ending::Withdrawn { by };
        check(
            &withdrawn,
            None,
            (Cancelled, "cancelled", "cancelled by me@here"),
        );
    }
}
