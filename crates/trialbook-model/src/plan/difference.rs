//! What differs between two config documents.
//!
//! Not here: what a difference means for runs already done. Invariant: no changes exactly when the
//! documents are canonically equal, but for the order of lists of named things.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical;

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The keys that lead there, such as `variations[Polling].params.agents`.
    pub path: String,
    /// What was there; `None` when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What is there; `None` when nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// All differences, in the order of the new document, what is gone last in its map. Entries of lists
/// are matched by their `name` or `key` where all have one, else by their place.
pub fn difference(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", Some(old), Some(new), &mut changes);
    changes
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    match (old, new) {
        (None, None) => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => maps(path, old, new, changes),
        (Some(Value::Array(old)), Some(Value::Array(new))) => lists(path, old, new, changes),
        (Some(old), Some(new)) if canonical::to_string(old) == canonical::to_string(new) => {}
        (old, new) => changes.push(Change {
            path: path.to_owned(),
            old: old.cloned(),
            new: new.cloned(),
        }),
    }
}

fn maps(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, changes: &mut Vec<Change>) {
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    for key in new.keys().chain(gone) {
        let inner = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        compare(&inner, old.get(key), new.get(key), changes);
    }
}

fn lists(path: &str, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    if let (Some(old), Some(new)) = (named(old), named(new)) {
        let gone = old.keys().filter(|name| !new.contains_key(*name));
        for name in new.keys().chain(gone) {
            let inner = format!("{path}[{name}]");
            compare(&inner, old.get(name), new.get(name), changes);
        }
        return;
    }
    for at in 0..old.len().max(new.len()) {
        let inner = format!("{path}[{at}]");
        compare(&inner, old.get(at), new.get(at), changes);
    }
}

/// The entries by name; `None` unless all have a name of their own. An empty list has no nameless entry.
fn named(list: &[Value]) -> Option<Map<String, Value>> {
    let mut map = Map::new();
    for entry in list {
        let name = entry.get("name").or_else(|| entry.get("key"))?.as_str()?;
        if map.insert(name.to_owned(), entry.clone()).is_some() {
            return None;
        }
    }
    Some(map)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_name_path_old_and_new() {
        let old = json!({
            "trials": 2, "notes": "x", "seed": 1.0,
            "variations": [{"name": "a", "params": {"n": 1}}, {"name": "b", "params": {}}],
            "task": {"command": ["run", "--x"]}
        });
        let new = json!({
            "trials": 3, "seed": 1, "author": "me",
            "variations": [{"name": "b", "params": {}}, {"name": "a", "params": {"n": 2}}, {"name": "c"}],
            "task": {"command": ["run"]}
        });
        let changes: Vec<_> = difference(&old, &new)
            .into_iter()
            .map(|change| (change.path, change.old, change.new))
            .collect();
        let row = |path: &str, old: Option<Value>, new: Option<Value>| (path.to_owned(), old, new);
        assert_eq!(
            changes,
            [
                row("trials", Some(json!(2)), Some(json!(3))),
                row("author", None, Some(json!("me"))),
                row("variations[a].params.n", Some(json!(1)), Some(json!(2))),
                row("variations[c]", None, Some(json!({"name": "c"}))),
                row("task.command[1]", Some(json!("--x")), None),
                row("notes", Some(json!("x")), None),
            ]
        );
        assert_eq!(difference(&old, &old), []);
    }
}
