//! The table of an experiment: for each variation how its trials ended, what its metrics amount to, and
//! whether the success criteria are met.
//!
//! Of several attempts at one trial one counts, by the rule of [`trialbook_model::plan::counting`], and those
//! before it are superseded. A failed run contributes no metrics; the value of a metric is its last one (M-4).

mod attempts;
mod judging;

use serde::Serialize;
use trialbook_model::config::Config;
use trialbook_model::criteria::{self, ExperimentVerdict, Observed};
use trialbook_model::record::Goal;
use trialbook_model::status::RunStatus;
use trialbook_model::system;
use trialbook_stats::{Description, Undefined, describe};
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading;

pub(crate) use attempts::{Group, Trials, trials};
pub use judging::{Judged, RunCell, judge_run};
use judging::{judged, observed};

/// A metric of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricColumn {
    /// The metric's key.
    pub key: String,
    /// The unit of its definition.
    pub unit: Option<String>,
    /// The goal of its definition, else that of a success criterion.
    pub goal: Option<Goal>,
    /// Whether the config expects it; others were logged beside the expected ones.
    pub expected: bool,
}

/// How many trials are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Statuses {
    /// Planned, not started.
    pub queued: u64,
    /// Started, not ended.
    pub running: u64,
    /// Ended as intended.
    pub completed: u64,
    /// Ended by an error.
    pub failed: u64,
    /// Ended on request.
    pub cancelled: u64,
}

impl Statuses {
    /// Counts one trial.
    pub fn count(&mut self, status: RunStatus) {
        *self.slot(status) += 1;
    }

    /// The number of a state.
    pub(crate) const fn slot(&mut self, status: RunStatus) -> &mut u64 {
        match status {
            RunStatus::Queued => &mut self.queued,
            RunStatus::Running => &mut self.running,
            RunStatus::Completed => &mut self.completed,
            RunStatus::Failed => &mut self.failed,
            RunStatus::Cancelled => &mut self.cancelled,
        }
    }

    /// Trials in all.
    pub fn total(&self) -> u64 {
        self.queued + self.running + self.ended()
    }

    /// Trials that ended, however they did.
    pub fn ended(&self) -> u64 {
        self.completed + self.failed + self.cancelled
    }

    /// The share of the ended trials that completed; `None` while none ended.
    pub fn success_rate(&self) -> Option<f64> {
        let ended = self.ended();
        (ended > 0).then(|| self.completed as f64 / ended as f64)
    }
}

/// What one metric amounts to over the completed trials of one variation.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSummary {
    /// The description of the finite values, or why there is none.
    pub description: Result<Description, Undefined>,
    /// Completed trials that did not log it.
    pub missing: u64,
    /// Values that are NaN or infinite, which stay out of the description.
    pub not_finite: u64,
}

/// One variation.
#[derive(Debug, Clone, PartialEq)]
pub struct VariationRow {
    /// Its name; `None` for runs that belong to no variation.
    pub name: Option<String>,
    /// How its trials stand.
    pub statuses: Statuses,
    /// Earlier attempts that a later one replaced.
    pub superseded: u64,
    /// One summary a column of the table.
    pub metrics: Vec<MetricSummary>,
}

/// The table of one experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct VariationTable {
    /// The metrics: expected ones in the order of the config, then others by name.
    pub columns: Vec<MetricColumn>,
    /// The variations in the order of the config, then others in the order of their first run.
    pub rows: Vec<VariationRow>,
    /// The verdict on the success criteria over the trials that ended by themselves; `None` where there are
    /// no criteria, or no such trial.
    pub verdict: Option<ExperimentVerdict>,
    /// How much of what the config asks for the verdict rests on.
    pub judged: Judged,
}

impl VariationTable {
    /// Reads the experiment's runs and counts them up. Runs in the bin and archived ones are left out.
    ///
    /// # Errors
    /// What the reading says.
    pub fn of<R: Reading>(reading: &R, experiment: &ExperimentRow) -> Result<Self, R::Error> {
        Self::of_chosen(reading, experiment, &[])
    }

    /// The same with a verdict on the named variations alone; on all where none is named.
    ///
    /// # Errors
    /// What the reading says.
    pub fn of_chosen<R: Reading>(
        reading: &R,
        experiment: &ExperimentRow,
        only: &[String],
    ) -> Result<Self, R::Error> {
        let config = config_of(experiment);
        let trials = trials(reading, experiment.no, config.as_ref())?.groups;
        let columns = columns(experiment, config.as_ref(), &trials);
        let rows = trials.iter().map(|group| row(group, &columns)).collect();
        let is_chosen = |group: &&Group| {
            let name = group.name.as_ref();
            name.is_some_and(|name| only.is_empty() || only.contains(name))
        };
        let chosen: Vec<&Group> = trials.iter().filter(is_chosen).collect();
        let criteria = config.as_ref().map(|config| &config.success_criteria[..]);
        let criteria = criteria.unwrap_or_default();
        let observed = chosen.iter().filter_map(|group| observed(group, criteria));
        Ok(Self {
            columns,
            rows,
            verdict: criteria::judge(criteria, &observed.collect::<Vec<Observed>>()),
            judged: judged(&chosen, config.as_ref()),
        })
    }

    /// Sums over all variations.
    pub fn statuses(&self) -> Statuses {
        let mut all = Statuses::default();
        for row in &self.rows {
            all.queued += row.statuses.queued;
            all.running += row.statuses.running;
            all.completed += row.statuses.completed;
            all.failed += row.statuses.failed;
            all.cancelled += row.statuses.cancelled;
        }
        all
    }
}

/// The config recorded with an experiment, if it has one of this form.
pub(crate) fn config_of(experiment: &ExperimentRow) -> Option<Config> {
    let document = &experiment.state.config()?.document;
    serde_json::from_value(document.clone()).ok()
}

fn columns(
    experiment: &ExperimentRow,
    config: Option<&Config>,
    groups: &[Group],
) -> Vec<MetricColumn> {
    let definitions = experiment.state.definitions();
    let column = |key: &str, expected| MetricColumn {
        key: key.to_owned(),
        unit: definitions.get(key).and_then(|said| said.unit.clone()),
        goal: definitions.get(key).and_then(|said| said.goal),
        expected,
    };
    let mut columns: Vec<MetricColumn> = config
        .into_iter()
        .flat_map(|config| &config.metrics)
        .map(|metric| column(&metric.key, true))
        .collect();
    let mut others: Vec<&str> = groups
        .iter()
        .flat_map(|group| &group.runs)
        .flat_map(|run| run.state.records.series.keys())
        .filter(|series| series.context.is_empty())
        .map(|series| series.key.as_str())
        // What the process tree used is no result, unless the config asks for it.
        .filter(|key| !system::is_system(key))
        .filter(|key| columns.iter().all(|column| column.key != *key))
        .collect();
    others.sort_unstable();
    others.dedup();
    let others: Vec<MetricColumn> = others.into_iter().map(|key| column(key, false)).collect();
    columns.extend(others);
    columns
}

fn row(group: &Group, columns: &[MetricColumn]) -> VariationRow {
    let mut statuses = Statuses::default();
    for run in &group.runs {
        statuses.count(run.state.status());
    }
    VariationRow {
        name: group.name.clone(),
        statuses,
        superseded: group.superseded,
        metrics: columns
            .iter()
            .map(|column| summary(group, &column.key))
            .collect(),
    }
}

fn summary(group: &Group, key: &str) -> MetricSummary {
    let (mut finite, mut missing, mut not_finite) = (Vec::new(), 0, 0);
    for run in group.completed() {
        match run.state.metric(key) {
            Some(value) if value.is_finite() => finite.push(value),
            Some(_) => not_finite += 1,
            None => missing += 1,
        }
    }
    MetricSummary {
        description: describe(&finite),
        missing,
        not_finite,
    }
}

#[cfg(test)]
mod tests;
