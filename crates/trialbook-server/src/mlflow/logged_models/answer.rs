//! A logged model as it is answered.

use std::collections::BTreeMap;

use serde::Serialize;
use trialbook_store::BookError;
use trialbook_store::nouns::{EntryRow, Owner};
use trialbook_store::reading::Reading as _;

use super::metrics::{Context, RUN};
use super::{id, location};
use crate::desk::Look;
use crate::mlflow::registered_models::Pair;
use crate::mlflow::registry::{made_at, set_at, uid_of};
use crate::mlflow::wire::Double;

/// A logged model.
#[derive(Serialize)]
pub(in crate::mlflow) struct LoggedModel<'a> {
    info: Info<'a>,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Info<'a> {
    experiment_id: String,
    model_id: String,
    name: &'a str,
    artifact_uri: &'a str,
    creation_timestamp_ms: i64,
    last_updated_timestamp_ms: i64,
    model_type: &'a str,
    source_run_id: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair<'a>>,
}

#[derive(Serialize)]
struct Data<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    params: Vec<Pair<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<Metric>,
}

/// A point of a model's metric.
#[derive(Debug, Clone, Serialize)]
pub(in crate::mlflow) struct Metric {
    /// The metric.
    pub key: String,
    /// Its value.
    pub value: Double,
    /// In milliseconds.
    pub timestamp: i64,
    /// The step.
    pub step: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset_digest: Option<String>,
    model_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    run_id: String,
}

impl Metric {
    /// The name of the dataset on which it was measured.
    pub(in crate::mlflow) fn dataset_name(&self) -> Option<&str> {
        self.dataset_name.as_deref()
    }

    /// The digest of that.
    pub(in crate::mlflow) fn dataset_digest(&self) -> Option<&str> {
        self.dataset_digest.as_deref()
    }
}

impl<'a> LoggedModel<'a> {
    /// Of an entry and the points of its metrics.
    pub(in crate::mlflow) fn of(row: &'a EntryRow, metrics: Vec<Metric>) -> Self {
        let state = &row.state;
        let text = |field: &str| state.text(field).unwrap_or_default();
        let experiment = match row.of {
            Some(Owner::Experiment(no)) => no.to_string(),
            Some(Owner::Entry(_) | Owner::Project(_) | Owner::Run(_)) | None => String::new(),
        };
        let tags = state.annotations.tags();
        let params = state.params();
        Self {
            info: Info {
                experiment_id: experiment,
                model_id: id(uid_of(row)),
                name: state.name().unwrap_or_default(),
                artifact_uri: location(row),
                creation_timestamp_ms: made_at(state),
                last_updated_timestamp_ms: updated(row),
                model_type: text("type"),
                source_run_id: text("run"),
                status: state.text("status").unwrap_or("LOGGED_MODEL_PENDING"),
                status_message: state.text("status_message"),
                tags: tags.map(|(key, value)| Pair { key, value }).collect(),
            },
            data: Data {
                params: params.map(|(key, value)| Pair { key, value }).collect(),
                metrics,
            },
        }
    }
}

/// When its state was changed last, in milliseconds; tags and metrics do not count.
pub(in crate::mlflow) fn updated(row: &EntryRow) -> i64 {
    let changed = set_at(&row.state, &["status", "deleted"]);
    changed.unwrap_or(0).max(made_at(&row.state))
}

/// All points of a model's metrics.
pub(in crate::mlflow) fn metrics(
    look: &Look<'_>,
    row: &EntryRow,
) -> Result<Vec<Metric>, BookError> {
    let mut metrics = Vec::new();
    let model_id = id(uid_of(row));
    for key in row.state.records.series.keys() {
        let mut context: BTreeMap<String, String> = Context::read(&key.context);
        let source = row.state.text("run").unwrap_or_default();
        let run_id = context.remove(RUN).unwrap_or_else(|| source.to_owned());
        let series = look.series(&Owner::Entry(row.no), key)?;
        metrics.extend(series.points().map(|point| Metric {
            key: key.key.clone(),
            value: Double(point.value),
            timestamp: point.time.millis(),
            step: point.step,
            dataset_name: context.get("dataset_name").cloned(),
            dataset_digest: context.get("dataset_digest").cloned(),
            model_id: model_id.clone(),
            run_id: run_id.clone(),
        }));
    }
    Ok(metrics)
}
