//! Logged and registered models of a database.
//!
//! Invariant: databases of versions without the tables have none; workspaces keep equal names apart.

use std::collections::BTreeMap;

use rusqlite::Result;
use trialbook_model::state::Point;

use super::super::store::{Collection, LoggedModel, ModelPoint, Version};
use super::super::words;
use super::{Database, is_deleted, stored, text};

/// Fields of a version by their columns, in the order in which they are selected.
const FIELDS: [(&str, &str); 9] = [
    ("description", "description"),
    ("user_id", "user"),
    ("current_stage", "stage"),
    ("source", "source"),
    ("storage_location", "location"),
    ("run_id", "run"),
    ("status", "status"),
    ("status_message", "status_message"),
    ("run_link", "run_link"),
];

impl Database {
    /// The logged models of an experiment.
    pub(super) fn logged_models(&self, experiment: &str) -> Result<Vec<LoggedModel>> {
        if !self.has("logged_models", "model_id") {
            return Ok(Vec::new());
        }
        let select = "SELECT model_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms,
                      status, status_message, model_type, source_run_id, lifecycle_stage
                      FROM logged_models WHERE experiment_id = ?1 ORDER BY model_id";
        let mut statement = self.connection.prepare_cached(select)?;
        let rows = statement.query_map([experiment], |row| {
            Ok(LoggedModel {
                id: text(row, 0)?.unwrap_or_default(),
                name: text(row, 1)?,
                artifact_location: text(row, 2)?,
                created: row.get(3)?,
                updated: row.get(4)?,
                status: text(row, 5)?.map(|text| words::entry_status(&text)),
                status_message: text(row, 6)?,
                kind: text(row, 7)?,
                run: text(row, 8)?,
                is_deleted: is_deleted(row, 9)?,
                params: BTreeMap::new(),
                tags: BTreeMap::new(),
                metrics: Vec::new(),
            })
        })?;
        let mut models: Vec<LoggedModel> = rows.collect::<Result<_>>()?;
        for model in &mut models {
            let params = (
                ("logged_model_params", "model_id"),
                ("param_key", "param_value"),
            );
            model.params = self.named_pairs(params.0, params.1, &model.id)?;
            let tags = (("logged_model_tags", "model_id"), ("tag_key", "tag_value"));
            model.tags = self.named_pairs(tags.0, tags.1, &model.id)?;
            model.metrics = self.model_points(&model.id)?;
        }
        Ok(models)
    }

    fn model_points(&self, model: &str) -> Result<Vec<ModelPoint>> {
        let select = "SELECT metric_name, metric_step, metric_timestamp_ms, metric_value, run_id, dataset_name,
                      dataset_digest FROM logged_model_metrics WHERE model_id = ?1";
        let mut statement = self.connection.prepare_cached(select)?;
        let rows = statement.query_map([model], |row| {
            Ok(ModelPoint {
                key: text(row, 0)?.unwrap_or_default(),
                run: text(row, 4)?,
                dataset: text(row, 5)?.zip(text(row, 6)?),
                point: Point {
                    step: row.get(1)?,
                    time: words::time(row.get(2)?),
                    value: stored(row.get(3)?),
                },
            })
        })?;
        rows.collect()
    }

    /// The registered models with their versions.
    pub(super) fn registered_models(&self) -> Result<Vec<Collection>> {
        if !self.has("registered_models", "name") {
            return Ok(Vec::new());
        }
        let columns = [
            "workspace",
            "description",
            "creation_time",
            "last_updated_time",
        ];
        let select = format!(
            "SELECT name, {} FROM registered_models ORDER BY name",
            self.selected("registered_models", &columns)
        );
        let mut statement = self.connection.prepare_cached(&select)?;
        let rows = statement.query_map([], |row| {
            let workspace = text(row, 1)?.filter(|name| !name.is_empty());
            Ok(Collection {
                name: text(row, 0)?.unwrap_or_default(),
                workspace: workspace.unwrap_or_else(|| words::DEFAULT_WORKSPACE.to_owned()),
                description: text(row, 2)?,
                created: row.get(3)?,
                updated: row.get(4)?,
                tags: BTreeMap::new(),
                aliases: BTreeMap::new(),
                versions: Vec::new(),
            })
        })?;
        let mut collections: Vec<Collection> = rows.collect::<Result<_>>()?;
        for collection in &mut collections {
            let model = (collection.name.as_str(), collection.workspace.as_str());
            let tags = self.of_model("registered_model_tags", ("key", "value"), model, "")?;
            let aliases =
                self.of_model("registered_model_aliases", ("alias", "version"), model, "")?;
            let versions = self.versions(model)?;
            let numbered = aliases
                .into_iter()
                .filter_map(|(alias, text)| Some((alias, text.parse().ok()?)));
            collection.aliases = numbered.collect();
            collection.tags = tags;
            collection.versions = versions;
        }
        Ok(collections)
    }

    /// A condition on a workspace, where there are some.
    fn in_workspace(&self, table: &str) -> &'static str {
        if self.has(table, "workspace") {
            "workspace = ?2"
        } else {
            "?2 = ?2"
        }
    }

    /// Pairs that belong to a registered model, or to one of its versions.
    fn of_model(
        &self,
        table: &str,
        (key, value): (&str, &str),
        (name, workspace): (&str, &str),
        and: &str,
    ) -> Result<BTreeMap<String, String>> {
        if !self.has(table, key) {
            return Ok(BTreeMap::new());
        }
        let condition = self.in_workspace(table);
        let select =
            format!("SELECT {key}, {value} FROM {table} WHERE name = ?1 AND {condition}{and}");
        let mut statement = self.connection.prepare_cached(&select)?;
        let rows = statement.query_map([name, workspace], |row| {
            Ok((
                text(row, 0)?.unwrap_or_default(),
                text(row, 1)?.unwrap_or_default(),
            ))
        })?;
        rows.collect()
    }

    fn versions(&self, (name, workspace): (&str, &str)) -> Result<Vec<Version>> {
        let columns = FIELDS.map(|(column, _)| column);
        let select = format!(
            "SELECT version, creation_time, last_updated_time, {} FROM model_versions
             WHERE name = ?1 AND {} ORDER BY version",
            self.selected("model_versions", &columns),
            self.in_workspace("model_versions")
        );
        let mut statement = self.connection.prepare_cached(&select)?;
        let rows = statement.query_map([name, workspace], |row| {
            let mut fields = BTreeMap::new();
            for (at, (_, field)) in FIELDS.iter().enumerate() {
                let told = text(row, at + 3)?.filter(|text| !text.is_empty());
                match (*field, told) {
                    (_, None) => {}
                    ("stage", Some(stage)) if stage == "None" => {}
                    ("status", Some(status)) => {
                        fields.insert(*field, words::entry_status(&status));
                    }
                    (field, Some(text)) => {
                        fields.insert(field, text);
                    }
                }
            }
            Ok(Version {
                number: u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default(),
                created: row.get(1)?,
                updated: row.get(2)?,
                fields,
                tags: BTreeMap::new(),
            })
        })?;
        let mut versions: Vec<Version> = rows.collect::<Result<_>>()?;
        // A version that was deleted stays as a row.
        versions.retain(|version| {
            version
                .fields
                .get("stage")
                .is_none_or(|stage| stage != "Deleted_Internal")
        });
        for version in &mut versions {
            let and = format!(" AND version = {}", version.number);
            version.tags = self.of_model(
                "model_version_tags",
                ("key", "value"),
                (name, workspace),
                &and,
            )?;
        }
        Ok(versions)
    }
}
