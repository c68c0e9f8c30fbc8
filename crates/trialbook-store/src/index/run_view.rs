//! A run as a filter sees it.
//!
//! Not here: columns. Invariant: a run answers a filter in this one way wherever it is kept: as a row of the
//! book, as a changed row over the columns, or, held against it by tests, in the columns.

use std::borrow::Cow;

use trialbook_model::filter::{Attribute, Key, KeyKind, Row, Value};

use super::facts::{ExperimentFacts, RunFacts, param_number};
use super::numbers::{Lane, MetricPlace, metric_place};
use crate::query::Shown;

/// A run as a filter sees it.
#[derive(Debug, Clone, Copy)]
pub struct RunView<'a> {
    /// The run.
    pub run: &'a RunFacts<'a>,
    /// Its experiment.
    pub experiment: &'a ExperimentFacts,
}

impl RunView<'_> {
    /// Whether a run is looked at at all.
    pub(crate) fn is_shown(&self, shown: Shown) -> bool {
        let archived = self.run.archived || self.experiment.archived;
        let deleted = self.run.deleted || self.experiment.deleted;
        match shown {
            Shown::Active => !archived && !deleted,
            Shown::WithArchived => !deleted,
            Shown::Bin => deleted,
            Shown::All => true,
        }
    }

    fn attribute(&self, attribute: Attribute) -> Option<Value<'_>> {
        let flag = |flag: bool| Some(Value::word(FLAG_WORDS[usize::from(flag)]));
        let run = self.run;
        match attribute {
            Attribute::Id => Some(Value::Text(Cow::Owned(run.uid.to_string()), None)),
            Attribute::No => Some(Value::Number(run.no.0 as f64)),
            Attribute::Handle => {
                let handle = self.experiment.run_handle(run.number)?;
                Some(Value::Text(Cow::Owned(handle), None))
            }
            Attribute::Archived => flag(run.archived || self.experiment.archived),
            Attribute::Deleted => flag(run.deleted || self.experiment.deleted),
            Attribute::Experiment | Attribute::ExperimentId | Attribute::Project => {
                self.experiment.value(attribute)
            }
            Attribute::Name
            | Attribute::Number
            | Attribute::Status
            | Attribute::Started
            | Attribute::Ended
            | Attribute::DurationMs
            | Attribute::Heartbeat
            | Attribute::Progress
            | Attribute::Variation
            | Attribute::Trial
            | Attribute::Attempt
            | Attribute::Seed
            | Attribute::RunKey
            | Attribute::Source
            | Attribute::Command
            | Attribute::Actor
            | Attribute::ErrorKind
            | Attribute::Error
            | Attribute::ExitCode
            | Attribute::Notes
            | Attribute::ConfigHash
            | Attribute::Reproduces
            | Attribute::ArtifactUri => {
                let at = run
                    .attributes
                    .binary_search_by_key(&attribute, |(of, _)| *of);
                Some(run.attributes[at.ok()?].1.value())
            }
        }
    }

    fn metric(&self, key: &Key) -> Option<f64> {
        let run = self.run;
        let (name, numbers) = match metric_place(key) {
            MetricPlace::Logged(name, derived) => {
                let logged = run.metric(name, &key.context);
                (name, logged.or_else(|| run.derived(derived?))?)
            }
            MetricPlace::Derived(name, derived) => match run.derived(derived) {
                Some(numbers) => (derived, numbers),
                None => (name, run.metric(name, "")?),
            },
        };
        let goal = self.experiment.goal_of(name);
        numbers.get(Lane::of(key.aggregate, goal))
    }
}

/// The word of a flag that is not set, and of one that is.
pub(super) const FLAG_WORDS: [&str; 2] = ["false", "true"];

impl Row for RunView<'_> {
    fn value(&self, kind: KeyKind, key: &Key) -> Option<Value<'_>> {
        match kind {
            KeyKind::Attribute => self.attribute(Attribute::named(&key.name)?),
            KeyKind::Metric => self.metric(key).map(Value::Number),
            KeyKind::Param => {
                let (text, kind) = self.run.param(&key.name)?;
                Some(Value::Text(Cow::Borrowed(text), param_number(text, *kind)))
            }
            KeyKind::Tag => Some(Value::text(self.run.tag(&key.name)?)),
            KeyKind::Dataset | KeyKind::Bare => None,
        }
    }

    fn datasets(&self, field: &str) -> Vec<Cow<'_, str>> {
        self.run
            .datasets
            .iter()
            .filter_map(|dataset| dataset.field(field).map(Cow::Borrowed))
            .collect()
    }
}
