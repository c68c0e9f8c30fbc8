//! How any failure is told: its code, message, causes and hint.
//!
//! Invariant: the first cause that has a code decides the code and the hint; the exit code follows from the code.

use anyhow::Error;
use serde::Serialize;
use trialbook_capture::data::DataError;
use trialbook_client::ClientError;
use trialbook_exchange::{ExportError, ImportError, Problem};
use trialbook_model::code::ErrorCode;
use trialbook_model::config::{ConfigErrors, GridError};
use trialbook_model::manifest::ManifestErrors;
use trialbook_model::plan::PlanError;
use trialbook_runner::lease::LeaseError;
use trialbook_runner::outline::OutlineError;
use trialbook_runner::sample::SampleError;
use trialbook_server::{ServeError, TokenError};
use trialbook_spool::code_of_io;
use trialbook_store::BookError;

use super::Failure;
use crate::discovery::DiscoveryError;

/// What to do about a full disk, a used-up quota, or a file that may not grow.
const SPACE: &str = "free some space on the disk (or raise the limit that was met) and try again; what was acknowledged is safe";

/// A failure as it is told.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    /// Its code.
    pub(crate) code: &'static str,
    /// The message.
    pub(crate) message: String,
    /// Its causes, from the outside in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) causes: Vec<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// The exit code.
    #[serde(skip)]
    pub(crate) exit: u8,
}

impl Told {
    /// What is to be told of a failure.
    pub(crate) fn of(error: &Error) -> Self {
        let (code, hint) = advice(error);
        // The rooms speak to programs that go on; a command has ended.
        let hint = if code == ErrorCode::DiskFull {
            Some(SPACE.to_owned())
        } else {
            hint
        };
        let mut causes: Vec<String> = Vec::new();
        for cause in error.chain().skip(1) {
            let text = cause.to_string();
            // A message that already holds its cause needs no second line of it.
            if causes.last() != Some(&text) && !error.to_string().starts_with(&text) {
                causes.push(text);
            }
        }
        Self {
            code: code.word(),
            message: error.to_string(),
            causes,
            hint,
            exit: code.exit_code(),
        }
    }
}

/// The code and the hint of the first cause that has them.
fn advice(error: &Error) -> (ErrorCode, Option<String>) {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return (failure.code(), failure.hint());
        }
        if let Some(failure) = cause.downcast_ref::<DiscoveryError>() {
            return (failure.code(), failure.hint());
        }
        if let Some(failure) = cause.downcast_ref::<BookError>() {
            return (failure.code(), hint_of_book(failure));
        }
        if let Some(failure) = cause.downcast_ref::<ClientError>() {
            return (failure.code(), failure.hint());
        }
        if let Some(failure) = cause.downcast_ref::<ServeError>() {
            return (failure.code(), failure.hint());
        }
        if let Some(failure) = cause.downcast_ref::<TokenError>() {
            return (failure.code(), failure.hint().map(str::to_owned));
        }
        if let Some(failure) = cause.downcast_ref::<ImportError>()
            && !matches!(failure, ImportError::Book(_) | ImportError::Read { .. })
        {
            let hint = failure.hint().map(str::to_owned);
            return (code_of_import(failure), hint);
        }
        if let Some(failure) = cause.downcast_ref::<ExportError>()
            && let Some(code) = code_of_export(failure)
        {
            return (code, failure.hint().map(str::to_owned));
        }
        if let Some(advice) = advice_on_running(cause) {
            return advice;
        }
        if let Some(failure) = cause.downcast_ref::<std::io::Error>() {
            return (code_of_io(failure), None);
        }
    }
    (ErrorCode::Internal, None)
}

fn code_of_import(error: &ImportError) -> ErrorCode {
    match error {
        ImportError::At { problem, .. } if problem.is_conflict() => ErrorCode::StateConflict,
        ImportError::At {
            problem: Problem::Newer { .. },
            ..
        } => ErrorCode::NotSupportedYet,
        ImportError::At { .. } => ErrorCode::DataDamaged,
        ImportError::Config(_) => ErrorCode::ConfigInvalid,
        ImportError::Read { source, .. } => code_of_io(source),
        ImportError::Book(error) => error.code(),
    }
}

/// What the others come to, their causes say.
const fn code_of_export(error: &ExportError) -> Option<ErrorCode> {
    match error {
        ExportError::OtherExperiment { .. } | ExportError::OtherConfig { .. } => {
            Some(ErrorCode::StateConflict)
        }
        ExportError::Unreadable { .. } => Some(ErrorCode::DataDamaged),
        ExportError::Write { .. } | ExportError::Json(_) | ExportError::Book(_) => None,
    }
}

/// What to do; for a book of a newer format, which version reads it.
fn hint_of_book(error: &BookError) -> Option<String> {
    if let BookError::NewerFormat { path, .. } | BookError::UnknownMigration { path, .. } = error {
        return Some(match trialbook_store::program_of(path) {
            Some(program) => format!("trialbook {program} or newer reads it"),
            None => {
                "use the version of trialbook that wrote it; the book does not say which".to_owned()
            }
        });
    }
    error.hint().map(str::to_owned)
}

/// Failures of configs and of the runner.
fn advice_on_running(
    cause: &(dyn std::error::Error + 'static),
) -> Option<(ErrorCode, Option<String>)> {
    if cause.is::<ConfigErrors>() {
        return Some((ErrorCode::ConfigInvalid, None));
    }
    if let Some(failure) = cause.downcast_ref::<GridError>() {
        return Some((ErrorCode::Usage, failure.hint()));
    }
    if let Some(failure) = cause.downcast_ref::<LeaseError>() {
        let code = match failure {
            LeaseError::Held { .. } | LeaseError::Naming => ErrorCode::ExperimentBusy,
            LeaseError::Io { .. } => return None,
        };
        return Some((code, failure.hint().map(str::to_owned)));
    }
    if let Some(failure) = cause.downcast_ref::<PlanError>() {
        return Some((ErrorCode::NotFound, Some(failure.hint())));
    }
    if let Some(failure) = cause.downcast_ref::<DataError>() {
        let code = match failure {
            DataError::Missing { .. } => ErrorCode::NotFound,
            DataError::Dangling { .. } | DataError::Loop { .. } | DataError::Special { .. } => {
                ErrorCode::ValueInvalid
            }
            DataError::Unreadable { source, .. } => code_of_io(source),
            DataError::Stopped { .. } => ErrorCode::Interrupted,
        };
        return Some((code, failure.hint().map(str::to_owned)));
    }
    if let Some(failure) = cause.downcast_ref::<SampleError>() {
        let code = match failure {
            SampleError::Unreadable { .. } => ErrorCode::Io,
            SampleError::Form { .. } => ErrorCode::Usage,
            SampleError::Damaged { .. } | SampleError::Empty { .. } => ErrorCode::ValueInvalid,
        };
        return Some((code, Some(failure.hint().to_owned())));
    }
    if cause.is::<ManifestErrors>() {
        return Some((ErrorCode::ConfigInvalid, None));
    }
    let failure = cause.downcast_ref::<OutlineError>()?;
    let code = match failure {
        OutlineError::Plan(_) => ErrorCode::NotFound,
        OutlineError::Changed { .. } | OutlineError::Deleted { .. } => ErrorCode::StateConflict,
    };
    Some((code, Some(failure.hint())))
}
