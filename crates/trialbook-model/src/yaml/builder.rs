//! Building the tree from the parser's events: anchors, aliases, merge keys, tags, limits.
//!
//! Not here: the events themselves. Invariant: a key waits in its map for the very next node.

use std::collections::BTreeMap;

use saphyr_parser::{Event, ScalarStyle, Tag};

use super::error::{Position, Problem};
use super::scalar;
use super::tree::{DEEPEST, Entry, MOST_NODES, Node, Shape, Stop};
use crate::record::{Param, ParamKind};

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

#[derive(Default)]
pub(super) struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    /// Nodes so far, aliases expanded.
    total: usize,
}

impl Builder {
    /// The finished tree; `None` when there was no node.
    pub(super) fn root(self) -> Option<Node> {
        self.root
    }

    pub(super) fn event(&mut self, event: Event<'_>, at: Position) -> Result<(), Stop> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let param = scalar_value(&text, style, tag.as_deref())
                    .ok_or_else(|| Stop::at(at, tag_problem(tag.as_deref())))?;
                let key_kind = if text == "<<" && style == ScalarStyle::Plain {
                    KeyKind::Merge
                } else {
                    KeyKind::Plain
                };
                self.scalar(param, at, anchor, key_kind)
            }
            Event::Alias(anchor) => {
                let node = self
                    .anchors
                    .get(&anchor)
                    .ok_or_else(|| Stop::at(at, Problem::AliasOfItself))?
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
        key_kind: KeyKind,
    ) -> Result<(), Stop> {
        if let Some(Open {
            content: Content::Map { key, .. },
            ..
        }) = self.open.last_mut()
            && key.is_none()
        {
            *key = Some((param.text, at, key_kind));
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
            return Err(Stop::at(at, tag_problem(tag)));
        }
        if let Some(Open {
            content: Content::Map { key: None, .. },
            ..
        }) = self.open.last()
        {
            let found = if expected == "seq" { "a list" } else { "a map" };
            return Err(Stop::at(at, Problem::KeyShape { found }));
        }
        if self.open.len() >= DEEPEST {
            return Err(Stop::at(at, too_deep()));
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
            return Err(Stop::at(at, Problem::TooMuch { what, limit }));
        }
        if self.open.len() + node.levels > DEEPEST {
            return Err(Stop::at(at, too_deep()));
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
                    return Err(Stop::at(at, Problem::KeyShape { found }));
                }
                Some((_, _, KeyKind::Merge)) => merge(node, merged)?,
                Some((key, at, KeyKind::Plain)) => {
                    if let Some(first) = seen.insert(key.clone(), at) {
                        return Err(Stop::at(at, Problem::DuplicateKey { key, first }));
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
        Shape::Scalar(_) => Err(Stop::at(
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
