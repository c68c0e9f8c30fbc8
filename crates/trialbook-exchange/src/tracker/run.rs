//! One of the tracker's experiments as a run.
//!
//! Invariant: ids follow from the tracker's own.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use trialbook_model::canonical::{self, legacy};
use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{
    CreateExperiment, Event, LinkSnapshot, Op, Points, PutNote, SeriesKey, SetParams, SetPointer,
    SetStatus, SetTags, StartRun, Subject,
};
use trialbook_model::secret;
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use crate::gather::Sink;
use crate::gather::whole::Whole;
use crate::layout::flatten;
use crate::record::{Record, Said};

/// The experiment that all of the tracker's runs come into.
const NAME: &str = "enhanced-tracker";

/// What the tracker knew of one of its experiments.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) id: String,
    pub(super) time: Timestamp,
    pub(super) config_hash: Option<String>,
    pub(super) git_commit: Option<String>,
    pub(super) notes: Option<String>,
    /// The config, as complete as it is known.
    pub(super) config: Map<String, Value>,
    /// The environment.
    pub(super) environment: Option<Value>,
    /// Results over all questions.
    pub(super) results: Vec<(String, f64)>,
    /// Results by agent or question type: the word, its value, the metric and its value.
    pub(super) parts: Vec<(&'static str, String, String, f64)>,
    /// Error type, how many, and an example.
    pub(super) errors: Vec<(String, Value, Value)>,
    /// What has no place of its own.
    pub(super) rest: Map<String, Value>,
}

fn uid(parts: &[&str]) -> Uid {
    let mut hash = Sha256::new();
    for part in ["enhanced experiment tracker"].iter().chain(parts) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut uid = [0; 16];
    uid.copy_from_slice(&hash.finalize()[..16]);
    Uid(uid)
}

pub(super) fn experiment_uid() -> ExperimentUid {
    ExperimentUid(uid(&["experiment"]))
}

/// The run of a folder of results: nothing says which of the tracker's experiments it is of.
pub(super) fn results_uid(label: &str) -> RunUid {
    RunUid(uid(&["results", label]))
}

/// The experiment of all runs.
pub(super) fn experiment(time: Timestamp) -> Record {
    Record::Said(Said {
        // The same, whichever of the runs come in.
        time: time.min(Timestamp(0)),
        actor: None,
        op: Op::CreateExperiment(CreateExperiment {
            experiment: experiment_uid(),
            project: DEFAULT_PROJECT.to_owned(),
            name: NAME.to_owned(),
            handle: None,
            document: Value::Null,
            config_hash: None,
        }),
    })
}

impl Past {
    fn run(&self) -> RunUid {
        RunUid(uid(&["run", &self.id]))
    }

    /// The old id as an alias of the run.
    pub(super) fn alias(&self) -> Record {
        Record::Said(Said {
            time: self.time,
            actor: None,
            op: Op::SetPointer(SetPointer {
                project: DEFAULT_PROJECT.to_owned(),
                kind: "alias".to_owned(),
                name: self.id.clone(),
                value: self.run().to_string().into(),
            }),
        })
    }

    /// Adds what a snapshot document knows more.
    pub(super) fn complete(&mut self, other: Self) {
        for (key, value) in other.config {
            // What only the database has of a part stays.
            match (self.config.get_mut(&key), value) {
                (Some(Value::Object(known)), Value::Object(told)) => known.extend(told),
                (_, value) => {
                    self.config.insert(key, value);
                }
            }
        }
        self.environment = other.environment.or(self.environment.take());
        self.notes = self.notes.take().or(other.notes);
        self.git_commit = self.git_commit.take().or(other.git_commit);
        self.config_hash = self.config_hash.take().or(other.config_hash);
        for (key, value) in other.results {
            if !self.results.iter().any(|(known, _)| *known == key) {
                self.results.push((key, value));
            }
        }
        for (key, value) in other.rest {
            self.rest.entry(key).or_insert(value);
        }
    }

    /// A config whose hash is another than the tracker's.
    pub(super) fn doubts(&self) -> Option<String> {
        let told = self.config_hash.as_deref()?;
        let found = legacy::hash(&self.covered()?);
        (found != told).then(|| {
            format!(
                "`{}`: the tracker's config hash is {told}, that of its config {found}",
                self.id
            )
        })
    }

    /// What the tracker's hash covers, where all of it is known.
    fn covered(&self) -> Option<legacy::Snapshot> {
        let texts = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
        let agents = self.config.get("agents")?.as_object()?;
        let agents = agents.iter().map(|(name, agent)| {
            Some(legacy::Agent {
                name: name.clone(),
                model: texts(agent, "model")?,
                temperature: agent.get("temperature")?.clone(),
                role: texts(agent, "role")?,
            })
        });
        let workflow = self.config.get("workflow")?;
        let dataset = self.config.get("dataset")?;
        let tasks = self.config.get("tasks")?.as_object()?;
        let tasks = tasks
            .iter()
            .map(|(kind, task)| Some((kind.clone(), texts(task, "agent_assignment")?)));
        Some(legacy::Snapshot {
            agents: agents.collect::<Option<_>>()?,
            process_type: texts(workflow, "process_type")?,
            manager_model: workflow.get("manager_model")?.clone(),
            manager_temperature: workflow.get("manager_temperature")?.clone(),
            tasks: tasks.collect::<Option<_>>()?,
            sample_size: dataset.get("sample_size")?.clone(),
            sampling_strategy: texts(dataset, "sampling_strategy")?,
            random_seed: dataset.get("random_seed")?.clone(),
        })
    }

    /// Gives its records.
    pub(super) fn give<E>(self, sink: Sink<'_, E>) -> Result<(), E> {
        let run = self.run();
        let mut whole = Whole::new(run);
        let time = self.time;
        let start = StartRun {
            experiment: experiment_uid(),
            name: Some(self.id.clone()),
            source: "import".to_owned(),
            started: time,
            status: RunStatus::Running,
            ..StartRun::of(run)
        };
        whole.say(time, Op::StartRun(start));
        let config = secret::json(Value::Object(self.config)).content;
        let mut params = Vec::new();
        flatten("", &config, &mut params);
        params.retain(|(key, _)| !is_long(key));
        whole.say(time, Op::SetParams(SetParams { run, params }));
        let environment = surroundings(self.environment, self.git_commit);
        for (kind, document) in [("config", Some(config)), ("environment", environment)] {
            let Some(document) = document else { continue };
            let link = LinkSnapshot {
                run,
                kind: kind.to_owned(),
                sha256: canonical::hash(&document),
                document: Some(document),
            };
            whole.say(time, Op::LinkSnapshot(link));
        }
        annotations(&mut whole, run, time, (self.config_hash, self.notes));
        let took = self
            .results
            .iter()
            .find(|(key, _)| key == "total_execution_time");
        let took = took.map_or(0.0, |(_, seconds)| *seconds * 1e6);
        let ended = Timestamp(time.0.saturating_add(took as i64));
        results(&mut whole, run, ended, self.results, self.parts);
        events(&mut whole, run, ended, self.errors, self.rest);
        let end = SetStatus {
            run,
            status: RunStatus::Completed,
            started: None,
            ended: Some(ended),
            error: None,
            exit_code: None,
        };
        whole.say(ended, Op::SetStatus(end));
        whole.give(sink)
    }
}

/// The environment with the commit, without secrets.
fn surroundings(environment: Option<Value>, commit: Option<String>) -> Option<Value> {
    let environment = environment.map(|it| secret::json(it).content);
    let Some(commit) = commit else {
        return environment;
    };
    let mut map = match environment {
        Some(Value::Object(map)) => map,
        Some(other) => Map::from_iter([("environment".to_owned(), other)]),
        None => Map::new(),
    };
    map.entry("git_commit").or_insert(commit.into());
    Some(Value::Object(map))
}

/// The tracker's hash as a tag, and its notes.
fn annotations(
    whole: &mut Whole,
    run: RunUid,
    time: Timestamp,
    (hash, notes): (Option<String>, Option<String>),
) {
    let subject = Subject::Run(run);
    if let Some(hash) = hash {
        let tags = vec![("legacy_config_hash".to_owned(), Some(hash))];
        let subject = subject.clone();
        whole.say(time, Op::SetTags(SetTags { subject, tags }));
    }
    if let Some(text) = notes.filter(|text| !text.is_empty()) {
        let note = PutNote {
            subject,
            key: String::new(),
            namespace: "default".to_owned(),
            text: Some(secret::text(&text).content.into_owned()),
            tags: Vec::new(),
            data: Value::Null,
        };
        whole.say(time, Op::PutNote(note));
    }
}

/// Texts of many lines and lists of ids stay in the snapshot: params are for comparing.
fn is_long(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    [
        "goal",
        "backstory",
        "description_template",
        "expected_output",
        "conversation_ids",
        "step_callback",
    ]
    .contains(&last)
        || key.starts_with("system.")
}

fn results(
    whole: &mut Whole,
    run: RunUid,
    time: Timestamp,
    results: Vec<(String, f64)>,
    parts: Vec<(&'static str, String, String, f64)>,
) {
    let plain = results
        .into_iter()
        .map(|(key, value)| (SeriesKey::plain(key), value));
    let parts = parts.into_iter().map(|(word, name, key, value)| {
        let context = canonical::to_string(&json!({ word: name }));
        (SeriesKey { key, context }, value)
    });
    let points = Points {
        subject: Subject::Run(run),
        step: 0,
        time,
        set: false,
        values: plain.chain(parts).collect(),
    };
    whole.say(time, Op::Points(points));
}

fn events(
    whole: &mut Whole,
    run: RunUid,
    time: Timestamp,
    errors: Vec<(String, Value, Value)>,
    rest: Map<String, Value>,
) {
    let event = |kind: &str, text: String, data: Value| {
        Op::Event(Event {
            subject: Subject::Run(run),
            kind: kind.to_owned(),
            severity: None,
            text,
            data: secret::json(data).content,
            step: None,
        })
    };
    for (kind, count, example) in errors {
        let text = example.as_str().unwrap_or_default();
        let text = secret::text(text).content.into_owned();
        let data = json!({"error_type": kind, "error_count": count});
        whole.say(time, event("error", text, data));
    }
    if !rest.is_empty() {
        let data = Value::Object(rest);
        whole.say(time, event("imported_fields", String::new(), data));
    }
}
