//! Runs and arms beside each other: in what they differ, what came out, which is best (C-29, T-5, A-25).
//!
//! Not here: words, and what a difference is worth ([`crate::separation`]). Invariant: a subject without a
//! value has none; what was assumed of a goal says so, and where nothing speaks for a direction none is best unless
//! the metric was asked for.

mod caution;
mod cells;
mod scope;
mod settings;
mod successes;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use trialbook_model::goal::Definitions;
use trialbook_model::id::ExperimentNo;
use trialbook_model::system;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading;

use crate::analysis::resampled;
use crate::finding::Span;
use crate::measure::{self, Agg, Measure};
use crate::number;
use crate::separation::{self, Contrast, Group, Judged, Standing};
use crate::variations::config_of;
pub use caution::Caution;
use caution::{across, units};
use cells::{as_rates, best, cell};
use scope::Chosen;
pub use scope::Scope;
pub use settings::{Held, Setting, Source, flattened};
pub use successes::Successes;

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// What it is called; unlike all others.
    pub title: String,
    /// One run, or the trials of an arm.
    pub kind: Kind,
    /// The arm's name inside its experiment; empty for a run.
    pub arm: String,
    /// Its experiment.
    pub experiment: ExperimentNo,
    /// Its runs: one, or all trials that count.
    pub runs: Vec<RunRow>,
}

/// What a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One run; its values count in whatever state it is.
    Run,
    /// Trials; those that completed count.
    Arm,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The metrics; empty for those that the scope says.
    pub metrics: Vec<String>,
    /// Which metrics are shown where none are named.
    pub scope: Scope,
    /// The share of wrong alarms that is put up with, between 0 and 1.
    pub alpha: f64,
    /// Which number of a series is a run's value.
    pub agg: Agg,
    /// The subject that the others are compared with and the name of its mark; without one the first.
    pub baseline: Option<(usize, String)>,
}

/// Subjects beside each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Which number of a series is a run's value.
    pub agg: Agg,
    /// The subjects, in the order given.
    pub subjects: Vec<Head>,
    /// The place of the one that the others are compared with.
    pub baseline: usize,
    /// The name under which it is marked; `None` where it is only the first.
    pub baseline_mark: Option<String>,
    /// Params and configs, those that differ first.
    pub settings: Vec<Setting>,
    /// Metrics by name, or as asked for.
    pub metrics: Vec<Row>,
    /// How often the trials of arms complete; none where all do or none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<Successes>,
    /// Derived metrics that are left out.
    pub left_out: Vec<String>,
    /// The share of wrong alarms that is put up with.
    pub alpha: f64,
    /// What to be careful about.
    pub warnings: Vec<Caution>,
}

/// A subject, as its results are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// What it is called.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// Its experiment's name.
    pub experiment: String,
    /// Its runs, those without results too.
    pub runs: usize,
    /// The ids of its runs.
    pub ids: Vec<String>,
}

/// A metric of all subjects.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The metric.
    #[serde(flatten)]
    pub measure: Measure,
    /// What each subject has.
    pub cells: Vec<Cell>,
    /// Whether it is judged: not where nothing says which direction is better, nor what processes used or another
    /// metric tells already, unless the metric was asked for.
    pub judged: bool,
    /// Whether it is a rate: all its values are 0 or 1, and there are trials.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rate: bool,
    /// The places of the best ones: several where they tie, none where it is not judged, has no goal or no value.
    pub best: Vec<usize>,
    /// How far they stand out from the others.
    pub standing: Option<Standing>,
}

/// What a subject has of a metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// Finite values.
    pub n: usize,
    /// Runs without a value.
    pub missing: u64,
    /// Values that are NaN or infinite.
    pub not_finite: u64,
    /// The value of a run, the mean of an arm.
    #[serde(serialize_with = "number::option")]
    pub value: Option<f64>,
    /// The standard deviation over trials.
    pub sd: Option<f64>,
    /// Half the width of the 95 % t interval of an arm's mean; none of a rate or where it cannot be computed.
    pub half_width: Option<f64>,
    /// Wilson's 95 % interval of an arm's rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// The smallest finite value.
    pub min: Option<f64>,
    /// The median.
    pub median: Option<f64>,
    /// The greatest finite value.
    pub max: Option<f64>,
    /// The value less that of the baseline.
    pub delta: Option<f64>,
    /// The difference as a share of the baseline's magnitude; none where that is 0.
    pub relative: Option<f64>,
    /// The test against the baseline, where there are trials; not of what processes used, unless that was asked for.
    pub contrast: Option<Contrast>,
}

/// Compares subjects; there is at least one.
///
/// # Errors
/// What the reading says.
pub fn compare<R: Reading>(
    reading: &R,
    subjects: &[Subject],
    request: &Request,
) -> Result<Comparison, R::Error> {
    let mut experiments: BTreeMap<ExperimentNo, ExperimentRow> = BTreeMap::new();
    let mut known: BTreeMap<ExperimentNo, [Definitions; 2]> = BTreeMap::new();
    for subject in subjects {
        if !experiments.contains_key(&subject.experiment)
            && let Some(row) = reading.experiment(subject.experiment)?
        {
            known.insert(row.no, measure::definitions(reading, &row)?);
            experiments.insert(row.no, row);
        }
    }
    let mut warnings = across(&experiments);
    let (baseline, baseline_mark) = match &request.baseline {
        Some((at, mark)) => (*at, Some(mark.clone())),
        None => (0, None),
    };
    let chosen = Chosen::of(subjects, request);
    let asked = Asked {
        subjects,
        request,
        baseline,
        paired: paired(&experiments),
        again: chosen.again,
    };
    let mut metrics = Vec::new();
    let mut groups = Vec::new();
    for key in chosen.keys {
        let definitions: Vec<&Definitions> = known.values().flatten().collect();
        let (row, of_subjects) = asked.row(Measure::of(&key, &definitions));
        warnings.extend(units(&key, &known));
        warnings.extend(asked.doubts(&row));
        warnings.extend(asked.skewed(&row, &of_subjects));
        groups.push(of_subjects);
        metrics.push(row);
    }
    asked.judge(&mut metrics, &groups);
    let is_series = |row: &Row| asked.has_series(&row.measure.key);
    if request.agg == Agg::Best && metrics.iter().any(is_series) {
        warnings.push(Caution::BestOfSeries);
    }
    Ok(Comparison {
        agg: request.agg,
        subjects: subjects.iter().map(|it| head(it, &experiments)).collect(),
        baseline,
        baseline_mark,
        settings: settings::settings(reading, subjects, &experiments)?,
        metrics,
        success: Successes::of(subjects, baseline, request.alpha),
        left_out: chosen.left_out,
        alpha: request.alpha,
        warnings,
    })
}

/// The experiments whose design makes pairs.
fn paired(experiments: &BTreeMap<ExperimentNo, ExperimentRow>) -> BTreeSet<ExperimentNo> {
    let pairs = |row: &&ExperimentRow| separation::makes_pairs(config_of(row).as_ref());
    experiments
        .values()
        .filter(pairs)
        .map(|row| row.no)
        .collect()
}

fn head(subject: &Subject, experiments: &BTreeMap<ExperimentNo, ExperimentRow>) -> Head {
    let experiment = experiments.get(&subject.experiment);
    let experiment = experiment.and_then(|row| row.state.name());
    Head {
        title: subject.title.clone(),
        kind: subject.kind,
        experiment: experiment.unwrap_or_default().to_owned(),
        runs: subject.runs.len(),
        ids: subject.runs.iter().map(|run| run.uid.to_string()).collect(),
    }
}

struct Asked<'a> {
    subjects: &'a [Subject],
    request: &'a Request,
    baseline: usize,
    /// Experiments whose design makes pairs.
    paired: BTreeSet<ExperimentNo>,
    /// Metrics that tell again what others tell.
    again: BTreeSet<String>,
}

impl Asked<'_> {
    /// The row, and the finite values of each subject.
    fn row(&self, measure: Measure) -> (Row, Vec<Group>) {
        let cell = |subject: &Subject| {
            let experiment = subject.experiment;
            let pairs = subject.kind == Kind::Arm && self.paired.contains(&experiment);
            let pairing = pairs.then_some(experiment);
            cell(subject, &measure, (self.request.agg, pairing))
        };
        let (mut cells, groups): (Vec<Cell>, Vec<Group>) = self.subjects.iter().map(cell).unzip();
        let rate = separation::is_rate(&groups);
        if rate {
            as_rates(&mut cells, (self.subjects, &groups));
        }
        let base = cells.get(self.baseline).and_then(|cell| cell.value);
        for (at, cell) in cells.iter_mut().enumerate() {
            if at == self.baseline {
                continue;
            }
            let delta = cell.value.zip(base).map(|(value, base)| value - base);
            cell.delta = delta.filter(|delta| delta.is_finite());
            cell.relative = cell.delta.zip(base).and_then(|(delta, base)| {
                let share = delta / base.abs();
                (base != 0.0 && share.is_finite()).then_some(share)
            });
        }
        let judged = self.request.metrics.contains(&measure.key)
            || measure.is_directed() && self.is_own(&measure.key);
        let best = if judged {
            best(&cells, &measure)
        } else {
            Vec::new()
        };
        let row = Row {
            measure,
            cells,
            judged,
            rate,
            best,
            standing: None,
        };
        (row, groups)
    }

    /// Whether a metric is a result that nothing else tells.
    fn is_own(&self, key: &str) -> bool {
        !system::is_system(key) && !self.again.contains(key)
    }

    /// Whether a metric is tested: a difference needs no direction.
    fn is_tested(&self, row: &Row) -> bool {
        row.judged || self.is_own(&row.measure.key)
    }

    /// Adds what the tests say of all metrics that are tested: they are one family.
    fn judge(&self, rows: &mut [Row], groups: &[Vec<Group>]) {
        let metrics: Vec<Judged<'_>> = rows
            .iter()
            .zip(groups)
            .filter(|(row, _)| self.is_tested(row))
            .map(|(row, groups)| Judged {
                groups,
                best: &row.best,
            })
            .collect();
        let found = separation::found(&metrics, self.baseline, self.request.alpha);
        let tested = rows.iter_mut().filter(|row| self.is_tested(row));
        for (row, found) in tested.zip(found) {
            row.standing = found.standing;
            for (cell, contrast) in row.cells.iter_mut().zip(found.contrasts) {
                cell.contrast = contrast;
            }
        }
    }

    fn doubts(&self, row: &Row) -> Vec<Caution> {
        let metric = &row.measure.key;
        let without = self.subjects.iter().zip(&row.cells);
        let without: Vec<String> = without
            .filter(|(_, cell)| cell.value.is_none())
            .map(|(subject, _)| subject.title.clone())
            .collect();
        let values: u64 = row.cells.iter().map(|cell| cell.not_finite).sum();
        let mut doubts = Vec::new();
        if !without.is_empty() {
            doubts.push(Caution::Missing {
                metric: metric.clone(),
                subjects: without,
            });
        }
        if values > 0 {
            doubts.push(Caution::NotFinite {
                metric: metric.clone(),
                values,
            });
        }
        doubts
    }

    fn skewed(&self, row: &Row, groups: &[Group]) -> Option<Caution> {
        let is_skewed = |group: &Group| resampled::skewness(&group.values).is_some();
        let skewed = self.subjects.iter().zip(groups);
        let skewed = skewed.filter(|(_, group)| is_skewed(group));
        let subjects: Vec<String> = skewed.map(|(it, _)| it.title.clone()).collect();
        let is_told = self.is_tested(row) && !row.rate && !subjects.is_empty();
        is_told.then(|| Caution::Skewed {
            metric: row.measure.key.clone(),
            subjects,
        })
    }

    fn has_series(&self, key: &str) -> bool {
        let key = trialbook_model::record::SeriesKey::plain(key);
        let mut runs = self.subjects.iter().flat_map(|subject| &subject.runs);
        runs.any(|run| {
            let series = run.state.records.series.get(&key);
            series.is_some_and(|summary| summary.count > 1)
        })
    }
}
