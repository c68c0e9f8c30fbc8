//! A database of MLflow, in SQLite: versions 1, 2 and 3, by the tables and columns that are there.
//!
//! Not here: what the values mean. Invariant: the database is not changed, and no run is read over from two of its
//! states; between runs nobody who writes to it has to wait.

mod lineage;
mod register;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use trialbook_model::state::Point;

use super::artifacts::Places;
use super::store::{Link, Use};
use super::words;
use crate::error::{ImportError, Place, Problem};

const KNOWN: &str = "a database of MLflow, with tables `experiments` and `runs`";

/// How long a read waits for somebody who writes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tables whose rows do not come in, with what people call them.
const OTHERS: [(&str, &str); 5] = [
    ("trace_info", "traces"),
    ("assessments", "assessments of traces"),
    ("webhooks", "webhooks"),
    ("evaluation_datasets", "datasets for evaluation"),
    ("scorers", "scorers"),
];

/// Tables that are read by the run, which old versions have no index for.
const BY_RUN: [&str; 3] = ["params", "tags", "metrics"];

/// A database that is read.
pub(super) struct Database {
    connection: Connection,
    /// Columns by table.
    columns: BTreeMap<String, BTreeSet<String>>,
    place: Place,
    /// The folder it stands in.
    folder: PathBuf,
    proxied: Vec<PathBuf>,
}

impl Database {
    /// Opens a database.
    pub(super) fn open(path: &Path, name: &Path, places: Places) -> Result<Self, ImportError> {
        let place = Place::file(name);
        std::fs::metadata(path).map_err(ImportError::read(name))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags);
        let connection = opened.map_err(|error| broken(&place, &error))?;
        let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        let mut database = Self {
            connection,
            columns: BTreeMap::new(),
            proxied: places
                .proxied
                .into_iter()
                .chain([folder.join("mlartifacts")])
                .collect(),
            folder,
            place,
        };
        let prepared = database.prepare();
        prepared.map_err(|error| broken(&database.place, &error))?;
        if !["experiments", "runs"]
            .iter()
            .all(|table| database.has(table, "experiment_id"))
        {
            return Err(ImportError::at(
                &database.place,
                Problem::Foreign { expected: KNOWN },
            ));
        }
        Ok(database)
    }

    /// Learns tables and columns, and makes up for indexes that are missing.
    fn prepare(&mut self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(PATIENCE)?;
        let select = "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'";
        let mut statement = self.connection.prepare(select)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let columns: &mut BTreeSet<String> = self.columns.entry(row.get(0)?).or_default();
            columns.insert(row.get(1)?);
        }
        drop(rows);
        drop(statement);
        for table in BY_RUN {
            if !self.has(table, "run_uuid") || self.is_indexed(table)? {
                continue;
            }
            // Beside the database, which is not changed; it goes with the connection.
            self.connection.execute_batch(&format!(
                "CREATE TEMP TABLE {table} AS SELECT * FROM main.{table};
                 CREATE INDEX temp.{table}_by_run ON {table} (run_uuid);"
            ))?;
        }
        Ok(())
    }

    /// Whether the rows of a run are found without reading all.
    fn is_indexed(&self, table: &str) -> rusqlite::Result<bool> {
        let select = "SELECT count(*) FROM pragma_index_list(?1) l, pragma_index_info(l.name) i
                      WHERE i.seqno = 0 AND i.name = 'run_uuid'";
        let count: i64 = self
            .connection
            .query_row(select, [table], |row| row.get(0))?;
        Ok(count > 0)
    }

    fn has(&self, table: &str, column: &str) -> bool {
        self.columns
            .get(table)
            .is_some_and(|columns| columns.contains(column))
    }

    /// Columns of a table for a `SELECT`; those that are not there are null.
    fn selected(&self, table: &str, columns: &[&str]) -> String {
        let one = |column: &&str| {
            if self.has(table, column) {
                format!("\"{column}\"")
            } else {
                "NULL".to_owned()
            }
        };
        columns.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// Pairs of `key` and `value` of something.
    fn pairs(&self, place: (&str, &str), id: &str) -> rusqlite::Result<BTreeMap<String, String>> {
        self.named_pairs(place, ("key", "value"), id)
    }

    /// Pairs of two columns of the rows that have an id in another.
    fn named_pairs(
        &self,
        (table, column): (&str, &str),
        (key, value): (&str, &str),
        id: &str,
    ) -> rusqlite::Result<BTreeMap<String, String>> {
        if !self.has(table, column) {
            return Ok(BTreeMap::new());
        }
        let select = format!("SELECT {key}, {value} FROM {table} WHERE {column} = ?1");
        let mut statement = self.connection.prepare_cached(&select)?;
        let rows = statement.query_map([id], |row| {
            Ok((
                text(row, 0)?.unwrap_or_default(),
                text(row, 1)?.unwrap_or_default(),
            ))
        })?;
        rows.collect()
    }

    fn metrics(&self, run: &str) -> rusqlite::Result<BTreeMap<String, Vec<Point>>> {
        let mut metrics: BTreeMap<String, Vec<Point>> = BTreeMap::new();
        if !self.has("metrics", "run_uuid") {
            return Ok(metrics);
        }
        let columns = self.selected("metrics", &["step", "is_nan"]);
        let select =
            format!("SELECT key, value, timestamp, {columns} FROM metrics WHERE run_uuid = ?1");
        let mut statement = self.connection.prepare_cached(&select)?;
        let mut rows = statement.query([run])?;
        while let Some(row) = rows.next()? {
            let is_nan = row.get::<_, Option<i64>>(4)?.unwrap_or_default() != 0;
            let value: Option<f64> = row.get(1)?;
            let point = Point {
                step: row.get::<_, Option<i64>>(3)?.unwrap_or_default(),
                time: words::time(row.get::<_, Option<i64>>(2)?.unwrap_or_default()),
                value: if is_nan { f64::NAN } else { stored(value) },
            };
            let ValueRef::Text(key) = row.get_ref(0)? else {
                continue;
            };
            let key = std::str::from_utf8(key)?;
            match metrics.get_mut(key) {
                Some(points) => points.push(point),
                None => {
                    metrics.insert(key.to_owned(), vec![point]);
                }
            }
        }
        Ok(metrics)
    }

    fn read_run(&self, id: &str) -> rusqlite::Result<Told> {
        let columns = [
            "name",
            "status",
            "start_time",
            "end_time",
            "lifecycle_stage",
            "deleted_time",
            "user_id",
            "artifact_uri",
            "source_type",
            "source_name",
            "source_version",
            "entry_point_name",
        ];
        let select = format!(
            "SELECT {} FROM runs WHERE run_uuid = ?1",
            self.selected("runs", &columns)
        );
        // One look at all tables.
        let _look = self.connection.unchecked_transaction()?;
        let mut statement = self.connection.prepare_cached(&select)?;
        let mut told = statement.query_row([id], |row| {
            let sources = [
                (
                    "mlflow.source.type",
                    text(row, 8)?.filter(|kind| kind != "UNKNOWN"),
                ),
                ("mlflow.source.name", text(row, 9)?),
                ("mlflow.source.git.commit", text(row, 10)?),
                ("mlflow.project.entryPoint", text(row, 11)?),
            ];
            Ok(Told {
                name: text(row, 0)?,
                status: text(row, 1)?,
                started: row.get(2)?,
                ended: row.get(3)?,
                is_deleted: is_deleted(row, 4)?,
                deleted_at: row.get(5)?,
                user: text(row, 6)?,
                artifact_uri: text(row, 7)?,
                sources: sources.map(|(tag, text)| (tag, text.filter(|text| !text.is_empty()))),
                ..Told::default()
            })
        })?;
        told.params = self.pairs(("params", "run_uuid"), id)?;
        told.tags = self.pairs(("tags", "run_uuid"), id)?;
        told.metrics = self.metrics(id)?;
        told.datasets = self.datasets(id)?;
        told.models = self.links(id)?;
        Ok(told)
    }
}

/// What the rows of a run say.
#[derive(Default)]
struct Told {
    name: Option<String>,
    status: Option<String>,
    started: Option<i64>,
    ended: Option<i64>,
    is_deleted: bool,
    deleted_at: Option<i64>,
    user: Option<String>,
    artifact_uri: Option<String>,
    /// What old versions said beside the tags.
    sources: [(&'static str, Option<String>); 4],
    params: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    metrics: BTreeMap<String, Vec<Point>>,
    datasets: Vec<Use>,
    models: Vec<Link>,
}

/// A number as it was before a database took it, which has no infinities.
fn stored(value: Option<f64>) -> f64 {
    match value {
        None => f64::NAN,
        Some(f64::MAX) => f64::INFINITY,
        Some(f64::MIN) => f64::NEG_INFINITY,
        Some(value) => value,
    }
}

fn is_deleted(row: &Row<'_>, at: usize) -> rusqlite::Result<bool> {
    Ok(text(row, at)?.is_some_and(|stage| stage == "deleted"))
}

/// A value as text: ids are numbers in some versions.
fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(std::str::from_utf8(text)?.to_owned()),
        ValueRef::Blob(bytes) => Some(std::str::from_utf8(bytes)?.to_owned()),
    })
}

fn broken(place: &Place, error: &rusqlite::Error) -> ImportError {
    let reason = error.to_string();
    ImportError::at(
        place,
        Problem::Malformed {
            expected: KNOWN,
            reason,
        },
    )
}
