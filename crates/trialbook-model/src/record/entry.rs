//! What is said of the register: collections and their versions, logged models, webhooks, and what runs have to
//! do with models and datasets.
//!
//! All four are entries of one form: a kind, what they belong to, tags, fields, notes, metrics, files. Whatever can
//! be done to a run or an experiment by its [`Subject`] can be done to them. Not here: folding.
//! Invariant: hidden text is neither shown nor written in any form that people read.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Subject;
use crate::id::{EntryUid, RunUid};

/// What an entry of the register is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A named list of versions; belongs to a project. Fields: `kind` (`model` or `prompt`), `name`, `description`,
    /// `alias.NAME` (the uid of a version), `deleted`.
    Collection,
    /// One version of a collection, to which it belongs. Fields: `source` (where its files are), `location` (the
    /// same, resolved), `run` and `model` (uids of what it was made from), `run_link`, `description`, `stage`,
    /// `status`, `status_message`, `user`, `deleted`.
    Version,
    /// A model that a run logged; belongs to an experiment. Fields: `run` (uid of its source), `type`, `status`,
    /// `status_message`, `location`, `param.KEY`, `deleted`.
    LoggedModel,
    /// Somebody who is told of changes; belongs to a project. Fields: `url`, `events` (a list of words), `status`
    /// (`active` or `disabled`), `name`, `description`, `deleted`. Its secret stands apart.
    Webhook,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [
        Self::Collection,
        Self::Version,
        Self::LoggedModel,
        Self::Webhook,
    ];

    /// Its word, as it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::Version => "version",
            Self::LoggedModel => "logged_model",
            Self::Webhook => "webhook",
        }
    }

    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Makes an entry. The first collection sealed under (project, name) that is not deleted wins, and later uids
/// become its aliases; a version gets the number wished for if that is free, else the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateEntry {
    /// The entry's uid as this writer knows it.
    pub entry: EntryUid,
    /// What it is.
    pub kind: EntryKind,
    /// What it belongs to.
    pub of: Subject,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The number that a version is to have, decided by who holds the lease to seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Its first fields, as if each were set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, serde_json::Value>,
    /// Its first tags, as if each were set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl CreateEntry {
    /// An entry of which nothing more is said; the caller fills in what it knows.
    pub const fn of(entry: EntryUid, kind: EntryKind, of: Subject) -> Self {
        Self {
            entry,
            kind,
            of,
            name: None,
            number: None,
            fields: BTreeMap::new(),
            tags: BTreeMap::new(),
        }
    }
}

/// Text that is kept, and never shown: the secret that signs what is sent to a webhook.
///
/// MessagePack holds it, for spools and rows; in forms that people read it is null.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for signing alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_none()
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// Sets or removes the secret of an entry; the latest holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetSecret {
    /// The entry, a webhook.
    pub entry: EntryUid,
    /// The secret; `None` removes it.
    pub secret: Option<Hidden>,
}

/// What a dataset is known by, and what it is. Texts are as given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// A digest of its contents.
    pub digest: String,
    /// What kind of source it has, such as `local` or `http`.
    #[serde(default)]
    pub source_type: String,
    /// Where it comes from.
    #[serde(default)]
    pub source: String,
    /// Its columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Its size and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// Says that a run used a dataset. The earliest of one (run, name, digest) holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UseDataset {
    /// The run.
    pub run: RunUid,
    /// The dataset.
    pub dataset: Dataset,
    /// Tags of the use, among them `context`, as given.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// What a run did with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelRole {
    /// It used it.
    Input,
    /// It made it.
    Output,
}

/// Ties a logged model to a run. The earliest of one (run, role, model) holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkModel {
    /// The run.
    pub run: RunUid,
    /// The logged model.
    pub model: EntryUid,
    /// What the run did with it.
    pub role: ModelRole,
    /// The step at which it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Uid;

    #[test]
    fn hidden_text_comes_back_from_a_spool_and_stands_in_nothing_else() {
        let set = SetSecret {
            entry: EntryUid(Uid([1; 16])),
            secret: Some(Hidden::new("pssst")),
        };
        assert!(!format!("{set:?}").contains("pssst"));
        assert!(!serde_json::to_string(&set).unwrap().contains("pssst"));
        let bytes = rmp_serde::to_vec_named(&set).unwrap();
        let back: SetSecret = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(back.secret.unwrap().reveal(), "pssst");
    }

    #[test]
    fn words_of_kinds_are_those_that_are_written() {
        for kind in EntryKind::ALL {
            let written = serde_json::to_value(kind).unwrap();
            assert_eq!(written, kind.word());
            assert_eq!(EntryKind::parse(kind.word()), Some(kind));
        }
        assert_eq!(EntryKind::parse("shelf"), None);
    }

    #[test]
    fn unknown_fields_are_passed_over() {
        let text = serde_json::json!({
            "entry": "01".repeat(16), "kind": "version", "of": {"entry": "02".repeat(16)}, "later": [1],
        });
        let create: CreateEntry = serde_json::from_value(text).unwrap();
        let of = Subject::Entry(EntryUid(Uid([2; 16])));
        assert_eq!(
            create,
            CreateEntry::of(EntryUid(Uid([1; 16])), EntryKind::Version, of)
        );
    }
}
