//! The plan of a study of language models with scrambled benchmarks (S-18 … S-28): read, checked, estimated.
//!
//! Not here: carrying it out, and configs of experiments with a task. Invariant: no key is ignored in silence:
//! what is unknown, or has no effect yet, is a warning.

mod blocks;
mod estimate;
mod models;

use serde::Serialize;
use serde_json::Value;

use crate::canonical;
use crate::config::ConfigErrors;
use crate::record::ParamKind;
use crate::yaml::{Fields, Format, Node, Position, Problem, Reading, Shape, Warning};

pub use estimate::Estimate;

/// The keys at the top of such a file.
pub const TOP: [&str; 13] = [
    "experiment_name",
    "description",
    "research_metadata",
    "models",
    "scrambling",
    "statistical_analysis",
    "tracking",
    "reproducibility",
    "export",
    "benchmarks",
    "execution",
    "optimization",
    "monitoring",
];

static FORMAT: Format = Format {
    kind: "study",
    needs: "`experiment_name` and `models`",
    other_words: &[("name", "experiment_name"), ("model", "models")],
};

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// A program of this machine; it costs nothing.
    Ollama,
    /// A service that is paid by the call.
    Openrouter,
}

/// A model that is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Who answers for it.
    pub provider: Provider,
    /// Its temperature.
    pub temperature: Option<f64>,
    /// The most tokens of an answer.
    pub max_tokens: Option<u64>,
    /// Dollars for a call, where that is said.
    pub price_per_call: Option<f64>,
}

/// How texts are scrambled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scrambling {
    /// How much of a text is changed, in percent.
    pub levels: Vec<f64>,
    /// In what ways.
    pub methods: Vec<String>,
    /// Whether digits stay.
    pub preserve_numbers: bool,
    /// What chance begins with.
    pub random_seed: Option<u64>,
}

impl Default for Scrambling {
    /// What holds where a study says nothing.
    fn default() -> Self {
        Self {
            levels: vec![0.0, 17.0, 33.0, 50.0, 67.0, 83.0, 100.0],
            methods: vec!["character_substitution".to_owned()],
            preserve_numbers: false,
            random_seed: None,
        }
    }
}

/// Questions that are asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Benchmark {
    /// Its name.
    pub name: String,
    /// Files with questions.
    pub paths: Vec<String>,
    /// How many of them are asked.
    pub sample_size: Option<u64>,
}

/// What a publication says of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Research {
    /// The question.
    pub question: Option<String>,
    /// What is expected.
    pub hypothesis: Option<String>,
    /// Who asks.
    pub researcher: Option<String>,
    /// Where.
    pub institution: Option<String>,
}

/// A plan of a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Study {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// What a publication says of it.
    pub research: Research,
    /// The models, at least one.
    pub models: Vec<Model>,
    /// How texts are scrambled.
    pub scrambling: Scrambling,
    /// The benchmarks.
    pub benchmarks: Vec<Benchmark>,
    /// The file as JSON, all keys of it.
    #[serde(skip)]
    pub document: Value,
}

impl Study {
    /// SHA-256 of its canonical document, 64 hex digits.
    pub fn hash(&self) -> String {
        canonical::hash(&self.document)
    }
}

/// Whether a text is the plan of a study rather than the config of an experiment with a task.
pub fn is_study(text: &str) -> bool {
    let keys = text.lines().filter_map(|line| line.split_once(':'));
    let keys: Vec<&str> = keys
        .map(|(key, _)| key.trim_end().trim_matches(['"', '\'']))
        .collect();
    let has = |key: &str| keys.contains(&key);
    !has("task")
        && TOP
            .iter()
            .filter(|key| **key != "description")
            .any(|key| has(key))
}

/// Reads the text of a file; `file` is its name in errors.
pub fn parse(text: &str, file: &str) -> Result<(Study, Vec<Warning>), ConfigErrors> {
    let mut reading = Reading::new(file, &FORMAT);
    let root = reading.tree(text);
    let study = root.and_then(|root| whole(&mut reading, &root));
    reading
        .finish(study)
        .map_err(|errors| ConfigErrors { errors })
}

fn whole(reading: &mut Reading<'_>, root: &Node) -> Option<Study> {
    let top = reading.lenient_fields(root, "", &TOP)?;
    let name = reading.required(&top, "experiment_name", "the study's name");
    let name = name.and_then(|node| reading.name(node, "experiment_name"));
    let models = reading.required(&top, "models", "a list of models");
    let models = models.map(|node| models::read(reading, node));
    blocks::check(reading, &top);
    Some(Study {
        description: reading.optional_text(&top, "description"),
        research: research(reading, &top),
        scrambling: blocks::scrambling(reading, &top),
        benchmarks: blocks::benchmarks(reading, &top),
        name: name?,
        models: models?,
        document: root.to_json(),
    })
}

fn research(reading: &mut Reading<'_>, top: &Fields<'_>) -> Research {
    const KEYS: [&str; 4] = [
        "research_question",
        "hypothesis",
        "researcher_name",
        "institution",
    ];
    let node = top.get("research_metadata");
    let fields = node.and_then(|node| reading.lenient_fields(node, "research_metadata", &KEYS));
    let Some(fields) = fields else {
        return Research::default();
    };
    let mut text = |key| reading.optional_text(&fields, key);
    Research {
        question: text(KEYS[0]),
        hypothesis: text(KEYS[1]),
        researcher: text(KEYS[2]),
        institution: text(KEYS[3]),
    }
}

/// A number in a range, both ends included.
fn number(
    reading: &mut Reading<'_>,
    node: &Node,
    path: &str,
    (low, high): (f64, f64),
) -> Option<f64> {
    let number = match &node.shape {
        Shape::Scalar(param) if param.kind == ParamKind::Number => param.number(),
        Shape::Scalar(_) | Shape::List(_) | Shape::Map(_) => None,
    };
    let number = number.filter(|number| (low..=high).contains(number));
    if number.is_none() {
        let expected = if high.is_finite() {
            format!("a number from {low} to {high}")
        } else {
            format!("a number from {low} on")
        };
        reading.wrong(node, path, expected);
    }
    number
}

/// The same name for the second time.
fn twice(
    reading: &mut Reading<'_>,
    what: &'static str,
    name: &str,
    (at, first): (Position, Position),
) {
    let name = name.to_owned();
    reading.error(at, "", Problem::DuplicateName { what, name, first });
}

#[cfg(test)]
mod tests;
