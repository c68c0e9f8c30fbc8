//! A config as the YAML text that people write.
//!
//! Not here: comments and order of the file that it once came from. Invariant: the text reads back as an equal
//! config, numbers of params with their source text.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::document::Config;
use super::params;
use crate::criteria::Criterion;
use crate::record::ParamKind;
use crate::yaml::scalar;

impl Config {
    /// The text of a config file.
    pub fn file(&self) -> String {
        let mut document = self.document();
        if let Some(whole) = document.as_object_mut() {
            if let Some(task) = whole.get_mut("task").and_then(Value::as_object_mut)
                && let Some(timeout) = task.remove("timeout_ms")
            {
                task.insert("timeout".to_owned(), format!("{timeout}ms").into());
            }
            let criteria = self.success_criteria.iter().map(criterion);
            if !self.success_criteria.is_empty() {
                whole.insert("success_criteria".to_owned(), criteria.collect());
            }
            whole.retain(|_, value| !value.is_null());
        }
        let mut out = String::new();
        write_node(&document, 0, &mut out);
        out
    }
}

fn criterion(criterion: &Criterion) -> Value {
    json!({
        "metric": criterion.metric,
        "condition": criterion.condition.to_string(),
    })
}

/// Appends a value that begins a line of its own.
fn write_node(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                indent(depth, out);
                write_entry(key, value, depth, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                indent(depth, out);
                write_item(item, depth, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            indent(depth, out);
            out.push_str(&plain(value));
            out.push('\n');
        }
    }
}

fn write_entry(key: &str, value: &Value, depth: usize, out: &mut String) {
    out.push_str(&text(key));
    out.push(':');
    write_below(value, depth, out);
}

/// What stands behind a key: on its line, or deeper on the next ones.
fn write_below(value: &Value, depth: usize, out: &mut String) {
    match nested(value) {
        Some(value) => {
            out.push('\n');
            write_node(value, depth + 1, out);
        }
        None => {
            writeln!(out, " {}", plain(value)).expect("a string takes all");
        }
    }
}

/// An entry of a list; the first key of a map stands on the line of the dash.
fn write_item(item: &Value, depth: usize, out: &mut String) {
    match nested(item) {
        Some(Value::Object(map)) => {
            out.push_str("- ");
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    indent(depth + 1, out);
                }
                write_entry(key, value, depth + 1, out);
            }
        }
        Some(list) => {
            out.push_str("-\n");
            write_node(list, depth + 1, out);
        }
        None => {
            writeln!(out, "- {}", plain(item)).expect("a string takes all");
        }
    }
}

/// A map or a list that has entries and is no param.
fn nested(value: &Value) -> Option<&Value> {
    let has_entries = match value {
        Value::Object(map) => !map.is_empty() && number(map).is_none(),
        Value::Array(items) => !items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    has_entries.then_some(value)
}

/// The source text of a number that JSON prints otherwise.
fn number(map: &Map<String, Value>) -> Option<String> {
    let param = params::from_value(&Value::Object(map.clone()))?;
    (param.kind == ParamKind::Number).then_some(param.text)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(value) => text(value),
        Value::Object(map) => number(map).unwrap_or_else(|| value.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}

/// A text without quotes where it reads as that text anyway.
fn text(text: &str) -> String {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_./ -".contains(letter);
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let bare = begins
        && text.chars().all(is_word)
        && !text.ends_with(' ')
        && scalar::plain(text).kind == ParamKind::Text;
    if bare {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::parse;

    fn check(text: &str) -> String {
        let config = parse(text, "given").unwrap().config;
        let file = config.file();
        let again = parse(&file, "written").unwrap_or_else(|error| panic!("{error}\n{file}"));
        assert_eq!(again.config, config, "{file}");
        file
    }

    #[test]
    fn a_whole_config_reads_back() {
        let file = check(
            "
experiment: {id: EXP-001, name: 'a: b', description: \"two\\nlines\", tags: {x: '', y: 'yes'}}
task:
  command: [python, -c, 'print(\"{lr}\")', '{{x}}', '']
  cwd: work
  env: {A: '1', B: ' b '}
  timeout: 1.5h
variations:
  - {name: one, params: {lr: 3.10, big: 1e400, on: true, none: null, text: 'true', odd: nan, neg: -0.0}}
  - {name: '2', params: {lr: 1, opt: {name: adam}}, baseline: true}
trials: 3
metrics: [loss, {key: latency, unit: ms, goal: min}]
success_criteria: [{metric: loss, condition: '< 0.05'}, 'latency <= 1.5s']
environment: {python_version: 3.12, git_commit: '0123'}
random_seed: 7
seed_policy: paired
",
        );
        assert!(file.contains("lr: 3.10\n"), "{file}");
        assert!(file.contains("  command:\n    - python\n"), "{file}");
    }

    proptest! {
        #[test]
        fn any_texts_read_back(
            name in "[ -~äß\u{1f980}\\n\\t]{1,12}", value in ".{0,12}", key in "[a-z][a-z #:'-]{0,5}[a-z]",
        ) {
            prop_assume!(!name.trim().is_empty() && !value.contains('\0'));
            let quoted = |text: &str| Value::from(text).to_string();
            let text = format!(
                "experiment: {{name: {}}}\ntask: {{command: [x]}}\nvariations: [{{name: v, params: {{{}: {}}}}}]",
                quoted(&name), quoted(&key), quoted(&value),
            );
            let Ok(parsed) = parse(&text, "given") else { return Ok(()) };
            let file = parsed.config.file();
            let again = parse(&file, "written");
            prop_assert!(again.is_ok(), "{:?}\n{}", again, file);
            prop_assert_eq!(again.unwrap().config, parsed.config, "{}", file);
        }
    }
}
