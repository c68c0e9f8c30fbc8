//! What can go wrong between here and a server.
//!
//! Invariant: no message holds a token.

use trialbook_model::code::ErrorCode;
use trialbook_store::{BookError, Elsewhere};

/// Why a server could not be asked, or what it refused.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// An address that is none.
    #[error("`{address}` is not the address of a server: {why}")]
    Address {
        /// The address, without what may be secret.
        address: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The server does not answer.
    #[error("the server at `{address}` cannot be reached: {why}")]
    Away {
        /// The address.
        address: String,
        /// What hinders it.
        why: String,
    },
    /// Something answers that is no server of ours.
    #[error("what answers at `{address}` is not a server of trialbook")]
    Stranger {
        /// The address.
        address: String,
    },
    /// The server speaks otherwise.
    #[error(
        "the server at `{address}` is trialbook {version} and speaks another protocol ({theirs}, here {ours})"
    )]
    Protocol {
        /// The address.
        address: String,
        /// The server's version.
        version: String,
        /// Its protocol.
        theirs: u32,
        /// The protocol here.
        ours: u32,
    },
    /// Another process answers than before.
    #[error("the server at `{address}` was started anew meanwhile")]
    Restarted {
        /// The address.
        address: String,
    },
    /// The server refused.
    #[error(transparent)]
    Refused(#[from] Elsewhere),
    /// A certificate that cannot be read.
    #[error("cannot read the certificates in `{file}`")]
    Certificates {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What is here cannot be read or written.
    #[error(transparent)]
    Book(#[from] BookError),
}

impl ClientError {
    /// Its code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Address { .. } => ErrorCode::Usage,
            Self::Away { .. } | Self::Restarted { .. } => ErrorCode::BookBusy,
            Self::Stranger { .. } => ErrorCode::BookMissing,
            Self::Protocol { .. } => ErrorCode::NotSupportedYet,
            Self::Refused(told) => told.code,
            Self::Certificates { .. } => ErrorCode::Io,
            Self::Book(error) => error.code(),
        }
    }

    /// What the reader of the message can do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Address { .. } => {
                "write `http://HOST:PORT`; the token belongs into the variable TRIALBOOK_TOKEN"
                    .to_owned()
            }
            Self::Away { .. } => {
                "start it (`trialbook serve`), or check the address and the network".to_owned()
            }
            Self::Stranger { .. } => "is it the address of `trialbook serve`?".to_owned(),
            Self::Protocol { theirs, ours, .. } if theirs > ours => {
                "use the server's version of trialbook here".to_owned()
            }
            Self::Protocol { .. } => "bring the server up to this version".to_owned(),
            Self::Restarted { .. } => "try again".to_owned(),
            Self::Refused(told) => return told.hint.clone(),
            Self::Certificates { .. } => {
                "TRIALBOOK_CA names a file of certificates in PEM".to_owned()
            }
            Self::Book(error) => return error.hint().map(str::to_owned),
        })
    }

    /// Whether the same may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Away { .. } | Self::Restarted { .. } => true,
            Self::Refused(told) => matches!(told.code, ErrorCode::BookBusy | ErrorCode::DiskFull),
            Self::Address { .. }
            | Self::Stranger { .. }
            | Self::Protocol { .. }
            | Self::Certificates { .. }
            | Self::Book(_) => false,
        }
    }
}

impl From<ClientError> for BookError {
    fn from(error: ClientError) -> Self {
        let (code, hint) = (error.code(), error.hint());
        match error {
            ClientError::Book(error) => error,
            ClientError::Refused(told) => Self::Elsewhere(Box::new(told)),
            other @ (ClientError::Address { .. }
            | ClientError::Away { .. }
            | ClientError::Stranger { .. }
            | ClientError::Protocol { .. }
            | ClientError::Restarted { .. }
            | ClientError::Certificates { .. }) => Self::Elsewhere(Box::new(Elsewhere {
                code,
                message: other.to_string(),
                hint,
            })),
        }
    }
}
