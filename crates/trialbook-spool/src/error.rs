//! What can go wrong with a spool.
//!
//! Invariant: an error says whether the record it speaks of is kept, and names the file.

use std::io;
use std::path::{Path, PathBuf};

use trialbook_model::code::ErrorCode;

/// Why a spool could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file system refused.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried, as a verb: `open`, `sync`, …
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// The record could not be written now. It is kept in memory and written before the next one: it
    /// must not be appended again.
    #[error("cannot write to the spool in `{}`: record {seq} waits in memory", path.display())]
    Waiting {
        /// The record's sequence number.
        seq: u64,
        /// The spool's folder.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// So many records wait in memory that this one was not taken.
    #[error("cannot write to the spool in `{}`: {bytes} bytes already wait in memory", path.display())]
    Full {
        /// The spool's folder.
        path: PathBuf,
        /// Bytes that wait.
        bytes: usize,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// The disk failed to keep what it had taken: records from `from` on may be lost at a power cut.
    /// The writer goes on in a new file.
    #[error("the disk did not keep `{}` from byte {from} on", path.display())]
    SyncFailed {
        /// The file.
        path: PathBuf,
        /// First byte that is not known to be on the disk.
        from: u64,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// A record is longer than a frame may be.
    #[error(
        "a record of {bytes} bytes is longer than the {} that fit a frame",
        crate::frame::MAX_BODY
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Kinds below 16 belong to the format itself.
    #[error("kind {kind} is reserved for the format")]
    ReservedKind {
        /// The kind.
        kind: u8,
    },
    /// An index that this writer did not give out.
    #[error("{what} {index} was not defined by this writer")]
    UnknownIndex {
        /// `key` or `subject`.
        what: &'static str,
        /// The index.
        index: u32,
    },
    /// A writer's actor and host do not fit the header.
    #[error("a header of {bytes} bytes does not fit its page")]
    HeaderTooLong {
        /// Its length.
        bytes: usize,
    },
    /// A record could not be put into MessagePack.
    #[error("cannot encode a record")]
    Encode(#[source] rmp_serde::encode::Error),
    /// The file is no spool, or its beginning is damaged beyond use.
    #[error("`{}` is not a spool", path.display())]
    NotASpool {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    #[error("`{}` has spool format {version}; this version reads up to {}", path.display(), crate::header::FORMAT)]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
}

impl SpoolError {
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    /// Its code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Io { source, .. }
            | Self::Waiting { source, .. }
            | Self::Full { source, .. }
            | Self::SyncFailed { source, .. } => code_of_io(source),
            Self::TooLong { .. } | Self::HeaderTooLong { .. } => ErrorCode::ValueInvalid,
            Self::NotASpool { .. } => ErrorCode::DataDamaged,
            Self::NewerFormat { .. } => ErrorCode::BookNewer,
            Self::ReservedKind { .. } | Self::UnknownIndex { .. } | Self::Encode(_) => {
                ErrorCode::Internal
            }
        }
    }

    /// What the reader of the message can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Waiting { .. } | Self::Full { .. } => {
                Some("free some space on the disk; writing goes on by itself")
            }
            Self::SyncFailed { .. } => Some("check the disk; later records go to a new file"),
            Self::NewerFormat { .. } => Some("use the version of trialbook that wrote it"),
            Self::Io { .. }
            | Self::TooLong { .. }
            | Self::ReservedKind { .. }
            | Self::UnknownIndex { .. }
            | Self::HeaderTooLong { .. }
            | Self::Encode(_)
            | Self::NotASpool { .. } => None,
        }
    }
}

/// The code of a refusal of the file system.
pub fn code_of_io(error: &io::Error) -> ErrorCode {
    use io::ErrorKind;
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
