//! What people attach to any noun: tags, fields, notes. The latest of each holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::register::{Latest, Stamp};
use crate::record::{Op, PutNote};
use crate::time::Timestamp;

/// Days that what was deleted is kept in the bin.
pub const BIN_DAYS: i64 = 30;

/// The namespace of notes that are written by themselves when a run is completed.
pub const SUMMARIES: &str = "experiment-tracking";

/// Tags, fields and notes of one noun.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Annotations {
    /// Tags; a removed one stays as `None`.
    pub tags: BTreeMap<String, Latest<Option<String>>>,
    /// Attributes set by name: `name`, `description`, `archived`, `deleted`, …; a removed one stays as null.
    pub fields: BTreeMap<String, Latest<serde_json::Value>>,
    /// Notes by namespace and key; a removed one stays without text.
    pub notes: BTreeMap<(String, String), Latest<PutNote>>,
}

impl Annotations {
    /// Folds an operation that annotates; others change nothing.
    pub fn apply(&mut self, stamp: Stamp, op: &Op) {
        if let Op::SetTags(set) = op {
            for (tag, value) in &set.tags {
                Latest::offer_to(&mut self.tags, tag.clone(), stamp, value.clone());
            }
        } else if let Op::SetField(set) = op {
            Latest::offer_to(
                &mut self.fields,
                set.field.clone(),
                stamp,
                set.value.clone(),
            );
        } else if let Op::PutNote(note) = op {
            let place = (note.namespace.clone(), note.key.clone());
            Latest::offer_to(&mut self.notes, place, stamp, note.clone());
        }
    }

    /// Tags that are set.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags
            .iter()
            .filter_map(|(tag, value)| Some((tag.as_str(), value.value.as_deref()?)))
    }

    /// A field's present value; null and absence are the same.
    pub fn field(&self, name: &str) -> Option<&serde_json::Value> {
        self.fields
            .get(name)
            .map(|field| &field.value)
            .filter(|value| !value.is_null())
    }

    /// A field's present value, if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.field(name).and_then(serde_json::Value::as_str)
    }

    /// Whether a field holds `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.field(name).and_then(serde_json::Value::as_bool) == Some(true)
    }

    /// When the latest change was made, if there was one.
    pub fn changed(&self) -> Option<Timestamp> {
        let tags = self.tags.values().map(|held| held.stamp.time);
        let fields = self.fields.values().map(|held| held.stamp.time);
        let notes = self.notes.values().map(|held| held.stamp.time);
        tags.chain(fields).chain(notes).max()
    }

    /// When it was put into the bin, if it lies there.
    pub fn deleted_since(&self) -> Option<Timestamp> {
        let field = self.fields.get("deleted")?;
        self.flag("deleted").then_some(field.stamp.time)
    }

    /// The main note's text, if there is one.
    pub fn main_note(&self) -> Option<&str> {
        let place = ("default".to_owned(), String::new());
        self.notes
            .get(&place)
            .and_then(|note| note.value.text.as_deref())
    }
}
