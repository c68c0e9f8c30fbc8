//! The setup of a run as its user describes it: agents, workflow, tasks, dataset, system (C-1 … C-6).
//!
//! A file in YAML or JSON becomes one document, whose SHA-256 is the run's config hash; `system` belongs to
//! the surroundings and does not count. Not here: what the blocks' own keys mean, reading files.
//! Invariant: agents stand in a map by name, however they were written, so that equal setups have equal hashes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::canonical;
use crate::canonical::legacy;
use crate::config::{ConfigErrors, Params, param_to_value};
use crate::record::Param;
use crate::yaml::{Format, Node, Problem, Reading, Shape};

/// The blocks that make up the config hash.
pub const BLOCKS: [&str; 4] = ["agents", "workflow", "tasks", "dataset"];
/// The block of the surroundings.
pub const SYSTEM: &str = "system";
/// The block of params.
pub const PARAMS: &str = "params";
/// The kind of the snapshot that holds the blocks of the config hash.
pub const SETUP_SNAPSHOT: &str = "setup";

const TOP: &[&str] = &["agents", "workflow", "tasks", "dataset", "system", "params"];

static FORMAT: Format = Format {
    kind: "setup",
    needs: "one of `agents`, `workflow`, `tasks`, `dataset`, `system`, `params`",
    other_words: &[
        ("agent", "agents"),
        ("agent_configs", "agents"),
        ("workflow_config", "workflow"),
        ("task", "tasks"),
        ("task_configs", "tasks"),
        ("dataset_config", "dataset"),
        ("environment", "system"),
    ],
};

/// What a user says of a run's setup.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Setup {
    /// The blocks of the config hash that are given.
    pub blocks: BTreeMap<String, Value>,
    /// The block of the surroundings.
    pub system: Option<Value>,
    /// Params, flattened with dots.
    pub params: Params,
}

impl Setup {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.system.is_none() && self.params.is_empty()
    }

    /// The document of the snapshot; `None` without a block.
    pub fn document(&self) -> Option<Value> {
        let blocks = self.blocks.iter();
        let blocks: Map<String, Value> = blocks
            .map(|(kind, block)| (kind.clone(), block.clone()))
            .collect();
        (!blocks.is_empty()).then_some(Value::Object(blocks))
    }

    /// SHA-256 of the canonical document, 64 hex digits.
    pub fn hash(&self) -> Option<String> {
        self.document().map(|document| canonical::hash(&document))
    }

    /// Takes in another file; what it says holds.
    pub fn extend(&mut self, other: Self) {
        self.blocks.extend(other.blocks);
        self.system = other.system.or(self.system.take());
        self.params.extend(other.params);
    }

    /// A file that reads back as this setup.
    pub fn file(&self) -> Value {
        let mut file = Map::new();
        for kind in BLOCKS {
            if let Some(block) = self.blocks.get(kind) {
                file.insert(kind.to_owned(), block.clone());
            }
        }
        if let Some(system) = &self.system {
            file.insert(SYSTEM.to_owned(), system.clone());
        }
        if !self.params.is_empty() {
            let params = self.params.iter();
            let params = params.map(|(name, param)| (name.clone(), written(param)));
            file.insert(PARAMS.to_owned(), Value::Object(params.collect()));
        }
        Value::Object(file)
    }
}

/// A param in a file; a number that JSON would print otherwise (`3.10`) is a text there.
fn written(param: &Param) -> Value {
    let plain = param_to_value(param);
    if plain.is_object() {
        return Value::String(param.text.clone());
    }
    plain
}

/// Reads a file with several blocks; `file` is its name in errors.
pub fn parse(text: &str, file: &str) -> Result<Setup, ConfigErrors> {
    let mut reading = Reading::new(file, &FORMAT);
    let setup = reading.tree(text).and_then(|root| {
        let top = reading.fields(&root, "", TOP)?;
        let mut setup = Setup::default();
        for kind in TOP {
            if let Some(node) = top.get(kind) {
                take(&mut reading, &mut setup, kind, node);
            }
        }
        Some(setup)
    });
    let read = reading.finish(setup);
    read.map(|(setup, _)| setup)
        .map_err(|errors| ConfigErrors { errors })
}

/// Reads a file that holds one block.
pub fn parse_block(kind: &str, text: &str, file: &str) -> Result<Setup, ConfigErrors> {
    let mut reading = Reading::new(file, &FORMAT);
    let setup = reading.tree(text).map(|root| {
        let mut setup = Setup::default();
        take(&mut reading, &mut setup, kind, &root);
        setup
    });
    let read = reading.finish(setup);
    read.map(|(setup, _)| setup)
        .map_err(|errors| ConfigErrors { errors })
}

/// Whether a block of this name is known.
pub fn is_block(kind: &str) -> bool {
    TOP.contains(&kind)
}

fn take(reading: &mut Reading<'_>, setup: &mut Setup, kind: &str, node: &Node) {
    if kind == PARAMS {
        setup
            .params
            .extend(crate::config::flattened(reading, node, PARAMS));
        return;
    }
    let block = if kind == "agents" {
        agents(reading, node)
    } else if kind == "tasks" {
        Some(node.to_json())
    } else {
        let map = reading.any_fields(node, kind);
        map.map(|_a_map| node.to_json())
    };
    let Some(block) = block else { return };
    if kind == SYSTEM {
        setup.system = Some(block);
    } else {
        setup.blocks.insert(kind.to_owned(), block);
    }
}

/// Agents by name: a map of them, or a list whose entries have a `name`.
fn agents(reading: &mut Reading<'_>, node: &Node) -> Option<Value> {
    let items = match &node.shape {
        Shape::Map(_) => return Some(node.to_json()),
        Shape::List(items) => items,
        Shape::Scalar(_) => {
            reading.wrong(node, "agents", "a list of agents, or a map by name");
            return None;
        }
    };
    let mut agents = Map::new();
    for (at, item) in items.iter().enumerate() {
        let path = format!("agents[{at}]");
        let fields = reading.any_fields(item, &path)?;
        let named = reading.required(&fields, "name", "the agent's name")?;
        let name = reading.name(named, &format!("{path}.name"))?;
        let mut agent = item.to_json();
        if let Some(agent) = agent.as_object_mut() {
            agent.remove("name");
        }
        if agents.insert(name.clone(), agent).is_some() {
            let first = items.first().map_or(node.at, |first| first.at);
            let problem = Problem::DuplicateName {
                what: "agent",
                name,
                first,
            };
            reading.error(item.at, &path, problem);
        }
    }
    Some(Value::Object(agents))
}

/// The hash that an older tracker gave the same setup (C-8), where all that it covers is there.
pub fn legacy_hash(document: &Value) -> Option<String> {
    let text = |block: &Value, key: &str| block.get(key)?.as_str().map(str::to_owned);
    let any = |block: &Value, key: &str| block.get(key).cloned().unwrap_or(Value::Null);
    let agents = document.get("agents")?.as_object()?;
    let agents = agents.iter().map(|(name, agent)| {
        Some(legacy::Agent {
            name: name.clone(),
            model: text(agent, "model")?,
            temperature: python_float(any(agent, "temperature")),
            role: text(agent, "role")?,
        })
    });
    let workflow = document.get("workflow")?;
    let dataset = document.get("dataset")?;
    let tasks = document.get("tasks")?.as_array()?.iter();
    let tasks = tasks.map(|task| Some((text(task, "task_type")?, text(task, "agent_assignment")?)));
    Some(legacy::hash(&legacy::Snapshot {
        agents: agents.collect::<Option<_>>()?,
        process_type: text(workflow, "process_type")?,
        manager_model: any(workflow, "manager_model"),
        manager_temperature: python_float(any(workflow, "manager_temperature")),
        tasks: tasks.collect::<Option<_>>()?,
        sample_size: any(dataset, "sample_size"),
        sampling_strategy: text(dataset, "sampling_strategy")?,
        random_seed: any(dataset, "random_seed"),
    }))
}

/// Temperatures were floats there: `0` was printed as `0.0`.
fn python_float(value: Value) -> Value {
    match value.as_f64().and_then(serde_json::Number::from_f64) {
        Some(float) => Value::Number(float),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "
agents:
  - {name: supervisor, model: gpt-4o, temperature: 0.1, role: Financial QA Orchestrator, tools: []}
  - {name: extractor, model: gpt-4o-mini, temperature: 0.0, role: Financial Data Extraction Specialist}
workflow: {process_type: hierarchical, manager_model: gpt-4o, manager_temperature: 0.1}
tasks:
  - {task_type: validation, agent_assignment: validator}
  - {task_type: calculation, agent_assignment: calculator}
  - {task_type: supervision, agent_assignment: supervisor}
  - {task_type: extraction, agent_assignment: extractor}
dataset: {sample_size: 5, sampling_strategy: sequential, random_seed: null}
system: {api_key_set: true, logging_level: INFO}
params: {lr: 0.10, optimizer: {name: adam}}
";

    #[test]
    fn a_setup_reads_back_from_its_file_and_has_the_older_hash() {
        let setup = parse(TEXT, "setup.yaml").unwrap();
        let document = setup.document().unwrap();
        assert_eq!(document["agents"]["extractor"]["model"], "gpt-4o-mini");
        assert_eq!(legacy_hash(&document).as_deref(), Some("31f58be7a31c"));
        assert_eq!(setup.params[1].0, "optimizer.name");
        let file = setup.file().to_string();
        let again = parse(&file, "again.json").unwrap();
        assert_eq!(again.hash(), setup.hash());
        assert_eq!((again.system, again.blocks), (setup.system, setup.blocks));
        assert_eq!(setup.params[0].1.text, "0.10");
    }

    #[test]
    fn the_hash_is_of_what_is_meant() {
        let hash = |text: &str| parse(text, "f").unwrap().hash().unwrap();
        let list = "agents: [{name: b, temperature: 1.0}, {name: a}]";
        assert_eq!(hash(list), hash("agents: {a: {}, b: {temperature: 1}}"));
        assert_eq!(
            hash(list),
            hash(&format!("{list}\nsystem: {{x: 1}}\nparams: {{y: 2}}"))
        );
        assert_ne!(hash(list), hash("agents: {a: {}, b: {temperature: 2}}"));
        let block = parse_block("agents", "{\"a\": {}}", "f").unwrap();
        assert_eq!(block.document(), Some(json!({"agents": {"a": {}}})));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let check = |text: &str, said: &str| {
            let error = parse(text, "f").unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        };
        check("agent: {}", "unknown key `agent`");
        check("agents: [{model: x}]", "the key `name` is missing");
        check(
            "agents: [{name: a}, {name: a}]",
            "the agent `a` was named before",
        );
        check("agents: 3", "a list of agents, or a map by name");
        check("workflow: fast", "found the text `fast`, expected a map");
        check("", "the file holds no setup");
        check("{", "not readable as YAML");
    }
}
