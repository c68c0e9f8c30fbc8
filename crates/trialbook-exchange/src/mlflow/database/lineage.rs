//! Datasets and models that a run of a database used or made.
//!
//! Invariant: databases of versions without the tables have none.

use rusqlite::Result;
use trialbook_model::record::{Dataset, ModelRole};

use super::super::store::{Link, Use};
use super::super::words;
use super::{Database, text};

impl Database {
    /// The datasets that a run used.
    pub(super) fn datasets(&self, run: &str) -> Result<Vec<Use>> {
        if !self.has("inputs", "destination_id") || !self.has("datasets", "dataset_uuid") {
            return Ok(Vec::new());
        }
        let select = "SELECT i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source,
                      d.dataset_schema, d.dataset_profile FROM inputs i
                      JOIN datasets d ON d.dataset_uuid = i.source_id
                      WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id = ?1
                      ORDER BY d.name, d.digest";
        let mut statement = self.connection.prepare_cached(select)?;
        let rows = statement.query_map([run], |row| {
            let dataset = Dataset {
                name: text(row, 1)?.unwrap_or_default(),
                digest: text(row, 2)?.unwrap_or_default(),
                source_type: text(row, 3)?.unwrap_or_default(),
                source: text(row, 4)?.unwrap_or_default(),
                schema: text(row, 5)?,
                profile: text(row, 6)?,
            };
            Ok((text(row, 0)?.unwrap_or_default(), dataset))
        })?;
        let mut uses = Vec::new();
        for row in rows {
            let (input, dataset) = row?;
            let tags = self.named_pairs(("input_tags", "input_uuid"), ("name", "value"), &input)?;
            let tags = words::use_tags(tags);
            uses.push(Use { dataset, tags });
        }
        Ok(uses)
    }

    /// The models that a run used or made.
    pub(super) fn links(&self, run: &str) -> Result<Vec<Link>> {
        if !self.has("inputs", "destination_id") {
            return Ok(Vec::new());
        }
        let select = format!(
            "SELECT source_type, destination_id, {} FROM inputs
             WHERE source_id = ?1 AND source_type IN ('RUN_INPUT', 'RUN_OUTPUT') ORDER BY destination_id",
            self.selected("inputs", &["step"])
        );
        let mut statement = self.connection.prepare_cached(&select)?;
        let rows = statement.query_map([run], |row| {
            let is_output = text(row, 0)?.is_some_and(|kind| kind == "RUN_OUTPUT");
            let role = if is_output {
                ModelRole::Output
            } else {
                ModelRole::Input
            };
            let step = row.get::<_, Option<i64>>(2)?.filter(|_| is_output);
            let model = text(row, 1)?.unwrap_or_default();
            Ok(Link { role, model, step })
        })?;
        rows.collect()
    }
}
