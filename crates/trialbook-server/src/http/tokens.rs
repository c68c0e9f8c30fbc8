//! Tokens: who may do what, as a file beside the book.
//!
//! A token is shown once; the file keeps the SHA-256 of its secret, which is 160 random bits, so that no salt
//! is needed. Not here: requests. Invariant: a secret is nowhere on the disk; comparing takes as long whichever
//! byte differs.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use trialbook_model::code::ErrorCode;
use trialbook_model::time::Timestamp;
use trialbook_spool::code_of_io;

use crate::desk::Scope;

/// The file in the book's folder.
const FILE: &str = "tokens.json";

/// What every token begins with, so that it is known where it should not be.
const MARK: &str = "tb";

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Eight hex digits, part of the token; no secret.
    pub id: String,
    /// What its maker called it; recorded as the actor of what is written with it.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// SHA-256 of its secret in hex digits.
    sha256: String,
}

impl TokenRecord {
    /// Whether it opens anything now.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

/// Why the tokens of a book cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file system refused.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is not what was written.
    #[error("`{}` is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// No token has this id.
    #[error("there is no token `{id}`")]
    Unknown {
        /// As given.
        id: String,
    },
}

impl TokenError {
    /// Its code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Io { source, .. } => code_of_io(source),
            Self::Damaged { .. } => ErrorCode::DataDamaged,
            Self::Unknown { .. } => ErrorCode::NotFound,
        }
    }

    /// What the reader of the message can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { .. } => None,
            Self::Damaged { .. } => Some("remove the file and make new tokens"),
            Self::Unknown { .. } => Some("`trialbook token list` names them"),
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Document {
    version: u32,
    tokens: Vec<TokenRecord>,
}

/// The tokens of a book.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    /// What was read, and of which state of the file.
    known: Mutex<Option<(SystemTime, Vec<TokenRecord>)>>,
}

impl Tokens {
    /// Those of the book in a folder.
    pub fn of(book: &Path) -> Self {
        Self {
            path: book.join(FILE),
            known: Mutex::new(None),
        }
    }

    /// All of them, the oldest first.
    pub fn list(&self) -> Result<Vec<TokenRecord>, TokenError> {
        let io = |source| TokenError::Io {
            doing: "read",
            path: self.path.clone(),
            source,
        };
        let about = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            about => about.map_err(io)?,
        };
        let changed = about.modified().map_err(io)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, tokens)) = &*known
            && *of == changed
        {
            return Ok(tokens.clone());
        }
        let bytes = fs::read(&self.path).map_err(io)?;
        let document: Document =
            serde_json::from_slice(&bytes).map_err(|source| TokenError::Damaged {
                path: self.path.clone(),
                source,
            })?;
        *known = Some((changed, document.tokens.clone()));
        Ok(document.tokens)
    }

    /// Makes a token; the text is shown once and cannot be had again.
    pub fn create(
        &self,
        name: &str,
        scope: Scope,
        (now, expires): (Timestamp, Option<Timestamp>),
    ) -> Result<(TokenRecord, String), TokenError> {
        let mut random = [0; 24];
        getrandom::fill(&mut random).expect("the operating system has a random generator");
        let (id, secret) = (hex(&random[..4]), hex(&random[4..]));
        let record = TokenRecord {
            id: id.clone(),
            name: name.to_owned(),
            scope,
            created: now,
            expires,
            revoked: None,
            sha256: hex(&Sha256::digest(secret.as_bytes())),
        };
        let mut tokens = self.list()?;
        tokens.push(record.clone());
        self.write(tokens)?;
        Ok((record, format!("{MARK}_{id}_{secret}")))
    }

    /// Revokes a token.
    pub fn revoke(&self, id: &str, now: Timestamp) -> Result<TokenRecord, TokenError> {
        let mut tokens = self.list()?;
        let unknown = || TokenError::Unknown { id: id.to_owned() };
        let token = tokens.iter_mut().find(|token| token.id == id);
        let token = token.ok_or_else(unknown)?;
        token.revoked.get_or_insert(now);
        let revoked = token.clone();
        self.write(tokens)?;
        Ok(revoked)
    }

    /// The token that a text is, if it opens anything now.
    pub fn check(&self, text: &str, now: Timestamp) -> Result<Option<TokenRecord>, TokenError> {
        let mut parts = text.splitn(3, '_');
        let (Some(MARK), Some(id), Some(secret)) = (parts.next(), parts.next(), parts.next())
        else {
            return Ok(None);
        };
        let given = hex(&Sha256::digest(secret.as_bytes()));
        let tokens = self.list()?;
        let found = tokens.into_iter().find(|token| token.id == id);
        Ok(found.filter(|token| is_same(&token.sha256, &given) && token.is_valid(now)))
    }

    fn write(&self, tokens: Vec<TokenRecord>) -> Result<(), TokenError> {
        let document = Document { version: 1, tokens };
        let bytes = serde_json::to_vec_pretty(&document).expect("texts and numbers are JSON");
        let draft = self.path.with_extension("json.tmp");
        let write = || {
            let mut options = fs::OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&draft)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&draft, &self.path)
        };
        write().map_err(|source| TokenError::Io {
            doing: "write",
            path: self.path.clone(),
            source,
        })?;
        // Two changes may fall into one tick of the file system's clock.
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}

/// Whether two texts are the same, found out in a time that does not tell where they differ.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let differing = one
        .iter()
        .zip(other)
        .fold(0, |all, (one, other)| all | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differing) == 0
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes all");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_until_it_ends_or_is_revoked_and_its_secret_is_kept_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(folder.path());
        assert_eq!(tokens.list().unwrap(), []);
        let now = Timestamp(1000);
        let (record, text) = tokens.create("ci", Scope::Write, (now, None)).unwrap();
        let until = (now, Some(Timestamp(2000)));
        let (_, short) = tokens.create("short", Scope::Read, until).unwrap();
        let file = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(!file.contains(text.rsplit('_').next().unwrap()));
        assert_eq!(tokens.check(&text, now).unwrap(), Some(record.clone()));
        assert!(tokens.check(&short, Timestamp(1999)).unwrap().is_some());
        assert_eq!(tokens.check(&short, Timestamp(2000)).unwrap(), None);
        let other = Tokens::of(folder.path());
        for odd in [
            "",
            "tb",
            "tb_1_2",
            &text[..text.len() - 1],
            &format!("{text}0"),
        ] {
            assert_eq!(other.check(odd, now).unwrap(), None, "{odd}");
        }
        tokens.revoke(&record.id, now).unwrap();
        assert_eq!(tokens.check(&text, now).unwrap(), None);
        assert!(matches!(
            tokens.revoke("zz", now),
            Err(TokenError::Unknown { .. })
        ));
    }
}
