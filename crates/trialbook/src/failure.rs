//! What can go wrong in the binary itself, and how any failure is told: `error:`, `caused by:`, `hint:`.
//!
//! Not here: failures of the libraries, which have their own types. Invariant: every failure has one code,
//! and the exit code follows from it alone.

mod hint;
mod told;

use std::fmt::Write as _;

use trialbook_client::ClientError;
use trialbook_model::code::ErrorCode;
use trialbook_model::filter::FilterError;

pub(crate) use told::Told;

/// A failure that the binary finds by itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A reading verb where there is no book.
    #[error("there is no book at `{folder}`")]
    NoBook {
        /// Where it was looked for.
        folder: String,
        /// What `--book` names, where it was given.
        named: Option<String>,
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
    /// A run or experiment that is not here.
    #[error("no {noun} of this book is called `{text}`")]
    UnknownName {
        /// `run` or `experiment`.
        noun: &'static str,
        /// The text as given.
        text: String,
        /// What resembles it, as it can be typed.
        nearest: Vec<String>,
        /// The experiment that `last` is of.
        of: Option<String>,
        /// The newest that there are.
        last: Vec<String>,
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
    /// What lies in the bin takes nothing in.
    #[error("{what} is in the bin")]
    InBin {
        /// The experiment, as told to people.
        what: String,
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
    /// Nothing of an experiment is to be ended any more.
    #[error("no run of `{experiment}` is queued or running")]
    AllEnded {
        /// The experiment, as given.
        experiment: String,
    },
    /// The run is being executed by another process, which will end it.
    #[error("{run} is being executed by another process, which will end it")]
    Executed {
        /// The run, as told to people.
        run: String,
    },
    /// A book that holds experiments, in whose place others were to come.
    #[error("the book at `{path}` is not empty")]
    NotEmpty {
        /// The book.
        path: String,
    },
    /// A file or folder that would be replaced.
    #[error("`{path}` is there already")]
    Exists {
        /// The file.
        path: String,
    },
    /// A file in whose place a report was to come, and which is none.
    #[error("`{path}` is there and is no report of an experiment")]
    NoReport {
        /// The file.
        path: String,
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
    /// A manifest that is not there.
    #[error("there is no manifest `{path}`")]
    NoManifest {
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
    /// What was recorded could not be brought to the server.
    #[error("what was recorded is not at `{address}` yet; it is kept in `{folder}`")]
    Undelivered {
        /// The server.
        address: String,
        /// The outbox.
        folder: String,
        /// Why.
        #[source]
        source: Box<ClientError>,
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
    // `run or experiment`: each of the words has its plural.
    let noun = noun.replace(" or ", &format!("{plural} or "));
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
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Undelivered { source, .. } => source.code(),
            Self::NoBook { .. } => ErrorCode::BookMissing,
            Self::Value { .. } | Self::BrokenLines { .. } | Self::Secret { .. } => {
                ErrorCode::ValueInvalid
            }
            Self::Usage { .. } | Self::NoRun { .. } | Self::NoRunYet { .. } => ErrorCode::Usage,
            Self::Taken { .. } | Self::Running { .. } | Self::InBin { .. } => {
                ErrorCode::StateConflict
            }
            Self::NotYet { .. } => ErrorCode::NotSupportedYet,
            Self::Unknown { .. }
            | Self::UnknownName { .. }
            | Self::UnknownSeries { .. }
            | Self::NoManifest { .. } => ErrorCode::NotFound,
            Self::Filter { .. } => ErrorCode::FilterInvalid,
            Self::Ambiguous { .. } => ErrorCode::Ambiguous,
            Self::ParamConflict { .. } => ErrorCode::ParamConflict,
            Self::Ended { .. } | Self::AllEnded { .. } => ErrorCode::RunEnded,
            Self::Executed { .. }
            | Self::OtherFile { .. }
            | Self::Exists { .. }
            | Self::NoReport { .. }
            | Self::NotEmpty { .. } => ErrorCode::StateConflict,
            Self::DataChanged { .. } => ErrorCode::DataChanged,
            Self::Unreadable { .. } => ErrorCode::Io,
        }
    }

    /// What to do, where something can be said.
    pub(crate) fn hint(&self) -> Option<String> {
        hint::of(self)
    }
}
