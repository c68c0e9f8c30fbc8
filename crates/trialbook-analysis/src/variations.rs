//! The table of an experiment: for each variation how its trials ended, what its metrics amount to, and
//! whether the success criteria are met.
//!
//! Of several attempts at one trial one counts, by the rule of [`counting`], and those before it are
//! superseded. A failed run contributes no metrics; the value of a metric is its last one (M-4).

use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::config::Config;
use trialbook_model::criteria::{self, Criterion, ExperimentVerdict, Observed};
use trialbook_model::id::ExperimentNo;
use trialbook_model::plan::{self, ExistingState, INTERRUPTED, counting};
use trialbook_model::record::Goal;
use trialbook_model::status::RunStatus;
use trialbook_stats::{Description, Undefined, describe};
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;

/// A metric of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricColumn {
    /// The metric's key.
    pub key: String,
    /// The unit of its definition.
    pub unit: Option<String>,
    /// The goal of its definition.
    pub goal: Option<Goal>,
    /// Whether the config expects it; others were logged beside the expected ones.
    pub expected: bool,
}

/// How many trials are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
        let slot = match status {
            RunStatus::Queued => &mut self.queued,
            RunStatus::Running => &mut self.running,
            RunStatus::Completed => &mut self.completed,
            RunStatus::Failed => &mut self.failed,
            RunStatus::Cancelled => &mut self.cancelled,
        };
        *slot += 1;
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

/// How many trials a verdict rests on. Trials end by themselves by completing or failing; one that waits,
/// runs, was cancelled or lost its process is still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Judged {
    /// Trials that ended by themselves.
    pub ended: u64,
    /// Those and the open ones that the config asks for.
    pub planned: u64,
}

impl Judged {
    /// Whether no trial is open.
    pub fn is_whole(self) -> bool {
        self.ended == self.planned
    }
}

impl VariationTable {
    /// Reads the experiment's runs and counts them up. Runs in the bin are left out, archived ones are in.
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
        let trials = trials(reading, experiment.no, config.as_ref())?;
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
            verdict: criteria::judge(criteria, &observed.collect::<Vec<_>>()),
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

/// The trials of one variation.
struct Group {
    name: Option<String>,
    /// The attempt that counts of each trial, in the order of the trials' first runs.
    runs: Vec<RunRow>,
    superseded: u64,
}

/// The trials of one variation with all attempts at each.
#[derive(Default)]
struct Attempts {
    name: Option<String>,
    trials: Vec<Vec<RunRow>>,
    /// Where a trial stands in `trials`.
    places: BTreeMap<u64, usize>,
}

/// The config recorded with an experiment, if it has one of this form.
fn config_of(experiment: &ExperimentRow) -> Option<Config> {
    let document = &experiment.state.config()?.document;
    serde_json::from_value(document.clone()).ok()
}

fn trials<R: Reading>(
    reading: &R,
    experiment: ExperimentNo,
    config: Option<&Config>,
) -> Result<Vec<Group>, R::Error> {
    let mut numbers = reading
        .search(&Query {
            experiments: Some(vec![experiment]),
            shown: Shown::WithArchived,
            ..Query::all()
        })?
        .runs;
    numbers.sort();
    let mut groups: Vec<Attempts> = config
        .into_iter()
        .flat_map(|config| &config.variations)
        .map(|variation| Attempts::named(Some(variation.name.clone())))
        .collect();
    let mut places: BTreeMap<Option<String>, usize> = groups
        .iter()
        .enumerate()
        .map(|(at, group)| (group.name.clone(), at))
        .collect();
    for run in reading.runs(&numbers)? {
        // A change of the config, accepted by the user, left it out: it did something else.
        if run.state.annotations.flag("left_out") {
            continue;
        }
        let name = run.state.start().and_then(|start| start.variation.clone());
        let at = *places.entry(name.clone()).or_insert_with(|| {
            groups.push(Attempts::named(name));
            groups.len() - 1
        });
        groups[at].add(run);
    }
    let planned = planned_keys(config);
    let groups = groups.into_iter();
    Ok(groups.map(|group| group.counted(&planned)).collect())
}

/// The keys of the runs that the recorded config asks for.
fn planned_keys(config: Option<&Config>) -> BTreeSet<String> {
    let base = |config: &Config| config.random_seed.unwrap_or_default();
    let plan = config.map_or_else(Vec::new, |config| plan::expand(config, base(config)));
    plan.into_iter().map(|run| run.key).collect()
}

/// Where some attempts did what the config asks for, those that did something else do not count: a command
/// line that was changed in between leaves them.
fn drop_others(attempts: &mut Vec<RunRow>, planned: &BTreeSet<String>) -> u64 {
    let is_planned = |run: &RunRow| {
        let key = run.state.start().and_then(|start| start.run_key.as_ref());
        key.is_some_and(|key| planned.contains(key))
    };
    let before = attempts.len();
    if attempts.iter().any(is_planned) {
        attempts.retain(is_planned);
    }
    (before - attempts.len()) as u64
}

/// The state of an attempt as the plan looks at it.
fn state_of(run: &RunRow) -> ExistingState {
    match run.state.status() {
        RunStatus::Queued => ExistingState::Queued,
        RunStatus::Running => ExistingState::Running,
        RunStatus::Completed => ExistingState::Completed,
        RunStatus::Failed => match run.state.error() {
            Some(error) if error.kind == INTERRUPTED => ExistingState::Stale,
            Some(_) | None => ExistingState::Failed,
        },
        RunStatus::Cancelled => ExistingState::Cancelled,
    }
}

fn ended_by_itself(run: &RunRow) -> bool {
    matches!(
        state_of(run),
        ExistingState::Completed | ExistingState::Failed
    )
}

impl Attempts {
    fn named(name: Option<String>) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    fn add(&mut self, run: RunRow) {
        let trial = run.state.start().and_then(|start| start.trial);
        match trial.and_then(|trial| self.places.get(&trial)) {
            Some(at) => self.trials[*at].push(run),
            None => {
                if let Some(trial) = trial {
                    self.places.insert(trial, self.trials.len());
                }
                self.trials.push(vec![run]);
            }
        }
    }

    fn counted(self, planned: &BTreeSet<String>) -> Group {
        let attempt = |run: &RunRow| run.state.start().and_then(|start| start.attempt);
        let mut group = Group {
            name: self.name,
            runs: Vec::with_capacity(self.trials.len()),
            superseded: 0,
        };
        for mut attempts in self.trials {
            group.superseded += drop_others(&mut attempts, planned);
            attempts.sort_by_key(attempt);
            let states: Vec<ExistingState> = attempts.iter().map(state_of).collect();
            if let Some(at) = counting(&states) {
                group.superseded += at as u64;
                group.runs.push(attempts.swap_remove(at));
            }
        }
        group
    }
}

impl Group {
    /// The trials that ended by themselves.
    fn ended(&self) -> impl Iterator<Item = &RunRow> {
        self.runs.iter().filter(|run| ended_by_itself(run))
    }

    fn completed(&self) -> impl Iterator<Item = &RunRow> {
        self.runs
            .iter()
            .filter(|run| run.state.status() == RunStatus::Completed)
    }
}

fn columns(
    experiment: &ExperimentRow,
    config: Option<&Config>,
    groups: &[Group],
) -> Vec<MetricColumn> {
    let definition = |key: &str| experiment.state.metrics.get(key).map(|held| &held.value);
    let column = |key: &str, expected| MetricColumn {
        key: key.to_owned(),
        unit: definition(key).and_then(|define| define.unit.clone()),
        goal: definition(key).and_then(|define| define.goal),
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

/// What the criteria look at; `None` for runs without a variation and for variations without a trial that
/// ended by itself.
fn observed(group: &Group, criteria: &[Criterion]) -> Option<Observed> {
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
fn judged(groups: &[&Group], config: Option<&Config>) -> Judged {
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
    }
    judged
}

#[cfg(test)]
mod tests;
