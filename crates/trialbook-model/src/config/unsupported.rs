//! Parts of the format that this version reads and cannot carry out: they are refused by name.
//!
//! What asks for nothing beyond what happens anyway is let through: one attempt, the local engine,
//! priority 0, no dependencies. Invariant: nothing that would change what happens is ignored.

use super::keys;
use crate::record::ParamKind;
use crate::study;
use crate::yaml::{Doubt, Fields, Node, Problem, Reading, Shape, join};

/// The engines of the format; only the first works yet.
const ENGINES: [(&str, &str); 4] = [
    ("local", "local"),
    ("slurm", "slurm"),
    ("ray", "ray"),
    ("kubernetes", "kubernetes"),
];

/// Refuses a study config, key by key; false when the root is none.
pub(super) fn refuse_study(reading: &mut Reading<'_>, root: &Node) -> bool {
    let Shape::Map(entries) = &root.shape else {
        return false;
    };
    let is_study = entries
        .iter()
        .any(|entry| entry.key != "description" && study::TOP.contains(&entry.key.as_str()));
    if !is_study {
        return false;
    }
    let instead = "such studies of language models cannot be run yet; a task with a command can";
    for entry in entries {
        if study::TOP.contains(&entry.key.as_str()) {
            let problem = Problem::NotSupportedYet {
                key: entry.key.clone(),
                instead: Some(instead),
            };
            reading.error(entry.at, "", problem);
        } else if !keys::TOP.contains(&entry.key.as_str()) {
            reading.unknown_key(entry, "", &study::TOP);
        }
    }
    true
}

/// Checks the shape of the optional keys and refuses those that ask for something.
pub(super) fn refuse_keys(reading: &mut Reading<'_>, top: &Fields<'_>) {
    retry(reading, top);
    limits(reading, top);
    engine(reading, top);
    if let Some(node) = top.get("priority") {
        let is_zero = matches!(&node.shape, Shape::Scalar(param) if param.text == "0");
        if !is_zero && is_whole(reading, node) {
            not_yet(reading, top, "priority", None);
        }
    }
    if let Some(node) = top.get("depends_on") {
        let items = reading.list(node, "depends_on", "experiments");
        if !items.is_empty() {
            not_yet(
                reading,
                top,
                "depends_on",
                Some("run the experiments one after the other"),
            );
        }
    }
    if top.get("eval").is_some() {
        not_yet(reading, top, "eval", Some("give a `task` with a command"));
    }
}

fn not_yet(
    reading: &mut Reading<'_>,
    fields: &Fields<'_>,
    key: &str,
    instead: Option<&'static str>,
) {
    let path = fields.path_of(key);
    let problem = Problem::NotSupportedYet {
        key: path.clone(),
        instead,
    };
    reading.error(fields.at_key(key), &path, problem);
}

/// A priority may be negative.
fn is_whole(reading: &mut Reading<'_>, node: &Node) -> bool {
    let whole = matches!(
        &node.shape,
        Shape::Scalar(param) if param.kind == ParamKind::Number && param.text.parse::<i32>().is_ok()
    );
    if !whole {
        reading.wrong(node, "priority", "a whole number");
    }
    whole
}

fn retry(reading: &mut Reading<'_>, top: &Fields<'_>) {
    let Some(node) = top.get("retry") else {
        return;
    };
    let Some(fields) = reading.fields(node, "retry", keys::RETRY) else {
        return;
    };
    if let Some(backoff) = fields.get("backoff") {
        reading.fields(backoff, "retry.backoff", keys::BACKOFF);
    }
    if let Some(classes) = fields.get("on") {
        reading.list(classes, "retry.on", "kinds of failure");
    }
    let path = "retry.max_attempts";
    let Some(attempts) = reading.required(&fields, "max_attempts", "a whole number") else {
        return;
    };
    match reading.whole(attempts, path, 1..=100) {
        None => {}
        Some(1) => {
            for key in ["backoff", "on"] {
                if fields.get(key).is_some() {
                    let key = join("retry", key);
                    reading.warn(node.at, "retry", Doubt::NoEffect { key });
                }
            }
        }
        Some(_) => {
            let instead = "failed runs are run again with `--retry-failed`";
            not_yet(reading, &fields, "max_attempts", Some(instead));
        }
    }
}

fn limits(reading: &mut Reading<'_>, top: &Fields<'_>) {
    let Some(node) = top.get("limits") else {
        return;
    };
    let Some(fields) = reading.fields(node, "limits", keys::LIMITS) else {
        return;
    };
    if let Some(cost) = fields.get("cost") {
        reading.fields(cost, "limits.cost", keys::COST);
    }
    for key in keys::LIMITS {
        if fields.get(key).is_some() {
            let instead = (*key == "concurrent").then_some("give `--jobs N` on the command line");
            not_yet(reading, &fields, key, instead);
        }
    }
}

fn engine(reading: &mut Reading<'_>, top: &Fields<'_>) {
    let Some(node) = top.get("engine") else {
        return;
    };
    let (kind, path) = match &node.shape {
        Shape::Map(_) => {
            let Some(fields) = reading.fields(node, "engine", keys::ENGINE) else {
                return;
            };
            let expected = "one of local, slurm, ray, kubernetes";
            (reading.required(&fields, "kind", expected), "engine.kind")
        }
        Shape::Scalar(_) | Shape::List(_) => (Some(node), "engine"),
    };
    let Some(kind) = kind else {
        return;
    };
    if let Some(name) = reading.one_of(kind, path, &ENGINES)
        && name != "local"
    {
        let problem = Problem::NotSupportedYet {
            key: format!("engine: {name}"),
            instead: Some("`engine: local` runs on this machine"),
        };
        reading.error(kind.at, path, problem);
    }
}
