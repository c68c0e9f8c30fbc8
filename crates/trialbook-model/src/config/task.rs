//! The block `task`: what a run does.
//!
//! Not here: whether templates can be filled in, which needs the variations. Invariant: a task has a
//! command or a type.

use super::command_line;
use super::document::Task;
use super::keys;
use crate::yaml::{Doubt, Fields, Node, Problem, Reading, Shape};

/// `timeout` is the key of that name at the top of the config, which means the same as the task's own.
pub(super) fn read(reading: &mut Reading<'_>, node: &Node, timeout: Option<&Node>) -> Option<Task> {
    let fields = reading.fields(node, "task", keys::TASK)?;
    if fields.get("command").is_none() && fields.get("type").is_none() {
        let (key, expected) = ("command", "program and arguments, or `type`");
        reading.error(
            fields.at,
            &fields.path,
            Problem::MissingKey { key, expected },
        );
    }
    let own_timeout = fields.get("timeout");
    if let (Some(timeout), Some(_)) = (timeout, own_timeout) {
        let (key, other) = ("timeout".to_owned(), "task.timeout".to_owned());
        reading.error(timeout.at, "timeout", Problem::GivenTwice { key, other });
    }
    let timeout_path = if own_timeout.is_some() {
        "task.timeout"
    } else {
        "timeout"
    };
    Some(Task {
        kind: reading.optional_name(&fields, "type"),
        description: reading.optional_text(&fields, "description"),
        data_path: reading.optional_text(&fields, "data_path"),
        command: fields
            .get("command")
            .map_or_else(Vec::new, |node| read_command(reading, node)),
        cwd: read_cwd(reading, &fields),
        env: fields
            .get("env")
            .map_or_else(Vec::new, |node| read_env(reading, node)),
        timeout_ms: own_timeout
            .or(timeout)
            .and_then(|node| reading.milliseconds(node, timeout_path)),
    })
}

fn read_cwd(reading: &mut Reading<'_>, fields: &Fields<'_>) -> Option<String> {
    let node = fields.get("cwd")?;
    reading.places.insert("task.cwd".to_owned(), node.at);
    reading.text(node, "task.cwd")
}

fn read_command(reading: &mut Reading<'_>, node: &Node) -> Vec<String> {
    match &node.shape {
        Shape::List(items) => {
            if items.is_empty() {
                reading.wrong(node, "task.command", "at least the program");
            }
            let words = items.iter().enumerate().map(|(at, item)| {
                let path = format!("task.command[{at}]");
                let word = reading.text(item, &path);
                reading.places.insert(path, item.at);
                word
            });
            words.flatten().collect()
        }
        Shape::Scalar(param) => match command_line::split(&param.text) {
            Ok(words) => {
                for (at, word) in words.iter().enumerate() {
                    let path = format!("task.command[{at}]");
                    if command_line::is_shell_word(word) {
                        let word = word.clone();
                        reading.warn(node.at, "task.command", Doubt::ShellWord { word });
                    }
                    reading.places.insert(path, node.at);
                }
                words
            }
            Err(error) => {
                reading.error(node.at, "task.command", Problem::Command(error));
                Vec::new()
            }
        },
        Shape::Map(_) => {
            reading.wrong(node, "task.command", "a list of words, or one text");
            Vec::new()
        }
    }
}

fn read_env(reading: &mut Reading<'_>, node: &Node) -> Vec<(String, String)> {
    let Shape::Map(entries) = &node.shape else {
        reading.wrong(node, "task.env", "a map of names and texts");
        return Vec::new();
    };
    let mut env = Vec::new();
    for entry in entries {
        let path = format!("task.env.{}", entry.key);
        if entry.key.is_empty() || entry.key.contains(['=', '\0']) {
            let problem = Problem::Value {
                found: format!("the name `{}`", entry.key),
                expected: "a name without `=`".to_owned(),
                hint: None,
            };
            reading.error(entry.at, &path, problem);
        } else if let Some(value) = reading.text(&entry.value, &path) {
            env.push((entry.key.clone(), value));
        }
        reading.places.insert(path, entry.value.at);
    }
    env
}
