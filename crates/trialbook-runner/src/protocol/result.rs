//! The result file: one JSON object that a program writes when it is done.
//!
//! `{"metrics": {…}}`, or the metrics themselves at the top. `error` (a text, or a map with `kind` and
//! `message`) tells why a program failed. What else stands in it becomes an event `result`.

use serde_json::{Map, Value};
use trialbook_model::record::{Op, RunError};
use trialbook_model::time::Timestamp;

use super::line::{Metrics, Place};
use super::{Reader, Timed, json};

/// What a result file said.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The operations to record.
    pub operations: Vec<Timed>,
    /// The program's own word on why it failed.
    pub error: Option<RunError>,
}

impl Reader {
    /// Reads the text of a result file named `file`.
    pub fn result(&mut self, file: &str, text: &str, now: Timestamp) -> Outcome {
        let mut object = match json::parse(text) {
            Ok(Value::Object(object)) => object,
            Ok(_other) => return self.no_result(file, text, "a JSON object was expected", now),
            Err(error) => {
                let reason = format!("a JSON object was expected: {error}");
                return self.no_result(file, text, &reason, now);
            }
        };
        let mut found = Metrics::default();
        let nested = match object.remove("metrics") {
            Some(Value::Object(metrics)) => Some(metrics),
            Some(other) => {
                object.insert("metrics".to_owned(), other);
                None
            }
            None => None,
        };
        let error = take_error(&mut object);
        match nested {
            Some(metrics) => found.take_all(metrics),
            None => found.take_all(std::mem::take(&mut object)),
        }
        for (name, value) in std::mem::take(&mut found.other) {
            // A null metric is a missing one; declared metrics that are missing are told elsewhere.
            if !value.is_null() {
                object.entry(name).or_insert(value);
            }
        }
        let mut operations = self.points(now, None, found.values);
        if !object.is_empty() {
            let event = self.event("result", String::new(), Value::Object(object));
            operations.push((now, Op::Event(event)));
        }
        Outcome { operations, error }
    }

    fn no_result(&mut self, file: &str, text: &str, reason: &str, now: Timestamp) -> Outcome {
        let place = Place { file, line: 1 };
        Outcome {
            operations: vec![self.refuse(place, text, reason, now)],
            error: None,
        }
    }
}

/// A text or a map with a message is an error's description; a number is a metric named `error`.
fn take_error(object: &mut Map<String, Value>) -> Option<RunError> {
    let text_of = |map: &Map<String, Value>, name: &str| {
        map.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    let error = match object.get("error")? {
        Value::String(message) => RunError {
            kind: "error".to_owned(),
            message: message.clone(),
        },
        Value::Object(map) => RunError {
            kind: text_of(map, "kind")
                .or_else(|| text_of(map, "type"))
                .unwrap_or_else(|| "error".to_owned()),
            message: text_of(map, "message")?,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
    };
    object.remove("error");
    Some(error)
}
