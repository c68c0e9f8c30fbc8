//! The tree of a YAML text, with the place of every node.
//!
//! Anchors, aliases and merge keys (`<<`) are resolved here. Not here: what keys mean.
//! Invariant: a tree has at most [`MOST_NODES`] nodes, aliases counted as often as they are used, and
//! at most [`DEEPEST`] levels, so that later recursion is safe; keys of one map differ.

use saphyr_parser::{Event, Marker, Parser};
use serde_json::Value;

use super::builder::Builder;
use super::error::{Position, Problem};
use super::reading::Format;
use crate::canonical;
use crate::record::{Param, ParamKind};

/// The longest text, in bytes.
pub(super) const LONGEST_TEXT: usize = 1 << 20;
/// The most nodes in a tree, with aliases expanded.
pub(super) const MOST_NODES: usize = 100_000;
/// The most levels in a tree.
pub(super) const DEEPEST: usize = 32;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) shape: Shape,
    pub(super) nodes: usize,
    pub(super) levels: usize,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Scalar(Param),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Position,
    pub(crate) value: Node,
}

/// What stops the reading of a tree, in a box because it is rare and large.
#[derive(Debug)]
pub(crate) struct Stop(pub(super) Box<(Position, Problem)>);

impl Stop {
    pub(super) fn at(at: Position, problem: Problem) -> Self {
        Self(Box::new((at, problem)))
    }
}

impl Node {
    /// It as JSON; numbers as they mean.
    pub(crate) fn to_json(&self) -> Value {
        match &self.shape {
            Shape::Scalar(param) => match param.kind {
                ParamKind::Text => Value::String(param.text.clone()),
                ParamKind::Null => Value::Null,
                ParamKind::Bool => Value::Bool(param.text.eq_ignore_ascii_case("true")),
                ParamKind::Number => canonical::number_value(&param.text),
            },
            Shape::List(items) => items.iter().map(Self::to_json).collect(),
            Shape::Map(entries) => {
                let entries = entries.iter();
                let entries = entries.map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(entries.collect())
            }
        }
    }

    /// What it is, in words, for errors.
    pub(crate) fn found(&self) -> String {
        match &self.shape {
            Shape::Scalar(param) => match param.kind {
                ParamKind::Null => "nothing".to_owned(),
                ParamKind::Text if param.text.is_empty() => "an empty text".to_owned(),
                ParamKind::Text => format!("the text `{}`", shortened(&param.text)),
                ParamKind::Number => format!("the number {}", shortened(&param.text)),
                ParamKind::Bool => param.text.clone(),
            },
            Shape::List(_) => "a list".to_owned(),
            Shape::Map(_) => "a map".to_owned(),
        }
    }
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Reads one document.
pub(super) fn read(text: &str, format: &Format) -> Result<Node, Stop> {
    let start = Position { line: 1, column: 1 };
    if text.len() > LONGEST_TEXT {
        let (what, limit) = ("the file is too long, in bytes", LONGEST_TEXT as u64);
        return Err(Stop::at(start, Problem::TooMuch { what, limit }));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::default();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| syntax(text, *error.marker(), error.info()))?;
        let at = position(span.start);
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                return Err(Stop::at(at, Problem::SecondDocument));
            }
        }
        builder.event(event, at)?;
    }
    match builder.root() {
        Some(root) if !is_nothing(&root) => Ok(root),
        Some(_) | None => {
            let (kind, needs) = (format.kind, format.needs);
            Err(Stop::at(start, Problem::Empty { kind, needs }))
        }
    }
}

fn is_nothing(node: &Node) -> bool {
    match &node.shape {
        Shape::Scalar(param) => param.kind == ParamKind::Null,
        Shape::Map(entries) => entries.is_empty(),
        Shape::List(_) => false,
    }
}

fn position(marker: Marker) -> Position {
    Position {
        line: marker.line().max(1),
        column: marker.col() + 1,
    }
}

fn syntax(text: &str, marker: Marker, info: &str) -> Stop {
    let at = position(marker);
    let tab = text
        .lines()
        .nth(at.line - 1)
        .is_some_and(|line| line.trim_start_matches(' ').starts_with('\t'));
    let found = info.to_owned();
    Stop::at(at, Problem::Syntax { found, tab })
}
