//! A database as a store: what its tables say, as MLflow means it.
//!
//! Not here: tables. Invariant: what cannot be read is named by the database, or by the run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::artifacts::{self, Bytes};
use super::super::store::{
    Collection, Experiment, Listed, Listing, LoggedModel, NotBrought, Run, Store,
};
use super::super::words;
use super::{Database, OTHERS, broken, is_deleted, text};
use crate::error::{ImportError, Problem};

impl Store for Database {
    fn experiments(&mut self) -> Result<Listing<Experiment>, ImportError> {
        let columns = self.selected(
            "experiments",
            &[
                "experiment_id",
                "name",
                "artifact_location",
                "lifecycle_stage",
                "creation_time",
                "last_update_time",
                "workspace",
            ],
        );
        let read = || {
            let select = format!("SELECT {columns} FROM experiments ORDER BY experiment_id");
            let mut statement = self.connection.prepare(&select)?;
            let rows = statement.query_map([], |row| {
                let workspace = text(row, 6)?.filter(|name| !name.is_empty());
                Ok(Experiment {
                    id: text(row, 0)?.unwrap_or_default(),
                    name: text(row, 1)?.unwrap_or_default(),
                    workspace: workspace.unwrap_or_else(|| words::DEFAULT_WORKSPACE.to_owned()),
                    artifact_location: text(row, 2)?,
                    is_deleted: is_deleted(row, 3)?,
                    created: row.get(4)?,
                    updated: row.get(5)?,
                    tags: BTreeMap::new(),
                    place: self.place.clone(),
                })
            })?;
            let mut found: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
            for experiment in &mut found {
                experiment.tags =
                    self.pairs(("experiment_tags", "experiment_id"), &experiment.id)?;
            }
            Ok(found)
        };
        let found = read().map_err(|error: rusqlite::Error| broken(&self.place, &error))?;
        Ok(Listing {
            found,
            ..Listing::default()
        })
    }

    fn runs(&mut self, experiment: &Experiment) -> Result<Vec<Listed>, ImportError> {
        let read = || {
            let select =
                "SELECT run_uuid FROM runs WHERE experiment_id = ?1 ORDER BY start_time, run_uuid";
            let mut statement = self.connection.prepare_cached(select)?;
            let rows = statement.query_map([&experiment.id], |row| row.get::<_, String>(0))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let found = read().map_err(|error| broken(&self.place, &error))?;
        let listed = found.into_iter().map(|id| Listed {
            id,
            place: self.place.clone(),
        });
        Ok(listed.collect())
    }

    fn run(&mut self, _experiment: &Experiment, listed: &Listed) -> Result<Run, ImportError> {
        let told = self
            .read_run(&listed.id)
            .map_err(|error| broken(&self.place, &error))?;
        let status = told.status.as_deref().unwrap_or("RUNNING");
        let status = words::status(status).ok_or_else(|| {
            let key = format!("runs.status of {}", listed.id);
            let expected = "a state of MLflow, such as `FINISHED`";
            ImportError::at(&self.place, Problem::Value { key, expected })
        })?;
        let mut tags = told.tags;
        for (tag, text) in told.sources {
            if let Some(text) = text
                && !tags.contains_key(tag)
            {
                tags.insert(tag.to_owned(), text);
            }
        }
        let name = [told.name, tags.get(words::RUN_NAME).cloned()];
        Ok(Run {
            id: listed.id.clone(),
            name: name.into_iter().flatten().find(|name| !name.is_empty()),
            status,
            started: told.started,
            ended: told.ended,
            is_deleted: told.is_deleted,
            deleted_at: told.deleted_at,
            user: told.user,
            artifact_uri: told.artifact_uri,
            params: told.params,
            tags,
            metrics: told.metrics,
            datasets: told.datasets,
            models: told.models,
        })
    }

    fn models(&mut self, experiment: &Experiment) -> Result<Listing<LoggedModel>, ImportError> {
        let found = self.logged_models(&experiment.id);
        let found = found.map_err(|error| broken(&self.place, &error))?;
        Ok(Listing {
            found,
            ..Listing::default()
        })
    }

    fn collections(&mut self) -> Result<Listing<Collection>, ImportError> {
        let found = self.registered_models();
        let found = found.map_err(|error| broken(&self.place, &error))?;
        Ok(Listing {
            found,
            ..Listing::default()
        })
    }

    fn bytes(&self, experiment: &Experiment, run: &Run) -> Bytes {
        let usual = format!("{}/{}/artifacts", experiment.id, run.id);
        let mut beside: Vec<PathBuf> = ["mlruns", "mlartifacts"]
            .iter()
            .map(|root| self.folder.join(root).join(&usual))
            .collect();
        let uri = run.artifact_uri.as_deref();
        if let Some(path) = uri.and_then(artifacts::file_path) {
            // Relative to where the server ran: beside its database, as far as can be known.
            beside.insert(0, self.folder.join(path));
        }
        artifacts::locate(uri, &self.proxied, &beside)
    }

    fn not_brought(&mut self) -> Result<NotBrought, ImportError> {
        let mut counts = NotBrought::new();
        for (table, what) in OTHERS {
            if !self.columns.contains_key(table) {
                continue;
            }
            let select = format!("SELECT count(*) FROM {table}");
            let count = self
                .connection
                .query_row(&select, [], |row| row.get::<_, i64>(0));
            let count = count.map_err(|error| broken(&self.place, &error))?;
            if let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0) {
                counts.insert(what, count);
            }
        }
        Ok(counts)
    }
}
