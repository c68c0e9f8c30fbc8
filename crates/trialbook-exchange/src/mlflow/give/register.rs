//! Logged and registered models as folders of MLflow.
//!
//! Invariant: versions keep their numbers, aliases lead to the same versions.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trialbook_model::record::EntryKind;
use trialbook_store::BookError;
use trialbook_store::nouns::{EntryRow, Owner};
use trialbook_store::query::Entries;
use trialbook_store::reading::Reading;

use super::file::{Folder, name, write, yaml};
use super::run::number;
use super::{Giving, Home, millis, tags};
use crate::error::ExportError;
use crate::mlflow::artifacts::address;
use crate::mlflow::words;

fn times(row: &EntryRow) -> (i64, i64) {
    let created = row.state.created().map(millis).unwrap_or_default();
    let updated = row.state.updated().map_or(created, millis);
    (created, updated)
}

impl<V: Reading<Error = BookError>> Giving<'_, V> {
    /// Writes a logged model.
    pub(super) fn logged_model(&mut self, row: &EntryRow, home: &Home) -> Result<(), ExportError> {
        let id = words::model_id(row.uid);
        let folder = home.folder.folder("models")?.folder(&id)?;
        let held = &row.state.annotations;
        let (created, updated) = times(row);
        let stage = if row.state.is_deleted() {
            "deleted"
        } else {
            "active"
        };
        let location = address(&home.stands.join("models").join(&id).join("artifacts"));
        folder.text(
            "meta.yaml",
            &yaml(&[
                ("artifact_location", json!(location)),
                ("creation_timestamp", json!(created)),
                ("experiment_id", json!(home.id)),
                ("last_updated_timestamp", json!(updated)),
                ("lifecycle_stage", json!(stage)),
                ("model_id", json!(id)),
                ("model_type", Self::field(held, "type")),
                ("name", json!(row.state.name())),
                ("source_run_id", Self::field(held, "run")),
                (
                    "status",
                    json!(words::model_status(row.state.text("status"))),
                ),
                ("status_message", Self::field(held, "status_message")),
            ]),
        )?;
        self.texts(&folder, ("tags", "tag"), &tags(held))?;
        let params = row.state.params();
        let params = params.map(|(key, text)| (key.to_owned(), text.to_owned()));
        self.texts(&folder, ("params", "param"), &params.collect())?;
        self.model_metrics(row, &folder)
    }

    /// Points as lines `timestamp value step run [dataset digest]`.
    fn model_metrics(&mut self, row: &EntryRow, folder: &Folder) -> Result<(), ExportError> {
        let mut files: BTreeMap<&str, String> = BTreeMap::new();
        for key in row.state.records.series.keys() {
            let context: Value = serde_json::from_str(&key.context).unwrap_or_default();
            let word = |word: &str| context.get(word).and_then(Value::as_str);
            let mut behind = format!(" {}", word("run").unwrap_or_default());
            if let (Some(dataset), Some(digest)) = (word("dataset"), word("digest")) {
                write(&mut behind, format_args!(" {dataset} {digest}"));
            }
            let series = self.given.view.series(&Owner::Entry(row.no), key)?;
            let text = files.entry(&key.key).or_default();
            for point in series.points() {
                let (time, value) = (millis(point.time), number(point.value));
                write(
                    text,
                    format_args!("{time} {value} {}{behind}\n", point.step),
                );
            }
        }
        if files.is_empty() {
            return Ok(());
        }
        let below = folder.folder("metrics")?;
        for (key, text) in files {
            self.named(&below, ("metric", key), &text)?;
        }
        Ok(())
    }

    /// Writes the registered models and prompts.
    pub(super) fn collections(&mut self, root: &Folder) -> Result<(), ExportError> {
        let models = root.folder("models")?;
        for row in self
            .given
            .view
            .entries(&Entries::Kind(EntryKind::Collection))?
        {
            if row.state.is_deleted() {
                self.told.leave_out("deleted registered models", 1);
                continue;
            }
            let told = row.state.name().unwrap_or_default();
            let folder = name(told).replace('/', "_");
            if folder != told || models.path.join(&folder).exists() {
                self.told
                    .leave_out("registered models whose names are no folders", 1);
                continue;
            }
            self.collection(&row, told, &models.folder(&folder)?)?;
        }
        Ok(())
    }

    fn collection(
        &mut self,
        row: &EntryRow,
        told: &str,
        folder: &Folder,
    ) -> Result<(), ExportError> {
        let held = &row.state.annotations;
        let versions = Entries::Of(EntryKind::Version, Owner::Entry(row.no));
        let mut versions = self.given.view.entries(&versions)?;
        versions.retain(|version| !version.state.is_deleted());
        let mut aliases = BTreeMap::new();
        for (alias, uid) in row.state.aliases() {
            let version = versions
                .iter()
                .find(|version| version.state.uids.contains(&uid) || version.uid == uid);
            if let Some(number) = version.and_then(|version| version.number) {
                aliases.insert(alias.to_owned(), number.to_string());
            }
        }
        let (created, updated) = times(row);
        folder.text(
            "meta.yaml",
            &yaml(&[
                ("aliases", json!(aliases)),
                ("creation_timestamp", json!(created)),
                ("description", Self::field(held, "description")),
                ("last_updated_timestamp", json!(updated)),
                ("name", json!(told)),
            ]),
        )?;
        self.texts(folder, ("tags", "tag"), &tags(held))?;
        self.texts(folder, ("aliases", "alias"), &aliases)?;
        for version in &versions {
            self.version(version, told, folder)?;
        }
        Ok(())
    }

    fn version(&mut self, row: &EntryRow, model: &str, folder: &Folder) -> Result<(), ExportError> {
        let held = &row.state.annotations;
        let number = row.number.unwrap_or_default();
        let folder = folder.folder(&format!("version-{number}"))?;
        let (created, updated) = times(row);
        let status = row
            .state
            .text("status")
            .unwrap_or("ready")
            .to_ascii_uppercase();
        let from = row.state.model().map(words::model_id);
        folder.text(
            "meta.yaml",
            &yaml(&[
                ("creation_timestamp", json!(created)),
                (
                    "current_stage",
                    json!(row.state.text("stage").unwrap_or("None")),
                ),
                ("description", Self::field(held, "description")),
                ("last_updated_timestamp", json!(updated)),
                ("model_id", json!(from)),
                ("name", json!(model)),
                ("run_id", Self::field(held, "run")),
                ("run_link", Self::field(held, "run_link")),
                ("source", Self::field(held, "source")),
                ("status", json!(status)),
                ("status_message", Self::field(held, "status_message")),
                ("storage_location", Self::field(held, "location")),
                ("user_id", Self::field(held, "user")),
                ("version", json!(number)),
            ]),
        )?;
        self.texts(&folder, ("tags", "tag"), &tags(held))
    }
}
