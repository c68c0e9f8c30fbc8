//! Runs: found, listed in windows, and one with everything that is known of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::number::Number;
use crate::route::Route;

/// Reads a [`Window`].
pub const LIST: Route = Route::get("/api/v1/runs", "list_runs")
    .about("Find runs, and read some of their values as columns")
    .query::<WindowQuery>()
    .gives::<Window>();

/// Reads a [`Run`].
pub const GET: Route = Route::get("/api/v1/runs/{run}", "get_run")
    .about("One run: by its id, the first digits of it, its handle, or `latest`")
    .gives::<Run>();

/// Starts a run.
pub const START: Route = Route::post("/api/v1/runs", "start_run")
    .about("Start a run; its experiment is made where there is none of that name")
    .takes::<NewRun>()
    .gives::<Run>();

/// Records something of a run.
pub const LOG: Route = Route::post("/api/v1/runs/{run}/log", "log_run")
    .about("Record params, metrics, tags and events of a run, all of them or none")
    .takes::<LogBatch>()
    .gives::<Logged>();

/// Ends a run.
pub const END: Route = Route::post("/api/v1/runs/{run}/end", "end_run")
    .about("End a run")
    .takes::<RunEnd>()
    .gives::<RunHead>();

/// Puts a run into the bin.
pub const DELETE: Route = Route::delete("/api/v1/runs/{run}", "delete_run")
    .about("Put a run into the bin, where it stays for 30 days");

/// Takes a run out of the bin.
pub const RESTORE: Route = Route::post("/api/v1/runs/{run}/restore", "restore_run")
    .about("Take a run out of the bin")
    .gives::<RunHead>();

/// The routes of the resource.
pub const ROUTES: &[&Route] = &[&LIST, &GET, &START, &LOG, &END, &DELETE, &RESTORE];

/// A run to be started.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// Its experiment: a number, an id or a name; the one that every book has where nothing is said.
    pub experiment: Option<String>,
    /// The project of an experiment that is made.
    pub project: Option<String>,
    /// Its name; none where nothing is said.
    pub name: Option<String>,
    /// The arm of the experiment that it is a trial of.
    pub variation: Option<String>,
    /// The seed of its random numbers.
    pub seed: Option<u64>,
    /// Params by key: texts, numbers, true or false; a number keeps the text that it is sent with.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub params: BTreeMap<String, Box<RawValue>>,
    /// Tags by name.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// What is recorded of a run together.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogBatch {
    /// Params by key; one that has another value already is refused.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub params: BTreeMap<String, Box<RawValue>>,
    /// Values of metrics.
    #[serde(default)]
    pub metrics: Vec<Point>,
    /// Tags by name; null removes one.
    #[serde(default)]
    pub tags: BTreeMap<String, Option<String>>,
    /// Events.
    #[serde(default)]
    pub events: Vec<NewEvent>,
}

/// A value of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The metric.
    pub key: String,
    /// The value.
    pub value: Number,
    /// The step; 0 where nothing is said.
    #[serde(default)]
    pub step: i64,
    /// Milliseconds since 1970, UTC; now where nothing is said.
    pub time_ms: Option<i64>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// An open word, such as `decision` or `error`.
    pub kind: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: Option<String>,
    /// Text for people.
    #[serde(default)]
    pub text: String,
    /// The step at which it happened.
    pub step: Option<i64>,
    /// Everything else.
    #[serde(default)]
    pub data: Value,
}

/// How much of a batch was recorded: all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Logged {
    /// Params; those that had the value already count too.
    pub params: u64,
    /// Values of metrics.
    pub metrics: u64,
    /// Tags.
    pub tags: u64,
    /// Events.
    pub events: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunEnd {
    /// `completed`, `failed` or `cancelled`; `completed` where nothing is said.
    pub status: Option<String>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// What its program ended with.
    pub exit_code: Option<i32>,
}

/// Which runs are asked for, and what of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowQuery {
    /// A condition, such as `metrics.loss < 0.5 AND status = 'completed'`.
    pub filter: Option<String>,
    /// What to sort by, such as `loss ASC, started DESC`. Without one the newest come first.
    pub sort: Option<String>,
    /// Only runs of these experiments: numbers, ids or names.
    #[serde(default)]
    pub experiment: Vec<String>,
    /// Which runs by what was done to them; active ones by default.
    #[serde(default)]
    pub shown: Shown,
    /// Columns besides `id`: `status`, `name`, `metrics.loss`, `params.lr`, `tags.stage`.
    #[serde(default)]
    pub cols: Vec<String>,
    /// Runs passed over.
    #[serde(default)]
    pub offset: u64,
    /// Runs at most, up to the server's limit; 100 by default.
    pub limit: Option<u64>,
    /// The version of an earlier window: the order in which runs were found then is kept. One that is not held any
    /// more is answered with 410.
    pub at: Option<u64>,
}

/// Runs by what was done to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Neither archived nor in the bin.
    #[default]
    Active,
    /// All but those in the bin.
    WithArchived,
    /// Only those in the bin.
    Bin,
    /// All.
    All,
}

/// A part of the runs that were found, as columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// How many were found in all.
    pub total: u64,
    /// What `at` of the next window takes, so that both agree.
    pub version: u64,
    /// Runs passed over.
    pub offset: u64,
    /// The ids of the runs, in order.
    pub ids: Vec<String>,
    /// The values of each column, one for each id; null where a run has none.
    pub data: BTreeMap<String, Vec<Value>>,
    /// Keys that were asked for and that no run of the book has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<UnknownKey>,
}

/// A key that no run has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnknownKey {
    /// As it was asked for.
    pub key: String,
    /// A known one that is written alike.
    pub nearest: Option<String>,
}

/// What every list of runs says of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunHead {
    /// 32 hex digits.
    pub id: String,
    /// The number in the book.
    pub no: u64,
    /// Such as `EXP-001/run-014`.
    pub handle: String,
    /// Its name.
    pub name: Option<String>,
    /// The name of its experiment.
    pub experiment: Option<String>,
    /// The project of that.
    pub project: Option<String>,
    /// The number in its experiment.
    pub number: Option<u64>,
    /// `queued`, `running`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// Running, and nothing heard of it for too long.
    pub stale: bool,
    /// When it began.
    pub started: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// From start to end.
    pub duration_ms: Option<i64>,
    /// The arm of the experiment that it is a trial of.
    pub variation: Option<String>,
    /// Which trial.
    pub trial: Option<u64>,
    /// Which attempt at it.
    pub attempt: Option<u64>,
    /// Hidden from lists.
    #[serde(default, skip_serializing_if = "is_false")]
    pub archived: bool,
    /// In the bin.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deleted: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// What a metric of a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// Its key.
    pub key: String,
    /// In which context, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    /// The value of the greatest step.
    pub last: Number,
    /// The least finite value.
    pub min: Option<Number>,
    /// The greatest finite value.
    pub max: Option<Number>,
    /// The mean of the finite values.
    pub mean: Option<Number>,
    /// How many points.
    pub count: u64,
    /// The least step.
    pub first_step: i64,
    /// The greatest step.
    pub last_step: i64,
    /// The latest time.
    pub last_time: String,
    /// How many are no number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nan: u64,
    /// How many are infinite.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub infinite: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A note of a run, an experiment or a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// Whose notes it is among; `default` where nothing else was said.
    pub namespace: String,
    /// Its key; empty for the one without.
    pub key: String,
    /// What it says.
    pub text: String,
    /// Its labels.
    pub tags: Vec<String>,
    /// What programs keep with it; null for nothing.
    pub data: Value,
}

impl Note {
    /// What it is called: `Note`, `Note next`, `Note plans/next`, with its labels.
    pub fn title(&self) -> String {
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
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.text.lines().map(str::to_owned).collect();
        if !self.data.is_null() {
            lines.push(self.data.to_string());
        }
        lines
    }
}

/// Everything that is kept of a run but its long records, which have routes of their own.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON document")]
pub struct Run {
    /// What lists say of it too.
    #[serde(flatten)]
    pub head: RunHead,
    /// Who recorded it.
    pub actor: Option<String>,
    /// The command that was run.
    pub command: Vec<String>,
    /// The seed of its random numbers.
    pub seed: Option<u64>,
    /// What it is known by in its experiment's plan.
    pub run_key: Option<String>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// What its program ended with.
    pub exit_code: Option<i32>,
    /// When it was last heard of.
    pub last_sign_of_life: Option<String>,
    /// Params by key; a number keeps the text that it was written with.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub params: BTreeMap<String, Box<RawValue>>,
    /// Metrics by key and context.
    pub metrics: BTreeMap<String, Metric>,
    /// What follows from what was recorded.
    pub derived: BTreeMap<String, Number>,
    /// Tags by name.
    pub tags: BTreeMap<String, String>,
    /// Fields by name.
    pub fields: BTreeMap<String, Value>,
    /// Notes.
    pub notes: Vec<Note>,
    /// SHA-256 of its snapshots by kind.
    pub snapshots: BTreeMap<String, String>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The kind of error.
    pub kind: String,
    /// What it said.
    pub message: String,
}
