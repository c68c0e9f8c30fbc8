//! Records of a run: points of its metrics, events, judged items, console output, artifacts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::number::Number;
use crate::route::Route;

/// Reads [`History`].
pub const METRIC: Route = Route::get("/api/v1/runs/{run}/metrics", "get_metric")
    .about("The points of one metric of a run, in order")
    .query::<MetricQuery>()
    .gives::<History>();

/// Reads [`Events`].
pub const EVENTS: Route = Route::get("/api/v1/runs/{run}/events", "get_events")
    .about("Events of a run, the oldest first")
    .query::<PageQuery>()
    .gives::<Events>();

/// Reads [`Items`].
pub const ITEMS: Route = Route::get("/api/v1/runs/{run}/items", "get_items")
    .about("Judged items of a run, the oldest first")
    .query::<PageQuery>()
    .gives::<Items>();

/// Reads [`Logs`].
pub const LOGS: Route = Route::get("/api/v1/runs/{run}/logs", "get_logs")
    .about("Console output of a run by lines")
    .query::<PageQuery>()
    .gives::<Logs>();

/// Reads [`Artifacts`].
pub const ARTIFACTS: Route = Route::get("/api/v1/runs/{run}/artifacts", "get_artifacts")
    .about("The files of a run")
    .gives::<Artifacts>();

/// The routes of the resource.
pub const ROUTES: &[&Route] = &[&METRIC, &EVENTS, &ITEMS, &LOGS, &ARTIFACTS];

/// Which points are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricQuery {
    /// The metric.
    pub key: String,
    /// Its context as JSON; the one without where nothing is said.
    #[serde(default)]
    pub context: String,
    /// Points passed over.
    #[serde(default)]
    pub offset: u64,
    /// Points at most, up to 100,000; 1,000 by default.
    pub limit: Option<u64>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// So many passed over.
    #[serde(default)]
    pub offset: u64,
    /// So many at most, up to 100,000; 1,000 by default.
    pub limit: Option<u64>,
}

/// Points of a metric as columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// How many points there are in all.
    pub total: u64,
    /// Steps.
    pub steps: Vec<i64>,
    /// Milliseconds since 1970, UTC.
    pub times_ms: Vec<i64>,
    /// Values.
    pub values: Vec<Number>,
}

/// Some of the events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Events {
    /// How many there are in all.
    pub total: u64,
    /// Those asked for.
    pub events: Vec<Event>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// When it was recorded.
    pub time: String,
    /// An open word.
    pub kind: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: Option<String>,
    /// Text for people.
    pub text: String,
    /// The step at which it happened.
    pub step: Option<i64>,
    /// Everything else.
    pub data: Value,
}

/// Some of the items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Items {
    /// How many there are in all.
    pub total: u64,
    /// Those asked for.
    pub items: Vec<Item>,
}

/// A judged answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// When it was recorded.
    pub time: String,
    /// Its id in its dataset.
    pub id: String,
    /// Which repeat.
    pub repeat: Option<u64>,
    /// Labels by name.
    pub labels: BTreeMap<String, String>,
    /// Scores by name: numbers, true or false, texts.
    pub scores: BTreeMap<String, Value>,
    /// The score that counts.
    pub primary: Option<String>,
    /// The expected answer.
    pub expected: Option<String>,
    /// The given answer.
    pub predicted: Option<String>,
    /// Milliseconds to the answer.
    pub latency_ms: Option<Number>,
    /// Money.
    pub cost: Option<Number>,
    /// Why there is no answer.
    pub error: Option<crate::runs::Failure>,
}

/// Some of the console output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Logs {
    /// How many lines there are in all.
    pub total: u64,
    /// Lines passed over.
    pub offset: u64,
    /// Those asked for.
    pub lines: Vec<LogLine>,
}

/// A line of console output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// When its beginning was recorded.
    pub time: String,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// What it says, without its end.
    pub text: String,
}

/// The files of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifacts {
    /// By path.
    pub artifacts: Vec<Artifact>,
}

/// A file of a run, in its newest version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// Where it is in the run.
    pub path: String,
    /// What it is.
    pub r#type: Option<String>,
    /// What it is for.
    pub role: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Its content; null where its bytes are elsewhere.
    pub sha256: Option<String>,
    /// Where its bytes are, if elsewhere.
    pub uri: Option<String>,
    /// The step that it belongs to.
    pub step: Option<i64>,
    /// What somebody said of it.
    pub description: Option<String>,
    /// How many versions are kept.
    pub versions: u64,
}
