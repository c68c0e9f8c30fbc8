//! What can go wrong at the desk itself.
//!
//! Invariant: a write that is answered with one of these was not acknowledged.

use std::sync::Arc;

use trialbook_model::code::ErrorCode;
use trialbook_store::BookError;

/// Why the desk could not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeskError {
    /// The book refused. Several requests may be told of one refusal.
    #[error("{0}")]
    Book(#[source] Arc<BookError>),
    /// Somebody else holds the lease to seal, and kept it.
    #[error("another process is sealing the book or serves it already")]
    Held,
    /// The server is stopping.
    #[error("the server is stopping")]
    Closed,
    /// The actor may only read.
    #[error("nothing may be written with this token, or on this server")]
    Denied,
    /// More writes wait than may.
    #[error("too many writes are waiting")]
    Crowded,
    /// The question did not come to an end.
    #[error("answering went wrong inside the server")]
    Panicked,
}

impl DeskError {
    /// Its code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Book(error) => error.code(),
            Self::Held | Self::Crowded | Self::Closed => ErrorCode::BookBusy,
            Self::Denied => ErrorCode::PermissionDenied,
            Self::Panicked => ErrorCode::Internal,
        }
    }

    /// What the reader of the message can do.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Book(error) => error.hint(),
            Self::Held => Some("stop the other one, or ask again later"),
            Self::Crowded | Self::Closed => Some("ask again later"),
            Self::Denied => {
                Some("use a token of scope `write`; a server with `--read-only` takes none")
            }
            Self::Panicked => None,
        }
    }
}

impl From<BookError> for DeskError {
    fn from(error: BookError) -> Self {
        Self::Book(Arc::new(error))
    }
}
