//! A run as it is answered: info, data, inputs, outputs.
//!
//! It is written straight from the row of the book. What other programs than MLflow's clients recorded is shown in
//! MLflow's words: series with a context bear it in their key, links and commands are tags.
//! Invariant: a tag that a client set is answered as it was set, and stands there once.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use trialbook_model::record::{LinkKind, SeriesKey};
use trialbook_model::state::SeriesSummary;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{ExperimentRow, RunRow};

use super::inputs::{Inputs, Outputs};
use crate::mlflow::names::{
    ARTIFACT_URI, NOTE, PARENT, RUN_NAME, SOURCE, SOURCE_NAME, SOURCE_TYPE, USER, USER_FIELD,
};
use crate::mlflow::status::Stage;
use crate::mlflow::wire::Double;
use crate::mlflow::{experiments, status};

/// What a run's answer is made of.
#[derive(Clone, Copy)]
pub(in crate::mlflow) struct Facts<'a> {
    /// The run.
    pub run: &'a RunRow,
    /// Its experiment.
    pub experiment: &'a ExperimentRow,
    /// Where files are of experiments that say nothing of it.
    pub root: &'a str,
}

/// A run.
#[derive(Serialize)]
pub(in crate::mlflow) struct Run<'a> {
    info: Info<'a>,
    data: Data<'a>,
    inputs: Inputs<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs: Option<Outputs>,
}

impl<'a> Run<'a> {
    /// A run as `runs/get` and searches tell it.
    pub(in crate::mlflow) fn of(facts: Facts<'a>) -> Self {
        Self {
            outputs: Some(Outputs::of(&facts.run.state.lineage)),
            ..Self::created(facts)
        }
    }

    /// A run as its creation tells it.
    pub(in crate::mlflow) fn created(facts: Facts<'a>) -> Self {
        Self {
            info: Info::of(facts),
            data: Data(facts.run),
            inputs: Inputs::of(&facts.run.state.lineage),
            outputs: None,
        }
    }
}

/// What is known of a run without what was logged.
#[derive(Serialize)]
pub(in crate::mlflow) struct Info<'a> {
    run_uuid: Hex,
    run_id: Hex,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_name: Option<&'a str>,
    experiment_id: String,
    user_id: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    artifact_uri: Cow<'a, str>,
    lifecycle_stage: Stage,
}

type Hex = trialbook_model::id::RunUid;

impl<'a> Info<'a> {
    pub(in crate::mlflow) fn of(facts: Facts<'a>) -> Self {
        let state = &facts.run.state;
        let started = state.started().or(state.born);
        let stage = match Stage::of(&state.annotations) {
            Stage::Active => experiments::stage(facts.experiment),
            Stage::Deleted => Stage::Deleted,
        };
        Self {
            run_uuid: facts.run.uid,
            run_id: facts.run.uid,
            run_name: state.name(),
            experiment_id: facts.run.experiment.to_string(),
            user_id: user(facts.run),
            status: status::word(state.status()),
            start_time: started.map(Timestamp::millis),
            end_time: state.ended().map(Timestamp::millis),
            artifact_uri: location(facts),
            lifecycle_stage: stage,
        }
    }
}

/// Where a run's files are.
pub(in crate::mlflow) fn location(facts: Facts<'_>) -> Cow<'_, str> {
    if let Some(uri) = facts.run.state.annotations.text(ARTIFACT_URI) {
        return Cow::Borrowed(uri);
    }
    let experiment = experiments::location(facts.experiment, facts.root);
    let experiment = experiment.trim_end_matches('/');
    Cow::Owned(format!("{experiment}/{}/artifacts", facts.run.uid))
}

/// Who runs it.
fn user(run: &RunRow) -> &str {
    let state = &run.state;
    let told = state.annotations.text(USER_FIELD);
    let signed = || state.actor.as_ref().map(|actor| actor.value.as_str());
    told.or_else(signed).unwrap_or_default()
}

struct Data<'a>(&'a RunRow);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let state = &self.0.state;
        let mut map = serializer.serialize_map(None)?;
        if !state.records.series.is_empty() {
            map.serialize_entry("metrics", &Metrics(self.0))?;
        }
        if !state.params.is_empty() {
            map.serialize_entry("params", &Params(self.0))?;
        }
        let mut tags = tags(self.0).peekable();
        if tags.peek().is_some() {
            map.serialize_entry("tags", &Tags(self.0))?;
        }
        map.end()
    }
}

struct Metrics<'a>(&'a RunRow);

impl Serialize for Metrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let series = self.0.state.records.series.iter();
        serializer.collect_seq(series.map(|(key, summary)| Metric::last(key, summary)))
    }
}

/// A point of a metric.
#[derive(Serialize)]
pub(in crate::mlflow) struct Metric<'a> {
    /// The metric.
    pub key: Cow<'a, str>,
    /// Its value.
    pub value: Double,
    /// In milliseconds.
    pub timestamp: i64,
    /// The step.
    pub step: i64,
}

impl<'a> Metric<'a> {
    fn last(key: &'a SeriesKey, summary: &SeriesSummary) -> Self {
        Self {
            key: key_of(key),
            value: Double(summary.last.value),
            timestamp: summary.last.time.millis(),
            step: summary.last.step,
        }
    }
}

/// A series' name in MLflow, which knows no contexts: `loss{"split":"test"}`.
pub(in crate::mlflow) fn key_of(key: &SeriesKey) -> Cow<'_, str> {
    if key.context.is_empty() {
        Cow::Borrowed(&key.key)
    } else {
        Cow::Owned(key.to_string())
    }
}

/// The series that [`key_of`] gave a name.
pub(in crate::mlflow) fn series_of(name: &str) -> SeriesKey {
    match name.find('{').filter(|_| name.ends_with('}')) {
        Some(at) => SeriesKey {
            key: name[..at].to_owned(),
            context: name[at..].to_owned(),
        },
        None => SeriesKey::plain(name),
    }
}

struct Params<'a>(&'a RunRow);

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let params = self.0.state.params.iter();
        serializer.collect_seq(params.map(|(key, param)| Pair {
            key: Cow::Borrowed(key),
            value: Cow::Borrowed(&param.param().text),
        }))
    }
}

struct Tags<'a>(&'a RunRow);

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(tags(self.0))
    }
}

#[derive(Serialize)]
struct Pair<'a> {
    key: Cow<'a, str>,
    value: Cow<'a, str>,
}

/// All tags: those that are set, and what else is known in MLflow's words.
fn tags(run: &RunRow) -> impl Iterator<Item = Pair<'_>> {
    let set = run.state.annotations.tags();
    let set = set.filter(|(key, _)| *key != RUN_NAME && *key != NOTE);
    let set = set.map(|(key, value)| Pair {
        key: Cow::Borrowed(key),
        value: Cow::Borrowed(value),
    });
    set.chain(known(run).map(|(key, value)| Pair {
        key: Cow::Borrowed(key),
        value,
    }))
}

/// A tag's value, as it is answered.
pub(in crate::mlflow) fn tag<'a>(run: &'a RunRow, key: &str) -> Option<Cow<'a, str>> {
    let found = tags(run).find(|pair| pair.key == key);
    found.map(|pair| pair.value)
}

/// What is known of a run in fields of ours and is a tag in MLflow.
fn known(run: &RunRow) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
    let state = &run.state;
    let annotations = &state.annotations;
    let is_set = |tag: &str| {
        let held = annotations.tags.get(tag);
        held.is_some_and(|held| held.value.is_some())
    };
    let start = state.start();
    let name = state.name().map(|it| (RUN_NAME, Cow::Borrowed(it)));
    let note = annotations.main_note().map(|it| (NOTE, Cow::Borrowed(it)));
    // MLflow's clients say the tag themselves where there is to be one.
    let is_theirs = start.is_some_and(|start| start.source == SOURCE);
    let user = Some(user(run)).filter(|it| !it.is_empty() && !is_theirs && !is_set(USER));
    let user = user.map(|it| (USER, Cow::Borrowed(it)));
    let links = start.map_or(&[][..], |start| &start.links);
    let parent = links.iter().find(|(kind, _)| *kind == LinkKind::Parent);
    let parent = parent.filter(|_| !is_set(PARENT));
    let parent = parent.map(|(_, uid)| (PARENT, Cow::Owned(uid.to_string())));
    let command = start.map(|start| &start.command);
    let command = command.filter(|it| !it.is_empty() && !is_set(SOURCE_NAME));
    let source = command.map(|it| (SOURCE_NAME, Cow::Owned(it.join(" "))));
    let kind =
        (source.is_some() && !is_set(SOURCE_TYPE)).then_some((SOURCE_TYPE, Cow::Borrowed("LOCAL")));
    [name, note, user, parent, source, kind]
        .into_iter()
        .flatten()
}
