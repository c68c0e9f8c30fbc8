//! What the index keeps of a run and of an experiment.
//!
//! Not here: how a filter sees them ([`super::run_view`]), columns. Invariant: lists by name are sorted.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

use trialbook_model::filter::{Attribute, Value};
use trialbook_model::id::{ExperimentNo, RunNo, RunUid};
use trialbook_model::record::{Goal, Param, ParamKind};
use trialbook_model::state::{Lineage, ProjectState};

use super::attributes::attributes;
use super::datasets::DatasetFacts;
use super::numbers::Numbers;
use crate::nouns::{ExperimentRow, RunRow};

/// What the index keeps of an experiment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ExperimentFacts {
    /// Its number.
    pub no: ExperimentNo,
    /// Its name.
    pub name: Option<String>,
    /// The user's own id.
    pub handle: Option<String>,
    /// Its project's name.
    pub project: String,
    /// Hidden from lists.
    pub archived: bool,
    /// In the bin.
    pub deleted: bool,
    /// Goals of metrics that are defined, or follow from success criteria.
    pub goals: BTreeMap<String, Goal>,
}

impl ExperimentFacts {
    /// Of an experiment and its project, whose definitions hold where the experiment has none.
    pub fn of(row: &ExperimentRow, project: &ProjectState) -> Self {
        let definitions = [project.definitions(), row.state.definitions()];
        Self {
            no: row.no,
            name: row.state.name().map(str::to_owned),
            handle: row.state.handle().map(str::to_owned),
            project: row.state.project().to_owned(),
            archived: row.state.annotations.flag("archived"),
            deleted: row.state.annotations.flag("deleted"),
            goals: definitions
                .into_iter()
                .flatten()
                .filter_map(|(key, said)| Some((key, said.goal?)))
                .collect(),
        }
    }

    /// The human handle of a run of this experiment.
    pub(super) fn run_handle(&self, number: Option<u64>) -> Option<String> {
        Some(format!("{}/run-{:03}", self.handle.as_deref()?, number?))
    }

    /// What the experiment says of its runs, for the attributes that belong to it.
    pub(super) fn value(&self, attribute: Attribute) -> Option<Value<'_>> {
        if attribute == Attribute::Experiment {
            self.name.as_deref().map(Value::word)
        } else if attribute == Attribute::ExperimentId {
            Some(Value::Text(Cow::Owned(self.no.to_string()), None))
        } else if attribute == Attribute::Project {
            Some(Value::word(&self.project))
        } else {
            None
        }
    }
}

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact<'a> {
    /// A number.
    Number(f64),
    /// Milliseconds since 1970.
    Time(i64),
    /// A text.
    Text(Cow<'a, str>),
}

impl Fact<'_> {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Number(*number),
            Self::Time(millis) => Value::Time(*millis),
            Self::Text(text) => Value::word(text),
        }
    }

    fn into_owned(self) -> Fact<'static> {
        match self {
            Self::Number(number) => Fact::Number(number),
            Self::Time(millis) => Fact::Time(millis),
            Self::Text(text) => Fact::Text(owned(text)),
        }
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// Key and context of a series.
pub type SeriesName<'a> = (Cow<'a, str>, Cow<'a, str>);
/// A param's text and how to read it.
pub type ParamText<'a> = (Cow<'a, str>, ParamKind);

/// The datasets that a run used.
fn datasets(lineage: &Lineage) -> Vec<DatasetFacts> {
    let uses = lineage.datasets().into_iter();
    uses.map(|mention| DatasetFacts {
        name: Some(mention.dataset.name.clone()),
        digest: Some(mention.dataset.digest.clone()),
        context: mention.tags.get("context").cloned(),
    })
    .collect()
}

/// What the index keeps of a run: borrowed from its row, or owned ([`RunFacts::into_owned`]).
#[derive(Debug, Clone, PartialEq)]
pub struct RunFacts<'a> {
    /// Its number.
    pub no: RunNo,
    /// Its uid.
    pub uid: RunUid,
    /// Its experiment.
    pub experiment: ExperimentNo,
    /// `run-NNN`.
    pub number: Option<u64>,
    /// Hidden from lists, itself.
    pub archived: bool,
    /// In the bin, itself.
    pub deleted: bool,
    /// Attributes that are its own, sorted.
    pub attributes: Vec<(Attribute, Fact<'a>)>,
    /// Logged metrics by key and context, sorted.
    pub metrics: Vec<(SeriesName<'a>, Numbers)>,
    /// Derived metrics, sorted.
    pub derived: Vec<(Cow<'a, str>, Numbers)>,
    /// Params, sorted.
    pub params: Vec<(Cow<'a, str>, ParamText<'a>)>,
    /// Tags, sorted.
    pub tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Datasets.
    pub datasets: Vec<DatasetFacts>,
}

impl<'a> RunFacts<'a> {
    /// Of a run.
    pub fn of(row: &'a RunRow) -> Self {
        let state = &row.state;
        let mut derived: Vec<(Cow<'_, str>, Numbers)> = state
            .derived_values()
            .into_iter()
            .map(|(name, value)| (Cow::from(name), Numbers::of_one(value)))
            .collect();
        derived.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self {
            no: row.no,
            uid: row.uid,
            experiment: row.experiment,
            number: row.number,
            archived: state.annotations.flag("archived"),
            deleted: state.annotations.flag("deleted"),
            attributes: attributes(row),
            metrics: state
                .records
                .series
                .iter()
                .map(|(key, summary)| {
                    let place = (Cow::from(&key.key), Cow::from(&key.context));
                    (place, Numbers::of(summary))
                })
                .collect(),
            derived,
            params: state
                .params
                .iter()
                .map(|(key, held)| {
                    let param = held.param();
                    (Cow::from(key), (Cow::from(&param.text), param.kind))
                })
                .collect(),
            tags: state
                .annotations
                .tags()
                .map(|(tag, value)| (Cow::from(tag), Cow::from(value)))
                .collect(),
            datasets: datasets(&state.lineage),
        }
    }

    /// With nothing borrowed.
    pub fn into_owned(self) -> RunFacts<'static> {
        RunFacts {
            no: self.no,
            uid: self.uid,
            experiment: self.experiment,
            number: self.number,
            archived: self.archived,
            deleted: self.deleted,
            attributes: each(self.attributes, |(key, fact)| (key, fact.into_owned())),
            metrics: each(self.metrics, |((key, context), numbers)| {
                ((owned(key), owned(context)), numbers)
            }),
            derived: each(self.derived, |(key, numbers)| (owned(key), numbers)),
            params: each(self.params, |(key, (text, kind))| {
                (owned(key), (owned(text), kind))
            }),
            tags: each(self.tags, |(key, text)| (owned(key), owned(text))),
            datasets: self.datasets,
        }
    }

    pub(super) fn metric(&self, name: &str, context: &str) -> Option<&Numbers> {
        let at = self
            .metrics
            .binary_search_by(|((key, of), _)| (&**key, &**of).cmp(&(name, context)));
        Some(&self.metrics[at.ok()?].1)
    }

    pub(super) fn derived(&self, name: &str) -> Option<&Numbers> {
        found(&self.derived, name)
    }

    pub(super) fn param(&self, name: &str) -> Option<&ParamText<'a>> {
        found(&self.params, name)
    }

    pub(super) fn tag(&self, name: &str) -> Option<&str> {
        found(&self.tags, name).map(|text| &**text)
    }
}

fn each<A, B>(list: Vec<A>, change: impl FnMut(A) -> B) -> Vec<B> {
    list.into_iter().map(change).collect()
}

fn found<'b, T>(list: &'b [(Cow<'_, str>, T)], name: &str) -> Option<&'b T> {
    let at = list.binary_search_by(|(key, _)| (**key).cmp(name)).ok()?;
    Some(&list[at].1)
}

/// The number that a param's text means.
pub(super) fn param_number(text: &str, kind: ParamKind) -> Option<f64> {
    let param = Param {
        text: text.to_owned(),
        kind,
    };
    param.number()
}
