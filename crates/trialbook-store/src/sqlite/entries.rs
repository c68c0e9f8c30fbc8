//! Rows of the register.
//!
//! A book that was made before the register has its tables with the next commit; until then it has no entries.

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};
use trialbook_model::id::{EntryNo, EntryUid, ExperimentNo, Uid};
use trialbook_model::record::EntryKind;

use super::schema;
use crate::backend::{Change, EntryRecord, WantedEntries};
use crate::nouns::Owner;

const NUMBER_OF: &str = "SELECT entry FROM entry_uid WHERE uid = ?1";
const NAMED: &str = "SELECT no FROM entry WHERE project = ?1 AND name = ?2 ORDER BY no";
const READ_ALL: &str = "SELECT no, uid, kind, parent, experiment, owner, project, name, number, rev, state \
     FROM entry ORDER BY no";
const READ_ONE: &str = "SELECT no, uid, kind, parent, experiment, owner, project, name, number, rev, state \
     FROM entry WHERE no = ?1";
const READ_KIND: &str = "SELECT no, uid, kind, parent, experiment, owner, project, name, number, rev, state \
     FROM entry WHERE kind = ?1 ORDER BY no";
const READ_BELOW: &str = "SELECT no, uid, kind, parent, experiment, owner, project, name, number, rev, state \
     FROM entry WHERE kind = ?1 AND parent = ?2 ORDER BY no";
const READ_IN: &str = "SELECT no, uid, kind, parent, experiment, owner, project, name, number, rev, state \
     FROM entry WHERE kind = ?1 AND experiment = ?2 ORDER BY no";
const NUMBERED: &str = "SELECT number, no FROM entry WHERE parent = ?1 AND number IS NOT NULL";
const REMOVE: &str = "DELETE FROM entry WHERE no = ?1";
const REMOVE_UIDS: &str = "DELETE FROM entry_uid WHERE entry = ?1";
const WRITE: &str = "INSERT OR REPLACE INTO entry \
     (no, uid, kind, parent, experiment, owner, project, name, number, rev, state) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const WRITE_UID: &str = "INSERT OR REPLACE INTO entry_uid (uid, entry) VALUES (?1, ?2)";

fn is_there(connection: &Connection) -> rusqlite::Result<bool> {
    schema::has(connection, "0004_entry")
}

pub(super) fn number_of(
    connection: &Connection,
    uid: EntryUid,
) -> rusqlite::Result<Option<EntryNo>> {
    if !is_there(connection)? {
        return Ok(None);
    }
    let mut query = connection.prepare_cached(NUMBER_OF)?;
    let found = query.query_row([uid.0.0], |row| row.get(0)).optional()?;
    Ok(found.map(|no: i64| EntryNo(no as u64)))
}

pub(super) fn named(
    connection: &Connection,
    project: &str,
    name: &str,
) -> rusqlite::Result<Vec<EntryNo>> {
    if !is_there(connection)? {
        return Ok(Vec::new());
    }
    let mut query = connection.prepare_cached(NAMED)?;
    let rows = query.query_map([project, name], |row| {
        Ok(EntryNo(row.get::<_, i64>(0)? as u64))
    })?;
    rows.collect()
}

pub(super) fn numbered(
    connection: &Connection,
    of: EntryNo,
) -> rusqlite::Result<Vec<(u64, EntryNo)>> {
    if !is_there(connection)? {
        return Ok(Vec::new());
    }
    let mut query = connection.prepare_cached(NUMBERED)?;
    let rows = query.query_map([of.0 as i64], |row| {
        let (number, no): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok((number as u64, EntryNo(no as u64)))
    })?;
    rows.collect()
}

pub(super) fn read(
    connection: &Connection,
    wanted: WantedEntries,
) -> rusqlite::Result<Vec<EntryRecord>> {
    if !is_there(connection)? {
        return Ok(Vec::new());
    }
    let (no, kind, parent);
    let (sql, arguments): (&str, Vec<&dyn ToSql>) = match wanted {
        WantedEntries::All => (READ_ALL, Vec::new()),
        WantedEntries::One(one) => {
            no = one.0 as i64;
            (READ_ONE, vec![&no])
        }
        WantedEntries::Kind(of) => {
            kind = of.word();
            (READ_KIND, vec![&kind])
        }
        WantedEntries::Below(of, above) => {
            (kind, parent) = (of.word(), above.0 as i64);
            (READ_BELOW, vec![&kind, &parent])
        }
        WantedEntries::In(of, experiment) => {
            (kind, parent) = (of.word(), experiment.0 as i64);
            (READ_IN, vec![&kind, &parent])
        }
    };
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map(arguments.as_slice(), of_row)?;
    rows.collect()
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<EntryRecord> {
    let kind: Option<String> = row.get(2)?;
    let number = |at: usize| -> rusqlite::Result<Option<u64>> {
        Ok(row.get::<_, Option<i64>>(at)?.map(|number| number as u64))
    };
    Ok(EntryRecord {
        no: EntryNo(row.get::<_, i64>(0)? as u64),
        uid: EntryUid(Uid(row.get(1)?)),
        kind: kind.as_deref().and_then(EntryKind::parse),
        of: match (number(3)?, number(4)?, row.get::<_, Option<String>>(5)?) {
            (Some(parent), _, _) => Some(Owner::Entry(EntryNo(parent))),
            (None, Some(experiment), _) => Some(Owner::Experiment(ExperimentNo(experiment))),
            (None, None, project) => project.map(Owner::Project),
        },
        project: row.get(6)?,
        name: row.get(7)?,
        number: number(8)?,
        rev: row.get::<_, i64>(9)? as u64,
        state: row.get(10)?,
    })
}

pub(super) fn write(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    let mut remove = connection.prepare_cached(REMOVE)?;
    let mut remove_uids = connection.prepare_cached(REMOVE_UIDS)?;
    for no in &change.removed_entries {
        remove.execute([no.0 as i64])?;
        remove_uids.execute([no.0 as i64])?;
    }
    let mut insert = connection.prepare_cached(WRITE)?;
    for EntryRecord {
        no,
        uid,
        kind,
        of,
        project,
        name,
        number,
        rev,
        state,
    } in &change.entries
    {
        let (parent, experiment, owner) = match of {
            Some(Owner::Entry(no)) => (Some(no.0), None, None),
            Some(Owner::Experiment(no)) => (None, Some(no.0), None),
            Some(Owner::Project(name)) => (None, None, Some(name)),
            Some(Owner::Run(_)) | None => (None, None, None),
        };
        let whole = |number: Option<u64>| number.map(|it| i64::try_from(it).unwrap_or(i64::MAX));
        insert.execute(params![
            no.0 as i64,
            uid.0.0,
            kind.map(EntryKind::word),
            whole(parent),
            whole(experiment),
            owner,
            project,
            name,
            whole(*number),
            *rev as i64,
            state
        ])?;
    }
    let mut insert = connection.prepare_cached(WRITE_UID)?;
    for (uid, no) in &change.entry_uids {
        insert.execute(params![uid.0.0, no.0 as i64])?;
    }
    Ok(())
}
