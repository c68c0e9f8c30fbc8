//! Records of kinds that the version that sealed them did not know, as their writers framed them.
//!
//! Invariant: they stay until a version that knows them takes them out.

use rusqlite::{Connection, params};
use trialbook_model::id::{OperationUid, Uid, WriterUid};
use trialbook_model::record::{Op, Signed};
use trialbook_model::time::Timestamp;

use super::schema;
use crate::backend::Change;

const READ: &str = "SELECT writer, seq, time, kind, flags, actor, operation, payload FROM unknown \
     ORDER BY writer, seq";
const WRITE: &str = "INSERT OR REPLACE INTO unknown \
     (writer, seq, time, kind, flags, actor, operation, payload) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<Signed>> {
    if !schema::has(connection, "0002_unknown")? {
        return Ok(Vec::new());
    }
    let mut query = connection.prepare_cached(READ)?;
    let rows = query.query_map([], |row| {
        Ok(Signed {
            writer: WriterUid(Uid(row.get(0)?)),
            seq: row.get::<_, i64>(1)? as u64,
            time: Timestamp(row.get(2)?),
            actor: row.get(5)?,
            operation: row
                .get::<_, Option<[u8; 16]>>(6)?
                .map(|uid| OperationUid(Uid(uid))),
            op: Op::Unknown {
                kind: row.get(3)?,
                flags: row.get(4)?,
                payload: row.get(7)?,
            },
        })
    })?;
    rows.collect()
}

pub(super) fn write(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(WRITE)?;
    for signed in &change.unknown {
        let Op::Unknown {
            kind,
            flags,
            payload,
        } = &signed.op
        else {
            continue;
        };
        insert.execute(params![
            signed.writer.0.0,
            signed.seq as i64,
            signed.time.0,
            kind,
            flags,
            signed.actor,
            signed.operation.map(|uid| uid.0.0),
            payload
        ])?;
    }
    Ok(())
}
