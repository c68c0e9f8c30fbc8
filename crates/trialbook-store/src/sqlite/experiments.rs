//! Rows of experiments and projects.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use trialbook_model::id::{ExperimentNo, ExperimentUid};

use crate::backend::{Change, ExperimentRecord, Experiments, ProjectRecord};

const NUMBER_OF: &str = "SELECT experiment FROM experiment_uid WHERE uid = ?1";
const NAMED: &str = "SELECT no FROM experiment WHERE project = ?1 AND name = ?2 ORDER BY no";
const READ_SINCE: &str =
    "SELECT no, project, name, rev, state FROM experiment WHERE rev > ?1 ORDER BY no";
const READ_ONE: &str = "SELECT no, project, name, rev, state FROM experiment WHERE no = ?1";
const WRITE: &str = "INSERT OR REPLACE INTO experiment (no, project, name, rev, state) \
     VALUES (?1, ?2, ?3, ?4, ?5)";
const WRITE_UID: &str = "INSERT OR REPLACE INTO experiment_uid (uid, experiment) VALUES (?1, ?2)";
const READ_PROJECTS: &str = "SELECT name, rev, state FROM project ORDER BY name";
const READ_PROJECT: &str = "SELECT name, rev, state FROM project WHERE name = ?1";
const WRITE_PROJECT: &str = "INSERT INTO project (name, rev, state) VALUES (?1, ?2, ?3) \
     ON CONFLICT (name) DO UPDATE SET rev = excluded.rev, state = excluded.state";

pub(super) fn number_of(
    connection: &Connection,
    uid: ExperimentUid,
) -> rusqlite::Result<Option<ExperimentNo>> {
    let mut query = connection.prepare_cached(NUMBER_OF)?;
    let found = query.query_row([uid.0.0], |row| row.get(0)).optional()?;
    Ok(found.map(|no: i64| ExperimentNo(no as u64)))
}

pub(super) fn named(
    connection: &Connection,
    project: &str,
    name: &str,
) -> rusqlite::Result<Vec<ExperimentNo>> {
    let mut query = connection.prepare_cached(NAMED)?;
    let rows = query.query_map([project, name], |row| {
        Ok(ExperimentNo(row.get::<_, i64>(0)? as u64))
    })?;
    rows.collect()
}

pub(super) fn read(
    connection: &Connection,
    wanted: Experiments,
) -> rusqlite::Result<Vec<ExperimentRecord>> {
    let (sql, argument) = match wanted {
        Experiments::All => (READ_SINCE, -1),
        Experiments::One(no) => (READ_ONE, no.0 as i64),
        Experiments::Since(rev) => (READ_SINCE, rev as i64),
    };
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map([argument], of_row)?;
    rows.collect()
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<ExperimentRecord> {
    Ok(ExperimentRecord {
        no: ExperimentNo(row.get::<_, i64>(0)? as u64),
        project: row.get(1)?,
        name: row.get(2)?,
        rev: row.get::<_, i64>(3)? as u64,
        state: row.get(4)?,
    })
}

pub(super) fn projects(
    connection: &Connection,
    only: Option<&str>,
) -> rusqlite::Result<Vec<ProjectRecord>> {
    let of_row = |row: &Row<'_>| {
        Ok(ProjectRecord {
            name: row.get(0)?,
            rev: row.get::<_, i64>(1)? as u64,
            state: row.get(2)?,
        })
    };
    if let Some(name) = only {
        let mut query = connection.prepare_cached(READ_PROJECT)?;
        let rows = query.query_map([name], of_row)?;
        return rows.collect();
    }
    let mut query = connection.prepare_cached(READ_PROJECTS)?;
    let rows = query.query_map([], of_row)?;
    rows.collect()
}

pub(super) fn write(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(WRITE)?;
    for ExperimentRecord {
        no,
        project,
        name,
        rev,
        state,
    } in &change.experiments
    {
        insert.execute(params![no.0 as i64, project, name, *rev as i64, state])?;
    }
    let mut insert = connection.prepare_cached(WRITE_UID)?;
    for (uid, no) in &change.experiment_uids {
        insert.execute(params![uid.0.0, no.0 as i64])?;
    }
    let mut insert = connection.prepare_cached(WRITE_PROJECT)?;
    for ProjectRecord { name, rev, state } in &change.projects {
        insert.execute(params![name, *rev as i64, state])?;
    }
    Ok(())
}
