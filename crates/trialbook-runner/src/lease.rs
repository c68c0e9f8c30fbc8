//! The lease of an experiment: at most one process executes its runs.
//!
//! Not here: the seal's lease, claims of single runs. Invariant: the lease is a lock of the operating
//! system on an open file; it is free as soon as its holder is gone, however that came, and what the file
//! says is only for people.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;
use trialbook_model::canonical;
use trialbook_model::time::Timestamp;

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// Its machine.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
}

/// A held lease; dropping it gives it back.
#[derive(Debug)]
pub struct Lease {
    file: File,
}

/// Why a lease is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody has it.
    #[error("experiment `{experiment}` is being run{}", by(.holder.as_ref()))]
    Held {
        /// The experiment's name.
        experiment: String,
        /// Who; `None` in the moment in which it is taken.
        holder: Option<Holder>,
    },
    /// The file cannot be used.
    #[error("the lease file `{path}` could not be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
}

impl LeaseError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Held { .. } => Some("wait until it ends, or stop it with Ctrl-C where it runs"),
            Self::Io { .. } => None,
        }
    }
}

fn by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |Holder { pid, host, since }| {
        format!(" by process {pid} on `{host}` since {since}")
    })
}

/// What is leased: an experiment of a book.
#[derive(Debug, Clone, Copy)]
pub struct Leased<'a> {
    /// The book's folder.
    pub book: &'a Path,
    /// The experiment's project.
    pub project: &'a str,
    /// The experiment's name.
    pub experiment: &'a str,
}

impl Leased<'_> {
    fn path(&self) -> PathBuf {
        let mut name = canonical::hash(&json!([self.project, self.experiment]));
        name.truncate(16);
        self.book.join("leases").join(name).with_extension("lock")
    }

    /// Takes the lease, or says who has it.
    pub fn take(&self, holder: &Holder) -> Result<Lease, LeaseError> {
        let path = self.path();
        let io = |source| LeaseError::Io {
            path: path.clone(),
            source,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LeaseError::Held {
                    experiment: self.experiment.to_owned(),
                    holder: read(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        write(&mut file, holder).map_err(io)?;
        Ok(Lease { file })
    }

    /// Whether somebody holds the lease at present. Makes nothing.
    pub fn is_held(&self) -> bool {
        File::open(self.path())
            .is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The lock ends with the file in any case; an emptied file only names nobody.
        self.file.set_len(0).ok();
    }
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(holder)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_holds_it() {
        let book = tempfile::tempdir().unwrap();
        let leased = Leased {
            book: book.path(),
            project: "default",
            experiment: "a/b",
        };
        let holder = Holder {
            pid: 7,
            host: "here".to_owned(),
            since: Timestamp(0),
        };
        assert!(!leased.is_held());
        let lease = leased.take(&holder).unwrap();
        assert!(leased.is_held());
        let refused = leased.take(&holder).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "experiment `a/b` is being run by process 7 on `here` since 1970-01-01T00:00:00.000Z"
        );
        let other = Leased {
            experiment: "c",
            ..leased
        };
        drop(other.take(&holder).unwrap());
        drop(lease);
        assert!(!leased.is_held());
        drop(leased.take(&holder).unwrap());
    }
}
