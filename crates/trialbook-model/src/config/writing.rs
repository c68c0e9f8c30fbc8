//! A config as YAML again: what is recorded with an experiment, in the form that people write.
//!
//! Not here: comments and the layout of the original, which are not recorded. Invariant: the text reads back
//! to an equal config; equal configs have equal texts.

use std::fmt::Write as _;

use super::{Config, Params};
use crate::record::{Param, ParamKind};

/// A piece of YAML.
enum Node {
    /// Text, in quotes.
    Text(String),
    /// A number, a bool or null, as written.
    Plain(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// The YAML text of a config.
pub fn to_yaml(config: &Config) -> String {
    let mut out = String::new();
    if let Node::Map(entries) = whole(config) {
        write_map(&entries, 0, &mut out);
    }
    out
}

fn whole(config: &Config) -> Node {
    let mut top = vec![
        ("experiment".to_owned(), experiment(config)),
        ("task".to_owned(), task(config)),
        ("variations".to_owned(), variations(config)),
        plain("trials", &config.trials.to_string()),
    ];
    if !config.metrics.is_empty() {
        let metrics = config.metrics.iter().map(metric).collect();
        top.push(("metrics".to_owned(), Node::List(metrics)));
    }
    if !config.success_criteria.is_empty() {
        let criteria = config.success_criteria.iter().map(|criterion| {
            Node::Map(vec![
                text("metric", &criterion.metric),
                text("condition", &criterion.condition.to_string()),
            ])
        });
        top.push((
            "success_criteria".to_owned(),
            Node::List(criteria.collect()),
        ));
    }
    if !config.environment.is_empty() {
        top.push(("environment".to_owned(), params(&config.environment)));
    }
    let seed = config.random_seed.map(|seed| seed.to_string());
    top.push(plain("random_seed", seed.as_deref().unwrap_or("null")));
    let policy = serde_json::to_value(config.seed_policy).ok();
    if let Some(word) = policy.as_ref().and_then(serde_json::Value::as_str) {
        top.push(text("seed_policy", word));
    }
    Node::Map(top)
}

fn text(key: &str, value: &str) -> (String, Node) {
    (key.to_owned(), Node::Text(value.to_owned()))
}

fn plain(key: &str, value: &str) -> (String, Node) {
    (key.to_owned(), Node::Plain(value.to_owned()))
}

fn texts(pairs: &[(String, String)]) -> Node {
    Node::Map(pairs.iter().map(|(key, value)| text(key, value)).collect())
}

fn experiment(config: &Config) -> Node {
    let it = &config.experiment;
    let optional = |key: &str, value: &Option<String>| value.as_deref().map(|it| text(key, it));
    let mut entries: Vec<_> = optional("id", &it.id).into_iter().collect();
    entries.push(text("name", &it.name));
    entries.extend(optional("description", &it.description));
    entries.extend(optional("author", &it.author));
    entries.extend(optional("created", &it.created));
    entries.extend(optional("project", &it.project));
    if !it.tags.is_empty() {
        entries.push(("tags".to_owned(), texts(&it.tags)));
    }
    entries.extend(optional("notes", &it.notes));
    Node::Map(entries)
}

fn task(config: &Config) -> Node {
    let it = &config.task;
    let optional = |key: &str, value: &Option<String>| value.as_deref().map(|it| text(key, it));
    let mut entries: Vec<_> = optional("type", &it.kind).into_iter().collect();
    entries.extend(optional("description", &it.description));
    entries.extend(optional("data_path", &it.data_path));
    if !it.command.is_empty() {
        let words = it.command.iter().map(|word| Node::Text(word.clone()));
        entries.push(("command".to_owned(), Node::List(words.collect())));
    }
    entries.extend(optional("cwd", &it.cwd));
    if !it.env.is_empty() {
        entries.push(("env".to_owned(), texts(&it.env)));
    }
    entries.extend(
        it.timeout_ms
            .map(|timeout| text("timeout", &format!("{timeout}ms"))),
    );
    Node::Map(entries)
}

fn variations(config: &Config) -> Node {
    let each = config.variations.iter().map(|variation| {
        let mut entries = vec![
            text("name", &variation.name),
            ("params".to_owned(), params(&variation.params)),
        ];
        if variation.baseline {
            entries.push(plain("baseline", "true"));
        }
        Node::Map(entries)
    });
    Node::List(each.collect())
}

fn metric(metric: &super::Metric) -> Node {
    if metric.unit.is_none() && metric.goal.is_none() {
        return Node::Text(metric.key.clone());
    }
    let mut entries = vec![text("name", &metric.key)];
    entries.extend(metric.unit.as_deref().map(|unit| text("unit", unit)));
    let goal = metric.goal.map(serde_json::to_value);
    if let Some(Ok(serde_json::Value::String(word))) = goal {
        entries.push(text("goal", &word));
    }
    Node::Map(entries)
}

fn params(params: &Params) -> Node {
    let node = |param: &Param| match param.kind {
        ParamKind::Text => Node::Text(param.text.clone()),
        ParamKind::Number | ParamKind::Bool | ParamKind::Null => Node::Plain(param.text.clone()),
    };
    let each = params.iter().map(|(key, param)| (key.clone(), node(param)));
    Node::Map(each.collect())
}

fn write_map(entries: &[(String, Node)], depth: usize, out: &mut String) {
    for (key, node) in entries {
        indent(depth, out);
        out.push_str(&key_text(key));
        out.push(':');
        write_value(node, depth, out);
    }
}

/// What stands behind a key.
fn write_value(node: &Node, depth: usize, out: &mut String) {
    match node {
        Node::Text(text) => {
            out.push(' ');
            out.push_str(&quoted(text));
            out.push('\n');
        }
        Node::Plain(text) => {
            let shown = if text.is_empty() { "null" } else { text };
            writeln!(out, " {shown}").expect("a string takes all");
        }
        Node::List(items) if items.is_empty() => out.push_str(" []\n"),
        Node::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Node::List(items) => {
            out.push('\n');
            for item in items {
                write_item(item, depth + 1, out);
            }
        }
        Node::Map(entries) => {
            out.push('\n');
            write_map(entries, depth + 1, out);
        }
    }
}

fn write_item(item: &Node, depth: usize, out: &mut String) {
    indent(depth, out);
    out.push('-');
    match item {
        Node::Map(entries) if !entries.is_empty() => {
            let mut inner = String::new();
            write_map(entries, depth + 1, &mut inner);
            // The first key stands beside the dash.
            out.push(' ');
            out.push_str(inner.trim_start());
        }
        Node::Text(_) | Node::Plain(_) | Node::List(_) | Node::Map(_) => {
            write_value(item, depth, out);
        }
    }
}

fn indent(depth: usize, out: &mut String) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// JSON's quotes are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

/// A key as it is where YAML reads it as a text.
fn key_text(key: &str) -> String {
    let mut letters = key.chars();
    let first = letters.next().is_some_and(|it| it.is_ascii_alphabetic());
    let plain = letters.all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '.' | '-'));
    let word = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf",
    ];
    if first && plain && !word.contains(&key.to_ascii_lowercase().as_str()) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn check(text: &str) {
        let config = parse(text, "c.yaml").unwrap().config;
        let written = to_yaml(&config);
        let back =
            parse(&written, "again.yaml").unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert_eq!(back.config, config, "{written}");
        assert_eq!(to_yaml(&back.config), written);
    }

    #[test]
    fn configs_read_back_equal() {
        check(
            "experiment: {id: EXP-001, name: 'A: \"b\" #c', tags: {a: '', b: 'x: y'}, notes: \"two\\nlines\"}\n\
             task: {type: t, command: [python3, 'task.py', '--x={lr}'], timeout: 90s, env: {A: '1', 'b c': ''}}\n\
             variations:\n  - name: one\n    params: {lr: 3.10, n: 5, flag: true, none: null, word: 'true', big: 1e400}\n\
             \x20 - name: two\n    baseline: true\n    params: {lr: 0.1, n: 5, flag: false, none: ~, word: '', 'odd key': a}\n\
             trials: 10\nmetrics: [a_ms, {name: b, unit: '%', goal: max}]\n\
             success_criteria: ['a_ms < 60s', {metric: b, condition: '>= 0.5'}]\n\
             environment: {python_version: '3.13'}\nrandom_seed: 42\nseed_policy: paired\n",
        );
        check(
            "experiment: {name: e}\ntask: {type: t}\nvariations: [{name: v}]\nrandom_seed: null\n",
        );
    }
}
