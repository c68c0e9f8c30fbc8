//! Rows of runs.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use trialbook_model::id::{ExperimentNo, RunNo, RunUid, Uid};

use crate::backend::{Change, RunRecord, Wanted};

const NUMBER_OF: &str = "SELECT no FROM run WHERE uid = ?1";
const BETWEEN: &str = "SELECT no FROM run WHERE uid BETWEEN ?1 AND ?2 ORDER BY uid LIMIT ?3";
const EXISTS: &str = "SELECT 1 FROM run WHERE no = ?1";
const READ_ONE: &str = "SELECT no, uid, experiment, number, rev, state FROM run WHERE no = ?1";
const READ_SINCE: &str =
    "SELECT no, uid, experiment, number, rev, state FROM run WHERE rev > ?1 ORDER BY no";
const NUMBERED: &str = "SELECT number, no FROM run WHERE experiment = ?1 AND number <= ?2 \
     ORDER BY number DESC LIMIT ?3";
const REMOVE: &str = "DELETE FROM run WHERE no = ?1";
const CHANGED_SINCE: &str = "SELECT count(*) FROM run WHERE rev > ?1";
const REMOVED_SINCE: &str = "SELECT no FROM removed_run WHERE rev > ?1 ORDER BY no";
const NOTE_REMOVED: &str = "INSERT OR REPLACE INTO removed_run (no, rev) VALUES (?1, ?2)";
const WRITE: &str = "INSERT OR REPLACE INTO run (no, uid, experiment, number, rev, state) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

pub(super) fn number_of(connection: &Connection, uid: RunUid) -> rusqlite::Result<Option<RunNo>> {
    let mut query = connection.prepare_cached(NUMBER_OF)?;
    let found = query.query_row([uid.0.0], |row| row.get(0)).optional()?;
    Ok(found.map(|no: i64| RunNo(no as u64)))
}

pub(super) fn between(
    connection: &Connection,
    (first, last): (RunUid, RunUid),
    limit: usize,
) -> rusqlite::Result<Vec<RunNo>> {
    let mut query = connection.prepare_cached(BETWEEN)?;
    let rows = query.query_map(params![first.0.0, last.0.0, limit as i64], |row| {
        Ok(RunNo(row.get::<_, i64>(0)? as u64))
    })?;
    rows.collect()
}

pub(super) fn read(
    connection: &Connection,
    wanted: Wanted<'_>,
) -> rusqlite::Result<Vec<RunRecord>> {
    match wanted {
        Wanted::Numbers(numbers) => {
            let mut query = connection.prepare_cached(READ_ONE)?;
            let mut rows = Vec::with_capacity(numbers.len());
            for no in numbers {
                rows.extend(query.query_row([no.0 as i64], of_row).optional()?);
            }
            Ok(rows)
        }
        Wanted::Since(rev) => {
            let mut query = connection.prepare_cached(READ_SINCE)?;
            let rows = query.query_map([rev as i64], of_row)?;
            rows.collect()
        }
    }
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        no: RunNo(row.get::<_, i64>(0)? as u64),
        uid: RunUid(Uid(row.get(1)?)),
        experiment: ExperimentNo(row.get::<_, i64>(2)? as u64),
        number: row.get::<_, Option<i64>>(3)?.map(|number| number as u64),
        rev: row.get::<_, i64>(4)? as u64,
        state: row.get(5)?,
    })
}

pub(super) fn changed_since(connection: &Connection, rev: u64) -> rusqlite::Result<u64> {
    let mut query = connection.prepare_cached(CHANGED_SINCE)?;
    let count: i64 = query.query_row([rev as i64], |row| row.get(0))?;
    Ok(count as u64)
}

pub(super) fn removed_since(connection: &Connection, rev: u64) -> rusqlite::Result<Vec<RunNo>> {
    let mut query = connection.prepare_cached(REMOVED_SINCE)?;
    let rows = query.query_map([rev as i64], |row| Ok(RunNo(row.get::<_, i64>(0)? as u64)))?;
    rows.collect()
}

pub(super) fn exists(connection: &Connection, no: RunNo) -> rusqlite::Result<bool> {
    connection.prepare_cached(EXISTS)?.exists([no.0 as i64])
}

pub(super) fn numbered(
    connection: &Connection,
    experiment: ExperimentNo,
    from: u64,
    limit: usize,
) -> rusqlite::Result<Vec<(u64, RunNo)>> {
    let mut query = connection.prepare_cached(NUMBERED)?;
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let rows = query.query_map(params![experiment.0 as i64, from, limit as i64], |row| {
        let (number, no): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok((number as u64, RunNo(no as u64)))
    })?;
    rows.collect()
}

pub(super) fn write(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    let mut remove = connection.prepare_cached(REMOVE)?;
    let mut note = connection.prepare_cached(NOTE_REMOVED)?;
    for no in &change.removed_runs {
        remove.execute([no.0 as i64])?;
        note.execute(params![no.0 as i64, change.counters.rev as i64])?;
    }
    let mut insert = connection.prepare_cached(WRITE)?;
    for RunRecord {
        no,
        uid,
        experiment,
        number,
        rev,
        state,
    } in &change.runs
    {
        let number = number.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        insert.execute(params![
            no.0 as i64,
            uid.0.0,
            experiment.0 as i64,
            number,
            *rev as i64,
            state
        ])?;
    }
    Ok(())
}
