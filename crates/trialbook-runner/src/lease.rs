//! The lease of an experiment: one process alone executes what a plan asks for, or several share it, each
//! executing runs of its own (single commands, `exec`).
//!
//! Sharers take turns in planning, and `exec` locks its one run. Not here: the seal's lease. Invariant: a lease
//! is a lock of the operating system on an open file; it is free as soon as its holder is gone, however that
//! came, and what the file says is only for people.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;
use trialbook_model::canonical;
use trialbook_model::id::RunUid;
use trialbook_model::time::Timestamp;

use crate::standing::Elsewhere;

/// How long a lease is tried for: others may look at it for a moment.
const LOOK: Duration = Duration::from_millis(300);
/// How long a turn in planning is waited for; planning takes milliseconds.
const TURN: Duration = Duration::from_secs(30);
/// Time between two tries.
const AGAIN: Duration = Duration::from_millis(5);

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
    /// What is removed with it.
    own: Option<PathBuf>,
}

/// A turn in planning; dropping it lets the next one plan.
#[derive(Debug)]
pub struct Turn {
    _file: File,
}

/// How a lease is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Alone,
    Shared,
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
    /// Somebody has been giving names for longer than that takes.
    #[error("another process gives a name in this book and does not come to its end")]
    Naming,
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
            Self::Naming => Some("end it, and try again"),
            Self::Io { .. } => None,
        }
    }
}

/// Waits for a turn in giving names in a book. What is looked up and written in it is seen by whoever has the
/// next turn, so that of two that want one name at once the second sees that it is taken.
pub fn naming(book: &Path) -> Result<Turn, LeaseError> {
    let leased = Leased {
        book,
        project: "",
        experiment: "",
    };
    let path = book.join("leases").join("names.turn");
    match leased.locked(&path, Sharing::Alone, TURN) {
        Ok(file) => Ok(Turn { _file: file }),
        Err(LeaseError::Held { .. }) => Err(LeaseError::Naming),
        Err(error @ (LeaseError::Io { .. } | LeaseError::Naming)) => Err(error),
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

    /// Takes the lease alone, or says who has it.
    pub fn take(&self, holder: &Holder) -> Result<Lease, LeaseError> {
        let path = self.path();
        let mut file = self.locked(&path, Sharing::Alone, LOOK)?;
        write(&mut file, holder).map_err(io_at(&path))?;
        Ok(Lease { file, own: None })
    }

    /// Waits for a turn in planning beside others that share the lease.
    pub fn turn(&self) -> Result<Turn, LeaseError> {
        let path = self.path().with_extension("turn");
        let file = self.locked(&path, Sharing::Alone, TURN)?;
        Ok(Turn { _file: file })
    }

    /// Shares the lease with others that do; tells whether there are any. To be called in one's turn, so that
    /// of two that begin at once the second knows of the first.
    pub fn share(&self, _turn: &Turn) -> Result<(Lease, Elsewhere), LeaseError> {
        let path = self.path();
        let elsewhere = match self.locked(&path, Sharing::Alone, Duration::ZERO) {
            Ok(_given_back) => Elsewhere::Nobody,
            Err(LeaseError::Held { .. }) => Elsewhere::Somebody,
            Err(error @ (LeaseError::Io { .. } | LeaseError::Naming)) => return Err(error),
        };
        let file = self.locked(&path, Sharing::Shared, LOOK)?;
        Ok((Lease { file, own: None }, elsewhere))
    }

    /// Takes the lease of one run. Its holder has to look at the run's state again: another one may just have
    /// executed it.
    pub fn take_run(&self, run: RunUid) -> Result<Lease, LeaseError> {
        let path = self.book.join("leases").join(format!("{run}.run"));
        let file = self.locked(&path, Sharing::Alone, Duration::ZERO)?;
        let own = Some(path);
        Ok(Lease { file, own })
    }

    fn locked(
        &self,
        path: &Path,
        sharing: Sharing,
        patience: Duration,
    ) -> Result<File, LeaseError> {
        let io = io_at(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(&io)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(&io)?;
        let begun = Instant::now();
        loop {
            let tried = match sharing {
                Sharing::Alone => file.try_lock(),
                Sharing::Shared => file.try_lock_shared(),
            };
            match tried {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => {
                    std::thread::sleep(AGAIN);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(LeaseError::Held {
                        experiment: self.experiment.to_owned(),
                        holder: read(&mut file),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(io(source)),
            }
        }
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
        if let Some(own) = &self.own {
            std::fs::remove_file(own).ok();
        }
    }
}

fn io_at(path: &Path) -> impl Fn(io::Error) -> LeaseError {
    let path = path.to_owned();
    move |source| LeaseError::Io {
        path: path.clone(),
        source,
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

    /// The lease of an experiment, and somebody who wants it.
    fn asked<'a>(book: &'a Path, experiment: &'a str) -> (Leased<'a>, Holder) {
        let leased = Leased {
            book,
            project: "default",
            experiment,
        };
        let holder = Holder {
            pid: 7,
            host: "here".to_owned(),
            since: Timestamp(0),
        };
        (leased, holder)
    }

    #[test]
    fn a_second_taker_is_told_who_holds_it() {
        let book = tempfile::tempdir().unwrap();
        let (leased, holder) = asked(book.path(), "a/b");
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

    #[test]
    fn those_that_share_know_of_each_other_and_keep_others_out() {
        let book = tempfile::tempdir().unwrap();
        let (leased, holder) = asked(book.path(), "a");
        let turn = leased.turn().unwrap();
        let (first, elsewhere) = leased.share(&turn).unwrap();
        assert_eq!(elsewhere, Elsewhere::Nobody);
        drop(turn);
        let turn = leased.turn().unwrap();
        let (second, elsewhere) = leased.share(&turn).unwrap();
        assert_eq!(elsewhere, Elsewhere::Somebody);
        drop(first);
        assert!(leased.is_held());
        assert!(leased.take(&holder).is_err());
        drop(second);
        let alone = leased.take(&holder).unwrap();
        assert!(leased.share(&turn).is_err());
        drop(alone);
        let run = RunUid::default();
        let one = leased.take_run(run).unwrap();
        assert!(leased.take_run(run).is_err());
        drop(one);
        drop(leased.take_run(run).unwrap());
    }

    #[test]
    fn a_look_of_others_keeps_nobody_from_it() {
        let book = tempfile::tempdir().unwrap();
        let (leased, holder) = asked(book.path(), "a");
        drop(leased.take(&holder).unwrap());
        let looking = File::open(leased.path()).unwrap();
        looking.try_lock().unwrap();
        std::thread::scope(|scope| {
            let taker = scope.spawn(|| leased.take(&holder).map(drop));
            std::thread::yield_now();
            drop(looking);
            taker.join().unwrap().unwrap();
        });
    }
}
