//! The tracker's database: four tables (C-18).
//!
//! Columns are read by name; those that are not known are kept. Invariant: the database is opened for reading and
//! not changed.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value};

use super::run::Past;
use super::snapshots::time_of;
use crate::error::{ImportError, Place, Problem};

const EXPECTED: &str = "a database of the experiment tracker, with a table `experiments`";

/// Results over all questions.
const RESULTS: [&str; 9] = [
    "total_questions",
    "correct_answers",
    "accuracy_rate",
    "total_execution_time",
    "avg_execution_time_per_question",
    "total_estimated_cost",
    "avg_cost_per_question",
    "failure_count",
    "failure_rate",
];

/// Parts of the config by the column that holds them.
const CONFIG: [(&str, &str); 10] = [
    ("num_agents", ""),
    ("process_type", "workflow"),
    ("manager_model", "workflow"),
    ("manager_temperature", "workflow"),
    ("memory_enabled", "workflow"),
    ("cache_enabled", "workflow"),
    ("sample_size", "dataset"),
    ("sampling_strategy", "dataset"),
    ("random_seed", "dataset"),
    ("avg_conversation_length", "dataset"),
];

/// Whether a file begins as a database does.
pub fn is_database(beginning: &[u8]) -> bool {
    beginning.starts_with(b"SQLite format 3\0")
}

/// The tables of parts of an experiment, each with the column that names the part.
const PARTS: [(&str, &str); 3] = [
    ("agent_performance", "agent_name"),
    ("question_type_performance", "question_type"),
    ("error_patterns", "error_type"),
];

type Row = Map<String, Value>;

/// Reads all experiments.
pub(super) fn read(path: &Path, name: &Path) -> Result<(Vec<Past>, Vec<String>), ImportError> {
    let place = Place::file(name);
    let broken = |error: rusqlite::Error| {
        let reason = error.to_string();
        ImportError::at(
            &place,
            Problem::Malformed {
                expected: EXPECTED,
                reason,
            },
        )
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(broken)?;
    let has = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1";
    let has = |table: &str| connection.query_row(has, [table], |row| row.get::<_, i64>(0));
    if has("experiments").map_err(broken)? == 0 {
        return Err(ImportError::at(
            &place,
            Problem::Foreign { expected: EXPECTED },
        ));
    }
    let mut pasts = Vec::new();
    for row in rows(&connection, "experiments").map_err(broken)? {
        pasts.push(experiment(row, &place, "experiments")?);
    }
    let mut notes = Vec::new();
    for (table, column) in PARTS {
        if has(table).map_err(broken)? == 0 {
            continue;
        }
        let mut lost = 0_u64;
        for row in rows(&connection, table).map_err(broken)? {
            lost += u64::from(part(&mut pasts, row, (table, column)).is_none());
        }
        if lost > 0 {
            notes.push(format!(
                "`{}`: {lost} rows of `{table}` have no `{column}`, or no `experiment_id` of an experiment that is here: passed over",
                name.display()
            ));
        }
    }
    Ok((pasts, notes))
}

fn rows(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Row>> {
    let mut select = connection.prepare(&format!("SELECT * FROM {table} ORDER BY rowid"))?;
    let names: Vec<String> = select.column_names().map(str::to_owned).collect();
    let rows = select.query_map([], |row| {
        let mut map = Map::new();
        for (at, name) in names.iter().enumerate() {
            let value = match row.get_ref(at)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => number.into(),
                ValueRef::Real(number) => number.into(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
                ValueRef::Blob(bytes) => crate::record::hex(bytes).into(),
            };
            map.insert(name.clone(), value);
        }
        Ok(map)
    })?;
    rows.collect()
}

fn text(row: &mut Row, key: &str) -> Option<String> {
    match row.shift_remove(key) {
        Some(Value::String(text)) => Some(text),
        Some(Value::Null) | None => None,
        Some(other) => Some(other.to_string()),
    }
}

/// The experiment that a row of another table belongs to.
fn of<'a>(pasts: &'a mut [Past], row: &mut Row) -> Option<&'a mut Past> {
    row.shift_remove("id");
    let id = text(row, "experiment_id")?;
    pasts.iter_mut().find(|past| past.id == id)
}

/// A row of the table `experiments`, called `at` in errors.
pub(super) fn experiment(mut row: Row, place: &Place, at: &str) -> Result<Past, ImportError> {
    let wrong = |key: &str, expected: &'static str| {
        let key = format!("{at}.{key}");
        ImportError::at(place, Problem::Value { key, expected })
    };
    let id = text(&mut row, "id").ok_or_else(|| wrong("id", "an id"))?;
    let told = text(&mut row, "timestamp").or_else(|| text(&mut row, "created_at"));
    let time = told.as_deref().and_then(time_of);
    let mut past = Past {
        time: time.ok_or_else(|| wrong("timestamp", "a time such as `2024-12-27T14:30:22`"))?,
        config_hash: text(&mut row, "config_hash"),
        git_commit: text(&mut row, "git_commit"),
        notes: text(&mut row, "notes"),
        environment: document(text(&mut row, "environment")),
        id,
        ..Past::default()
    };
    agents(&mut row, &mut past);
    for (column, part) in CONFIG {
        let Some(value) = row.shift_remove(column).filter(|value| !value.is_null()) else {
            continue;
        };
        if part.is_empty() {
            past.config.insert(column.to_owned(), value);
        } else {
            let map = past
                .config
                .entry(part)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Some(map) = map.as_object_mut() {
                map.insert(column.to_owned(), value);
            }
        }
    }
    for column in RESULTS {
        let value = row.shift_remove(column);
        if let Some(value) = value.as_ref().and_then(Value::as_f64) {
            past.results.push((column.to_owned(), value));
        }
    }
    row.retain(|_, value| !value.is_null());
    past.rest = row;
    Ok(past)
}

/// A JSON text as what it says, another as itself.
fn document(text: Option<String>) -> Option<Value> {
    let text = text?;
    Some(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Models and temperatures by agent, which stand in two columns.
fn agents(row: &mut Row, past: &mut Past) {
    let mut all = Map::new();
    for (column, key) in [
        ("agent_models", "model"),
        ("agent_temperatures", "temperature"),
    ] {
        let value = document(text(row, column));
        if let Some(Value::Object(map)) = value {
            for (name, value) in map {
                let agent = all.entry(name).or_insert_with(|| Value::Object(Map::new()));
                if let Some(agent) = agent.as_object_mut() {
                    agent.insert(key.to_owned(), value);
                }
            }
        } else if let Some(value) = value {
            past.rest.insert(column.to_owned(), value);
        }
    }
    if !all.is_empty() {
        past.config.insert("agents".to_owned(), Value::Object(all));
    }
}

/// A row of results of an agent or a question type, or of errors; `None` where it belongs to nothing.
fn part(pasts: &mut [Past], mut row: Row, (table, column): (&str, &str)) -> Option<()> {
    let name = text(&mut row, column)?;
    let past = of(pasts, &mut row)?;
    if column == "error_type" {
        let count = row.shift_remove("error_count").unwrap_or_default();
        let example = row.shift_remove("example_message").unwrap_or_default();
        past.errors.push((name.clone(), count, example));
    }
    let word = match column {
        "agent_name" => "agent",
        _ => "question_type",
    };
    for (key, value) in row.into_iter().filter(|(_, value)| !value.is_null()) {
        match value.as_f64().filter(|_| column != "error_type") {
            Some(number) => past.parts.push((word, name.clone(), key, number)),
            None => {
                past.rest.insert(format!("{table}.{name}.{key}"), value);
            }
        }
    }
    Some(())
}
