//! What can go wrong in the binary itself, and how any failure is told: `error:`, `caused by:`, `hint:`.
//!
//! Not here: failures of the libraries, which have their own types. Invariant: every failure has one code,
//! and the exit code follows from it alone.

use std::fmt::Write as _;

use anyhow::Error;
use serde::Serialize;
use trialbook_model::code::ErrorCode;
use trialbook_model::config::{ConfigErrors, GridError};
use trialbook_model::filter::FilterError;
use trialbook_model::manifest::ManifestErrors;
use trialbook_model::plan::PlanError;
use trialbook_runner::lease::LeaseError;
use trialbook_runner::outline::OutlineError;
use trialbook_spool::SpoolError;
use trialbook_store::{BookError, Refusal};

use crate::discovery::DiscoveryError;

/// A failure that the binary finds by itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A reading verb where there is no book.
    #[error("there is no book at `{folder}`")]
    NoBook {
        /// Where it was looked for.
        folder: String,
    },
    /// A value that is not what its place takes.
    #[error("{what} `{value}` is not {expected}")]
    Value {
        /// Whose value, such as `the value of metric `loss``.
        what: String,
        /// The value as given.
        value: String,
        /// What was expected, such as `a number`.
        expected: &'static str,
    },
    /// Arguments that make no sense together or are missing.
    #[error("{problem}")]
    Usage {
        /// What is wrong.
        problem: String,
        /// What to write instead.
        hint: String,
    },
    /// An id or name that means nothing here.
    #[error("no {noun} of this book is called `{text}`")]
    Unknown {
        /// `run`, `experiment`, …
        noun: &'static str,
        /// The text as given.
        text: String,
        /// Names that resemble it.
        nearest: Vec<String>,
    },
    /// A series that the run does not have.
    #[error("the run has no series `{key}`")]
    UnknownSeries {
        /// The series.
        key: String,
        /// Series that it has.
        nearest: Vec<String>,
    },
    /// A filter or an order that cannot be read; the place is marked below its text.
    #[error("{source}\n{}", source.render(text))]
    Filter {
        /// The text.
        text: String,
        /// What is wrong, and where.
        source: FilterError,
    },
    /// An id or name that means several.
    #[error("`{text}` means {} of this book:{}", count(.candidates.len(), noun), listed(.candidates))]
    Ambiguous {
        /// `run`, `experiment`, …
        noun: &'static str,
        /// The text as given.
        text: String,
        /// What it may mean, as lines.
        candidates: Vec<String>,
    },
    /// No run was named and none follows from the surroundings.
    #[error("which run is meant?{}", listed(.running))]
    NoRun {
        /// Running runs, as lines.
        running: Vec<String>,
    },
    /// An experiment is named where a run is needed, and has none.
    #[error("experiment `{experiment}` has no run")]
    NoRunYet {
        /// The experiment, as given.
        experiment: String,
    },
    /// A name that something else bears already.
    #[error("{noun} `{name}` exists already")]
    Taken {
        /// `experiment`, …
        noun: &'static str,
        /// The name.
        name: String,
    },
    /// What is running cannot be put away.
    #[error("{what} is running")]
    Running {
        /// The run, or the experiment with its running runs, as told to people.
        what: String,
    },
    /// A text that would be kept as it is and looks like a secret.
    #[error("{what} looks like a secret and would be kept as it is")]
    Secret {
        /// What was given, without its value.
        what: String,
    },
    /// A file that would be overwritten.
    #[error("`{path}` exists and holds something else")]
    FileInTheWay {
        /// The file.
        path: String,
    },
    /// Known to others, and not yet to this version.
    #[error("`{verb}` is not supported yet")]
    NotYet {
        /// The verb.
        verb: String,
        /// What helps meanwhile.
        hint: &'static str,
    },
    /// A param that has another value.
    #[error("param `{key}` of {run} is `{present}` already and cannot become `{refused}`")]
    ParamConflict {
        /// The param.
        key: String,
        /// The run, as told to people.
        run: String,
        /// Its value.
        present: String,
        /// The value that was refused.
        refused: String,
    },
    /// The run has ended.
    #[error("{run} has ended: it is {status}")]
    Ended {
        /// The run, as told to people.
        run: String,
        /// Its state.
        status: trialbook_model::status::RunStatus,
    },
    /// The run is being executed by another process, which will end it.
    #[error("{run} is being executed by another process, which will end it")]
    Executed {
        /// The run, as told to people.
        run: String,
    },
    /// Data that is not what its manifest says.
    #[error("the data is not what its manifest says:{}", listed(.problems))]
    DataChanged {
        /// What is wrong, as lines.
        problems: Vec<String>,
    },
    /// A file that would be replaced by another one.
    #[error("`{path}` is there already and is a different file")]
    OtherFile {
        /// The file.
        path: String,
    },
    /// A file that is named cannot be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Lines of a stream that could not be understood.
    #[error(
        "{broken} of {lines} lines were not understood; they are kept as events of kind `not_understood`"
    )]
    BrokenLines {
        /// How many.
        broken: u64,
        /// Of how many.
        lines: u64,
    },
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn listed(lines: &[String]) -> String {
    /// More lines help nobody.
    const MOST: usize = 10;
    let mut text = String::new();
    for line in lines.iter().take(MOST) {
        text.push_str("\n  ");
        text.push_str(line);
    }
    if lines.len() > MOST {
        write!(text, "\n  … and {} more", lines.len() - MOST).expect("a string takes all");
    }
    text
}

impl Failure {
    /// Its code.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::NoBook { .. } => ErrorCode::BookMissing,
            Self::Value { .. } | Self::BrokenLines { .. } => ErrorCode::ValueInvalid,
            Self::Usage { .. } | Self::NoRun { .. } | Self::NoRunYet { .. } => ErrorCode::Usage,
            Self::Taken { .. } | Self::Running { .. } | Self::FileInTheWay { .. } => {
                ErrorCode::StateConflict
            }
            Self::Secret { .. } => ErrorCode::ValueInvalid,
            Self::NotYet { .. } => ErrorCode::NotSupportedYet,
            Self::Unknown { .. } | Self::UnknownSeries { .. } => ErrorCode::NotFound,
            Self::Filter { .. } => ErrorCode::FilterInvalid,
            Self::Ambiguous { .. } => ErrorCode::Ambiguous,
            Self::ParamConflict { .. } => ErrorCode::ParamConflict,
            Self::Ended { .. } => ErrorCode::RunEnded,
            Self::Executed { .. } | Self::OtherFile { .. } => ErrorCode::StateConflict,
            Self::DataChanged { .. } => ErrorCode::DataChanged,
            Self::Unreadable { .. } => ErrorCode::Io,
        }
    }

    /// What to do, where something can be said.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoBook { .. } => {
                "`trialbook init` makes one here; `--book FOLDER` or TRIALBOOK names another"
                    .to_owned()
            }
            Self::Usage { hint, .. } => hint.clone(),
            Self::Unknown { nearest, .. } if !nearest.is_empty() => {
                format!("did you mean `{}`?", nearest.join("` or `"))
            }
            Self::Unknown {
                noun: "experiment", ..
            } => "`trialbook list experiments` shows what there is".to_owned(),
            Self::Unknown {
                noun: "artifact", ..
            } => "`trialbook artifact list RUN` shows what there is".to_owned(),
            Self::Unknown { .. } => "`trialbook list` shows what there is".to_owned(),
            Self::UnknownSeries { nearest, .. } if nearest.is_empty() => return None,
            Self::UnknownSeries { nearest, .. } => {
                format!(
                    "it has `{}`; contexts are given with --context",
                    nearest.join("`, `")
                )
            }
            Self::Filter { source, .. } => return source.hint(),
            Self::Ambiguous { .. } => "give more digits of the id, or the whole name".to_owned(),
            Self::NoRun { .. } => {
                "name it with `--run RUN`, or start one: `export TRIALBOOK_RUN=$(trialbook start)`"
                    .to_owned()
            }
            Self::ParamConflict { .. } => {
                "params are written once; start another run for another value".to_owned()
            }
            Self::OtherFile { .. } => "`--force` replaces it".to_owned(),
            Self::NoRunYet { experiment } => {
                format!("start one: `trialbook start --experiment '{experiment}'`")
            }
            Self::FileInTheWay { .. } => {
                "name another file, or overwrite it with `--force`".to_owned()
            }
            Self::Taken { .. } => "choose another name".to_owned(),
            Self::Running { .. } => {
                "end it first: `trialbook end --run RUN --status cancelled`".to_owned()
            }
            Self::Secret { .. } => {
                "give the name of a variable or of a file that holds it instead".to_owned()
            }
            Self::NotYet { hint, .. } => (*hint).to_owned(),
            Self::Executed { .. } => {
                "`trialbook cancel RUN` ends it, or Ctrl-C where `trialbook run` runs".to_owned()
            },
            Self::DataChanged { .. } => {
                "`trialbook dataset update` takes the data as it is now; without `--strict-data` this is a warning"
                    .to_owned()
            }
            Self::Value { .. }
            | Self::Ended { .. }
            | Self::Unreadable { .. }
            | Self::BrokenLines { .. } => return None,
        })
    }
}

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
            return (failure.code(), Some(failure.hint().to_owned()));
        }
        if let Some(failure) = cause.downcast_ref::<BookError>() {
            return (code_of_book(failure), hint_of_book(failure));
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

/// What to do; for a book of a newer format, which version reads it.
fn hint_of_book(error: &BookError) -> Option<String> {
    if let BookError::NewerFormat { path, .. } = error {
        return Some(match trialbook_store::program_of(path) {
            Some(program) => format!("trialbook {program} or newer reads it"),
            None => {
                "use the version of trialbook that wrote it; the book does not say which".to_owned()
            }
        });
    }
    error.hint().map(str::to_owned)
}

fn code_of_book(error: &BookError) -> ErrorCode {
    match error {
        BookError::Missing { .. } => ErrorCode::BookMissing,
        BookError::NewerFormat { .. } => ErrorCode::BookNewer,
        BookError::ReadOnly { .. } => ErrorCode::BookReadOnly,
        BookError::Restless => ErrorCode::BookBusy,
        BookError::NetworkFolder { .. } | BookError::NotARun => ErrorCode::NotSupportedYet,
        BookError::NotABook { .. }
        | BookError::Damaged { .. }
        | BookError::Lost { .. }
        | BookError::Index { .. }
        | BookError::ArtifactChanged { .. } => ErrorCode::DataDamaged,
        BookError::ArtifactMissing { .. } => ErrorCode::NotFound,
        BookError::Io { source, .. } => of_book(code_of_io(source)),
        BookError::Spool(source) => of_book(code_of_spool(source)),
        BookError::Database { .. } => match error.refusal() {
            Some(Refusal::Full) => ErrorCode::DiskFull,
            Some(Refusal::ReadOnly) => ErrorCode::BookReadOnly,
            Some(Refusal::Damaged) => ErrorCode::DataDamaged,
            None => ErrorCode::Internal,
        },
        BookError::Pack { .. } => ErrorCode::Internal,
    }
}

/// Files of a book that may not be written are a book that may only be read.
fn of_book(code: ErrorCode) -> ErrorCode {
    if code == ErrorCode::PermissionDenied {
        ErrorCode::BookReadOnly
    } else {
        code
    }
}

fn code_of_spool(error: &SpoolError) -> ErrorCode {
    match error {
        SpoolError::Io { source, .. }
        | SpoolError::Waiting { source, .. }
        | SpoolError::Full { source, .. }
        | SpoolError::SyncFailed { source, .. } => code_of_io(source),
        SpoolError::TooLong { .. } | SpoolError::HeaderTooLong { .. } => ErrorCode::ValueInvalid,
        SpoolError::NotASpool { .. } => ErrorCode::DataDamaged,
        SpoolError::NewerFormat { .. } => ErrorCode::BookNewer,
        SpoolError::ReservedKind { .. }
        | SpoolError::UnknownIndex { .. }
        | SpoolError::Encode(_) => ErrorCode::Internal,
    }
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
            LeaseError::Held { .. } => ErrorCode::ExperimentBusy,
            LeaseError::Io { .. } => return None,
        };
        return Some((code, failure.hint().map(str::to_owned)));
    }
    if let Some(failure) = cause.downcast_ref::<PlanError>() {
        return Some((ErrorCode::NotFound, Some(failure.hint())));
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

fn code_of_io(error: &std::io::Error) -> ErrorCode {
    use std::io::ErrorKind;
    let kind = error.kind();
    if [
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::FileTooLarge,
    ]
    .contains(&kind)
    {
        ErrorCode::DiskFull
    } else if kind == ErrorKind::ReadOnlyFilesystem {
        ErrorCode::BookReadOnly
    } else if kind == ErrorKind::PermissionDenied {
        ErrorCode::PermissionDenied
    } else {
        ErrorCode::Io
    }
}
