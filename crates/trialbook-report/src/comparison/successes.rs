//! Success rates of arms beside each other.
//!
//! Invariant: a difference stands with its interval, test and p, or with the reason for none.

use trialbook_analysis::comparison::{Comparison, Successes};
use trialbook_analysis::finding::Outcome;

use crate::figures::{p_against, percent, points};
use crate::page::{Align, Page, Table};

/// Adds them, where arms differ in how often their trials complete or could.
pub(super) fn add(page: &mut Page, comparison: &Comparison) {
    let Some(successes) = &comparison.success else {
        return;
    };
    let titles = [
        "SUBJECT",
        "COMPLETED",
        "SUCCESS",
        "95% CI",
        "DIFFERENCE",
        "95% CI",
        "TEST",
        "p",
        "p (Holm)",
    ];
    let mut table = Table::of_numbers(titles);
    table.columns[6].1 = Align::Left;
    for (subject, rate) in comparison.subjects.iter().zip(&successes.rates) {
        let Some(rate) = rate else {
            continue;
        };
        let ends = rate.interval.as_ref();
        let ends = ends.map(|it| {
            format!(
                "[{}, {}]",
                percent(it.low, rate.n),
                percent(it.high, rate.n)
            )
        });
        let mut cells = vec![
            subject.title.clone(),
            format!("{} of {}", rate.hits, rate.n),
            percent(rate.estimate, rate.n),
            ends.unwrap_or_default(),
        ];
        cells.extend(against(successes, &subject.title, comparison.alpha));
        table.row(cells);
    }
    page.heading("Success rates");
    page.table(table);
}

fn against(successes: &Successes, arm: &str, alpha: f64) -> Vec<String> {
    let mut contrasts = successes.found.contrasts.iter();
    let Some(contrast) = contrasts.find(|contrast| contrast.arm == arm) else {
        return Vec::new();
    };
    let n = contrast.smaller();
    match &contrast.outcome {
        Outcome::Tested(tested) => {
            let ends = tested.interval.as_ref();
            let ends = ends.map(|it| format!("[{}, {}]", points(it.low, n), points(it.high, n)));
            vec![
                format!("{} pp", points(tested.difference, n)),
                ends.unwrap_or_default(),
                tested.test.to_owned(),
                p_against(tested.p, alpha),
                p_against(tested.p_adjusted, alpha),
            ]
        }
        Outcome::CannotTest {
            reason, difference, ..
        } => vec![
            difference.map_or_else(String::new, |it| format!("{} pp", points(it, n))),
            String::new(),
            format!("cannot test: {reason}"),
        ],
    }
}
