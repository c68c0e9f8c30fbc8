//! The setup that a run was started with (C-1 … C-6), as people read it.
//!
//! Invariant: every key that was given is shown, under its own name.

use serde_json::{Map, Value};
use trialbook_model::setup::legacy_hash;

use super::page::{clipped, field, heading};
use crate::context::Context;
use crate::printer::{Column, Table};

/// Digits of a hash that are shown.
const DIGITS: usize = 12;
/// Keys that have columns of their own in the table of agents.
const AGENT_COLUMNS: [&str; 3] = ["model", "temperature", "role"];
/// Keys that have columns of their own in the table of tasks.
const TASK_COLUMNS: [&str; 2] = ["task_type", "agent_assignment"];

/// Prints the document of the snapshot, long values up to so many characters.
pub(super) fn print(hash: &str, document: &Value, most: usize, cx: &Context) {
    let older =
        legacy_hash(document).map_or_else(String::new, |hash| format!(", older hash {hash}"));
    heading(
        cx,
        &format!("Setup {}{older}", &hash[..hash.len().min(DIGITS)]),
    );
    let Some(blocks) = document.as_object() else {
        return;
    };
    if let Some(Value::Object(agents)) = blocks.get("agents") {
        let rows = agents.iter().map(|(name, agent)| (name.clone(), agent));
        table(("AGENT", &AGENT_COLUMNS), rows.collect(), most, cx);
    }
    if let Some(Value::Object(workflow)) = blocks.get("workflow") {
        fields("workflow", workflow, most, cx);
    }
    match blocks.get("tasks") {
        Some(Value::Array(tasks)) => {
            let rows = tasks.iter().zip(1..);
            let rows = rows.map(|(task, at): (_, u32)| (at.to_string(), task));
            table(("TASK", &TASK_COLUMNS), rows.collect(), most, cx);
        }
        Some(Value::Object(tasks)) => {
            let rows = tasks.iter().map(|(name, task)| (name.clone(), task));
            table(("TASK", &TASK_COLUMNS), rows.collect(), most, cx);
        }
        Some(_) | None => {}
    }
    if let Some(Value::Object(dataset)) = blocks.get("dataset") {
        fields("dataset", dataset, most, cx);
    }
}

/// A table of maps: some keys as columns, the others in the last one.
fn table((title, keys): (&str, &[&str]), rows: Vec<(String, &Value)>, most: usize, cx: &Context) {
    if rows.is_empty() {
        return;
    }
    let mut columns = vec![Column::text(title)];
    columns.extend(keys.iter().map(|key| Column::text(key.to_uppercase())));
    columns.push(Column::text("REST"));
    let mut table = Table::new(columns);
    for (name, row) in rows {
        let mut cells = vec![name];
        cells.extend(
            keys.iter()
                .map(|key| row.get(key).map(plain).unwrap_or_default()),
        );
        let rest: Vec<String> = match row.as_object() {
            Some(map) => {
                let others = map.iter().filter(|(key, _)| !keys.contains(&key.as_str()));
                others
                    .map(|(key, value)| format!("{key}: {}", plain(value)))
                    .collect()
            }
            None => vec![plain(row)],
        };
        cells.push(clipped(&rest.join("; "), most));
        table.row(cells);
    }
    cx.printer.table(&table);
}

fn fields(block: &str, map: &Map<String, Value>, most: usize, cx: &Context) {
    for (key, value) in map {
        field(cx, &format!("{block}.{key}"), clipped(&plain(value), most));
    }
}

fn plain(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}
