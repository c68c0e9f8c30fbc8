//! A registered model as it is answered.
//!
//! Invariant: a prompt bears the tag that tells it from a model, though the book has a field for that.

use serde::Serialize;
use trialbook_store::nouns::EntryRow;

use crate::mlflow::model_versions::ModelVersion;
use crate::mlflow::registry::{IS_PROMPT, IsPrompt, NO_STAGE, made_at, set_at};

/// A registered model.
#[derive(Serialize)]
pub(in crate::mlflow) struct RegisteredModel<'a> {
    name: &'a str,
    creation_timestamp: i64,
    last_updated_timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    latest_versions: Vec<ModelVersion<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<Alias<'a>>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::mlflow) struct Pair<'a> {
    /// Its name.
    pub key: &'a str,
    /// Its value.
    pub value: &'a str,
}

#[derive(Serialize)]
struct Alias<'a> {
    alias: &'a str,
    version: String,
}

impl<'a> RegisteredModel<'a> {
    /// Of a collection and all its versions by number, those in the bin too.
    pub(in crate::mlflow) fn of(row: &'a EntryRow, versions: &'a [EntryRow]) -> Self {
        let state = &row.state;
        let aliases = aliases(row, versions);
        Self {
            name: state.name().unwrap_or_default(),
            creation_timestamp: made_at(state),
            last_updated_timestamp: updated(row, versions),
            description: state.text("description").filter(|text| !text.is_empty()),
            latest_versions: latest(versions)
                .into_iter()
                .map(|version| ModelVersion::of(version, row))
                .collect(),
            tags: tags(row).collect(),
            aliases: aliases
                .into_iter()
                .map(|(alias, version)| Alias {
                    alias,
                    version: version.to_string(),
                })
                .collect(),
        }
    }
}

/// The tags of a registered model.
pub(in crate::mlflow) fn tags(row: &EntryRow) -> impl Iterator<Item = Pair<'_>> {
    let set = row.state.annotations.tags();
    let set = set.filter(|(key, _)| *key != IS_PROMPT || !row.state.is_prompt());
    let set = set.map(|(key, value)| Pair { key, value });
    let prompt = Pair {
        key: IS_PROMPT,
        value: "true",
    };
    let prompt = match IsPrompt::of(&row.state) {
        IsPrompt::Yes => Some(prompt),
        IsPrompt::No => None,
    };
    set.chain(prompt)
}

/// The aliases of a model and the versions that they lead to, those to what is gone left out.
pub(in crate::mlflow) fn aliases<'a>(
    row: &'a EntryRow,
    versions: &[EntryRow],
) -> Vec<(&'a str, u64)> {
    let all = row.state.aliases();
    let led = all.filter_map(|(alias, uid)| {
        let mut there = versions.iter().filter(|row| !row.state.is_deleted());
        let version = there.find(|row| row.state.uids.contains(&uid))?;
        Some((alias, version.number?))
    });
    led.collect()
}

/// The greatest version of each stage.
pub(in crate::mlflow) fn latest(versions: &[EntryRow]) -> Vec<&EntryRow> {
    let mut latest: Vec<&EntryRow> = Vec::new();
    for row in versions.iter().rev().filter(|row| !row.state.is_deleted()) {
        let of = |row: &EntryRow| row.state.text("stage").unwrap_or(NO_STAGE).to_owned();
        if latest.iter().all(|known| of(known) != of(row)) {
            latest.push(row);
        }
    }
    latest.reverse();
    latest
}

/// When it or its list of versions was changed last, in milliseconds.
pub(in crate::mlflow) fn updated(row: &EntryRow, versions: &[EntryRow]) -> i64 {
    let own = set_at(&row.state, &["name", "description"]);
    let made = versions.iter().map(|row| made_at(&row.state));
    let moved = versions.iter();
    let moved = moved.filter_map(|row| set_at(&row.state, &["stage", "deleted"]));
    let all = made.chain(moved).chain(own);
    all.max().unwrap_or(0).max(made_at(&row.state))
}
