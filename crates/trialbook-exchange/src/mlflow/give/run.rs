//! A run as a folder of MLflow.
//!
//! Invariant: times are those of the run, to the millisecond that MLflow keeps.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use trialbook_model::record::{Dataset, LinkKind, ModelRole, SeriesKey};
use trialbook_model::state::{Point, RunState};
use trialbook_model::status::RunStatus;
use trialbook_store::BookError;
use trialbook_store::nouns::{Owner, RunRow};
use trialbook_store::reading::Reading;

use super::file::{Folder, write, writing, yaml};
use super::{Giving, Home, imported_time, millis, tags};
use crate::error::ExportError;
use crate::mlflow::artifacts::address;
use crate::mlflow::words;

/// Folders without which MLflow takes the folder of a run for something else.
const FOLDERS: [&str; 4] = ["artifacts", "metrics", "params", "tags"];

/// The number of a run's source that says that it was recorded where it ran.
const LOCAL: u64 = 4;

impl<V: Reading<Error = BookError>> Giving<'_, V> {
    /// Writes a run.
    pub(super) fn run(&mut self, row: &RunRow, home: &Home) -> Result<(), ExportError> {
        let state = &row.state;
        let id = row.uid.to_string();
        let folder = home.folder.folder(&id)?;
        for below in FOLDERS {
            folder.folder(below)?;
        }
        let artifacts = home.stands.join(&id).join("artifacts");
        folder.text("meta.yaml", &meta(row, &home.id, &address(&artifacts)))?;
        self.texts(&folder, ("tags", "tag"), &run_tags(state))?;
        let params = state.params.iter();
        let params = params.map(|(key, held)| (key.clone(), held.param().text.clone()));
        self.texts(&folder, ("params", "param"), &params.collect())?;
        self.metrics(row, &folder)?;
        Self::lineage(row, &folder, home)?;
        self.artifacts(state, &folder.folder("artifacts")?)?;
        self.told.runs += 1;
        let counts = &state.records.counts;
        self.told.leave_out("events", counts.events.values().sum());
        self.told.leave_out("judged items", counts.items);
        self.told
            .leave_out("runs with console output", u64::from(counts.log_bytes > 0));
        self.told
            .leave_out("snapshots", state.snapshots.len() as u64);
        self.told.leave_out("spans", counts.spans);
        Ok(())
    }

    fn metrics(&mut self, row: &RunRow, folder: &Folder) -> Result<(), ExportError> {
        let below = folder.folder("metrics")?;
        for key in row.state.records.series.keys() {
            let series = self.given.view.series(&Owner::Run(row.no), key)?;
            let mut points: Vec<Point> = series.points().collect();
            points.sort_by(|one, other| one.time.cmp(&other.time).then(one.order(other)));
            self.told.points += points.len() as u64;
            let name = metric_name(key);
            self.named(&below, ("metric", &name), &lines(&points))?;
        }
        Ok(())
    }

    fn lineage(row: &RunRow, folder: &Folder, home: &Home) -> Result<(), ExportError> {
        let run = row.uid.to_string();
        for one in row.state.lineage.datasets() {
            let id = dataset_id(&home.id, &one.dataset);
            let meta = dataset_meta(&one.dataset);
            home.folder
                .text(&format!("datasets/{id}/meta.yaml"), &meta)?;
            let tags = one
                .tags
                .iter()
                .map(|(key, text)| (words::told_use_tag(key), json!(text)));
            let meta = yaml(&[
                ("destination_id", json!(run)),
                ("destination_type", json!("RUN")),
                ("source_id", json!(id)),
                ("source_type", json!("DATASET")),
                ("tags", Value::Object(tags.collect())),
            ]);
            folder.text(&format!("inputs/{id}/meta.yaml"), &meta)?;
        }
        for link in row.state.lineage.models(ModelRole::Input) {
            let model = words::model_id(link.model);
            let meta = yaml(&[
                ("destination_id", json!(model)),
                ("destination_type", json!("RUN")),
                ("source_id", json!(model)),
                ("source_type", json!("MODEL")),
                ("tags", json!({})),
            ]);
            folder.text(&format!("inputs/{}/meta.yaml", link.model), &meta)?;
        }
        for link in row.state.lineage.models(ModelRole::Output) {
            let model = words::model_id(link.model);
            let meta = yaml(&[
                ("destination_id", json!(model)),
                ("destination_type", json!("MODEL_OUTPUT")),
                ("source_id", json!(run)),
                ("source_type", json!("RUN_OUTPUT")),
                ("step", json!(link.step.unwrap_or_default())),
                ("tags", json!({})),
            ]);
            folder.text(&format!("outputs/{model}/meta.yaml"), &meta)?;
        }
        Ok(())
    }

    fn artifacts(&mut self, state: &RunState, folder: &Folder) -> Result<(), ExportError> {
        for version in state.records.artifacts() {
            let artifact = &version.value;
            let Some(sum) = &artifact.sha256 else {
                self.told.leave_out("references to files elsewhere", 1);
                continue;
            };
            let Some(artifacts) = self.given.artifacts else {
                self.told.leave_out("files of runs", 1);
                continue;
            };
            let to = folder.path.join(&artifact.path);
            if let Some(above) = to.parent() {
                std::fs::create_dir_all(above).map_err(|source| writing(above, source))?;
            }
            match artifacts.fetch(sum, &to) {
                Ok(()) => self.told.artifacts += 1,
                Err(BookError::ArtifactMissing { .. } | BookError::ArtifactChanged { .. }) => {
                    self.told.missing.insert(sum.clone());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn meta(row: &RunRow, experiment: &str, artifact_uri: &str) -> String {
    let (state, held) = (&row.state, &row.state.annotations);
    let user = held.text("user");
    let user = user.or_else(|| state.actor.as_ref().map(|actor| actor.value.as_str()));
    let is_deleted = held.flag("deleted");
    let deleted = held.deleted_since().map(millis);
    let deleted = imported_time(held, "deleted_time")
        .filter(|_| is_deleted)
        .or(deleted);
    let started = imported_time(held, "start_time");
    let mut entries = vec![
        ("artifact_uri", json!(artifact_uri)),
        ("end_time", json!(state.ended().map(millis))),
        ("entry_point_name", json!("")),
        ("experiment_id", json!(experiment)),
        (
            "lifecycle_stage",
            json!(if is_deleted { "deleted" } else { "active" }),
        ),
        ("run_id", json!(row.uid.to_string())),
        ("run_name", json!(state.name().unwrap_or_default())),
        ("run_uuid", json!(row.uid.to_string())),
        ("source_name", json!("")),
        ("source_type", json!(LOCAL)),
        ("source_version", json!("")),
        (
            "start_time",
            json!(started.or_else(|| state.started().map(millis))),
        ),
        ("status", json!(status(state.status()))),
        ("tags", json!([])),
        ("user_id", json!(user.unwrap_or_default())),
    ];
    if let Some(deleted) = deleted {
        entries.insert(1, ("deleted_time", json!(deleted)));
    }
    yaml(&entries)
}

fn status(status: RunStatus) -> u64 {
    words::status_number(status)
}

/// The tags of a run, with what MLflow says by tags alone.
fn run_tags(state: &RunState) -> BTreeMap<String, String> {
    let mut all = tags(&state.annotations);
    if let Some(name) = state.name() {
        all.insert(words::RUN_NAME.to_owned(), name.to_owned());
    }
    let links = state
        .start()
        .map_or(&[][..], |start| start.links.as_slice());
    let parent = links.iter().find(|(kind, _)| *kind == LinkKind::Parent);
    if let Some((_, parent)) = parent {
        let told = all.entry(words::PARENT.to_owned());
        told.or_insert_with(|| parent.to_string());
    }
    all
}

/// A metric's name, with its context, which MLflow does not have.
fn metric_name(key: &SeriesKey) -> String {
    let context: Value = serde_json::from_str(&key.context).unwrap_or_default();
    let mut name = key.key.clone();
    for (word, value) in context.as_object().into_iter().flatten() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        write(
            &mut name,
            format_args!("/{word}.{}", value.replace('/', "_")),
        );
    }
    name
}

/// Points as lines `timestamp value step`.
fn lines(points: &[Point]) -> String {
    let mut text = String::new();
    for point in points {
        let (time, value) = (millis(point.time), number(point.value));
        write(&mut text, format_args!("{time} {value} {}\n", point.step));
    }
    text
}

/// A number as Python reads it, with all its digits.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        "nan".to_owned()
    } else if value.is_infinite() {
        (if value > 0.0 { "inf" } else { "-inf" }).to_owned()
    } else if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
        format!("{value:?}")
    } else {
        format!("{value:e}")
    }
}

fn dataset_id(experiment: &str, dataset: &Dataset) -> String {
    let mut hash = Sha256::new();
    for part in [experiment, &dataset.name, &dataset.digest] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    crate::record::hex(&hash.finalize()[..16])
}

fn dataset_meta(dataset: &Dataset) -> String {
    yaml(&[
        ("digest", json!(dataset.digest)),
        ("name", json!(dataset.name)),
        ("profile", json!(dataset.profile)),
        ("schema", json!(dataset.schema)),
        ("source", json!(dataset.source)),
        ("source_type", json!(dataset.source_type)),
    ])
}
