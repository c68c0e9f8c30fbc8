//! Reading a tree of YAML into types: collects errors, so that all are told at once.
//!
//! Not here: what any particular key means. Invariant: a reader that returns `None` or leaves something
//! out has recorded an error.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::document::Config;
use super::error::{ConfigError, ConfigErrors, Doubt, Position, Problem, Warning};
use super::yaml::{Entry, Node, Shape};
use super::{Parsed, keys};
use crate::nearest::nearest;
use crate::record::ParamKind;

/// After so many errors no more are collected, and as many warnings.
pub(super) const MOST_ERRORS: usize = 100;
/// The longest list of anything but variations.
const LONGEST_LIST: usize = 1000;

/// What is known while a config is read.
pub(super) struct Reading<'f> {
    file: &'f str,
    errors: Vec<ConfigError>,
    warnings: Vec<Warning>,
    /// Where templates stand, by their path.
    pub(super) places: BTreeMap<String, Position>,
}

/// A map whose keys are all known.
pub(super) struct Fields<'n> {
    pub(super) at: Position,
    pub(super) path: String,
    entries: &'n [Entry],
}

/// The path of a key inside another path.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

impl<'n> Fields<'n> {
    /// The value of a key; `None` also when it is null.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value).filter(
            |node| !matches!(&node.shape, Shape::Scalar(param) if param.kind == ParamKind::Null),
        )
    }

    pub(super) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Where the key stands; the map's own place when it is not there.
    pub(super) fn at_key(&self, key: &str) -> Position {
        self.entry(key).map_or(self.at, |entry| entry.at)
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }
}

impl<'f> Reading<'f> {
    pub(super) fn new(file: &'f str) -> Self {
        Self {
            file,
            errors: Vec::new(),
            warnings: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    pub(super) fn error(&mut self, at: Position, path: &str, problem: Problem) {
        if self.collects_more() {
            self.errors.push(ConfigError {
                file: self.file.to_owned(),
                at,
                path: path.to_owned(),
                problem,
            });
        }
    }

    /// Whether another error would be kept.
    pub(super) fn collects_more(&self) -> bool {
        self.errors.len() < MOST_ERRORS
    }

    pub(super) fn warn(&mut self, at: Position, path: &str, doubt: Doubt) {
        if self.warns_more() {
            self.warnings.push(Warning {
                at: Some(at),
                path: path.to_owned(),
                doubt,
            });
        }
    }

    /// Whether another warning would be kept; asked before dear ones are worked out.
    pub(super) fn warns_more(&self) -> bool {
        self.warnings.len() < MOST_ERRORS
    }

    /// Records that a node is not what was expected.
    pub(super) fn wrong(&mut self, node: &Node, path: &str, expected: impl Into<String>) {
        self.wrong_because(node, path, expected, None);
    }

    pub(super) fn wrong_because(
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
    pub(super) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    pub(super) fn finish(mut self, config: Option<Config>) -> Result<Parsed, ConfigErrors> {
        match config {
            Some(config) if self.errors.is_empty() => Ok(Parsed {
                config,
                warnings: self.warnings,
            }),
            Some(_) | None => {
                self.errors.sort_by_key(|error| error.at);
                Err(ConfigErrors {
                    errors: self.errors,
                })
            }
        }
    }

    /// A map with known keys only; unknown ones are errors.
    pub(super) fn fields<'n>(
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
    pub(super) fn any_fields<'n>(&mut self, node: &'n Node, path: &str) -> Option<Fields<'n>> {
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

    pub(super) fn unknown_key(&mut self, entry: &Entry, path: &str, known: &[&str]) {
        if !self.collects_more() {
            return;
        }
        let other_word = keys::OTHER_WORDS
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
    pub(super) fn required<'n>(
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

    pub(super) fn list<'n>(&mut self, node: &'n Node, path: &str, of: &str) -> &'n [Node] {
        match &node.shape {
            Shape::List(items) => items,
            Shape::Scalar(_) | Shape::Map(_) => {
                self.wrong(node, path, format!("a list of {of}"));
                &[]
            }
        }
    }

    /// A list that is short enough to compare each entry with each.
    pub(super) fn short_list<'n>(&mut self, node: &'n Node, path: &str, of: &str) -> &'n [Node] {
        let items = self.list(node, path, of);
        if items.len() > LONGEST_LIST {
            let (what, limit) = ("too many entries", LONGEST_LIST as u64);
            self.error(node.at, path, Problem::TooMuch { what, limit });
            return &[];
        }
        items
    }

    /// A scalar as written; numbers and `true` are texts too.
    pub(super) fn text(&mut self, node: &Node, path: &str) -> Option<String> {
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
    pub(super) fn name(&mut self, node: &Node, path: &str) -> Option<String> {
        let text = self.text(node, path)?;
        let fits = !text.trim().is_empty() && text.len() <= 500;
        if fits && !text.chars().any(char::is_control) {
            return Some(text);
        }
        self.wrong(node, path, "a name of one line and at most 500 bytes");
        None
    }

    pub(super) fn optional_text(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        let node = fields.get(key)?;
        self.text(node, &fields.path_of(key))
    }

    pub(super) fn optional_name(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        let node = fields.get(key)?;
        self.name(node, &fields.path_of(key))
    }

    /// A whole number in a range.
    pub(super) fn whole(
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
    pub(super) fn flag(&mut self, node: &Node, path: &str) -> Option<bool> {
        if let Shape::Scalar(param) = &node.shape
            && param.kind == ParamKind::Bool
        {
            return Some(param.text == "true");
        }
        self.wrong(node, path, "`true` or `false`");
        None
    }

    /// One of several words.
    pub(super) fn one_of<T: Copy>(
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
    pub(super) fn milliseconds(&mut self, node: &Node, path: &str) -> Option<u64> {
        const LONGEST: f64 = 366.0 * 86_400_000.0;
        let millis = match &node.shape {
            Shape::Scalar(param) => match param.kind {
                ParamKind::Number => param.number().map(|seconds| seconds * 1000.0),
                ParamKind::Text => with_unit(&param.text),
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

fn with_unit(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 6] = [
        ("ms", 1.0),
        ("min", 60_000.0),
        ("s", 1000.0),
        ("m", 60_000.0),
        ("h", 3_600_000.0),
        ("d", 86_400_000.0),
    ];
    UNITS.iter().find_map(|(unit, millis)| {
        let number = text.strip_suffix(unit)?.trim_end();
        crate::canonical::number(number)?;
        Some(number.parse::<f64>().ok()? * millis)
    })
}
