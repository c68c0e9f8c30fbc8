//! What each subject has of a metric, and which has the best.
//!
//! Invariant: of an arm completed runs count, of a run its value in whatever state it is; ties are all best.

use trialbook_model::record::Goal;
use trialbook_model::status::RunStatus;
use trialbook_stats::{Interval, Level, describe};
use trialbook_store::nouns::RunRow;

use super::{Cell, Kind, Subject};
use crate::measure::{Agg, Measure};

/// The values of a subject that count, and how many runs gave none.
fn values(subject: &Subject, measure: &Measure, agg: Agg) -> (Vec<f64>, u64) {
    let counts = |run: &&RunRow| match subject.kind {
        Kind::Run => true,
        Kind::Arm => run.state.status() == RunStatus::Completed,
    };
    let mut missing = 0;
    let mut values = Vec::new();
    for run in subject.runs.iter().filter(counts) {
        match measure.value(run, agg) {
            Some(value) => values.push(value),
            None => missing += 1,
        }
    }
    (values, missing)
}

pub(super) fn cell(subject: &Subject, measure: &Measure, agg: Agg) -> (Cell, Vec<f64>) {
    let (values, missing) = values(subject, measure, agg);
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
        min: described.map(|it| it.min),
        median: described.map(|it| it.median),
        max: described.map(|it| it.max),
        delta: None,
        relative: None,
    };
    (cell, finite)
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
