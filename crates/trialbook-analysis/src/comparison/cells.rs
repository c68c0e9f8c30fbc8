//! What each subject has of a metric, and which has the best.
//!
//! Invariant: of an arm completed runs count, of a run its value in whatever state it is; ties are all best.

use std::collections::BTreeMap;

use trialbook_model::id::ExperimentNo;
use trialbook_model::record::Goal;
use trialbook_model::status::RunStatus;
use trialbook_stats::{Interval, Level, describe};
use trialbook_store::nouns::RunRow;

use super::{Cell, Kind, Subject};
use crate::analysis::rates;
use crate::measure::{Agg, Measure};
use crate::separation::Group;

/// The values of a subject that count, each with its trial, and how many runs gave none.
fn values(subject: &Subject, measure: &Measure, agg: Agg) -> (Vec<(Option<u64>, f64)>, u64) {
    let counts = |run: &&RunRow| match subject.kind {
        Kind::Run => true,
        Kind::Arm => run.state.status() == RunStatus::Completed,
    };
    let mut missing = 0;
    let mut values = Vec::new();
    for run in subject.runs.iter().filter(counts) {
        match measure.value(run, agg) {
            Some(value) => {
                let trial = run.state.start().and_then(|start| start.trial);
                values.push((trial, value));
            }
            None => missing += 1,
        }
    }
    (values, missing)
}

/// `pairing` is the experiment whose design makes pairs of equal trials.
pub(super) fn cell(
    subject: &Subject,
    measure: &Measure,
    (agg, pairing): (Agg, Option<ExperimentNo>),
) -> (Cell, Group) {
    let (by_trial, missing) = values(subject, measure, agg);
    let values: Vec<f64> = by_trial.iter().map(|(_, value)| *value).collect();
    let finite: Vec<f64> = values.iter().copied().filter(|it| it.is_finite()).collect();
    // Of finite values only an empty list has no description.
    let described = describe(&finite).ok();
    // The one value of a run is shown as it is, NaN too.
    let value = match subject.kind {
        Kind::Run => values.first().copied(),
        Kind::Arm => described.map(|it| it.mean),
    };
    let interval = described.and_then(|it| it.mean_interval(Level::NINETY_FIVE));
    let cell = Cell {
        n: finite.len(),
        missing,
        not_finite: (values.len() - finite.len()) as u64,
        value,
        sd: described.and_then(|it| it.sd),
        half_width: interval
            .map(Interval::half_width)
            .filter(|half| half.is_finite()),
        interval: None,
        min: described.map(|it| it.min),
        median: described.map(|it| it.median),
        max: described.map(|it| it.max),
        delta: None,
        relative: None,
        contrast: None,
    };
    let group = Group {
        values: finite,
        by_trial: pairing.map(|experiment| (experiment, trials(by_trial))),
    };
    (cell, group)
}

/// Gives arms of a rate the interval of a share instead of that of a mean.
pub(super) fn as_rates(cells: &mut [Cell], (subjects, groups): (&[Subject], &[Group])) {
    for ((cell, subject), group) in cells.iter_mut().zip(subjects).zip(groups) {
        cell.half_width = None;
        if subject.kind == Kind::Arm && cell.n > 0 {
            cell.interval = rates::interval(&group.values, Level::NINETY_FIVE);
        }
    }
}

/// The finite values by trial.
fn trials(values: Vec<(Option<u64>, f64)>) -> BTreeMap<u64, Vec<f64>> {
    let mut trials: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (trial, value) in values {
        if let Some(trial) = trial.filter(|_| value.is_finite()) {
            trials.entry(trial).or_default().push(value);
        }
    }
    trials
}

/// The places of the best finite values; ties are all named.
pub(super) fn best(cells: &[Cell], measure: &Measure) -> Vec<usize> {
    if measure.goal == Goal::None {
        return Vec::new();
    }
    let finite = |cell: &Cell| cell.value.filter(|value| value.is_finite());
    let values = cells.iter().filter_map(finite);
    let Some(best) = values.reduce(|best, value| {
        if measure.is_better(value, best) {
            value
        } else {
            best
        }
    }) else {
        return Vec::new();
    };
    let is_best = |at: &usize| finite(&cells[*at]) == Some(best);
    (0..cells.len()).filter(is_best).collect()
}
