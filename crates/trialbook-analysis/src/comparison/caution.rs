//! What to be careful about in a comparison.
//!
//! Not here: its words. Invariant: a caution names what it is about.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use trialbook_model::goal::Definitions;
use trialbook_model::id::ExperimentNo;
use trialbook_store::nouns::ExperimentRow;

/// What to be careful about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Caution {
    /// The subjects belong to several experiments (M-19).
    AcrossExperiments {
        /// Their names.
        experiments: Vec<String>,
    },
    /// Some subjects have no value of a metric (M-19).
    Missing {
        /// The metric.
        metric: String,
        /// The subjects without it.
        subjects: Vec<String>,
    },
    /// The unit of a metric is defined differently.
    Units {
        /// The metric.
        metric: String,
        /// The units.
        units: Vec<String>,
    },
    /// Values that are not finite stay out.
    NotFinite {
        /// The metric.
        metric: String,
        /// How many.
        values: u64,
    },
    /// Values of arms are skewed and few, so that their t intervals come out too narrow.
    Skewed {
        /// The metric.
        metric: String,
        /// The arms.
        subjects: Vec<String>,
    },
    /// The best value of a series is chosen by looking: it flatters noisy and long series.
    BestOfSeries,
}

pub(super) fn across(experiments: &BTreeMap<ExperimentNo, ExperimentRow>) -> Vec<Caution> {
    if experiments.len() < 2 {
        return Vec::new();
    }
    let names = experiments.values().filter_map(|row| row.state.name());
    vec![Caution::AcrossExperiments {
        experiments: names.map(str::to_owned).collect(),
    }]
}

pub(super) fn units(
    key: &str,
    known: &BTreeMap<ExperimentNo, [Definitions; 2]>,
) -> Option<Caution> {
    let of = |held: &[Definitions; 2]| {
        let mut defined = held.iter().filter_map(|metrics| metrics.get(key));
        defined.find_map(|definition| definition.unit.clone())
    };
    let units: BTreeSet<String> = known.values().filter_map(of).collect();
    (units.len() > 1).then(|| Caution::Units {
        metric: key.to_owned(),
        units: units.into_iter().collect(),
    })
}
