//! What can go wrong with a book, and what its user can do about it.
//!
//! Invariant: an error names the file, the row or the record it speaks of; advice stands in
//! [`BookError::hint`], never in the message.

use std::io;
use std::path::PathBuf;

use trialbook_model::code::ErrorCode;
use trialbook_spool::codec::CodecError;
use trialbook_spool::{SpoolError, code_of_io};

/// The format of books that this version writes, and the newest it reads. Format 0 may still change.
pub const BOOK_FORMAT: u32 = 0;

/// Why a database refused, as far as its user can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No space is left.
    Full,
    /// Its files may not be written by this user.
    ReadOnly,
    /// Its file is not what was written.
    Damaged,
}

/// Why a book could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// There is no book.
    #[error("there is no book at `{}`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Something else has the book's name.
    #[error("`{}` is not a book", path.display())]
    NotABook {
        /// What was opened.
        path: PathBuf,
    },
    /// The book was written by a newer version.
    #[error("`{}` has book format {version}; this version reads up to {BOOK_FORMAT}", path.display())]
    NewerFormat {
        /// The book.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
    /// A newer version changed the book's tables.
    #[error("`{}` has the migration `{migration}`, which this version does not know", path.display())]
    UnknownMigration {
        /// The book.
        path: PathBuf,
        /// The migration.
        migration: String,
    },
    /// The folder is on a network file system, where a database is not safe.
    #[error("`{}` is on a network file system", path.display())]
    NetworkFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The book was opened for reading.
    #[error("`{}` was opened for reading", path.display())]
    ReadOnly {
        /// The book.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// A spool refused.
    #[error("cannot use a spool")]
    Spool(#[source] SpoolError),
    /// The database refused.
    #[error("cannot {doing} the database")]
    Database {
        /// What was tried, as a verb.
        doing: &'static str,
        /// What the database said.
        #[source]
        source: rusqlite::Error,
    },
    /// A row of the database cannot be read.
    #[error("{table} {row} is damaged")]
    Damaged {
        /// The table.
        table: &'static str,
        /// Its row.
        row: i64,
        /// What is wrong with it.
        #[source]
        source: CodecError,
    },
    /// A row that another one speaks of is not there.
    #[error("{table} {row} is missing")]
    Lost {
        /// The table.
        table: &'static str,
        /// Its row.
        row: i64,
    },
    /// Something could not be packed.
    #[error("cannot pack {what}")]
    Pack {
        /// What was to be packed.
        what: &'static str,
        /// Why not.
        #[source]
        source: CodecError,
    },
    /// The column index cannot be built.
    #[error("cannot build the column index")]
    Index {
        /// Why not.
        #[source]
        source: crate::index::SnapshotError,
    },
    /// Spools went away faster than they could be read.
    #[error("the book kept changing while it was read")]
    Restless,
    /// A book that is kept elsewhere could not be asked, or refused.
    #[error("{0}")]
    Elsewhere(Box<Elsewhere>),
    /// Something that only the holder of the seal's lease may do.
    #[error("another process keeps the book: it seals, or serves it")]
    Held,
    /// Something else than a run or an entry of the register was to be removed for good.
    #[error("only runs and entries of the register can be removed for good")]
    NotARun,
    /// A file that is no backup.
    #[error("`{}` is not a backup of a book", path.display())]
    NotABackup {
        /// The file.
        path: PathBuf,
    },
    /// A backup that is not what was written.
    #[error("the backup `{}` is damaged at its file `{file}`", path.display())]
    BackupDamaged {
        /// The backup.
        path: PathBuf,
        /// The file in it.
        file: String,
    },
    /// An artifact's bytes are not those that were put.
    #[error("the bytes of artifact {sha256} have changed: their SHA-256 is {found}")]
    ArtifactChanged {
        /// As asked for.
        sha256: String,
        /// As computed.
        found: String,
    },
    /// No bytes of this name.
    #[error("there is no artifact {sha256}")]
    ArtifactMissing {
        /// As asked for.
        sha256: String,
    },
}

/// What a book that is kept elsewhere answered instead of what was asked, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Elsewhere {
    /// Its code.
    pub code: ErrorCode,
    /// What went wrong.
    pub message: String,
    /// What the reader of the message can do.
    pub hint: Option<String>,
}

impl BookError {
    /// Its code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Missing { .. } => ErrorCode::BookMissing,
            Self::Elsewhere(told) => told.code,
            Self::NewerFormat { .. } | Self::UnknownMigration { .. } => ErrorCode::BookNewer,
            Self::ReadOnly { .. } => ErrorCode::BookReadOnly,
            Self::Restless | Self::Held => ErrorCode::BookBusy,
            Self::NetworkFolder { .. } | Self::NotARun => ErrorCode::NotSupportedYet,
            Self::NotABook { .. }
            | Self::NotABackup { .. }
            | Self::BackupDamaged { .. }
            | Self::Damaged { .. }
            | Self::Lost { .. }
            | Self::Index { .. }
            | Self::ArtifactChanged { .. } => ErrorCode::DataDamaged,
            Self::ArtifactMissing { .. } => ErrorCode::NotFound,
            Self::Io { source, .. } => of_book(code_of_io(source)),
            Self::Spool(source) => of_book(source.code()),
            Self::Database { .. } => match self.refusal() {
                Some(Refusal::Full) => ErrorCode::DiskFull,
                Some(Refusal::ReadOnly) => ErrorCode::BookReadOnly,
                Some(Refusal::Damaged) => ErrorCode::DataDamaged,
                None => ErrorCode::Internal,
            },
            Self::Pack { .. } => ErrorCode::Internal,
        }
    }

    /// What the reader of the message can do.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Elsewhere(told) => told.hint.as_deref(),
            Self::Missing { .. } => Some("`trialbook init` makes one"),
            Self::NewerFormat { .. } | Self::UnknownMigration { .. } => {
                Some("use the version of trialbook that wrote it")
            }
            Self::NetworkFolder { .. } => {
                Some("keep the book on a local disk; loggers may spool to a network folder")
            }
            Self::Damaged { .. } | Self::Lost { .. } | Self::ArtifactChanged { .. } => {
                Some("`trialbook doctor` says what else is lost")
            }
            Self::Restless => Some("try again"),
            Self::Held => Some("end it, such as `trialbook serve`, or try again later"),
            Self::Spool(source) => source.hint(),
            Self::BackupDamaged { .. } => Some("nothing was restored: use another backup"),
            Self::NotABook { .. }
            | Self::NotABackup { .. }
            | Self::ReadOnly { .. }
            | Self::NotARun
            | Self::Io { .. }
            | Self::Database { .. }
            | Self::Pack { .. }
            | Self::Index { .. }
            | Self::ArtifactMissing { .. } => None,
        }
    }

    /// What the database's refusal comes from, where that is not the database itself.
    pub fn refusal(&self) -> Option<Refusal> {
        let Self::Database { source, .. } = self else {
            return None;
        };
        let refusals = [
            (rusqlite::ErrorCode::DiskFull, Refusal::Full),
            (rusqlite::ErrorCode::ReadOnly, Refusal::ReadOnly),
            (rusqlite::ErrorCode::CannotOpen, Refusal::ReadOnly),
            (rusqlite::ErrorCode::PermissionDenied, Refusal::ReadOnly),
            (rusqlite::ErrorCode::DatabaseCorrupt, Refusal::Damaged),
        ];
        let code = source.sqlite_error_code()?;
        let found = refusals.into_iter().find(|(known, _)| *known == code);
        found.map(|(_, refusal)| refusal)
    }

    /// Whether bytes of the book are damaged or missing: what else there is can be read.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Lost { .. })
    }

    /// An error of the file system.
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }

    /// An error of the database.
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Database { doing, source }
    }

    /// A row that cannot be read.
    pub(crate) fn damaged(table: &'static str, row: i64) -> impl FnOnce(CodecError) -> Self {
        move |source| Self::Damaged { table, row, source }
    }

    /// Something that cannot be packed.
    pub(crate) fn pack(what: &'static str) -> impl FnOnce(CodecError) -> Self {
        move |source| Self::Pack { what, source }
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

impl From<SpoolError> for BookError {
    fn from(source: SpoolError) -> Self {
        Self::Spool(source)
    }
}
