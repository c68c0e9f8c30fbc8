//! Why files cannot be taken in, and where they break.
//!
//! Invariant: an error names the file and the place in it, and what was expected there.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trialbook_model::config::ConfigErrors;
use trialbook_model::id::ExperimentUid;
use trialbook_store::BookError;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub file: Arc<Path>,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: u64,
    /// The letter in the line, from 1; 0 where the whole line is meant.
    pub column: u64,
}

impl Place {
    /// A whole file.
    pub fn file(file: &Path) -> Self {
        Self {
            file: Arc::from(file),
            line: 0,
            column: 0,
        }
    }

    /// A line of the same file.
    #[must_use]
    pub fn line(&self, line: u64) -> Self {
        Self {
            file: Arc::clone(&self.file),
            line,
            column: 0,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        Ok(())
    }
}

/// What is wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is something else.
    #[error("this is not {expected}")]
    Foreign {
        /// What it was read as.
        expected: &'static str,
    },
    /// The file was written by a newer version.
    #[error("this file has version {version} of {format}; this program reads up to {known}")]
    Newer {
        /// Which format.
        format: &'static str,
        /// Its version.
        version: u64,
        /// The newest that is known.
        known: u64,
    },
    /// The file ends too early.
    #[error("the file ends in the middle of {what}")]
    Cut {
        /// What is incomplete.
        what: &'static str,
    },
    /// Something that cannot be read.
    #[error("not {expected}: {reason}")]
    Malformed {
        /// What was expected.
        expected: &'static str,
        /// What the reader says.
        reason: String,
    },
    /// A value that is not what its key takes.
    #[error("`{key}` is not {expected}")]
    Value {
        /// The key, with those above it.
        key: String,
        /// What was expected.
        expected: &'static str,
    },
    /// There are more or fewer records than the file says.
    #[error("the file says that it has {told} records, and has {found}")]
    Count {
        /// As it says.
        told: u64,
        /// As found.
        found: u64,
    },
    /// A file of which lines are missing, or that has too many.
    #[error("`{by}` says that this file has {told} lines, and it has {found}")]
    Lines {
        /// The file that says so.
        by: &'static str,
        /// As it says.
        told: u64,
        /// As found.
        found: u64,
    },
    /// A file whose lines are other ones than were written.
    #[error("lines of this file were changed since `{by}` was written")]
    Changed {
        /// The file that says so.
        by: &'static str,
    },
    /// A run that stands in two folders.
    #[error("this is run {run}, which stands in `{folder}` already")]
    RunTwice {
        /// Its id.
        run: String,
        /// The other folder.
        folder: String,
    },
    /// Records that were written to a file and are not in it.
    #[error(
        "{lost} of the {of} records that were written to this file are not in it, or were changed"
    )]
    Lost {
        /// How many are not.
        lost: u64,
        /// Of how many.
        of: u64,
    },
    /// A file without which what stands beside it is not whole.
    #[error("this file is missing, and what was written with it is there")]
    Missing,
    /// A run of a folder that is lost as a whole.
    #[error("run {run} is to be here, in `{folder}`, and is not")]
    RunMissing {
        /// Its id.
        run: String,
        /// Where it was written to.
        folder: String,
    },
    /// A document that does not have its own hash.
    #[error("the snapshot has not the hash that it is called by, `{sha256}`")]
    Snapshot {
        /// As called.
        sha256: String,
    },
    /// Bytes that do not have the sum that they are called by.
    #[error("the bytes have not the SHA-256 that they are called by, `{sha256}`")]
    Bytes {
        /// As called.
        sha256: String,
    },
    /// A run that is here and is not the same.
    #[error("run {run} is in the book already and differs")]
    RunDiffers {
        /// Its id.
        run: String,
    },
    /// An experiment that is here and is not the same.
    #[error("experiment {experiment} is in the book already and differs: {what}")]
    ExperimentDiffers {
        /// Its id.
        experiment: String,
        /// In what.
        what: &'static str,
    },
    /// Another experiment has the name.
    #[error("another experiment of the book is called `{project}/{name}`")]
    NameTaken {
        /// The project.
        project: String,
        /// The name.
        name: String,
    },
}

impl Problem {
    /// Whether it is a conflict with what the book holds.
    pub const fn is_conflict(&self) -> bool {
        match self {
            Self::RunDiffers { .. } | Self::ExperimentDiffers { .. } | Self::NameTaken { .. } => {
                true
            }
            Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Cut { .. }
            | Self::Malformed { .. }
            | Self::Value { .. }
            | Self::Count { .. }
            | Self::Lines { .. }
            | Self::Changed { .. }
            | Self::RunTwice { .. }
            | Self::Lost { .. }
            | Self::Missing
            | Self::RunMissing { .. }
            | Self::Snapshot { .. }
            | Self::Bytes { .. } => false,
        }
    }
}

/// Why files could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file or folder cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A record cannot be written as JSON.
    #[error("cannot write a record as JSON")]
    Json(#[source] serde_json::Error),
    /// The book refused.
    #[error("cannot read the book")]
    Book(#[source] BookError),
    /// A folder that holds another experiment.
    #[error("`{}` holds experiment {there}, which is another one than {wanted}", folder.display())]
    OtherExperiment {
        /// The folder.
        folder: PathBuf,
        /// The experiment that it holds.
        there: ExperimentUid,
        /// The one that was to be written.
        wanted: ExperimentUid,
    },
    /// A folder of which it cannot be told what it holds.
    #[error("`{}` cannot be written to: what it holds cannot be read", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// Where it breaks.
        #[source]
        source: Box<ImportError>,
    },
    /// A config that is neither that of the book nor one that was written here.
    #[error("`{}` is another config than that of the book", path.display())]
    OtherConfig {
        /// The file.
        path: PathBuf,
    },
}

impl ExportError {
    /// What to do about it.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::OtherExperiment { .. } => {
                Some("name another folder: each experiment has its own")
            }
            Self::Unreadable { .. } => {
                Some("fetch the file again, or take it away: then it is written anew")
            }
            Self::OtherConfig { .. } => {
                Some("run it, so that the book knows it, or replace it with `--force`")
            }
            Self::Write { .. } | Self::Json(_) | Self::Book(_) => None,
        }
    }
}

impl From<BookError> for ExportError {
    fn from(error: BookError) -> Self {
        Self::Book(error)
    }
}

/// Why nothing was taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file breaks.
    #[error("{place}: {problem}")]
    At {
        /// Where.
        place: Place,
        /// Why.
        problem: Problem,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A config cannot be read.
    #[error(transparent)]
    Config(ConfigErrors),
    /// The book refused.
    #[error("cannot take records into the book")]
    Book(#[source] BookError),
}

impl ImportError {
    /// An error at a place.
    pub(crate) fn at(place: &Place, problem: Problem) -> Self {
        Self::At {
            place: place.clone(),
            problem,
        }
    }

    /// A file that cannot be read.
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::At { problem, .. } if problem.is_conflict() => {
                Some("`--rename` brings it in under another id and name")
            }
            Self::At { problem, .. } => match problem {
                Problem::Newer { .. } => Some("a newer version of trialbook reads it"),
                Problem::Cut { .. }
                | Problem::Count { .. }
                | Problem::Lines { .. }
                | Problem::Missing => {
                    Some("the file is not whole: fetch or write it again; nothing was taken in")
                }
                Problem::Changed { .. } => Some(
                    "fetch it again, or delete the entry `crc32` of that file where the change is meant; nothing was taken in",
                ),
                Problem::RunTwice { .. } => {
                    Some("take one of the two folders away; nothing was taken in")
                }
                Problem::Lost { .. } => Some(
                    "fetch it again, or delete this line too where they were taken away or changed on purpose; nothing was taken in",
                ),
                Problem::RunMissing { .. } => Some(
                    "fetch it again, or delete this line too where the run was taken away on purpose; nothing was taken in",
                ),
                Problem::Foreign { .. }
                | Problem::Malformed { .. }
                | Problem::Value { .. }
                | Problem::Snapshot { .. }
                | Problem::Bytes { .. }
                | Problem::RunDiffers { .. }
                | Problem::ExperimentDiffers { .. }
                | Problem::NameTaken { .. } => Some("nothing was taken in"),
            },
            Self::Read { .. } | Self::Config(_) => None,
            Self::Book(error) => error.hint(),
        }
    }
}

impl From<BookError> for ImportError {
    fn from(error: BookError) -> Self {
        Self::Book(error)
    }
}
