//! The block `experiment`: names and words.
//!
//! Not here: anything that changes what is run. Invariant: an experiment has a name.

use super::document::Experiment;
use super::keys;
use crate::handle::is_reserved;
use crate::yaml::{Node, Problem, Reading, Shape};

pub(super) fn read(reading: &mut Reading<'_>, node: &Node) -> Option<Experiment> {
    let fields = reading.fields(node, "experiment", keys::EXPERIMENT)?;
    let id = fields.get("id").and_then(|node| read_id(reading, node));
    let name = reading.optional_name(&fields, "name");
    if fields.get("id").is_none() && fields.get("name").is_none() {
        let (key, expected) = ("name", "the experiment's name");
        reading.error(
            fields.at,
            &fields.path,
            Problem::MissingKey { key, expected },
        );
    }
    let tags = fields
        .get("tags")
        .map_or_else(Vec::new, |node| read_tags(reading, node));
    let texts = [
        ("id", "experiment.id", id.as_deref()),
        ("name", "experiment.name", name.as_deref()),
    ];
    for (key, path, value) in texts {
        if let (Some(node), true) = (fields.get(key), value.is_some_and(is_reserved)) {
            reading.wrong(node, path, "another word: `latest` means the newest run");
        }
    }
    Some(Experiment {
        name: name.or_else(|| id.clone())?,
        id,
        description: reading.optional_text(&fields, "description"),
        author: reading.optional_text(&fields, "author"),
        created: reading.optional_text(&fields, "created"),
        project: reading.optional_name(&fields, "project"),
        tags,
        notes: reading.optional_text(&fields, "notes"),
    })
}

/// An id is part of handles such as `EXP-001/run-014`, so it has neither slashes nor blanks.
fn read_id(reading: &mut Reading<'_>, node: &Node) -> Option<String> {
    let id = reading.name(node, "experiment.id")?;
    if id.contains('/') || id.contains(char::is_whitespace) {
        reading.wrong(node, "experiment.id", "an id without blanks and slashes");
        return None;
    }
    Some(id)
}

/// A list of tags, or a map of tags and values.
fn read_tags(reading: &mut Reading<'_>, node: &Node) -> Vec<(String, String)> {
    match &node.shape {
        Shape::Map(entries) => entries
            .iter()
            .filter_map(|entry| {
                let path = format!("experiment.tags.{}", entry.key);
                Some((entry.key.clone(), reading.text(&entry.value, &path)?))
            })
            .collect(),
        Shape::List(items) => items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| {
                let tag = reading.name(item, &format!("experiment.tags[{at}]"))?;
                Some((tag, String::new()))
            })
            .collect(),
        Shape::Scalar(_) => {
            reading.wrong(node, "experiment.tags", "a list of tags or a map");
            Vec::new()
        }
    }
}
