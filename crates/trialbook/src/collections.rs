//! Collections as the command line finds and tells them: models and prompts, their versions and aliases.
//!
//! Not here: verbs. Invariant: what is in the bin is not found; a version is told under the number that it has.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::nearest::nearest;
use trialbook_model::record::EntryKind;
use trialbook_model::state::EntryState;
use trialbook_store::nouns::{EntryRow, Owner};
use trialbook_store::query::Entries;
use trialbook_store::reading::Reading as _;

use crate::book::View;
use crate::failure::Failure;

/// Which collections a verb is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Those of models.
    Model,
    /// Those of prompts.
    Prompt,
}

impl Kind {
    /// Its word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Prompt => "prompt",
        }
    }

    fn is_of(self, state: &EntryState) -> bool {
        state.is_prompt() == (self == Self::Prompt)
    }
}

/// A collection and its versions.
pub(crate) struct Collection {
    /// The collection.
    pub(crate) row: EntryRow,
    /// Its versions by number, those in the bin left out.
    pub(crate) versions: Vec<EntryRow>,
}

/// A collection in a list.
#[derive(Debug, Serialize)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) project: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// How many versions there are.
    pub(crate) versions: usize,
    pub(crate) latest: Option<u64>,
    pub(crate) aliases: BTreeMap<String, u64>,
    pub(crate) created: Option<String>,
    pub(crate) updated: Option<String>,
}

/// A version.
#[derive(Debug, Serialize)]
pub(crate) struct Version {
    #[serde(rename = "version")]
    pub(crate) number: Option<u64>,
    pub(crate) description: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) source: Option<String>,
    /// Where its files are.
    pub(crate) location: Option<String>,
    pub(crate) run: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) aliases: Vec<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The text of a prompt.
    pub(crate) text: Option<String>,
    pub(crate) created: Option<String>,
}

impl Collection {
    /// Of a row.
    fn of(view: &View<'_>, row: EntryRow) -> Result<Self> {
        let of = Entries::Of(EntryKind::Version, Owner::Entry(row.no));
        let mut versions = view.entries(&of)?;
        versions.retain(|version| !version.state.is_deleted());
        versions.sort_by_key(|version| version.number);
        Ok(Self { row, versions })
    }

    /// All of a kind by project and name, or those of one project.
    pub(crate) fn all(view: &View<'_>, kind: Kind, project: Option<&str>) -> Result<Vec<Self>> {
        let mut rows = view.entries(&Entries::Kind(EntryKind::Collection))?;
        rows.retain(|row| {
            let is_there = kind.is_of(&row.state) && row.state.findable().is_some();
            is_there && project.is_none_or(|only| row.state.project() == Some(only))
        });
        let place = |row: &EntryRow| {
            row.state
                .findable()
                .map(|(project, name)| (project.to_owned(), name.to_owned()))
        };
        rows.sort_by_key(place);
        rows.into_iter().map(|row| Self::of(view, row)).collect()
    }

    /// The one of a name; without a project in any, if only one has it.
    pub(crate) fn named(
        view: &View<'_>,
        kind: Kind,
        (project, name): (Option<&str>, &str),
    ) -> Result<Self> {
        let mut all = Self::all(view, kind, project)?;
        let known: Vec<String> = all.iter().map(|it| it.name().to_owned()).collect();
        all.retain(|it| it.name() == name);
        if all.len() > 1 {
            let projects = all.iter().map(|it| it.project().to_owned());
            return Err(Failure::Usage {
                problem: format!(
                    "several projects have a {} `{name}`: {}",
                    kind.word(),
                    projects.collect::<Vec<_>>().join(", ")
                ),
                hint: "choose one with --project".to_owned(),
            }
            .into());
        }
        all.pop().ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let near = nearest(name, &known);
            let failure = Failure::Unknown {
                noun: kind.word(),
                text: name.to_owned(),
                nearest: near.into_iter().map(str::to_owned).collect(),
            };
            failure.into()
        })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.row.state.name().unwrap_or_default()
    }

    /// Its project.
    pub(crate) fn project(&self) -> &str {
        self.row.state.project().unwrap_or_default()
    }

    /// The version of a number or an alias; the greatest where nothing is said, or `latest`.
    pub(crate) fn version(&self, wanted: Option<&str>) -> Result<&EntryRow> {
        let found = match wanted {
            None | Some("latest") => self.versions.last(),
            Some(text) => self.versions.iter().find(|row| {
                let is_number = row.number.is_some_and(|number| text.parse() == Ok(number));
                let led = self.row.state.alias(text);
                is_number || led.is_some_and(|uid| row.state.uids.contains(&uid))
            }),
        };
        found.ok_or_else(|| {
            let failure = Failure::Unknown {
                noun: "version",
                text: format!("{}/{}", self.name(), wanted.unwrap_or("latest")),
                nearest: Vec::new(),
            };
            failure.into()
        })
    }

    /// Its aliases and the versions that they lead to.
    pub(crate) fn aliases(&self) -> BTreeMap<String, u64> {
        let led = self.row.state.aliases().filter_map(|(alias, uid)| {
            let mut versions = self.versions.iter();
            let version = versions.find(|row| row.state.uids.contains(&uid))?;
            Some((alias.to_owned(), version.number?))
        });
        led.collect()
    }

    /// As lists tell it.
    pub(crate) fn head(&self) -> Head {
        let state = &self.row.state;
        let changed = self.versions.iter().map(|row| row.state.updated());
        let updated = changed.max().flatten().max(state.updated());
        Head {
            name: self.name().to_owned(),
            project: self.project().to_owned(),
            description: state.text("description").map(str::to_owned),
            tags: tags(state),
            versions: self.versions.len(),
            latest: self.versions.last().and_then(|row| row.number),
            aliases: self.aliases(),
            created: state.created().map(|time| time.to_string()),
            updated: updated.map(|time| time.to_string()),
        }
    }

    /// A version of it, told.
    pub(crate) fn told(&self, row: &EntryRow) -> Version {
        let state = &row.state;
        let text = |field: &str| state.text(field).map(str::to_owned);
        let aliases = self.aliases().into_iter();
        let aliases = aliases.filter(|(_, number)| Some(*number) == row.number);
        Version {
            number: row.number,
            description: text("description"),
            stage: text("stage"),
            status: text("status"),
            source: text("source"),
            location: text("location").or_else(|| text("source")),
            run: text("run"),
            model: text("model").map(|uid| format!("m-{uid}")),
            aliases: aliases.map(|(alias, _)| alias).collect(),
            tags: tags(state),
            text: text("text"),
            created: state.created().map(|time| time.to_string()),
        }
    }
}

fn tags(state: &EntryState) -> BTreeMap<String, String> {
    let tags = state.annotations.tags();
    tags.map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// A collection and a version in one text: `NAME`, `NAME/VERSION`, `NAME@ALIAS`.
pub(crate) fn parts(text: &str) -> (&str, Option<&str>) {
    match text.split_once(['/', '@']) {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    }
}
