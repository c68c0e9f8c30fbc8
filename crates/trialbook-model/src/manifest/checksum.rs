//! Checksums as people write them, `sha256:…`, and the rule that makes one of a whole folder.
//!
//! Not here: reading files. Invariant: equal checksums print the same text, with lower-case digits.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::canonical;

const PREFIX: &str = "sha256:";
const DIGITS: usize = 64;

/// The SHA-256 of a file or, by the rule of [`directory_checksum`], of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum(pub [u8; 32]);

/// Why a text is no checksum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChecksumError {
    /// The text does not begin with the name of the algorithm.
    #[error("`{text}` does not begin with `sha256:`")]
    Algorithm {
        /// The text.
        text: String,
    },
    /// Too few or too many digits.
    #[error("a checksum has 64 hex digits after `sha256:`, this one has {digits}")]
    Length {
        /// How many letters follow.
        digits: usize,
    },
    /// Something that is not a hex digit.
    #[error("`{letter}` is not a hex digit, at letter {at} after `sha256:`")]
    Digit {
        /// The letter.
        letter: char,
        /// Its place, from 1.
        at: usize,
    },
}

impl ChecksumError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Algorithm { text } if is_hex(text) && text.len() == DIGITS => {
                format!("write `sha256:{text}`")
            }
            Self::Algorithm { .. } => {
                "`sha256sum FILE` prints the digits; write `sha256:` before them".to_owned()
            }
            Self::Length { .. } | Self::Digit { .. } => {
                format!("{self}; `sha256sum FILE` prints them")
            }
        }
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Checksum {
    /// The checksum of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(canonical::sha256(bytes))
    }

    /// The 64 digits, without the name of the algorithm.
    pub fn digits(&self) -> String {
        canonical::hex(&self.0)
    }
}

impl FromStr for Checksum {
    type Err = ChecksumError;

    fn from_str(text: &str) -> Result<Self, ChecksumError> {
        let digits = text.strip_prefix(PREFIX).ok_or_else(|| {
            let text = text.to_owned();
            ChecksumError::Algorithm { text }
        })?;
        let mut bytes = [0; DIGITS / 2];
        for (at, letter) in digits.chars().enumerate() {
            let digit = letter.to_digit(16);
            let digit = digit.ok_or(ChecksumError::Digit { letter, at: at + 1 })?;
            if let Some(byte) = bytes.get_mut(at / 2) {
                *byte = *byte << 4 | digit as u8;
            }
        }
        if digits.len() != DIGITS {
            let digits = digits.len();
            return Err(ChecksumError::Length { digits });
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.digits())
    }
}

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Why files make no folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// A path that is not the path of a file inside the folder.
    #[error(
        "`{}` is not the path of a file inside the folder",
        String::from_utf8_lossy(path)
    )]
    Path {
        /// The path.
        path: Vec<u8>,
    },
    /// A path for the second time.
    #[error("the file `{}` is there twice", String::from_utf8_lossy(path))]
    Twice {
        /// The path.
        path: Vec<u8>,
    },
}

/// The checksum of a folder: SHA-256 over one line a file, sorted by bytes: the path relative to the
/// folder with `/` between its parts, a NUL, the 64 digits of the file's SHA-256, a line feed.
///
/// Only files count: empty folders, times, modes and owners change nothing. Paths are bytes, since names
/// of files need not be UTF-8. A NUL cannot be part of a name, so different folders have different lines
/// whatever their names hold.
pub fn directory_checksum<P: AsRef<[u8]>>(
    files: impl IntoIterator<Item = (P, Checksum)>,
) -> Result<Checksum, DirectoryError> {
    let mut sorted = BTreeMap::new();
    for (path, checksum) in files {
        let path = path.as_ref().to_owned();
        if !is_inside(&path) {
            return Err(DirectoryError::Path { path });
        }
        if sorted.insert(path.clone(), checksum).is_some() {
            return Err(DirectoryError::Twice { path });
        }
    }
    let mut hash = Sha256::new();
    for (path, checksum) in sorted {
        hash.update(&path);
        hash.update(b"\0");
        hash.update(checksum.digits());
        hash.update(b"\n");
    }
    Ok(Checksum(hash.finalize().into()))
}

/// Whether the path has one spelling and leads to a file below the folder.
fn is_inside(path: &[u8]) -> bool {
    !path.contains(&0)
        && path
            .split(|byte| *byte == b'/')
            .all(|part| !matches!(part, b"" | b"." | b".."))
}
