//! The runs, experiments and projects that a verb changes: chosen by several texts at once.
//!
//! Not here: how a text is read (`names`). Invariant: all texts are understood before anything is changed;
//! each noun is chosen once, in the order in which it was named.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::handle;
use trialbook_model::id::Uid;
use trialbook_model::record::{Op, SetField, Subject};
use trialbook_model::state::Annotations;
use trialbook_model::status::RunStatus;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::Query;
use trialbook_store::reading::Reading as _;

use crate::book::View;
use crate::failure::Failure;
use crate::names::{Found, Names};
use crate::{target, titles};

/// What can be changed.
#[derive(Debug, Clone)]
pub(crate) enum Noun {
    /// A run.
    Run {
        /// What is known of it.
        row: Box<RunRow>,
        /// Its experiment.
        of: Option<Box<ExperimentRow>>,
    },
    /// An experiment.
    Experiment(Box<ExperimentRow>),
    /// A project, by name.
    Project(String),
}

/// A noun as JSON names it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NounHead {
    noun: &'static str,
    id: Option<String>,
    title: String,
}

impl Noun {
    /// What was found, with the experiment of a run.
    pub(crate) fn of(found: Found, view: &View<'_>) -> Result<Self> {
        Ok(match found {
            Found::Run(row) => {
                let of = view.experiment(row.experiment)?.map(Box::new);
                Self::Run { row, of }
            }
            Found::Experiment(row) => Self::Experiment(row),
        })
    }

    /// What records speak of.
    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::Run { row, .. } => Subject::Run(row.uid),
            Self::Experiment(row) => Subject::Experiment(titles::experiment_uid(row)),
            Self::Project(name) => Subject::Project(name.clone()),
        }
    }

    /// The operation that sets one of its fields.
    pub(crate) fn set(&self, field: &str, value: impl Into<serde_json::Value>) -> Op {
        Op::SetField(SetField {
            subject: self.subject(),
            field: field.to_owned(),
            value: value.into(),
        })
    }

    /// `run`, `experiment`, `project`.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Run { .. } => "run",
            Self::Experiment(_) => "experiment",
            Self::Project(_) => "project",
        }
    }

    /// What it is called, so that it can be typed again.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::Run { row, of } => titles::run(row, of.as_deref()),
            Self::Experiment(row) => titles::experiment(row),
            Self::Project(name) => name.clone(),
        }
    }

    /// `run tuning/run-001`.
    pub(crate) fn told(&self) -> String {
        format!("{} {}", self.word(), self.title())
    }

    /// As JSON names it.
    pub(crate) fn head(&self) -> NounHead {
        let id = self.uid().map(|uid| uid.to_string());
        NounHead {
            noun: self.word(),
            id,
            title: self.title(),
        }
    }

    /// Its tags, fields and notes; those of a project are not read here.
    pub(crate) fn annotations(&self) -> Option<&Annotations> {
        match self {
            Self::Run { row, .. } => Some(&row.state.annotations),
            Self::Experiment(row) => Some(&row.state.annotations),
            Self::Project(_) => None,
        }
    }

    /// Whether a field of it holds `true`.
    pub(crate) fn flag(&self, field: &str) -> bool {
        self.annotations().is_some_and(|it| it.flag(field))
    }

    fn uid(&self) -> Option<Uid> {
        match self {
            Self::Run { row, .. } => Some(row.uid.0),
            Self::Experiment(row) => Some(titles::experiment_uid(row).0),
            Self::Project(_) => None,
        }
    }

    /// Refuses what is running, or has running runs.
    pub(crate) fn refuse_running(&self, view: &View<'_>) -> Result<()> {
        let running = match self {
            Self::Run { row, .. } => row.state.status() == RunStatus::Running,
            Self::Experiment(row) => {
                let query = Query {
                    filter: target::running(),
                    experiments: Some(vec![row.no]),
                    limit: 0,
                    ..Query::all()
                };
                view.search(&query)?.total > 0
            }
            Self::Project(_) => false,
        };
        if running {
            let told = self.told();
            let what = match self {
                Self::Run { .. } | Self::Project(_) => told,
                Self::Experiment(_) => format!("a run of {told}"),
            };
            return Err(Failure::Running { what }.into());
        }
        Ok(())
    }
}

/// The runs and experiments that several texts mean, each a name or a glob; a text of several names joined by
/// commas means all of them.
pub(crate) fn chosen(
    names: &Names<'_, View<'_>>,
    view: &View<'_>,
    texts: &[String],
) -> Result<Vec<Noun>> {
    let mut nouns = Vec::new();
    let mut seen = BTreeSet::new();
    for text in texts {
        for found in found(names, text)? {
            let noun = Noun::of(found, view)?;
            if noun.uid().is_none_or(|uid| seen.insert(uid)) {
                nouns.push(noun);
            }
        }
    }
    Ok(nouns)
}

fn found(names: &Names<'_, View<'_>>, text: &str) -> Result<Vec<Found>> {
    if handle::is_glob(text) && !text.contains(',') {
        let found = names.matching_glob(text)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    match names.any(text) {
        Ok(found) => Ok(vec![found]),
        Err(_of_the_whole) if text.contains(',') => {
            let parts = text.split(',').map(str::trim).filter(|it| !it.is_empty());
            let mut all = Vec::new();
            for part in parts {
                all.extend(self::found(names, part)?);
            }
            Ok(all)
        }
        Err(error) => Err(error),
    }
}
