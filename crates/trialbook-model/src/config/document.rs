//! The config as data: what is stored with an experiment and read back.
//!
//! Not here: reading YAML. Invariant: names of variations differ and are not empty, `trials` is at
//! least 1, and a document written by this type reads back equal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::params::{self, Params};
use crate::canonical;
use crate::capture::Part;
use crate::criteria::Criterion;
use crate::record::Goal;
use crate::secret;
use crate::seed::SeedPolicy;

/// A whole experiment: what is run, how often, and what is expected of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Names and words.
    pub experiment: Experiment,
    /// What each run does.
    pub task: Task,
    /// What differs between runs; at least one. A matrix is already expanded.
    pub variations: Vec<Variation>,
    /// Runs of each variation, at least 1.
    pub trials: u32,
    /// The metrics that are expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// What the metrics have to reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_criteria: Vec<Criterion>,
    /// What the surroundings are said to be; compared with what is found.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "params::as_map"
    )]
    pub environment: Params,
    /// The base of all seeds; `None` lets the caller draw one and record it.
    #[serde(default)]
    pub random_seed: Option<u64>,
    /// How trials get their seeds.
    #[serde(default)]
    pub seed_policy: SeedPolicy,
    /// What is captured around the runs, where the config says so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capture: BTreeMap<Part, bool>,
}

/// Names and words about an experiment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Experiment {
    /// The user's own id, such as `EXP-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name; the id where the config has no name.
    pub name: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was made, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The project it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Tags with their values, which may be empty.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "params::texts_as_map"
    )]
    pub tags: Vec<(String, String)>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// What a run does.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Task {
    /// The task's name, under which it is found when there is no command.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where its data is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_path: Option<String>,
    /// Program and arguments, each a template; empty when the type names the task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The folder it runs in, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Environment variables, each value a template.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "params::texts_as_map"
    )]
    pub env: Vec<(String, String)>,
    /// The longest time of one run, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

impl Task {
    /// All templates of the task with the keys that lead there.
    pub fn templates(&self) -> impl Iterator<Item = (String, &str)> {
        let command = self.command.iter().enumerate();
        command
            .map(|(at, word)| (format!("task.command[{at}]"), word.as_str()))
            .chain(
                self.cwd
                    .iter()
                    .map(|cwd| ("task.cwd".to_owned(), cwd.as_str())),
            )
            .chain(
                self.env
                    .iter()
                    .map(|(name, value)| (format!("task.env.{name}"), value.as_str())),
            )
    }
}

/// A named set of params.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variation {
    /// Its name, unlike all others.
    pub name: String,
    /// Its params in the order of the config, nested ones flattened with dots.
    #[serde(default, with = "params::as_map")]
    pub params: Params,
    /// Whether the others are compared with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub baseline: bool,
}

/// A metric that runs are expected to report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name.
    pub key: String,
    /// Its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Which direction is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// Whether it is the one that the experiment is about: what is asked of others is exploratory. At most one is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub primary: bool,
}

impl Config {
    /// The whole config as a document.
    pub fn document(&self) -> Value {
        serde_json::to_value(self).expect("all keys of a config are texts and its numbers finite")
    }

    /// The document as it is recorded: without secrets. The command is judged as a command line, where an
    /// option says what the word behind it is.
    pub fn clean_document(&self) -> Value {
        let mut config = self.clone();
        for (name, value) in &mut config.task.env {
            // The names of variables are judged more strictly than those of other things.
            if secret::is_secret_variable(name) && !value.is_empty() {
                secret::MARK.clone_into(value);
            }
        }
        config.task.command = secret::argv(&config.task.command).content;
        secret::json(config.document()).content
    }

    /// SHA-256 over the canonical JSON of what the config means, 64 hex digits. Notes, tags, the time
    /// of creation, the environment and what is captured do not count; `1.0` counts as `1`.
    pub fn hash(&self) -> String {
        let mut document = self.document();
        if let Some(experiment) = document
            .get_mut("experiment")
            .and_then(Value::as_object_mut)
        {
            for left_out in ["notes", "tags", "created"] {
                experiment.remove(left_out);
            }
        }
        if let Some(whole) = document.as_object_mut() {
            whole.remove("environment");
            whole.remove("capture");
            let variations = self.variations.iter().map(|variation| {
                serde_json::json!({
                    "name": variation.name,
                    "params": params::canonical(&variation.params),
                    "baseline": variation.baseline,
                })
            });
            whole.insert("variations".to_owned(), variations.collect());
            let criteria = self.success_criteria.iter().map(|criterion| {
                let sign = criterion.condition.operator.sign();
                serde_json::json!([criterion.metric, sign, criterion.threshold])
            });
            whole.insert("success_criteria".to_owned(), criteria.collect());
        }
        canonical::hash(&document)
    }

    /// The variation that the others are compared with: the marked one, else the first.
    pub fn baseline(&self) -> Option<&Variation> {
        let marked = self.variations.iter().find(|variation| variation.baseline);
        marked.or_else(|| self.variations.first())
    }

    /// How many runs the config asks for.
    pub fn runs(&self) -> u64 {
        self.variations.len() as u64 * u64::from(self.trials)
    }
}
