//! Runs and experiments as JSON documents, the same in every verb.
//!
//! Not here: the words for people. Invariant: what is missing is null or absent, never 0; a field keeps
//! its meaning as long as the verb's schema version stays.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use trialbook_model::record::{Param, ParamKind};
use trialbook_model::stale::stale_since;
use trialbook_model::state::{Annotations, SeriesSummary};
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{ExperimentRow, RunRow};

use crate::figures;
use crate::titles;

/// What every list of runs says of each.
#[derive(Debug, Serialize)]
pub(crate) struct RunHead {
    id: String,
    no: u64,
    handle: String,
    name: Option<String>,
    experiment: Option<String>,
    project: Option<String>,
    number: Option<u64>,
    status: &'static str,
    /// Running, and nothing heard of it for too long.
    stale: bool,
    started: Option<String>,
    ended: Option<String>,
    duration_ms: Option<i64>,
    variation: Option<String>,
    trial: Option<u64>,
    attempt: Option<u64>,
    #[serde(skip_serializing_if = "is_false")]
    archived: bool,
    #[serde(skip_serializing_if = "is_false")]
    deleted: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl RunHead {
    /// The head of a run.
    pub(crate) fn of(run: &RunRow, experiment: Option<&ExperimentRow>, now: Timestamp) -> Self {
        let state = &run.state;
        let start = state.start();
        let text = |text: Option<&str>| text.map(str::to_owned);
        Self {
            id: run.uid.to_string(),
            no: run.no.0,
            handle: titles::run(run, experiment),
            name: text(state.name()),
            experiment: experiment.and_then(|row| text(row.state.name())),
            project: experiment.map(|row| row.state.project().to_owned()),
            number: run.number,
            status: state.status().word(),
            stale: stale_since(state, now).is_some(),
            started: state.started().map(|time| time.to_string()),
            ended: state.ended().map(|time| time.to_string()),
            duration_ms: duration(run).map(|micros| micros / 1000),
            variation: start.and_then(|start| start.variation.clone()),
            trial: start.and_then(|start| start.trial),
            attempt: start.and_then(|start| start.attempt),
            archived: state.annotations.flag("archived"),
            deleted: state.annotations.flag("deleted"),
        }
    }
}

/// From start to end in microseconds, where both are known.
pub(crate) fn duration(run: &RunRow) -> Option<i64> {
    let (started, ended) = (run.state.started()?, run.state.ended()?);
    Some(ended.0.saturating_sub(started.0))
}

/// A metric of a run.
#[derive(Debug, Serialize)]
pub(crate) struct MetricDocument {
    pub(crate) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<Value>,
    pub(crate) last: Value,
    pub(crate) min: Option<Value>,
    pub(crate) max: Option<Value>,
    pub(crate) mean: Option<Value>,
    pub(crate) count: u64,
    pub(crate) first_step: i64,
    pub(crate) last_step: i64,
    pub(crate) last_time: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) nan: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) infinite: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl MetricDocument {
    /// What is known of a series.
    pub(crate) fn of(key: &str, context: &str, summary: &SeriesSummary) -> Self {
        Self {
            key: key.to_owned(),
            context: serde_json::from_str(context).ok(),
            last: figures::json(summary.last.value),
            min: summary.min().map(figures::json),
            max: summary.max().map(figures::json),
            mean: summary.mean().map(figures::json),
            count: summary.count,
            first_step: summary.first_step,
            last_step: summary.last.step,
            last_time: summary.last_time.to_string(),
            nan: summary.nan,
            infinite: summary.pos_inf + summary.neg_inf,
        }
    }
}

/// A note of a run, an experiment or a project.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NoteDocument {
    pub(crate) namespace: String,
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) tags: Vec<String>,
    pub(crate) data: Value,
}

impl NoteDocument {
    /// All notes that are there.
    pub(crate) fn all(annotations: &Annotations) -> Vec<Self> {
        let notes = annotations.notes.values();
        notes
            .filter_map(|note| {
                let note = &note.value;
                Some(Self {
                    namespace: note.namespace.clone(),
                    key: note.key.clone(),
                    text: note.text.clone()?,
                    tags: note.tags.clone(),
                    data: note.data.clone(),
                })
            })
            .collect()
    }

    /// What it is called: `Note`, `Note next`, `Note plans/next`, with its labels.
    pub(crate) fn title(&self) -> String {
        let place = match (self.namespace.as_str(), self.key.as_str()) {
            ("default", "") => "Note".to_owned(),
            ("default", key) => format!("Note {key}"),
            (namespace, key) => format!("Note {namespace}/{key}"),
        };
        if self.tags.is_empty() {
            return place;
        }
        format!("{place} ({})", self.tags.join(", "))
    }

    /// Its text, and its data as JSON.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.text.lines().map(str::to_owned).collect();
        if !self.data.is_null() {
            lines.push(self.data.to_string());
        }
        lines
    }
}

/// A param as JSON: a number keeps the text that it was written with.
pub(crate) fn param(param: &Param) -> Box<RawValue> {
    let exact = match param.kind {
        ParamKind::Number | ParamKind::Bool | ParamKind::Null => {
            RawValue::from_string(param.text.clone()).ok()
        }
        ParamKind::Text => None,
    };
    exact.unwrap_or_else(|| {
        let value = match param.number() {
            Some(number) => figures::json(number),
            None => Value::from(param.text.clone()),
        };
        RawValue::from_string(value.to_string()).expect("a value prints as JSON")
    })
}

/// All params of a run as JSON.
pub(crate) fn params(run: &RunRow) -> BTreeMap<String, Box<RawValue>> {
    let params = run.state.params.iter();
    params
        .map(|(key, held)| (key.clone(), param(held.param())))
        .collect()
}
