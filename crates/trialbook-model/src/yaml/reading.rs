//! Reading a tree of YAML into types: collects errors, so that all are told at once.
//!
//! Not here: what any particular key means. Invariant: a reader that returns `None` or leaves something
//! out has recorded an error.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::error::{Doubt, FileError, Position, Problem, Warning};
use super::tree::{self, Entry, Node, Shape};
use super::units;
use crate::nearest::nearest;
use crate::record::ParamKind;

/// After so many errors no more are collected, and as many warnings.
pub(crate) const MOST_ERRORS: usize = 100;
/// The longest list of anything but variations.
const LONGEST_LIST: usize = 1000;

/// What differs between the formats.
pub(crate) struct Format {
    /// What a file of it is called.
    pub(crate) kind: &'static str,
    /// What such a file needs at least.
    pub(crate) needs: &'static str,
    /// Words that people use for keys of the top, and those keys.
    pub(crate) other_words: &'static [(&'static str, &'static str)],
}

/// What is known while a file is read.
pub(crate) struct Reading<'f> {
    file: &'f str,
    format: &'static Format,
    errors: Vec<FileError>,
    warnings: Vec<Warning>,
    /// Where templates stand, by their path.
    pub(crate) places: BTreeMap<String, Position>,
}

/// A map whose keys are all known.
pub(crate) struct Fields<'n> {
    pub(crate) at: Position,
    pub(crate) path: String,
    entries: &'n [Entry],
}

/// The path of a key inside another path.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

impl<'n> Fields<'n> {
    /// The value of a key; `None` also when it is null.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value).filter(
            |node| !matches!(&node.shape, Shape::Scalar(param) if param.kind == ParamKind::Null),
        )
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Where the key stands; the map's own place when it is not there.
    pub(crate) fn at_key(&self, key: &str) -> Position {
        self.entry(key).map_or(self.at, |entry| entry.at)
    }

    pub(crate) fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }
}

impl<'f> Reading<'f> {
    /// `file` is its name in errors.
    pub(crate) fn new(file: &'f str, format: &'static Format) -> Self {
        Self {
            file,
            format,
            errors: Vec::new(),
            warnings: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    pub(crate) fn error(&mut self, at: Position, path: &str, problem: Problem) {
        if self.collects_more() {
            self.errors.push(FileError {
                file: self.file.to_owned(),
                at,
                path: path.to_owned(),
                problem,
            });
        }
    }

    /// Whether another error would be kept.
    pub(crate) fn collects_more(&self) -> bool {
        self.errors.len() < MOST_ERRORS
    }

    pub(crate) fn warn(&mut self, at: Position, path: &str, doubt: Doubt) {
        if self.warns_more() {
            self.warnings.push(Warning {
                at: Some(at),
                path: path.to_owned(),
                doubt,
            });
        }
    }

    /// Whether another warning would be kept; asked before dear ones are worked out.
    pub(crate) fn warns_more(&self) -> bool {
        self.warnings.len() < MOST_ERRORS
    }

    /// Records that a node is not what was expected.
    pub(crate) fn wrong(&mut self, node: &Node, path: &str, expected: impl Into<String>) {
        self.wrong_because(node, path, expected, None);
    }

    pub(crate) fn wrong_because(
        &mut self,
        node: &Node,
        path: &str,
        expected: impl Into<String>,
        hint: Option<&str>,
    ) {
        let problem = Problem::Value {
            found: node.found(),
            expected: expected.into(),
            hint: hint.map(str::to_owned),
        };
        self.error(node.at, path, problem);
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// The tree of the whole text.
    pub(crate) fn tree(&mut self, text: &str) -> Option<Node> {
        match tree::read(text, self.format) {
            Ok(root) => Some(root),
            Err(stop) => {
                let (at, problem) = *stop.0;
                self.error(at, "", problem);
                None
            }
        }
    }

    /// What was read, with what is odd about it; all errors in the order of the file when there are any.
    pub(crate) fn finish<T>(
        mut self,
        read: Option<T>,
    ) -> Result<(T, Vec<Warning>), Vec<FileError>> {
        match read {
            Some(read) if self.errors.is_empty() => Ok((read, self.warnings)),
            Some(_) | None => {
                self.errors.sort_by_key(|error| error.at);
                Err(self.errors)
            }
        }
    }

    /// A map with known keys only; unknown ones are errors.
    pub(crate) fn fields<'n>(
        &mut self,
        node: &'n Node,
        path: &str,
        known: &[&str],
    ) -> Option<Fields<'n>> {
        let Shape::Map(entries) = &node.shape else {
            let expected = format!("a map with the keys {}", known.join(", "));
            self.wrong(node, path, expected);
            return None;
        };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                self.unknown_key(entry, path, known);
            }
        }
        Some(Fields {
            at: node.at,
            path: path.to_owned(),
            entries,
        })
    }

    /// A map with any keys.
    pub(crate) fn any_fields<'n>(&mut self, node: &'n Node, path: &str) -> Option<Fields<'n>> {
        let Shape::Map(entries) = &node.shape else {
            self.wrong(node, path, "a map");
            return None;
        };
        Some(Fields {
            at: node.at,
            path: path.to_owned(),
            entries,
        })
    }

    /// A map that may have other keys: they are warned of.
    pub(crate) fn lenient_fields<'n>(
        &mut self,
        node: &'n Node,
        path: &str,
        known: &[&str],
    ) -> Option<Fields<'n>> {
        let fields = self.any_fields(node, path)?;
        for entry in fields.entries {
            let is_known = known.contains(&entry.key.as_str());
            if !is_known && self.warns_more() {
                let key = entry.key.clone();
                let nearest = nearest(&key, known).map(str::to_owned);
                let path = join(path, &key);
                self.warn(entry.at, &path, Doubt::UnknownKey { key, nearest });
            }
        }
        Some(fields)
    }

    pub(crate) fn unknown_key(&mut self, entry: &Entry, path: &str, known: &[&str]) {
        if !self.collects_more() {
            return;
        }
        let other_word = self
            .format
            .other_words
            .iter()
            .find(|(word, _)| path.is_empty() && *word == entry.key)
            .map(|(_, ours)| *ours);
        let problem = Problem::UnknownKey {
            key: entry.key.clone(),
            nearest: other_word
                .or_else(|| nearest(&entry.key, known))
                .map(str::to_owned),
            known: known.iter().map(|&key| key.to_owned()).collect(),
        };
        self.error(entry.at, path, problem);
    }

    /// The value of a key that has to be there.
    pub(crate) fn required<'n>(
        &mut self,
        fields: &Fields<'n>,
        key: &'static str,
        expected: &'static str,
    ) -> Option<&'n Node> {
        let found = fields.get(key);
        if found.is_none() {
            let problem = Problem::MissingKey { key, expected };
            self.error(fields.at_key(key), &fields.path, problem);
        }
        found
    }

    pub(crate) fn list<'n>(&mut self, node: &'n Node, path: &str, of: &str) -> &'n [Node] {
        match &node.shape {
            Shape::List(items) => items,
            Shape::Scalar(_) | Shape::Map(_) => {
                self.wrong(node, path, format!("a list of {of}"));
                &[]
            }
        }
    }

    /// A list that is short enough to compare each entry with each.
    pub(crate) fn short_list<'n>(&mut self, node: &'n Node, path: &str, of: &str) -> &'n [Node] {
        let items = self.list(node, path, of);
        if items.len() > LONGEST_LIST {
            let (what, limit) = ("too many entries", LONGEST_LIST as u64);
            self.error(node.at, path, Problem::TooMuch { what, limit });
            return &[];
        }
        items
    }

    /// A scalar as written; numbers and `true` are texts too.
    pub(crate) fn text(&mut self, node: &Node, path: &str) -> Option<String> {
        match &node.shape {
            Shape::Scalar(param) if param.kind != ParamKind::Null && !param.text.contains('\0') => {
                Some(param.text.clone())
            }
            Shape::Scalar(_) | Shape::List(_) | Shape::Map(_) => {
                self.wrong(node, path, "a text");
                None
            }
        }
    }

    /// A text of one line that is not empty.
    pub(crate) fn name(&mut self, node: &Node, path: &str) -> Option<String> {
        let text = self.text(node, path)?;
        let fits = !text.trim().is_empty() && text.len() <= 500;
        if fits && !text.chars().any(char::is_control) {
            return Some(text);
        }
        self.wrong(node, path, "a name of one line and at most 500 bytes");
        None
    }

    pub(crate) fn optional_text(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        let node = fields.get(key)?;
        self.text(node, &fields.path_of(key))
    }

    pub(crate) fn optional_name(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        let node = fields.get(key)?;
        self.name(node, &fields.path_of(key))
    }

    /// A whole number in a range.
    pub(crate) fn whole(
        &mut self,
        node: &Node,
        path: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let number = match &node.shape {
            Shape::Scalar(param) if param.kind == ParamKind::Number => param.text.parse().ok(),
            Shape::Scalar(_) | Shape::List(_) | Shape::Map(_) => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (low, high) = range.into_inner();
            self.wrong(node, path, format!("a whole number from {low} to {high}"));
        }
        number
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, node: &Node, path: &str) -> Option<bool> {
        if let Shape::Scalar(param) = &node.shape
            && param.kind == ParamKind::Bool
        {
            return Some(param.text == "true");
        }
        self.wrong(node, path, "`true` or `false`");
        None
    }

    /// One of several words.
    pub(crate) fn one_of<T: Copy>(
        &mut self,
        node: &Node,
        path: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let text = match &node.shape {
            Shape::Scalar(param) => param.text.as_str(),
            Shape::List(_) | Shape::Map(_) => "",
        };
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = nearest(text, &known).map(|word| format!("did you mean `{word}`?"));
            let expected = format!("one of {}", known.join(", "));
            self.wrong_because(node, path, expected, hint.as_deref());
        }
        found.map(|(_, value)| *value)
    }

    /// A length of time in milliseconds: a number of seconds, or a number with a unit (`90s`, `10m`).
    pub(crate) fn milliseconds(&mut self, node: &Node, path: &str) -> Option<u64> {
        const LONGEST: f64 = 366.0 * 86_400_000.0;
        let millis = match &node.shape {
            Shape::Scalar(param) => match param.kind {
                ParamKind::Number => param.number().map(|seconds| seconds * 1000.0),
                ParamKind::Text => units::with_unit(&param.text),
                ParamKind::Bool | ParamKind::Null => None,
            },
            Shape::List(_) | Shape::Map(_) => None,
        };
        let millis = millis.filter(|millis| (1.0..=LONGEST).contains(millis));
        if millis.is_none() {
            let expected = "a time such as `90`, `90s`, `10m` or `1.5h`, at most 366d";
            self.wrong(node, path, expected);
        }
        millis.map(|millis| millis.round() as u64)
    }
}
