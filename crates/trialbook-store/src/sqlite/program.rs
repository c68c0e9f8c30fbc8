//! Which version of trialbook reads a book, as the book itself says to versions that cannot.
//!
//! Whatever a later format changes, it keeps the row `program` of `meta`, so that a version that refuses the
//! book can name the one that reads it. Invariant: what a book says is told only where it has the form of a
//! version, for the file may be anybody's.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// The first version that writes the present format with the present migrations. It is raised together with either.
const PROGRAM: &str = "0.1.0";

const WRITE: &str = "INSERT INTO meta (key, value) VALUES ('program', ?1) \
     ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value";
const READ: &str = "SELECT value FROM meta WHERE key = 'program'";

/// Says it. The caller holds the transaction that brings the book to the present format.
pub(super) fn write(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(WRITE, [PROGRAM]).map(|_rows| ())
}

/// The first version that reads a book of a newer format, if its database says so.
pub fn program_of(database: &Path) -> Option<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags).ok()?;
    let program: String = connection.query_row(READ, [], |row| row.get(0)).ok()?;
    let is_version = (1..=32).contains(&program.len())
        && program.starts_with(|c: char| c.is_ascii_digit())
        && program
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b".-+".contains(&c));
    is_version.then_some(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_names_the_version_that_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book.db");
        assert_eq!(program_of(&path), None);
        super::super::open::create(&path).unwrap();
        assert_eq!(program_of(&path).as_deref(), Some(PROGRAM));
        let connection = Connection::open(&path).unwrap();
        for odd in ["\u{1b}[31m9", "", "newest"] {
            let change = "UPDATE meta SET value = ?1 WHERE key = 'program'";
            connection.execute(change, [odd]).unwrap();
            assert_eq!(program_of(&path), None, "{odd}");
        }
        super::super::open::create(&path).unwrap();
        assert_eq!(program_of(&path).as_deref(), Some(PROGRAM));
    }

    #[test]
    fn the_program_is_raised_with_the_format_and_the_migrations() {
        let migrations = super::super::schema::MIGRATIONS.len();
        assert_eq!((crate::BOOK_FORMAT, migrations, PROGRAM), (0, 4, "0.1.0"));
    }
}
