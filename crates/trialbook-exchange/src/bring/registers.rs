//! Things of an experiment or a project of which the latest value holds: where two books say otherwise of one, the
//! earlier value is told, for nobody would see it again.
//!
//! Not here: which value holds, which the fold decides by time. Invariant: a value that does not come in, or that
//! goes, is told with the one in its place.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use trialbook_model::record::Op;
use trialbook_model::time::Timestamp;

use crate::record::{Record, Said};

/// Two values of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overruled {
    /// Whose: an experiment with its project, or a project.
    pub of: String,
    /// Which thing, such as ``tag `reviewed` ``.
    pub what: String,
    /// The value that holds; `None` where it was removed.
    pub holds: Option<String>,
    /// The earlier one.
    pub lost: String,
    /// Whether it is the book that had the earlier one.
    pub was_here: bool,
}

/// What a book says of such things, and since when.
#[derive(Debug, Default)]
pub(super) struct Registers {
    held: BTreeMap<String, (Timestamp, Option<String>)>,
}

impl Registers {
    /// Takes in what the book says.
    pub(super) fn learn(&mut self, record: &Record) {
        for (what, time, value) in of(record) {
            self.held.insert(what, (time, value));
        }
    }

    /// What of a record and of the book is overruled, if it is of somebody.
    pub(super) fn against(&self, record: &Record, whose: &str) -> Vec<Overruled> {
        let mut found = Vec::new();
        for (what, time, value) in of(record) {
            let Some((since, here)) = self.held.get(&what) else {
                continue;
            };
            let was_here = time > *since;
            let (holds, lost) = if was_here {
                (value, here.clone())
            } else {
                (here.clone(), value)
            };
            if let Some(lost) = lost
                && holds.as_ref() != Some(&lost)
            {
                let of = whose.to_owned();
                found.push(Overruled {
                    of,
                    what,
                    holds,
                    lost,
                    was_here,
                });
            }
        }
        found
    }
}

/// The things that a record gives a value to.
fn of(record: &Record) -> Vec<(String, Timestamp, Option<String>)> {
    let Record::Said(Said { time, op, .. }) = record else {
        return Vec::new();
    };
    let values = if let Op::PutNote(note) = op {
        let what = match (note.namespace.as_str(), note.key.as_str()) {
            ("default", "") => "the note".to_owned(),
            ("default", key) => format!("note `{key}`"),
            (namespace, key) => format!("note `{namespace}/{key}`"),
        };
        let text = note.text.clone().map(|text| {
            let data = told(&note.data).map(|data| format!(" {data}"));
            let whole = text + &data.unwrap_or_default();
            whole.trim_start().to_owned()
        });
        vec![(what, text)]
    } else if let Op::SetTags(set) = op {
        let tags = set.tags.iter();
        tags.map(|(tag, value)| (format!("tag `{tag}`"), value.clone()))
            .collect()
    } else if let Op::SetField(set) = op {
        vec![(format!("`{}`", set.field), told(&set.value))]
    } else if let Op::SetPointer(set) = op {
        let what = format!("{} `{}`", set.kind, set.name);
        vec![(what, told(&set.value))]
    } else if let Op::DefineMetric(define) = op {
        let what = format!("the definition of metric `{}`", define.key);
        vec![(what, serde_json::to_string(define).ok())]
    } else if let Op::CreateExperiment(create) = op
        && let Some(hash) = &create.config_hash
    {
        vec![("the config".to_owned(), Some(hash.clone()))]
    } else {
        Vec::new()
    };
    let values = values.into_iter();
    values.map(|(what, value)| (what, *time, value)).collect()
}

fn told(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.to_string())
        }
    }
}
