//! The MD5 config hash of an older tracker, kept so that its books can be imported and recognised.
//!
//! Not for anything new: it leaves out goals, tools, memory and conversation ids. Invariant: equal to
//! the original for every config, which prints numbers as Python does.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use serde_json::Value;

/// An agent, as far as the hash looks at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Its name.
    pub name: String,
    /// The model it uses.
    pub model: String,
    /// The sampling temperature.
    pub temperature: Value,
    /// Its role; the first 20 letters count.
    pub role: String,
}

/// The part of the older tracker's config that its hash covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The agents, in any order.
    pub agents: Vec<Agent>,
    /// `hierarchical` or `sequential`.
    pub process_type: String,
    /// The manager's model, or null.
    pub manager_model: Value,
    /// The manager's temperature, or null.
    pub manager_temperature: Value,
    /// Pairs of task type and agent, in any order.
    pub tasks: Vec<(String, String)>,
    /// How many conversations are sampled.
    pub sample_size: Value,
    /// `sequential` or `random`.
    pub sampling_strategy: String,
    /// The sampling seed, or null.
    pub random_seed: Value,
}

/// The first 12 hex digits of MD5 over `agents|workflow|tasks|dataset`.
pub fn hash(snapshot: &Snapshot) -> String {
    let mut agents: Vec<&Agent> = snapshot.agents.iter().collect();
    agents.sort_by(|left, right| left.name.cmp(&right.name));
    let agents: Vec<String> = agents
        .into_iter()
        .map(|agent| {
            let role: String = agent.role.chars().take(20).collect();
            let temperature = python_text(&agent.temperature);
            format!("{}:{}:{temperature}:{role}", agent.name, agent.model)
        })
        .collect();
    let mut tasks: Vec<&(String, String)> = snapshot.tasks.iter().collect();
    tasks.sort_by(|left, right| left.0.cmp(&right.0));
    let tasks: Vec<String> = tasks
        .into_iter()
        .map(|(kind, agent)| format!("{kind}:{agent}"))
        .collect();
    let text = format!(
        "{}|{}:{}:{}|{}|{}:{}:{}",
        agents.join("_"),
        snapshot.process_type,
        python_text(&snapshot.manager_model),
        python_text(&snapshot.manager_temperature),
        tasks.join("_"),
        python_text(&snapshot.sample_size),
        snapshot.sampling_strategy,
        python_text(&snapshot.random_seed),
    );
    let mut digest = super::hex(&Md5::digest(text.as_bytes()));
    digest.truncate(super::SHOWN_DIGITS);
    digest
}

/// What Python's `str` prints for a value read from JSON.
fn python_text(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map(python_float).unwrap_or_default()
        }
        Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Python's `repr` of a float: the shortest digits that read back, with an exponent of two digits or
/// more below 1e-4 and from 1e16 on.
fn python_float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) || number == 0.0 {
        let plain = number.to_string();
        return if plain.contains('.') {
            plain
        } else {
            format!("{plain}.0")
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let mut text = mantissa.to_owned();
    write!(text, "e{sign}{:02}", exponent.abs()).expect("writing to a text cannot fail");
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn agent(name: &str, model: &str, temperature: f64, role: &str) -> Agent {
        Agent {
            name: name.to_owned(),
            model: model.to_owned(),
            temperature: json!(temperature),
            role: role.to_owned(),
        }
    }

    #[test]
    fn the_originals_own_row_gives_its_own_hash() {
        let task = |kind: &str, agent: &str| (kind.to_owned(), agent.to_owned());
        let snapshot = Snapshot {
            agents: vec![
                agent("supervisor", "gpt-4o", 0.1, "Financial QA Orchestrator"),
                agent(
                    "extractor",
                    "gpt-4o-mini",
                    0.0,
                    "Financial Data Extraction Specialist",
                ),
            ],
            process_type: "hierarchical".to_owned(),
            manager_model: json!("gpt-4o"),
            manager_temperature: json!(0.1),
            tasks: vec![
                task("validation", "validator"),
                task("calculation", "calculator"),
                task("supervision", "supervisor"),
                task("extraction", "extractor"),
            ],
            sample_size: json!(5),
            sampling_strategy: "sequential".to_owned(),
            random_seed: Value::Null,
        };
        assert_eq!(hash(&snapshot), "31f58be7a31c");
    }

    #[test]
    fn numbers_print_as_in_python() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (5.0, "5.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.25e300, "1.25e+300"),
        ] {
            assert_eq!(python_float(number), text);
        }
    }
}
