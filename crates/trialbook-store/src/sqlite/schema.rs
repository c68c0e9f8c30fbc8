//! Migrations: SQL files that are only ever added to, each applied once and known by its sum.

use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use super::program;
use crate::artifacts::hex;

/// Names and texts of all migrations, in order.
pub(super) const MIGRATIONS: [(&str, &str); 4] = [
    (
        "0001_first",
        include_str!("../../migrations/sqlite/0001_first.sql"),
    ),
    (
        "0002_unknown",
        include_str!("../../migrations/sqlite/0002_unknown.sql"),
    ),
    (
        "0003_sequence",
        include_str!("../../migrations/sqlite/0003_sequence.sql"),
    ),
    (
        "0004_entry",
        include_str!("../../migrations/sqlite/0004_entry.sql"),
    ),
];

const MAKE_TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (name TEXT NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL) \
     WITHOUT ROWID";
const READ: &str = "SELECT sha256 FROM migration WHERE name = ?1";
const WRITE: &str = "INSERT INTO migration (name, sha256) VALUES (?1, ?2)";

/// Applies what was not applied before. The caller holds the transaction.
pub(super) fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(MAKE_TABLE, [])?;
    for (name, sql) in MIGRATIONS {
        let applied: Option<String> = connection
            .query_row(READ, [name], |row| row.get(0))
            .optional()?;
        if applied.is_none() {
            connection.execute_batch(sql)?;
            connection.execute(WRITE, params![name, sum_of(sql)])?;
        }
    }
    program::write(connection)?;
    Ok(())
}

/// Whether a migration was applied; a book that was made before it has it with the next commit.
pub(super) fn has(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached(READ)?.exists([name])
}

/// The first migration that was applied and that this version does not know, by name: a newer version made the
/// tables, whose rows this one could misread. A database that cannot be asked is damaged, or none yet.
pub(super) fn unknown(connection: &Connection) -> Option<String> {
    let names = || -> rusqlite::Result<Vec<String>> {
        let mut query = connection.prepare_cached("SELECT name FROM migration ORDER BY name")?;
        let names = query.query_map([], |row| row.get(0))?;
        names.collect()
    };
    let is_known = |name: &String| MIGRATIONS.iter().any(|(known, _)| known == name);
    names().ok()?.into_iter().find(|name| !is_known(name))
}

/// SHA-256 of a migration's text, in hex.
pub(super) fn sum_of(sql: &str) -> String {
    hex(&Sha256::digest(sql))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables as they are to be: a migration that changes them changes this file too.
    const SCHEMA: &str = include_str!("../../migrations/sqlite/schema.sql");

    /// Migrations that were released are never changed: their sums stand here for ever.
    const SUMS: [(&str, &str); MIGRATIONS.len()] = [
        (
            "0001_first",
            "6ae9171b3e238c0a66c28855df8a3be994d4b3035a9689099d739df28dbbd8a5",
        ),
        (
            "0002_unknown",
            "1104ae6fab295449fbfa0e815fc190cd5423a67212eb4b001aa3be8fb2bb6e08",
        ),
        (
            "0003_sequence",
            "dd0ac822a619b738c47b38551eeaa4507f166dc8015cf88ba7e8347ef123a360",
        ),
        (
            "0004_entry",
            "c76dc359c5b610c291a47fb15f7bb4f4e3c90f995a1f11df7978b01098019194",
        ),
    ];

    #[test]
    fn migrations_give_the_schema_that_is_written_down() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection).unwrap();
        migrate(&connection).unwrap();
        let mut query = connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap();
        let rows = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let made: Vec<String> = rows.map(|row| row.unwrap() + ";\n").collect();
        assert_eq!(made.join("\n"), SCHEMA);
    }

    #[test]
    fn released_migrations_are_unchanged() {
        let sums = MIGRATIONS.map(|(name, sql)| (name, sum_of(sql)));
        let expected = SUMS.map(|(name, sum)| (name, sum.to_owned()));
        assert_eq!(sums, expected);
    }
}
