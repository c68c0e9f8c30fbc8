//! What to be careful about, in words.
//!
//! Invariant: each sentence says what was found, not what might be.

use trialbook_analysis::comparison::Caution;

use crate::figures::count;
use crate::page::{listed, some};

/// Subjects that are named one by one.
const NAMED: usize = 5;

/// A caution of a comparison.
pub fn of_comparison(caution: &Caution) -> String {
    match caution {
        Caution::AcrossExperiments { experiments } => format!(
            "these belong to different experiments ({}): they may differ in more than is recorded",
            some(experiments, NAMED)
        ),
        Caution::Missing { metric, subjects } => {
            format!("{} {} no `{metric}`", some(subjects, NAMED), has(subjects))
        }
        Caution::Units { metric, units } => format!(
            "the unit of `{metric}` is defined differently ({}): the values are compared as they are",
            listed(units)
        ),
        Caution::NotFinite { metric, values } => format!(
            "{} of `{metric}` {} not finite and left out of means and differences",
            count(*values, "value"),
            if *values == 1 { "is" } else { "are" },
        ),
        Caution::BestOfSeries => {
            "the best value of each series counts: that favours runs with more \
             points and more noise"
                .to_owned()
        }
    }
}

const fn has(subjects: &[String]) -> &'static str {
    if subjects.len() == 1 { "has" } else { "have" }
}
