//! Rows of chunks.

use rusqlite::{Connection, Row, params};

use crate::backend::{Change, ChunkRecord, Part};
use crate::pack::SEQ_BITS;

const READ_ROLL: &str =
    "SELECT id, axis, roll, x'' FROM chunk WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
const READ_DATA: &str =
    "SELECT id, axis, x'', data FROM chunk WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
const READ_BOTH: &str =
    "SELECT id, axis, roll, data FROM chunk WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
const STREAMS: &str = "SELECT id >> ?1 FROM chunk ORDER BY id";
const REMOVE: &str = "DELETE FROM chunk WHERE id BETWEEN ?1 AND ?2";
const WRITE: &str = "INSERT OR REPLACE INTO chunk (id, axis, roll, data) VALUES (?1, ?2, ?3, ?4)";

pub(super) fn read(
    connection: &Connection,
    range: (i64, i64),
    part: Part,
) -> rusqlite::Result<Vec<ChunkRecord>> {
    let sql = match part {
        Part::Roll => READ_ROLL,
        Part::Data => READ_DATA,
        Part::Both => READ_BOTH,
    };
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map(params![range.0, range.1], of_row)?;
    rows.collect()
}

/// Streams that have chunks, in order.
pub(super) fn streams(connection: &Connection) -> rusqlite::Result<Vec<u64>> {
    let mut query = connection.prepare_cached(STREAMS)?;
    let mut rows = query.query([i64::from(SEQ_BITS)])?;
    let mut streams = Vec::new();
    while let Some(row) = rows.next()? {
        let stream = row.get::<_, i64>(0)? as u64;
        if streams.last() != Some(&stream) {
            streams.push(stream);
        }
    }
    Ok(streams)
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<ChunkRecord> {
    Ok(ChunkRecord {
        id: row.get(0)?,
        axis: row.get(1)?,
        roll: row.get(2)?,
        data: row.get(3)?,
    })
}

pub(super) fn write(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    let mut remove = connection.prepare_cached(REMOVE)?;
    for (first, last) in &change.removed_chunks {
        remove.execute(params![first, last])?;
    }
    // In the order of ids, so that rows that are read together stand together.
    let mut chunks: Vec<&ChunkRecord> = change.chunks.iter().collect();
    chunks.sort_by_key(|chunk| chunk.id);
    let mut insert = connection.prepare_cached(WRITE)?;
    for ChunkRecord {
        id,
        axis,
        roll,
        data,
    } in chunks
    {
        insert.execute(params![id, axis, roll, data])?;
    }
    Ok(())
}
