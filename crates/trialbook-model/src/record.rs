//! What writers say: the operations that frames carry and that the seal folds into the book.
//!
//! An operation is ordered by (time, writer, sequence), never by arrival. Invariant: folding a set of
//! operations gives the same book whatever the order in which spools are sealed.
//! Serialized (MessagePack with field names) every struct here tolerates unknown fields and missing
//! optional ones; the layouts are written down in `docs/format/spool.md`.

mod entry;
mod span;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::Decimal;
use crate::float;
use crate::id::{EntryUid, ExperimentUid, OperationUid, RunUid, Uid, WriterUid};
use crate::status::RunStatus;
use crate::time::Timestamp;

pub use entry::{
    CreateEntry, Dataset, EntryKind, Hidden, LinkModel, ModelRole, SetSecret, UseDataset,
};
pub use span::{Span, SpanForm};

/// What a record is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// One execution.
    Run(RunUid),
    /// A group of runs to be compared.
    Experiment(ExperimentUid),
    /// A project, by name.
    Project(String),
    /// An entry of the register: a collection, a version, a logged model, a webhook.
    Entry(EntryUid),
}

/// A series inside its subject: a metric key and a context (small canonical JSON map, empty by default).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct SeriesKey {
    /// The metric's name, such as `train/loss`.
    pub key: String,
    /// Canonical JSON of a map such as `{"split":"test"}`; the empty text for no context.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub context: String,
}

impl SeriesKey {
    /// A series without context.
    pub fn plain(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            context: String::new(),
        }
    }
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        f.write_str(&self.context)
    }
}

/// The values of one logging call: one step and one time shared by all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// Where they belong.
    pub subject: Subject,
    /// The step, given or numbered by the writer.
    pub step: i64,
    /// The writer's wall clock.
    pub time: Timestamp,
    /// True when an equal (series, step, time, value) is to be kept once (MLflow's rule).
    pub set: bool,
    /// The values; NaN and infinities are data.
    pub values: Vec<(SeriesKey, f64)>,
}

/// How a param's text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParamKind {
    /// Text.
    Text,
    /// A number; the text is as written in the source.
    Number,
    /// `true` or `false`.
    Bool,
    /// No value.
    Null,
}

/// A param's value: the text as written and its kind. Equality is of canonical text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Param {
    /// The text as written, such as `3.10`.
    pub text: String,
    /// How to read it.
    pub kind: ParamKind,
}

impl Param {
    /// A text param.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            kind: ParamKind::Text,
        }
    }

    /// The param of a JSON value, as it was sent: a number keeps its text, a list or a map is text.
    pub fn of_json(raw: &str) -> Result<Self, serde_json::Error> {
        let kind = match raw.as_bytes().first() {
            Some(b'"') => return serde_json::from_str::<String>(raw).map(Self::text),
            Some(b't' | b'f') => ParamKind::Bool,
            Some(b'n') => ParamKind::Null,
            Some(b'-' | b'0'..=b'9') => ParamKind::Number,
            Some(_) | None => ParamKind::Text,
        };
        let text = raw.to_owned();
        Ok(Self { text, kind })
    }

    /// Whether it is the same value: equal kinds and equal canonical text, so that `1` and `1.0` agree, and
    /// numbers that no double tells apart do not.
    pub fn same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && (self.text == other.text
                || self.kind == ParamKind::Number && same_number(&self.text, &other.text))
    }

    /// The number this param means, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self.kind {
            ParamKind::Number => self.text.parse().ok(),
            ParamKind::Text | ParamKind::Bool | ParamKind::Null => None,
        }
    }
}

/// Whether two texts that differ mean the same number.
fn same_number(one: &str, other: &str) -> bool {
    // Whole numbers in their shortest form are as different as their texts.
    let is_plain =
        |text: &str| !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain(one) && is_plain(other) {
        return false;
    }
    match (Decimal::parse(one), Decimal::parse(other)) {
        (Some(one), Some(other)) => one == other,
        // NaN and infinities, which are written in several ways.
        (None, None) => {
            let bits = |text: &str| text.parse::<f64>().ok().map(f64::to_bits);
            bits(one).is_some_and(|one| bits(other) == Some(one))
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Creates an experiment, or names an existing one: the first sealed under (project, name) wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateExperiment {
    /// The experiment's uid as this writer knows it.
    pub experiment: ExperimentUid,
    /// The project's name.
    pub project: String,
    /// The experiment's name.
    pub name: String,
    /// The user's own id, such as `EXP-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Everything else of the experiment: description, author, config document, variations, trials,
    /// criteria, seed policy. JSON, stored as given. Null when the writer only names it.
    #[serde(default)]
    pub document: serde_json::Value,
    /// SHA-256 of the canonical config, if there is one (C-8), 64 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_hash: Option<String>,
}

/// How a run is tied to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// A new attempt of the same planned run.
    RetryOf,
    /// A reproduction (T-8).
    Reproduces,
    /// A child of a run.
    Parent,
}

/// Starts (or plans) a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartRun {
    /// The new run's uid.
    pub run: RunUid,
    /// Its experiment, created or named by an earlier operation of the same writer.
    pub experiment: ExperimentUid,
    /// A name for people; `None` gets a readable default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `run-NNN` given at planning; `None` gets the next number at seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The variation it is a trial of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variation: Option<String>,
    /// Trial number, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<u64>,
    /// Attempt number, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
    /// The seed given to the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Stable key of the planned run (hash of what it does).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// Links to other runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<(LinkKind, RunUid)>,
    /// The command line, argument by argument, after the secret filter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// What kind of program started it, which decides when it counts as stale (`wrapper`, `shell`, `sdk`, `mlflow`).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// When it started; for a planned run, when it was planned.
    pub started: Timestamp,
    /// The state it starts in: `Running`, or `Queued` for a planned one.
    pub status: RunStatus,
}

impl StartRun {
    /// The start of a run of which nothing more is said; the caller fills in what it knows.
    pub fn of(run: RunUid) -> Self {
        Self {
            run,
            experiment: ExperimentUid::default(),
            name: None,
            number: None,
            variation: None,
            trial: None,
            attempt: None,
            seed: None,
            run_key: None,
            links: Vec::new(),
            command: Vec::new(),
            source: String::new(),
            started: Timestamp::default(),
            status: RunStatus::Running,
        }
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunError {
    /// A short class, such as `exit(2)`, `timeout`, `ValueError`.
    pub kind: String,
    /// The message.
    pub message: String,
}

/// Moves a run to a state. The latest by (time, writer, sequence) holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetStatus {
    /// The run.
    pub run: RunUid,
    /// The new state.
    pub status: RunStatus,
    /// When it started, if this operation says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// The process's exit code, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
}

/// Sets write-once params: the earliest by (time, writer, sequence) holds; differing later ones are kept
/// behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetParams {
    /// The run.
    pub run: RunUid,
    /// Flattened with dots (T-2).
    pub params: Vec<(String, Param)>,
}

/// Sets or removes tags; the latest holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetTags {
    /// What is tagged.
    pub subject: Subject,
    /// Tag and value; `None` removes the tag.
    pub tags: Vec<(String, Option<String>)>,
}

/// Sets one attribute of a run or experiment by name; the latest holds. Known fields: `name`, `notes`,
/// `description`, `archived` (`true`|`false`), `deleted` (`true`|`false`); of a run `experiment` (the uid of the
/// experiment that it is moved to) and `user` (who runs it), of an experiment `project` (the project that it is moved
/// to) and `artifact_location` (where its runs' files go). Those of entries stand with [`EntryKind`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetField {
    /// What is changed.
    pub subject: Subject,
    /// The field.
    pub field: String,
    /// The new value; null removes it.
    pub value: serde_json::Value,
}

/// A note with key, namespace and tags (T-19), attachable to any noun. The latest of one (subject, namespace, key) holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PutNote {
    /// What it is about.
    pub subject: Subject,
    /// Name inside the namespace; the empty text is the subject's main note.
    pub key: String,
    /// Namespace, `default` where none is given.
    pub namespace: String,
    /// Text; `None` removes the note.
    pub text: Option<String>,
    /// Labels.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Optional structured value.
    #[serde(default)]
    pub data: serde_json::Value,
}

/// A named pointer of a project: baseline, view, alias. The latest of one (project, kind, name) holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetPointer {
    /// The project.
    pub project: String,
    /// `baseline`, `view`, `alias`.
    pub kind: String,
    /// The pointer's name.
    pub name: String,
    /// What it points to or holds; null removes it.
    pub value: serde_json::Value,
}

/// Unit and goal of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DefineMetric {
    /// Where the definition holds: an experiment or a project.
    pub subject: Subject,
    /// The metric.
    pub key: String,
    /// Unit, such as `ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Which direction is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

/// Which direction of a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// Higher is better.
    Max,
    /// Lower is better.
    Min,
    /// Neither.
    None,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Where.
    pub subject: Subject,
    /// An open word: `blocker`, `decision`, `artifact`, `context_request`, `task_start`, `task_end`,
    /// `message`, `error` …
    pub kind: String,
    /// `low`, `medium`, `high`, `critical`, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Text for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Everything else, as given.
    #[serde(default)]
    pub data: serde_json::Value,
    /// Step, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<i64>,
}

/// A piece of console output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// The run.
    pub run: RunUid,
    /// Which stream.
    pub stream: LogStream,
    /// The bytes as text (invalid UTF-8 replaced), with line ends as written.
    pub text: String,
}

/// A console stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One score of an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Score {
    /// Right or wrong.
    Bool(bool),
    /// A number; NaN and infinities are data.
    Number(f64),
    /// A grade.
    Text(String),
}

/// One judged answer (S-34's fields). Missing is missing, never 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The run.
    pub run: RunUid,
    /// The item's id inside its dataset.
    pub id: String,
    /// Repeat of the same item, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u64>,
    /// Attempt, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
    /// Labels such as model, benchmark, domain, type, method, level.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Scores by name.
    #[serde(default)]
    pub scores: BTreeMap<String, Score>,
    /// Name of the score that counts; default `correct`, else the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// Expected answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Given answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<String>,
    /// Input; over 4 KB it stands as `sha256:…` of an artifact blob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Output; as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Milliseconds.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "float::optional"
    )]
    pub latency_ms: Option<f64>,
    /// Tokens in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_in: Option<u64>,
    /// Tokens out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_out: Option<u64>,
    /// Money, in `currency`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "float::optional"
    )]
    pub cost: Option<f64>,
    /// ISO 4217 code; default `USD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Whether the answer came from a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<bool>,
    /// Why it has no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// Agent that answered (C-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Trace id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl Item {
    /// The score that counts: the one named `primary`, else `correct`, else the only one.
    pub fn primary_score(&self) -> Option<&Score> {
        match &self.primary {
            Some(name) => self.scores.get(name),
            None => self.scores.get("correct").or_else(|| {
                let mut scores = self.scores.values();
                scores.next().filter(|_| scores.next().is_none())
            }),
        }
    }
}

/// A later judgement of an item: the latest of one (run, item, scorer) counts, history stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assess {
    /// The run.
    pub run: RunUid,
    /// The item's id.
    pub item: String,
    /// Score name.
    pub scorer: String,
    /// Person or program that judged.
    pub source: String,
    /// The judgement.
    pub score: Score,
}

/// A file of a run. A path logged again makes a newer version; older ones are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PutArtifact {
    /// Where.
    pub subject: Subject,
    /// Path inside the subject, `/`-separated, relative, without `..`.
    pub path: String,
    /// 64 hex digits; `None` only for references to bytes elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Where the bytes are, for references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// `model`, `plot`, `data`, `report`, `log`, `other`; open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// `best`, `last`; open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Step it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<i64>,
    /// Text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// True removes the path (older versions stay in the history).
    #[serde(default)]
    pub removed: bool,
}

/// Ties a content-addressed snapshot to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkSnapshot {
    /// The run.
    pub run: RunUid,
    /// `environment`, `dataset`, `config`.
    pub kind: String,
    /// SHA-256 of its canonical JSON, 64 hex digits.
    pub sha256: String,
    /// The snapshot itself; `None` when it was sent before.
    #[serde(default)]
    pub document: Option<serde_json::Value>,
}

/// Work done so far (S-66).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The run.
    pub run: RunUid,
    /// Units done.
    #[serde(with = "float")]
    pub done: f64,
    /// Units in all.
    #[serde(default, with = "float::optional")]
    pub total: Option<f64>,
    /// Name of the stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
}

/// What a writer counted, sent with heartbeats and at its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The run.
    pub run: RunUid,
    /// Records accepted by this writer for this run.
    pub accepted: u64,
    /// Records that could not be kept; 0 unless something is wrong.
    pub dropped: u64,
    /// Nanoseconds spent in recording.
    pub cost_ns: u64,
}

/// Removes a run or an entry for good and swallows what arrives later under its uid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Purge {
    /// What is removed: a run or an entry. Of an experiment or a project nothing is removed and nothing swallowed.
    pub subject: Subject,
}

/// One operation of a writer.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is its struct")]
pub enum Op {
    Points(Points),
    CreateExperiment(CreateExperiment),
    StartRun(StartRun),
    SetStatus(SetStatus),
    SetParams(SetParams),
    SetTags(SetTags),
    SetField(SetField),
    PutNote(PutNote),
    SetPointer(SetPointer),
    DefineMetric(DefineMetric),
    Event(Event),
    Log(Log),
    Item(Box<Item>),
    Assess(Assess),
    PutArtifact(PutArtifact),
    LinkSnapshot(LinkSnapshot),
    Progress(Progress),
    Heartbeat(Heartbeat),
    Purge(Purge),
    CreateEntry(Box<CreateEntry>),
    SetSecret(SetSecret),
    UseDataset(Box<UseDataset>),
    LinkModel(LinkModel),
    Span(Span),
    /// A kind this version does not know: kept byte for byte, never dropped.
    Unknown {
        kind: u8,
        /// Flags of its frame that say nothing here.
        flags: u8,
        payload: Vec<u8>,
    },
}

/// An operation with what orders and signs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Signed {
    /// Wall clock of the writer.
    pub time: Timestamp,
    /// Who wrote.
    pub writer: WriterUid,
    /// Position in the writer's stream, from 1, without gaps.
    pub seq: u64,
    /// User, token or host; `None` means the spool header's actor.
    pub actor: Option<String>,
    /// For idempotent retries: an operation with a uid seen before is not applied again.
    pub operation: Option<OperationUid>,
    /// What was said.
    pub op: Op,
}

impl Signed {
    /// What orders operations that speak of the same thing.
    pub fn order(&self) -> (Timestamp, WriterUid, u64) {
        (self.time, self.writer, self.seq)
    }
}

impl Op {
    /// The run, experiment, project or entry it speaks of, if it speaks of one.
    pub fn subject(&self) -> Option<Subject> {
        Some(match self {
            Self::Points(op) => op.subject.clone(),
            Self::CreateExperiment(op) => Subject::Experiment(op.experiment),
            Self::StartRun(op) => Subject::Run(op.run),
            Self::SetStatus(op) => Subject::Run(op.run),
            Self::SetParams(op) => Subject::Run(op.run),
            Self::SetTags(op) => op.subject.clone(),
            Self::SetField(op) => op.subject.clone(),
            Self::PutNote(op) => op.subject.clone(),
            Self::SetPointer(op) => Subject::Project(op.project.clone()),
            Self::DefineMetric(op) => op.subject.clone(),
            Self::Event(op) => op.subject.clone(),
            Self::Log(op) => Subject::Run(op.run),
            Self::Item(op) => Subject::Run(op.run),
            Self::Assess(op) => Subject::Run(op.run),
            Self::PutArtifact(op) => op.subject.clone(),
            Self::LinkSnapshot(op) => Subject::Run(op.run),
            Self::Progress(op) => Subject::Run(op.run),
            Self::Heartbeat(op) => Subject::Run(op.run),
            Self::Purge(op) => op.subject.clone(),
            Self::CreateEntry(op) => Subject::Entry(op.entry),
            Self::SetSecret(op) => Subject::Entry(op.entry),
            Self::UseDataset(op) => Subject::Run(op.run),
            Self::LinkModel(op) => Subject::Run(op.run),
            Self::Span(op) => op.subject.clone(),
            Self::Unknown { .. } => return None,
        })
    }
}

/// The nil uid, for subjects that are not uids.
pub const NIL: Uid = Uid([0; 16]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_are_the_same_by_their_exact_numbers() {
        let number = |text: &str| Param {
            text: text.to_owned(),
            kind: ParamKind::Number,
        };
        for (one, other) in [("1", "1.0"), ("10", "1e1"), ("-0", "0"), ("nan", "NaN")] {
            assert!(number(one).same(&number(other)), "{one} {other}");
        }
        for (one, other) in [
            ("9007199254740992", "9007199254740993"),
            ("0.1", "0.1000000000000000055511151231257827"),
            ("1e400", "inf"),
            ("inf", "-inf"),
        ] {
            assert!(!number(one).same(&number(other)), "{one} {other}");
        }
        assert!(!Param::text("1").same(&Param::text("1.0")));
    }
}
