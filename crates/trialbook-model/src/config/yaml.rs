//! The tree of a YAML text, with the place of every node.
//!
//! Anchors, aliases and merge keys (`<<`) are resolved here. Not here: what keys mean.
//! Invariant: a tree has at most [`MOST_NODES`] nodes, aliases counted as often as they are used, and
//! at most [`DEEPEST`] levels, so that later recursion is safe; keys of one map differ.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::error::{Position, Problem};
use super::scalar;
use crate::record::{Param, ParamKind};

/// The longest config, in bytes.
pub(super) const LONGEST_TEXT: usize = 1 << 20;
/// The most nodes in a tree, with aliases expanded.
pub(super) const MOST_NODES: usize = 100_000;
/// The most levels in a tree.
pub(super) const DEEPEST: usize = 32;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) shape: Shape,
    nodes: usize,
    levels: usize,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Scalar(Param),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Position,
    pub(super) value: Node,
}

/// What stops the reading of a tree.
pub(super) type Stop = (Position, Problem);

impl Node {
    /// What it is, in words, for errors.
    pub(super) fn found(&self) -> String {
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
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A list or map that is still open.
struct Open {
    at: Position,
    anchor: usize,
    nodes: usize,
    levels: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        merged: Vec<Entry>,
        /// The keys of `entries`.
        seen: BTreeMap<String, Position>,
        /// The key whose value comes next; true when it is the merge key.
        key: Option<(String, Position, KeyKind)>,
    },
}

#[derive(Clone, Copy, PartialEq)]
enum KeyKind {
    Plain,
    Merge,
}

struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    /// Nodes so far, aliases expanded.
    total: usize,
}

/// Reads one document.
pub(super) fn read(text: &str) -> Result<Node, Stop> {
    let start = Position { line: 1, column: 1 };
    if text.len() > LONGEST_TEXT {
        let (what, limit) = ("the file is too long, in bytes", LONGEST_TEXT as u64);
        return Err((start, Problem::TooMuch { what, limit }));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder {
        open: Vec::new(),
        anchors: BTreeMap::new(),
        root: None,
        total: 0,
    };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| syntax(text, *error.marker(), error.info()))?;
        let at = position(span.start);
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                return Err((at, Problem::SecondDocument));
            }
        }
        builder.event(event, at)?;
    }
    match builder.root {
        Some(root) if !is_nothing(&root) => Ok(root),
        Some(_) | None => Err((start, Problem::Empty)),
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
    (at, Problem::Syntax { found, tab })
}

impl Builder {
    fn event(&mut self, event: Event<'_>, at: Position) -> Result<(), Stop> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let param = scalar_value(&text, style, tag.as_deref())
                    .ok_or_else(|| (at, tag_problem(tag.as_deref())))?;
                let merge = text == "<<" && style == ScalarStyle::Plain;
                self.scalar(param, at, anchor, merge)
            }
            Event::Alias(anchor) => {
                let node = self
                    .anchors
                    .get(&anchor)
                    .ok_or((at, Problem::AliasOfItself))?
                    .clone();
                self.add(node, at)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(Content::List(Vec::new()), at, anchor, tag.as_deref())
            }
            Event::MappingStart(anchor, tag) => {
                let content = Content::Map {
                    entries: Vec::new(),
                    merged: Vec::new(),
                    seen: BTreeMap::new(),
                    key: None,
                };
                self.open(content, at, anchor, tag.as_deref())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        param: Param,
        at: Position,
        anchor: usize,
        merge: bool,
    ) -> Result<(), Stop> {
        if let Some(Open {
            content: Content::Map { key, .. },
            ..
        }) = self.open.last_mut()
            && key.is_none()
        {
            let kind = if merge {
                KeyKind::Merge
            } else {
                KeyKind::Plain
            };
            *key = Some((param.text, at, kind));
            return Ok(());
        }
        let node = Node {
            at,
            shape: Shape::Scalar(param),
            nodes: 1,
            levels: 1,
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.add(node, at)
    }

    fn open(
        &mut self,
        content: Content,
        at: Position,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Stop> {
        let expected = match content {
            Content::List(_) => "seq",
            Content::Map { .. } => "map",
        };
        if tag.is_some_and(|tag| !tag.is_yaml_core_schema() || tag.suffix != expected) {
            return Err((at, tag_problem(tag)));
        }
        if let Some(Open {
            content: Content::Map { key: None, .. },
            ..
        }) = self.open.last()
        {
            let found = if expected == "seq" { "a list" } else { "a map" };
            return Err((at, Problem::KeyShape { found }));
        }
        if self.open.len() >= DEEPEST {
            return Err((at, too_deep()));
        }
        self.open.push(Open {
            at,
            anchor,
            nodes: 1,
            levels: 1,
            content,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let shape = match open.content {
            Content::List(items) => Shape::List(items),
            Content::Map {
                mut entries,
                merged,
                mut seen,
                ..
            } => {
                // Own keys win over merged ones, and earlier merges over later ones.
                for entry in merged {
                    if seen.insert(entry.key.clone(), entry.at).is_none() {
                        entries.push(entry);
                    }
                }
                Shape::Map(entries)
            }
        };
        let node = Node {
            at: open.at,
            shape,
            nodes: open.nodes,
            levels: open.levels,
        };
        if open.anchor > 0 {
            self.anchors.insert(open.anchor, node.clone());
        }
        // The children were counted when they were added.
        self.total = self.total.saturating_sub(node.nodes - 1);
        let at = open.at;
        self.add(node, at)
    }

    /// Puts a finished node where it belongs; `at` is where it is used, which may be an alias.
    fn add(&mut self, node: Node, at: Position) -> Result<(), Stop> {
        self.total += node.nodes;
        if self.total > MOST_NODES {
            let (what, limit) = ("too many values", MOST_NODES as u64);
            return Err((at, Problem::TooMuch { what, limit }));
        }
        if self.open.len() + node.levels > DEEPEST {
            return Err((at, too_deep()));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.nodes += node.nodes;
        open.levels = open.levels.max(node.levels + 1);
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map {
                entries,
                merged,
                seen,
                key,
            } => match key.take() {
                None => {
                    let found = "an alias";
                    return Err((at, Problem::KeyShape { found }));
                }
                Some((_, _, KeyKind::Merge)) => merge(node, merged)?,
                Some((key, at, KeyKind::Plain)) => {
                    if let Some(first) = seen.insert(key.clone(), at) {
                        return Err((at, Problem::DuplicateKey { key, first }));
                    }
                    entries.push(Entry {
                        key,
                        at,
                        value: node,
                    });
                }
            },
        }
        Ok(())
    }
}

fn too_deep() -> Problem {
    Problem::TooMuch {
        what: "too many levels",
        limit: DEEPEST as u64,
    }
}

/// Takes over the entries of a map, or of each map in a list.
fn merge(node: Node, merged: &mut Vec<Entry>) -> Result<(), Stop> {
    let found = node.found();
    match node.shape {
        Shape::Map(entries) => {
            merged.extend(entries);
            Ok(())
        }
        Shape::List(items) => items.into_iter().try_for_each(|item| merge(item, merged)),
        Shape::Scalar(_) => Err((
            node.at,
            Problem::Value {
                found,
                expected: "a map to merge".to_owned(),
                hint: None,
            },
        )),
    }
}

/// The value of a scalar; `None` when the tag means nothing or does not fit.
fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Option<Param> {
    let as_text = Param::text(text);
    let Some(tag) = tag else {
        return Some(match style {
            ScalarStyle::Plain => scalar::plain(text),
            ScalarStyle::SingleQuoted
            | ScalarStyle::DoubleQuoted
            | ScalarStyle::Literal
            | ScalarStyle::Folded => as_text,
        });
    };
    // A lone `!` asks for text.
    if tag.handle.is_empty() && tag.suffix == "!" {
        return Some(as_text);
    }
    if !tag.is_yaml_core_schema() {
        return None;
    }
    let kind = match tag.suffix.as_str() {
        "str" => return Some(as_text),
        "int" | "float" => ParamKind::Number,
        "bool" => ParamKind::Bool,
        "null" => ParamKind::Null,
        _ => return None,
    };
    Some(scalar::plain(text)).filter(|param| param.kind == kind)
}

fn tag_problem(tag: Option<&Tag>) -> Problem {
    Problem::Tag {
        tag: tag.map(ToString::to_string).unwrap_or_default(),
    }
}
