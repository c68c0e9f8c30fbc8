//! A copy of a database whose log cannot be used in its place, as in a folder that is only read.
//!
//! Somebody who may write there may seal meanwhile. Pages that move from the log into the database do not
//! matter, for the log goes before them; a log that was begun anew does, and then the copy is taken again.
//! Invariant: database and log of a copy belong together.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use trialbook_spool::{Files as _, SystemFiles};

use super::open::with_ending;
use crate::error::BookError;

/// How often a copy is taken anew because somebody sealed meanwhile.
const ATTEMPTS: usize = 16;

/// The header of a log, with the salts that it gets when it is begun anew.
const HEADER: usize = 32;

/// A copy; removed with the book.
#[derive(Debug)]
pub(super) struct Copied {
    folder: PathBuf,
    of: State,
}

impl Copied {
    fn database(&self) -> PathBuf {
        self.folder.join("book.db")
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // A copy that cannot be removed lies in the folder for temporary files.
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// What tells a database and its log from what they are after a commit or a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    database: Facts,
    log: Facts,
    header: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    inode: u64,
    bytes: u64,
    written: (i64, i64),
}

impl State {
    fn of(database: &Path, log: &Path) -> Result<Self, BookError> {
        let mut header = Vec::with_capacity(HEADER);
        let facts = Facts::of(log)?;
        let file = fs::File::open(log).map_err(BookError::io("open", log))?;
        file.take(HEADER as u64)
            .read_to_end(&mut header)
            .map_err(BookError::io("read", log))?;
        Ok(Self {
            database: Facts::of(database)?,
            log: facts,
            header,
        })
    }
}

impl Facts {
    fn of(path: &Path) -> Result<Self, BookError> {
        let about = fs::metadata(path).map_err(BookError::io("open", path))?;
        Ok(Self {
            inode: about.ino(),
            bytes: about.len(),
            written: (about.mtime(), about.mtime_nsec()),
        })
    }
}

/// A copy of a database as it is now: the one there is, if nothing has changed since, else another.
pub(super) fn database(
    database: &Path,
    log: &Path,
    copy: &Mutex<Option<Copied>>,
) -> Result<PathBuf, BookError> {
    let mut copy = copy.lock().unwrap_or_else(PoisonError::into_inner);
    let now = State::of(database, log)?;
    if let Some(copied) = copy.as_ref().filter(|copied| copied.of == now) {
        return Ok(copied.database());
    }
    let copied = take(database, log, || ())?;
    let path = copied.database();
    *copy = Some(copied);
    Ok(path)
}

/// Takes a copy; `between` happens after the database was copied and before its log is.
fn take(database: &Path, log: &Path, mut between: impl FnMut()) -> Result<Copied, BookError> {
    let mut name = [0; 16];
    getrandom::fill(&mut name)
        .map_err(|error| BookError::io("copy", database)(io::Error::other(error)))?;
    let folder = std::env::temp_dir().join(format!("trialbook-{}", trialbook_model::id::Uid(name)));
    SystemFiles
        .make_dir(&folder)
        .map_err(BookError::io("make", &folder))?;
    let mut copied = Copied {
        folder,
        of: State::of(database, log)?,
    };
    let target = copied.database();
    for _ in 0..ATTEMPTS {
        copy_file(database, &target)?;
        between();
        copy_file(log, &with_ending(&target, "-wal"))?;
        let after = State::of(database, log)?;
        if after == copied.of {
            return Ok(copied);
        }
        copied.of = after;
    }
    Err(BookError::Restless)
}

fn copy_file(from: &Path, to: &Path) -> Result<(), BookError> {
    fs::copy(from, to).map_err(BookError::io("copy", from))?;
    // A copy of a read-only file would be one that its log cannot be merged into.
    let about = fs::metadata(to).map_err(BookError::io("open", to))?;
    let mut rights = about.permissions();
    rights.set_mode(0o600);
    fs::set_permissions(to, rights).map_err(BookError::io("open", to))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// Two connections: closing the last one would empty the log.
    fn database_with_log(folder: &Path) -> (PathBuf, PathBuf, Connection) {
        let path = folder.join("book.db");
        let connection = Connection::open(&path).unwrap();
        let sql = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; \
             CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)";
        connection.execute_batch(sql).unwrap();
        (path.clone(), with_ending(&path, "-wal"), connection)
    }

    fn sum(copied: &Copied) -> i64 {
        let copy = Connection::open(copied.database()).unwrap();
        copy.query_row("SELECT sum(a) FROM t", [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn a_log_begun_anew_while_it_is_copied_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, log, connection) = database_with_log(folder.path());
        let mut times = 0;
        let seal = || {
            times += 1;
            if times == 1 {
                let sql = "PRAGMA wal_checkpoint(RESTART); INSERT INTO t VALUES (2)";
                connection.execute_batch(sql).unwrap();
            }
        };
        let copied = take(&path, &log, seal).unwrap();
        assert_eq!((sum(&copied), times), (3, 2));
        let restless = || {
            let sql = "INSERT INTO t VALUES (2)";
            connection.execute_batch(sql).unwrap();
        };
        assert!(matches!(
            take(&path, &log, restless),
            Err(BookError::Restless)
        ));
    }

    #[test]
    fn one_copy_serves_until_something_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, log, connection) = database_with_log(folder.path());
        let held = Mutex::new(None);
        let first = database(&path, &log, &held).unwrap();
        assert_eq!(database(&path, &log, &held).unwrap(), first);
        connection
            .execute_batch("INSERT INTO t VALUES (5)")
            .unwrap();
        let second = database(&path, &log, &held).unwrap();
        assert_ne!(second, first);
        assert!(!first.exists());
        assert_eq!(sum(held.lock().unwrap().as_ref().unwrap()), 6);
    }
}
