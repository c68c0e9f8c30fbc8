//! Opening the database: to write, to read, and to read where nothing may be written.
//!
//! Invariant: a reader makes no file beside the database but the log's index, and none where it may not.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

pub(super) use super::copy::Copied;
use super::{copy, schema};
use crate::error::{BOOK_FORMAT, BookError};

/// `tbbk`, in the place where SQLite files say whose they are.
const APPLICATION: i64 = 0x7462_626b;

/// How long a reader waits for another one that repairs the log after a crash. Nobody else is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Bytes to which the log is cut when it is begun anew.
const LOG_BYTES: i64 = 16 << 20;

/// Makes the database where there is none, and brings it to the present schema.
pub(super) fn create(path: &Path) -> Result<(), BookError> {
    let making = BookError::database("make");
    let make = || -> rusqlite::Result<Option<BookError>> {
        let mut connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        prepare_to_write(&connection)?;
        let about = about(&connection)?;
        if about.version > BOOK_FORMAT && about.application == APPLICATION {
            return Ok(Some(BookError::NewerFormat {
                path: path.to_owned(),
                version: about.version,
            }));
        }
        let is_new = about.application == 0 && about.tables == 0;
        if !is_new && about.application != APPLICATION {
            return Ok(Some(BookError::NotABook {
                path: path.to_owned(),
            }));
        }
        connection.pragma_update(None, "page_size", 4096)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(migration) = schema::unknown(&transaction) {
            return Ok(Some(BookError::UnknownMigration {
                path: path.to_owned(),
                migration,
            }));
        }
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", BOOK_FORMAT)?;
        schema::migrate(&transaction)?;
        transaction.commit()?;
        checkpoint(&connection, 0);
        Ok(None)
    };
    match make().map_err(making)? {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}

/// A database that is being made, under a name of its own; removed when it is dropped.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
}

impl Draft {
    /// A name beside the database that nobody else has.
    pub(super) fn beside(path: &Path) -> Result<Self, BookError> {
        let mut name = [0; 16];
        getrandom::fill(&mut name)
            .map_err(|error| BookError::io("name", path)(std::io::Error::other(error)))?;
        let name = format!(".{}.tmp", trialbook_model::id::Uid(name));
        let path = with_ending(path, &name);
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, unless that is taken or cannot be given.
    pub(super) fn publish(&self, path: &Path) -> Result<(), BookError> {
        let settle = || -> rusqlite::Result<()> {
            let connection = Connection::open(&self.path)?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_row| Ok(()))
        };
        settle().map_err(BookError::database("make"))?;
        // Where this fails, the caller finds no database and makes it in its place.
        fs::hard_link(&self.path, path).ok();
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // What cannot be removed takes some space and is never read.
        for ending in ["", "-wal", "-shm"] {
            fs::remove_file(with_ending(&self.path, ending)).ok();
        }
    }
}

/// Fails where there is no database that this version reads.
pub(super) fn check(path: &Path) -> Result<(), BookError> {
    if path.is_file() {
        Ok(())
    } else {
        Err(missing(path))
    }
}

fn missing(path: &Path) -> BookError {
    BookError::Missing {
        path: path.to_owned(),
    }
}

/// Whether the making of a database broke off before its first row: a full disk, or a kill.
pub(super) fn is_unfinished(connection: &Connection) -> bool {
    let has_rows = "SELECT EXISTS (SELECT 1 FROM experiment_uid)";
    // One that cannot be read is damaged, which is somebody else's to tell.
    connection
        .query_row(has_rows, [], |row| row.get::<_, bool>(0))
        .is_ok_and(|has_rows| !has_rows)
}

/// A connection for the lease holder.
pub(super) fn writer(path: &Path) -> Result<Connection, BookError> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        prepare_to_write(&connection)?;
        Ok(connection)
    };
    open().map_err(BookError::database("open"))
}

/// Copies all pages of one database over those of another, in one transaction, whose readers go on with what
/// they see.
pub(super) fn replace(path: &Path, other: &Path) -> Result<(), BookError> {
    let replace = |target: &mut Connection| -> rusqlite::Result<()> {
        let source = Connection::open_with_flags(other, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let backup = Backup::new(&source, target)?;
        if backup.step(-1)? == StepResult::Done {
            return Ok(());
        }
        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        Err(rusqlite::Error::SqliteFailure(busy, None))
    };
    let mut target = writer(path)?;
    replace(&mut target).map_err(BookError::database("restore"))
}

fn prepare_to_write(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Moves the log into the database as far as readers let it, when it is longer than `pages`; tells whether
/// all of it is there. A log that nobody reads any more is emptied.
pub(super) fn checkpoint(connection: &Connection, pages: i64) -> bool {
    let counts = |sql: &str| -> rusqlite::Result<(i64, i64)> {
        connection.query_row(sql, [], |row| Ok((row.get(1)?, row.get(2)?)))
    };
    let is_whole = |counts: rusqlite::Result<(i64, i64)>| {
        counts.is_ok_and(|(log, moved)| log >= 0 && log == moved)
    };
    let before = counts("PRAGMA wal_checkpoint(NOOP)");
    if matches!(before, Ok((log, _)) if log <= pages) {
        return is_whole(before);
    }
    // What readers still need stays in the log; a later seal moves it. Nobody is waited for.
    let unwaiting = connection.busy_timeout(Duration::ZERO);
    let whole = is_whole(counts("PRAGMA wal_checkpoint(PASSIVE)"));
    if whole && unwaiting.is_ok() {
        counts("PRAGMA wal_checkpoint(TRUNCATE)").ok();
    }
    whole
}

/// The file at a path, by device and number.
pub(super) fn file_at(path: &Path) -> Option<(u64, u64)> {
    let about = fs::metadata(path).ok()?;
    Some((about.dev(), about.ino()))
}

/// Whether a connection sees what others write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Footing {
    Shared,
    /// It reads a copy, or a file that it takes for unchanging.
    Alone,
}

/// A connection for looks.
pub(super) fn reader(
    path: &Path,
    copy: &Mutex<Option<Copied>>,
) -> Result<(Connection, Footing), BookError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let (opened, footing) = match open_to_read(&uri_of(path, ""), flags) {
        Err(error) if cannot_share(&error) => (open_alone(path, copy, flags)?, Footing::Alone),
        opened => (opened, Footing::Shared),
    };
    let (connection, about) = opened.map_err(|error| refused(path, error))?;
    let About {
        application,
        version,
        tables,
    } = about;
    if application == 0 && tables == 0 {
        return Err(missing(path));
    }
    if version > BOOK_FORMAT {
        return Err(BookError::NewerFormat {
            path: path.to_owned(),
            version,
        });
    }
    if application != APPLICATION {
        return Err(BookError::NotABook {
            path: path.to_owned(),
        });
    }
    refuse_unknown(path, &connection)?;
    Ok((connection, footing))
}

/// Fails where a newer version has changed the tables.
pub(super) fn refuse_unknown(path: &Path, connection: &Connection) -> Result<(), BookError> {
    match schema::unknown(connection) {
        None => Ok(()),
        Some(migration) => Err(BookError::UnknownMigration {
            path: path.to_owned(),
            migration,
        }),
    }
}

/// What a database says of itself.
struct About {
    application: i64,
    version: u32,
    tables: i64,
}

/// A connection, and whose it is.
type Opened = rusqlite::Result<(Connection, About)>;

fn open_to_read(uri: &str, flags: OpenFlags) -> Opened {
    let connection = Connection::open_with_flags(uri, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    let about = about(&connection)?;
    Ok((connection, about))
}

fn about(connection: &Connection) -> rusqlite::Result<About> {
    // In one statement, so that a book that is just being made is seen before or after.
    connection.query_row(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) \
         FROM pragma_application_id, pragma_user_version",
        [],
        |row| {
            Ok(About {
                application: row.get(0)?,
                version: row.get(1)?,
                tables: row.get(2)?,
            })
        },
    )
}

/// Whether the log's index could not be made or used, as in a read-only folder or on a full disk.
fn cannot_share(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{
        SQLITE_IOERR_SHMLOCK, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE,
    };
    let index = [
        SQLITE_IOERR_SHMLOCK,
        SQLITE_IOERR_SHMMAP,
        SQLITE_IOERR_SHMOPEN,
        SQLITE_IOERR_SHMSIZE,
    ];
    let code = error.sqlite_error().map(|error| error.extended_code);
    code.is_some_and(|code| index.contains(&code))
        || matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::CannotOpen
                    | ErrorCode::ReadOnly
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::FileLockingProtocolFailed
                    | ErrorCode::PermissionDenied
            )
        )
}

/// Reads without the log's index: in place where the log is empty, else in a copy.
fn open_alone(
    path: &Path,
    copy: &Mutex<Option<Copied>>,
    flags: OpenFlags,
) -> Result<Opened, BookError> {
    let log = with_ending(path, "-wal");
    let open_log = fs::metadata(&log).is_ok_and(|about| about.len() > 0);
    if !open_log {
        return Ok(open_to_read(&uri_of(path, "?immutable=1"), flags));
    }
    let target = copy::database(path, &log, copy)?;
    Ok(open_to_read(&uri_of(&target, ""), flags))
}

fn refused(path: &Path, source: rusqlite::Error) -> BookError {
    if source.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        return BookError::NotABook {
            path: path.to_owned(),
        };
    }
    BookError::database("open")(source)
}

pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// A path as a URI that SQLite takes apart again.
fn uri_of(path: &Path, query: &str) -> String {
    let mut uri = "file:".to_owned();
    for letter in path.to_string_lossy().chars() {
        match letter {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            letter => uri.push(letter),
        }
    }
    uri + query
}
