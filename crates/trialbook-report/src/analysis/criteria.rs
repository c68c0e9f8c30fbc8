//! Success criteria in words: the table of a verdict, and what became of a criterion.
//!
//! Not here: judging. Invariant: a value that is there and not finite is not called missing.

use trialbook_model::criteria::{Cell, ExperimentVerdict, Outcome};

use crate::figures::short;
use crate::page::{Align, Table};

/// What there is to say of values that are there and cannot be judged.
const NOT_FINITE: &str = "not met (not finite)";

/// What became of a criterion for a variation.
pub const fn outcome(cell: &Cell) -> &'static str {
    match cell.outcome {
        Outcome::Missing if cell.not_finite > 0 => NOT_FINITE,
        Outcome::Met | Outcome::NotMet | Outcome::Missing => cell.outcome.word(),
    }
}

/// What became of a criterion for a run.
pub fn outcome_of_run(outcome: Outcome, value: Option<f64>) -> &'static str {
    match outcome {
        Outcome::NotMet if value.is_some_and(|value| !value.is_finite()) => NOT_FINITE,
        Outcome::Met | Outcome::NotMet | Outcome::Missing => outcome.word(),
    }
}

/// The verdict on the success criteria.
pub fn criteria(verdict: &ExperimentVerdict) -> Table {
    let mut table = Table::of_numbers([
        "Criterion",
        "Variation",
        "Mean",
        "Runs that meet it",
        "Outcome",
    ]);
    for at in [1, 4] {
        table.columns[at].1 = Align::Left;
    }
    for variation in &verdict.variations {
        for cell in &variation.cells {
            table.row(vec![
                cell.criterion.clone(),
                variation.variation.clone(),
                cell.mean.map_or_else(String::new, short),
                format!("{} of {}", cell.met, cell.runs),
                outcome(cell).to_owned(),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_and_not_finite_is_not_missing() {
        let cell = |missing, not_finite| Cell {
            criterion: "loss < 1".to_owned(),
            metric: "loss".to_owned(),
            mean: None,
            outcome: Outcome::Missing,
            runs: 2,
            met: 0,
            missing,
            not_finite,
        };
        assert_eq!(outcome(&cell(0, 2)), "not met (not finite)");
        assert_eq!(outcome(&cell(2, 0)), "missing");
        let of_run = |value| outcome_of_run(Outcome::NotMet, value);
        assert_eq!(of_run(Some(f64::NAN)), "not met (not finite)");
        assert_eq!(of_run(Some(2.0)), "not met");
    }
}
