//! The success criteria held against trials: of a run, of a variation.
//!
//! Not here: what a criterion means (the model). Invariant: only trials that ended by themselves are judged, and a
//! failed one gives no values.

use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::config::Config;
use trialbook_model::criteria::{self, Criterion, Observed, Outcome};
use trialbook_model::status::RunStatus;
use trialbook_store::nouns::{ExperimentRow, RunRow};

use super::attempts::{Group, ended_by_itself};
use super::config_of;

/// How many trials a verdict rests on. Trials end by themselves by completing or failing; one that waits,
/// runs, was cancelled or lost its process is still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Judged {
    /// Trials that ended by themselves.
    pub ended: u64,
    /// Those and the open ones that the config asks for.
    pub planned: u64,
    /// Variations that have any of them.
    pub variations: u64,
}

impl Judged {
    /// Whether no trial is open.
    pub fn is_whole(self) -> bool {
        self.ended == self.planned
    }
}

/// One criterion judged for one run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunCell {
    /// The criterion in words, such as `error_rate < 0.05`.
    pub criterion: String,
    /// The metric.
    pub metric: String,
    /// The value that was judged.
    pub value: Option<f64>,
    /// The outcome.
    pub outcome: Outcome,
}

/// The criteria of its experiment judged for one run, in the config's order; none while it has not
/// ended by itself. A failed run meets none.
pub fn judge_run(experiment: &ExperimentRow, run: &RunRow) -> Vec<RunCell> {
    let config = config_of(experiment).filter(|_| ended_by_itself(run));
    let criteria = config.map_or_else(Vec::new, |config| config.success_criteria);
    let cell = |criterion: &Criterion| {
        let value = value_for(run, criterion);
        RunCell {
            criterion: criterion.to_string(),
            metric: criterion.metric.clone(),
            value,
            outcome: criteria::judge_value(criterion, value),
        }
    };
    criteria.iter().map(cell).collect()
}

/// What the criteria look at; `None` for runs without a variation and for variations without a trial that
/// ended by itself.
pub(super) fn observed(group: &Group, criteria: &[Criterion]) -> Option<Observed> {
    let values = |run: &RunRow| -> BTreeMap<String, f64> {
        criteria
            .iter()
            .filter_map(|criterion| {
                let value = value_for(run, criterion)?;
                Some((criterion.metric.clone(), value))
            })
            .collect()
    };
    let runs: Vec<_> = group.ended().map(values).collect();
    let variation = group.name.clone().filter(|_| !runs.is_empty())?;
    Some(Observed { variation, runs })
}

/// What a run gives to a criterion; a failed one gives nothing.
fn value_for(run: &RunRow, criterion: &Criterion) -> Option<f64> {
    let is_result = run.state.status() == RunStatus::Completed;
    let value = is_result.then(|| run.state.metric(&criterion.metric));
    value.flatten()
}

/// Trials of variations that the config no longer names are open to nobody.
pub(super) fn judged(groups: &[&Group], config: Option<&Config>) -> Judged {
    let mut judged = Judged::default();
    for group in groups {
        let ended: BTreeSet<u64> = group
            .ended()
            .filter_map(|run| run.state.start().and_then(|start| start.trial))
            .collect();
        let asked = config
            .filter(|config| {
                let mut known = config.variations.iter();
                known.any(|variation| Some(&variation.name) == group.name.as_ref())
            })
            .map_or(0, |config| u64::from(config.trials));
        let open = (1..=asked).filter(|trial| !ended.contains(trial)).count() as u64;
        let ended = group.ended().count() as u64;
        judged.ended += ended;
        judged.planned += ended + open;
        judged.variations += u64::from(ended + open > 0);
    }
    judged
}
