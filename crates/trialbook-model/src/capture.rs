//! What is captured around a run, part by part, and how each is switched off.
//!
//! Not here: capturing. Invariant: everything is captured unless it was switched off by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::nearest::nearest;

/// One part of what is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What the programs print.
    Console,
    /// Checksums of the data.
    Data,
    /// Machine, system, interpreter, lock files.
    Environment,
    /// Commit, branch, and how the files differ from it.
    Git,
    /// The packages of the interpreter.
    Packages,
    /// Processor time and memory of the processes.
    Resources,
    /// Environment variables.
    Variables,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 7] = [
        Self::Console,
        Self::Data,
        Self::Environment,
        Self::Git,
        Self::Packages,
        Self::Resources,
        Self::Variables,
    ];

    /// The word used in every face.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Data => "data",
            Self::Environment => "environment",
            Self::Git => "git",
            Self::Packages => "packages",
            Self::Resources => "resources",
            Self::Variables => "variables",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A word that names no part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` names nothing that is captured; expected {}", words())]
pub struct PartError {
    /// The word.
    pub word: String,
    /// What was probably meant.
    pub nearest: Option<&'static str>,
}

fn words() -> String {
    let words = Part::ALL.map(Part::word);
    format!("{}, or all", words.join(", "))
}

/// Which parts are captured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    off: BTreeSet<Part>,
}

impl Parts {
    /// All of them.
    pub fn all() -> Self {
        Self::default()
    }

    /// Switches parts off that are named in a comma list; `all` names all of them.
    pub fn without(mut self, list: &str) -> Result<Self, PartError> {
        for word in list.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            if word == "all" {
                self.off.extend(Part::ALL);
                continue;
            }
            let part = Part::ALL.into_iter().find(|part| part.word() == word);
            let part = part.ok_or_else(|| PartError {
                word: word.to_owned(),
                nearest: nearest(word, &Part::ALL.map(Part::word)),
            })?;
            self.off.insert(part);
        }
        Ok(self)
    }

    /// Switches off what a config switches off.
    #[must_use]
    pub fn within(mut self, config: &BTreeMap<Part, bool>) -> Self {
        let off = config.iter().filter(|(_, is_on)| !**is_on);
        self.off.extend(off.map(|(part, _)| *part));
        self
    }

    /// Whether a part is captured.
    pub fn has(&self, part: Part) -> bool {
        !self.off.contains(&part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_switched_off_by_name() {
        let parts = Parts::all().without("git, packages,").unwrap();
        assert!(!parts.has(Part::Git) && !parts.has(Part::Packages) && parts.has(Part::Data));
        let config = BTreeMap::from([(Part::Data, false), (Part::Git, true)]);
        let parts = parts.within(&config);
        assert!(
            !parts.has(Part::Data) && !parts.has(Part::Git),
            "off stays off"
        );
        let none = Parts::all().without("all").unwrap();
        assert!(Part::ALL.into_iter().all(|part| !none.has(part)));
        let error = Parts::all().without("git,package").unwrap_err();
        assert_eq!(
            (error.word.as_str(), error.nearest),
            ("package", Some("packages"))
        );
    }
}
