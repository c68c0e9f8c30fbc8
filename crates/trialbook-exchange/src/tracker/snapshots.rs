//! The tracker's snapshot documents: one file with all of them, as a list, by id, or below `experiments` (C-20).
//!
//! Invariant: what is no snapshot is refused by its place in the document.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use trialbook_model::time::Timestamp;

use super::database;
use super::run::Past;
use crate::error::{ImportError, Place, Problem};

const EXPECTED: &str =
    "snapshots of the experiment tracker, each with `experiment_id` and `timestamp`";

/// Whether a file begins as such a document.
pub fn is_snapshots(beginning: &[u8]) -> bool {
    let text = String::from_utf8_lossy(beginning);
    let opens = text.trim_start().starts_with(['{', '[']);
    opens && (text.contains("\"experiment_id\"") || text.contains("\"export_timestamp\""))
}

/// Snapshot documents in the folder of a database.
pub(super) fn beside(database: &Path, name: &Path) -> Vec<(PathBuf, PathBuf)> {
    let Some(folder) = database.parent() else {
        return Vec::new();
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(PathBuf, PathBuf)> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter(|path| fs::read(path).is_ok_and(|bytes| is_snapshots(&bytes)))
        .map(|path| {
            let told = name.with_file_name(path.file_name().unwrap_or_default());
            (path, told)
        })
        .collect();
    found.sort();
    found
}

/// A time with or without an offset; without one it is taken for UTC.
pub(super) fn time_of(text: &str) -> Option<Timestamp> {
    let text = text.trim().replacen(' ', "T", 1);
    let time = Timestamp::parse(&text);
    time.or_else(|_| Timestamp::parse(&format!("{text}Z"))).ok()
}

/// Reads all snapshots.
pub(super) fn read(text: &[u8], name: &Path) -> Result<Vec<Past>, ImportError> {
    let place = Place::file(name);
    let document: Value = serde_json::from_slice(text).map_err(|error| {
        let at = Place {
            line: error.line() as u64,
            column: error.column() as u64,
            ..place.clone()
        };
        let reason = error.to_string();
        ImportError::at(
            &at,
            Problem::Malformed {
                expected: EXPECTED,
                reason,
            },
        )
    })?;
    let mut entries: Vec<(String, Value)> = Vec::new();
    match document {
        Value::Object(mut map) if map.get("experiments").is_some_and(Value::is_array) => {
            let list = map.shift_remove("experiments").unwrap_or_default();
            number(list, "experiments", &mut entries);
        }
        Value::Array(_) => number(document, "", &mut entries),
        Value::Object(map) if map.contains_key("experiment_id") => {
            entries.push((String::new(), Value::Object(map)));
        }
        Value::Object(map) => entries.extend(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    if entries.is_empty() {
        return Err(ImportError::at(
            &place,
            Problem::Foreign { expected: EXPECTED },
        ));
    }
    let read = entries
        .into_iter()
        .map(|(at, value)| snapshot(&at, value, &place));
    read.collect()
}

fn number(list: Value, at: &str, entries: &mut Vec<(String, Value)>) {
    if let Value::Array(items) = list {
        let named = items.into_iter().enumerate();
        entries.extend(named.map(|(number, item)| (format!("{at}[{number}]"), item)));
    }
}

fn snapshot(at: &str, value: Value, place: &Place) -> Result<Past, ImportError> {
    let wrong = |key: &str, expected: &'static str| {
        let key = format!("{at}.{key}").trim_start_matches('.').to_owned();
        ImportError::at(place, Problem::Value { key, expected })
    };
    let Value::Object(mut map) = value else {
        return Err(wrong("", "a snapshot"));
    };
    // The list of an export holds rows of the database.
    if map.contains_key("id") && !map.contains_key("experiment_id") {
        return database::experiment(map, place, at);
    }
    let mut text = |key: &str| match map.shift_remove(key) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    };
    let id = text("experiment_id");
    let time = text("timestamp").as_deref().and_then(time_of);
    let mut past = Past {
        id: id.ok_or_else(|| wrong("experiment_id", "an id"))?,
        time: time.ok_or_else(|| wrong("timestamp", "a time such as `2024-12-27T14:30:22`"))?,
        config_hash: text("config_hash"),
        git_commit: text("git_commit"),
        notes: text("notes"),
        ..Past::default()
    };
    past.environment = map.shift_remove("environment").filter(|it| !it.is_null());
    for key in ["agents", "workflow", "tasks", "dataset", "system"] {
        if let Some(value) = map.shift_remove(key).filter(|value| !value.is_null()) {
            past.config.insert(key.to_owned(), by_name(value));
        }
    }
    match map.shift_remove("performance") {
        Some(Value::Object(results)) => performance(&mut past, results),
        Some(other) => {
            map.insert("performance".to_owned(), other);
        }
        None => {}
    }
    map.retain(|_, value| !value.is_null());
    past.rest.extend(map);
    Ok(past)
}

/// Lists of named things by their names.
fn by_name(value: Value) -> Value {
    let Value::Array(items) = &value else {
        return value;
    };
    let named = items.iter().map(|item| {
        let name = item.get("name").or_else(|| item.get("task_type"));
        Some((name?.as_str()?.to_owned(), item.clone()))
    });
    match named.collect::<Option<Map<String, Value>>>() {
        Some(map) => Value::Object(map),
        None => value,
    }
}

fn performance(past: &mut Past, results: Map<String, Value>) {
    for (key, value) in results {
        let word = match key.as_str() {
            "agent_performance" => "agent",
            "question_type_performance" => "question_type",
            _ => "",
        };
        match value {
            Value::Number(number) => {
                past.results
                    .extend(number.as_f64().map(|value| (key, value)));
            }
            Value::Object(parts) if !word.is_empty() => {
                for (name, numbers) in parts {
                    for (key, value) in numbers.as_object().into_iter().flatten() {
                        if let Some(value) = value.as_f64() {
                            past.parts.push((word, name.clone(), key.clone(), value));
                        }
                    }
                }
            }
            Value::Object(patterns) if key == "error_patterns" => {
                for (kind, count) in patterns {
                    past.errors.push((kind, count, Value::Null));
                }
            }
            Value::Null => {}
            Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                past.rest.insert(key, value);
            }
        }
    }
}
