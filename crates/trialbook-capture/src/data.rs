//! Checksums of data on the disk: of a file, or of a folder by the rule of data manifests.
//!
//! Not here: the rule itself and the manifest's form (the model), what a difference means. Invariant: every
//! file below a folder is read whole or the answer is an error that names the place; nothing is skipped in
//! silence, and a file is never held in memory.

pub mod verify;
mod walk;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use trialbook_model::manifest::{Checksum, directory_checksum};

/// The name of manifests. A folder's own manifest is no part of its data, since it could not hold its own
/// checksum.
pub const MANIFEST: &str = "data-manifest.yaml";

/// How much of a file is read at once.
const BUFFER: usize = 256 * 1024;

/// What was found at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// The checksum of the file or folder.
    pub checksum: Checksum,
    /// How many files it is made of: 1 for a file.
    pub files: u64,
    /// How many bytes they have together.
    pub bytes: u64,
}

/// Why data has no checksum.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// There is nothing at the path.
    #[error("there is no data at `{path}`")]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// A link to nothing.
    #[error("`{path}` is a link to nothing")]
    Dangling {
        /// The link.
        path: PathBuf,
    },
    /// A link that leads back to a folder that it is in.
    #[error("`{path}` leads back to a folder that it is in")]
    Loop {
        /// The link.
        path: PathBuf,
    },
    /// A device, a pipe, a socket.
    #[error("`{path}` is neither a file nor a folder")]
    Special {
        /// The path.
        path: PathBuf,
    },
    /// Something cannot be read.
    #[error("`{path}` could not be read")]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The one who asked no longer wants to know.
    #[error("reading `{path}` was stopped")]
    Stopped {
        /// Where it stopped.
        path: PathBuf,
    },
}

impl DataError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing { .. } => {
                Some("paths are relative to the folder of the manifest, or to one above it")
            }
            Self::Dangling { .. } | Self::Loop { .. } | Self::Special { .. } => {
                Some("remove it, or name the files that are data one by one")
            }
            Self::Unreadable { .. } | Self::Stopped { .. } => None,
        }
    }
}

/// The checksum of a file or a folder. Links are followed.
pub fn checksum(path: &Path) -> Result<Measured, DataError> {
    checksum_unless(path, &|| false)
}

/// The same, until `is_stopped` says so: then [`DataError::Stopped`] within a buffer's time.
pub fn checksum_unless(path: &Path, is_stopped: &dyn Fn() -> bool) -> Result<Measured, DataError> {
    let mut reader = Reader {
        is_stopped,
        buffer: vec![0; BUFFER],
    };
    let metadata = walk::look(path, walk::Whose::Asked)?;
    if metadata.is_dir() {
        return folder(path, &mut reader);
    }
    let (checksum, bytes) = reader.file(path)?;
    Ok(Measured {
        checksum,
        files: 1,
        bytes,
    })
}

/// Where a path that is written in a file leads: from the file's folder or, where nothing is there, from the
/// nearest folder above it in which something is.
pub fn locate(folder: &Path, written: &str) -> Option<PathBuf> {
    folder
        .ancestors()
        .map(|above| above.join(written))
        .find(|path| path.exists())
}

fn folder(path: &Path, reader: &mut Reader<'_>) -> Result<Measured, DataError> {
    let mut files = Vec::new();
    let mut bytes = 0;
    walk::files(path, &mut |name, file| {
        let (checksum, length) = reader.file(file)?;
        bytes += length;
        files.push((name, checksum));
        Ok(())
    })?;
    Ok(Measured {
        files: files.len() as u64,
        bytes,
        checksum: directory_checksum(files)
            .expect("a walk gives each file once, by its path from the folder"),
    })
}

/// Reads files, one after another, through one buffer.
struct Reader<'a> {
    is_stopped: &'a dyn Fn() -> bool,
    buffer: Vec<u8>,
}

impl Reader<'_> {
    /// The checksum of a file, and its length.
    fn file(&mut self, path: &Path) -> Result<(Checksum, u64), DataError> {
        let unreadable = |source| DataError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(unreadable)?;
        let (mut hash, mut length) = (Sha256::new(), 0);
        loop {
            if (self.is_stopped)() {
                let path = path.to_owned();
                return Err(DataError::Stopped { path });
            }
            match file.read(&mut self.buffer) {
                Ok(0) => return Ok((Checksum(hash.finalize().into()), length)),
                Ok(read) => {
                    hash.update(&self.buffer[..read]);
                    length += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(unreadable(source)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
