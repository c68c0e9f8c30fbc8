//! Judging: runs, variations, the experiment.
//!
//! A run meets a criterion when it has the metric and the condition holds. A variation meets it when
//! the condition holds for the mean over its runs. The experiment's verdict is: every criterion is met
//! by the mean of every variation. Verdicts never change the state of a run.
//! Invariant: values that are not finite stay out of means and are counted; a missing value is never 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Criterion;
use crate::exact_sum::ExactSum;

/// What came of one criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The condition holds.
    Met,
    /// The condition does not hold; also when the value is not a number.
    NotMet,
    /// There is no value; counts as not met.
    Missing,
}

impl Outcome {
    /// The word used in every face.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::Missing => "missing",
        }
    }
}

/// What was measured for one variation: the metrics of each of its runs that ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    /// The variation's name.
    pub variation: String,
    /// The metrics of each run; a failed run may have none.
    pub runs: Vec<BTreeMap<String, f64>>,
}

/// One criterion judged for one variation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The criterion in words, such as `error_rate < 0.05`.
    pub criterion: String,
    /// The metric.
    pub metric: String,
    /// Mean of the finite values; `None` when there is none.
    pub mean: Option<f64>,
    /// The outcome for the mean.
    pub outcome: Outcome,
    /// How many runs there are.
    pub runs: u64,
    /// How many of them meet the criterion.
    pub met: u64,
    /// How many have no value.
    pub missing: u64,
    /// How many have a value that is not finite, and so is not in the mean.
    pub not_finite: u64,
}

impl Cell {
    /// The share of runs that meet the criterion; `None` without runs.
    pub fn share(&self) -> Option<f64> {
        (self.runs > 0).then(|| self.met as f64 / self.runs as f64)
    }
}

/// All criteria judged for one variation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariationVerdict {
    /// The variation's name.
    pub variation: String,
    /// One cell a criterion, in the config's order.
    pub cells: Vec<Cell>,
    /// Whether the means meet all criteria.
    pub met: bool,
}

/// The verdict on an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentVerdict {
    /// One verdict a variation, in the order given.
    pub variations: Vec<VariationVerdict>,
    /// Whether the means of all variations meet all criteria.
    pub met: bool,
}

/// Judges one run's value, or a mean.
pub fn judge_value(criterion: &Criterion, value: Option<f64>) -> Outcome {
    match value {
        None => Outcome::Missing,
        Some(value)
            if criterion
                .condition
                .operator
                .holds(value, criterion.threshold) =>
        {
            Outcome::Met
        }
        Some(_) => Outcome::NotMet,
    }
}

/// Judges an experiment; `None` when there is nothing to judge: no criteria or no variations.
pub fn judge(criteria: &[Criterion], observed: &[Observed]) -> Option<ExperimentVerdict> {
    if criteria.is_empty() || observed.is_empty() {
        return None;
    }
    let variations: Vec<VariationVerdict> = observed
        .iter()
        .map(|variation| {
            let cells: Vec<Cell> = criteria
                .iter()
                .map(|criterion| cell(criterion, &variation.runs))
                .collect();
            VariationVerdict {
                variation: variation.variation.clone(),
                met: cells.iter().all(|cell| cell.outcome == Outcome::Met),
                cells,
            }
        })
        .collect();
    Some(ExperimentVerdict {
        met: variations.iter().all(|variation| variation.met),
        variations,
    })
}

fn cell(criterion: &Criterion, runs: &[BTreeMap<String, f64>]) -> Cell {
    let (mut sum, mut finite) = (ExactSum::new(), 0);
    let (mut met, mut missing, mut not_finite) = (0, 0, 0);
    for run in runs {
        let value = run.get(&criterion.metric).copied();
        match judge_value(criterion, value) {
            Outcome::Met => met += 1,
            Outcome::NotMet => {}
            Outcome::Missing => missing += 1,
        }
        match value {
            Some(value) if value.is_finite() => {
                sum.add(value);
                finite += 1;
            }
            Some(_) => not_finite += 1,
            None => {}
        }
    }
    let mean = sum.mean(finite);
    Cell {
        criterion: criterion.to_string(),
        metric: criterion.metric.clone(),
        mean,
        outcome: judge_value(criterion, mean),
        runs: runs.len() as u64,
        met,
        missing,
        not_finite,
    }
}
