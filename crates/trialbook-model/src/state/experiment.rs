//! The state of an experiment and of a project.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::annotations::Annotations;
use super::records::Records;
use super::register::{Earliest, Latest, Stamp};
use crate::config::Metric;
use crate::criteria::{self, Criterion};
use crate::goal::{Definition, Definitions};
use crate::id::ExperimentUid;
use crate::record::{CreateExperiment, DefineMetric, Op, Signed};

/// Definitions of metrics by key, the latest of each.
pub type MetricDefinitions = BTreeMap<String, Latest<DefineMetric>>;

/// Where an experiment stands: the pair that is unique in a book.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExperimentPlace {
    /// The project's name.
    pub project: String,
    /// The experiment's name as created.
    pub name: String,
}

/// A config as recorded with its experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigDocument {
    /// The document, as given.
    pub document: serde_json::Value,
    /// SHA-256 of the canonical config, 64 hex digits.
    pub hash: Option<String>,
}

/// What is known of one experiment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ExperimentState {
    /// All uids that writers gave it.
    pub uids: BTreeSet<ExperimentUid>,
    /// The earliest creation.
    pub place: Option<Earliest<ExperimentPlace>>,
    /// The earliest handle given, such as `EXP-001`.
    pub handle: Option<Earliest<String>>,
    /// The latest config document that is not null.
    pub config: Option<Latest<ConfigDocument>>,
    /// Tags, fields, notes.
    pub annotations: Annotations,
    /// Definitions of metrics.
    pub metrics: MetricDefinitions,
    /// What was recorded under it rather than under one of its runs.
    pub records: Records,
}

impl ExperimentState {
    /// The experiment number 0, which every book has.
    pub fn default_experiment() -> Self {
        let place = ExperimentPlace {
            project: DEFAULT_PROJECT.to_owned(),
            name: DEFAULT_EXPERIMENT.to_owned(),
        };
        let mut state = Self::default();
        state.uids.insert(ExperimentUid::default());
        Earliest::offer(&mut state.place, Stamp::default(), place);
        state
    }

    /// Folds one operation that speaks of this experiment; others change nothing.
    pub fn apply(&mut self, signed: &Signed) {
        let stamp = Stamp::from(signed);
        if let Op::CreateExperiment(create) = &signed.op {
            self.create(stamp, create);
        } else if let Op::DefineMetric(define) = &signed.op {
            Latest::offer_to(&mut self.metrics, define.key.clone(), stamp, define.clone());
        } else {
            self.annotations.apply(stamp, &signed.op);
            self.records.apply(signed);
        }
    }

    fn create(&mut self, stamp: Stamp, create: &CreateExperiment) {
        self.uids.insert(create.experiment);
        let place = ExperimentPlace {
            project: create.project.clone(),
            name: create.name.clone(),
        };
        Earliest::offer(&mut self.place, stamp, place);
        if let Some(handle) = &create.handle {
            Earliest::offer(&mut self.handle, stamp, handle.clone());
        }
        if !create.document.is_null() {
            let config = ConfigDocument {
                document: create.document.clone(),
                hash: create.config_hash.clone(),
            };
            Latest::offer(&mut self.config, stamp, config);
        }
    }

    /// Its name: as set later, else as created. `None` where only its runs are known.
    pub fn name(&self) -> Option<&str> {
        self.annotations
            .text("name")
            .or_else(|| self.place.as_ref().map(|place| place.value.name.as_str()))
    }

    /// Its project's name: as moved later, else as created.
    pub fn project(&self) -> &str {
        let created = || {
            self.place
                .as_ref()
                .map(|place| place.value.project.as_str())
        };
        self.annotations
            .text("project")
            .or_else(created)
            .unwrap_or(DEFAULT_PROJECT)
    }

    /// The user's own id, if one was given.
    pub fn handle(&self) -> Option<&str> {
        self.handle.as_ref().map(|handle| handle.value.as_str())
    }

    /// When it was created.
    pub fn created(&self) -> Option<crate::time::Timestamp> {
        self.place.as_ref().map(|place| place.stamp.time)
    }

    /// What is said of metrics: as defined, else as the config says, else with the goal that its success criteria say.
    pub fn definitions(&self) -> Definitions {
        let mut all = definitions(&self.metrics);
        let metrics: Vec<Metric> = self.told("metrics");
        for metric in metrics {
            let known = all.entry(metric.key).or_default();
            known.unit = known.unit.take().or(metric.unit);
            known.goal = known.goal.or(metric.goal);
        }
        let criteria: Vec<Criterion> = self.told("success_criteria");
        for (metric, goal) in criteria::goals(&criteria) {
            let known = all.entry(metric.to_owned()).or_default();
            known.goal.get_or_insert(goal);
        }
        all
    }

    /// A list of the config, where it is one of ours.
    fn told<T: DeserializeOwned>(&self, key: &str) -> Vec<T> {
        let told = self.config().map(|config| &config.document[key]);
        let read = told.and_then(|told| Vec::deserialize(told).ok());
        read.unwrap_or_default()
    }

    /// The config document, if there is one.
    pub fn config(&self) -> Option<&ConfigDocument> {
        self.config.as_ref().map(|config| &config.value)
    }
}

fn definitions(metrics: &MetricDefinitions) -> Definitions {
    let of = |held: &Latest<DefineMetric>| Definition {
        unit: held.value.unit.clone(),
        goal: held.value.goal,
    };
    let all = metrics.iter().map(|(key, held)| (key.clone(), of(held)));
    all.collect()
}

/// The project of everything that names none.
pub const DEFAULT_PROJECT: &str = "default";

/// The experiment of everything that names none; its number is 0.
pub const DEFAULT_EXPERIMENT: &str = "Default";

/// What is known of one project beside its experiments.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProjectState {
    /// Named pointers by kind and name: baselines, views, aliases.
    pub pointers: BTreeMap<(String, String), Latest<serde_json::Value>>,
    /// Tags, fields, notes.
    pub annotations: Annotations,
    /// Definitions of metrics.
    pub metrics: MetricDefinitions,
    /// What was recorded under it.
    pub records: Records,
}

impl ProjectState {
    /// What is said of metrics.
    pub fn definitions(&self) -> Definitions {
        definitions(&self.metrics)
    }

    /// Folds one operation that speaks of this project; others change nothing.
    pub fn apply(&mut self, signed: &Signed) {
        let stamp = Stamp::from(signed);
        if let Op::SetPointer(set) = &signed.op {
            let place = (set.kind.clone(), set.name.clone());
            Latest::offer_to(&mut self.pointers, place, stamp, set.value.clone());
        } else if let Op::DefineMetric(define) = &signed.op {
            Latest::offer_to(&mut self.metrics, define.key.clone(), stamp, define.clone());
        } else {
            self.annotations.apply(stamp, &signed.op);
            self.records.apply(signed);
        }
    }
}
