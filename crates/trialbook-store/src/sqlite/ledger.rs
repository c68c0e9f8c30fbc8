//! What the book remembers of itself: counters, names, spools, applied operations, purged subjects,
//! snapshots.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use trialbook_model::id::{OperationUid, Uid, WriterUid};
use trialbook_model::record::Subject;

use super::schema;
use crate::backend::{Change, Counters, SpoolRecord};
use crate::sequences::Numbers;

const READ_UID: &str = "SELECT value FROM meta WHERE key = 'uid'";
const READ_COUNTERS: &str = "SELECT key, value FROM meta WHERE key NOT IN ('uid', 'program')";
const WRITE_COUNTER: &str = "INSERT INTO meta (key, value) VALUES (?1, ?2) \
     ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const READ_NAMES: &str = "SELECT no, name FROM name WHERE no >= ?1 ORDER BY no";
const WRITE_NAME: &str = "INSERT INTO name (no, name) VALUES (?1, ?2)";
const READ_SPOOLS: &str = "SELECT name, offset, lost, damage FROM spool ORDER BY name";
const READ_SPOOL: &str = "SELECT name, offset, lost, damage FROM spool WHERE name = ?1";
const READ_SEQUENCE: &str = "SELECT first, last FROM sequence WHERE writer = ?1 ORDER BY first";
const READ_BROKEN: &str = "SELECT writer FROM sequence GROUP BY writer HAVING count(*) > 1";
const CLEAR_SEQUENCE: &str = "DELETE FROM sequence WHERE writer = ?1";
const WRITE_SEQUENCE: &str = "INSERT INTO sequence (writer, first, last) VALUES (?1, ?2, ?3)";
const WRITE_SPOOL: &str = "INSERT OR REPLACE INTO spool (name, offset, lost, damage) \
     VALUES (?1, ?2, ?3, ?4)";
const READ_SNAPSHOT: &str = "SELECT document FROM snapshot WHERE sha256 = ?1";
const WRITE_SNAPSHOT: &str = "INSERT INTO snapshot (sha256, document) VALUES (?1, ?2) \
     ON CONFLICT (sha256) DO UPDATE SET document = excluded.document";
const IS_APPLIED: &str = "SELECT 1 FROM operation WHERE uid = ?1";
const WRITE_OPERATION: &str = "INSERT OR IGNORE INTO operation (uid) VALUES (?1)";
const IS_PURGED: &str = "SELECT 1 FROM purged WHERE subject = ?1";
const WRITE_PURGED: &str = "INSERT OR IGNORE INTO purged (subject) VALUES (?1)";

pub(super) fn uid(connection: &Connection) -> rusqlite::Result<Uid> {
    let mut query = connection.prepare_cached(READ_UID)?;
    let uid = query.query_row([], |row| row.get(0)).optional()?;
    Ok(uid.map(Uid).unwrap_or_default())
}

pub(super) fn rename(connection: &Connection, uid: Uid) -> rusqlite::Result<()> {
    connection.execute(WRITE_COUNTER, params!["uid", uid.0])?;
    Ok(())
}

pub(super) fn counters(connection: &Connection) -> rusqlite::Result<Counters> {
    let mut counters = Counters::default();
    let mut query = connection.prepare_cached(READ_COUNTERS)?;
    let rows = query.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    for row in rows {
        let (key, value) = row?;
        let slot = match key.as_str() {
            "rev" => &mut counters.rev,
            "run" => &mut counters.run,
            "experiment" => &mut counters.experiment,
            "entry" => &mut counters.entry,
            "block" => &mut counters.block,
            "mark" => &mut counters.mark,
            _ => continue,
        };
        *slot = value as u64;
    }
    Ok(counters)
}

pub(super) fn names(connection: &Connection, from: u32) -> rusqlite::Result<Vec<(u32, String)>> {
    let mut query = connection.prepare_cached(READ_NAMES)?;
    let rows = query.query_map([from], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

pub(super) fn spools(connection: &Connection) -> rusqlite::Result<Vec<SpoolRecord>> {
    let mut query = connection.prepare_cached(READ_SPOOLS)?;
    let rows = query.query_map([], of_row)?;
    rows.collect()
}

pub(super) fn spool(connection: &Connection, name: &str) -> rusqlite::Result<Option<SpoolRecord>> {
    let mut query = connection.prepare_cached(READ_SPOOL)?;
    query.query_row([name], of_row).optional()
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<SpoolRecord> {
    Ok(SpoolRecord {
        name: row.get(0)?,
        offset: row.get::<_, i64>(1)? as u64,
        lost: row.get::<_, i64>(2)? as u64,
        damage: row.get(3)?,
    })
}

pub(super) fn sequence(connection: &Connection, writer: WriterUid) -> rusqlite::Result<Numbers> {
    if !schema::has(connection, "0003_sequence")? {
        return Ok(Numbers::default());
    }
    let mut query = connection.prepare_cached(READ_SEQUENCE)?;
    let rows = query.query_map([writer.0.0], |row| {
        let (first, last): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok((first as u64, last as u64))
    })?;
    Ok(Numbers::new(rows.collect::<Result<_, _>>()?))
}

pub(super) fn broken_sequences(connection: &Connection) -> rusqlite::Result<Vec<WriterUid>> {
    if !schema::has(connection, "0003_sequence")? {
        return Ok(Vec::new());
    }
    let mut query = connection.prepare_cached(READ_BROKEN)?;
    let rows = query.query_map([], |row| Ok(WriterUid(Uid(row.get(0)?))))?;
    rows.collect()
}

fn write_sequences(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    let mut clear = connection.prepare_cached(CLEAR_SEQUENCE)?;
    let mut insert = connection.prepare_cached(WRITE_SEQUENCE)?;
    for (writer, numbers) in &change.sequences {
        clear.execute([writer.0.0])?;
        for (first, last) in numbers.ranges() {
            insert.execute(params![writer.0.0, *first as i64, *last as i64])?;
        }
    }
    Ok(())
}

pub(super) fn snapshot(connection: &Connection, sha256: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut query = connection.prepare_cached(READ_SNAPSHOT)?;
    query.query_row([sha256], |row| row.get(0)).optional()
}

pub(super) fn is_applied(
    connection: &Connection,
    operation: OperationUid,
) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(IS_APPLIED)?
        .exists([operation.0.0])
}

pub(super) fn is_purged(connection: &Connection, subject: &Subject) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(IS_PURGED)?
        .exists([subject_bytes(subject)])
}

/// A subject as the key of its row: a letter for its kind, then uid or name.
fn subject_bytes(subject: &Subject) -> Vec<u8> {
    let (kind, bytes): (u8, &[u8]) = match subject {
        Subject::Run(uid) => (b'r', &uid.0.0),
        Subject::Experiment(uid) => (b'e', &uid.0.0),
        Subject::Project(name) => (b'p', name.as_bytes()),
        Subject::Entry(uid) => (b'n', &uid.0.0),
    };
    let mut key = vec![kind];
    key.extend_from_slice(bytes);
    key
}

pub(super) fn write(connection: &Connection, change: &Change, mark: u64) -> rusqlite::Result<()> {
    let Counters {
        rev,
        run,
        experiment,
        entry,
        block,
        mark: _,
    } = change.counters;
    let mut insert = connection.prepare_cached(WRITE_COUNTER)?;
    let counters = [
        ("rev", rev),
        ("run", run),
        ("experiment", experiment),
        ("entry", entry),
        ("block", block),
        ("mark", mark),
    ];
    for (key, value) in counters {
        insert.execute(params![key, value as i64])?;
    }
    if let Some(uid) = change.uid {
        insert.execute(params!["uid", uid.0])?;
    }
    let mut insert = connection.prepare_cached(WRITE_NAME)?;
    for (number, name) in &change.names {
        insert.execute(params![number, name])?;
    }
    let mut insert = connection.prepare_cached(WRITE_SPOOL)?;
    for SpoolRecord {
        name,
        offset,
        lost,
        damage,
    } in &change.spools
    {
        insert.execute(params![name, *offset as i64, *lost as i64, damage])?;
    }
    write_sequences(connection, change)?;
    let mut insert = connection.prepare_cached(WRITE_SNAPSHOT)?;
    for (sha256, document) in &change.snapshots {
        insert.execute(params![sha256, document])?;
    }
    let mut insert = connection.prepare_cached(WRITE_OPERATION)?;
    for operation in &change.operations {
        insert.execute([operation.0.0])?;
    }
    let mut insert = connection.prepare_cached(WRITE_PURGED)?;
    for subject in &change.purged {
        insert.execute([subject_bytes(subject)])?;
    }
    Ok(())
}
