//! An experiment as it is answered.
//!
//! Invariant: what MLflow's clients set is answered as they set it.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::ExperimentRow;

use super::{name_of, stage};
use crate::mlflow::names::{ARTIFACT_LOCATION, NOTE};
use crate::mlflow::status::Stage;

/// An experiment.
#[derive(Serialize)]
pub(super) struct Experiment<'a> {
    #[serde(rename = "experiment_id")]
    id: String,
    name: Cow<'a, str>,
    artifact_location: String,
    lifecycle_stage: Stage,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_time: Option<i64>,
    #[serde(skip_serializing_if = "Tags::is_empty")]
    tags: Tags<'a>,
}

impl<'a> Experiment<'a> {
    pub(super) fn of(row: &'a ExperimentRow, root: &str) -> Self {
        Self {
            id: row.no.to_string(),
            name: name_of(row),
            artifact_location: location(row, root),
            lifecycle_stage: stage(row),
            last_update_time: updated(row),
            creation_time: created(row),
            tags: Tags(row),
        }
    }
}

/// When it was created, in milliseconds.
pub(super) fn created(row: &ExperimentRow) -> Option<i64> {
    row.state.created().map(Timestamp::millis)
}

/// When it was created, renamed, deleted or restored last, in milliseconds.
pub(super) fn updated(row: &ExperimentRow) -> Option<i64> {
    let fields = &row.state.annotations.fields;
    let changed = ["name", "deleted"].into_iter();
    let changed = changed.filter_map(|field| Some(fields.get(field)?.stamp.time.millis()));
    changed.max().max(created(row))
}

/// Where the files of its runs are.
pub(in crate::mlflow) fn location(row: &ExperimentRow, root: &str) -> String {
    match row.state.annotations.text(ARTIFACT_LOCATION) {
        Some(location) => location.to_owned(),
        None => format!("{}/{}", root.trim_end_matches('/'), row.no),
    }
}

/// A tag's value, as it is answered.
pub(in crate::mlflow) fn tag<'a>(row: &'a ExperimentRow, key: &str) -> Option<&'a str> {
    if key == NOTE {
        return row.state.annotations.main_note();
    }
    let tag = row.state.annotations.tags.get(key)?;
    tag.value.as_deref()
}

struct Tags<'a>(&'a ExperimentRow);

impl<'a> Tags<'a> {
    fn all(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let annotations = &self.0.state.annotations;
        let note = annotations.main_note().map(|text| (NOTE, text));
        let tags = annotations.tags().filter(|(key, _)| *key != NOTE);
        tags.chain(note)
    }

    fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }
}

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.all().map(|(key, value)| Pair { key, value }))
    }
}

#[derive(Serialize)]
struct Pair<'a> {
    key: &'a str,
    value: &'a str,
}
