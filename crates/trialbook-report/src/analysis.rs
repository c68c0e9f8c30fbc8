//! An analysis in words: how the trials ended, what the metrics amount to, what differs, how sure that is.
//!
//! Not here: computing any of it. Invariant: a difference is said only of a tested one, with its size and interval
//! before its p; "significant" is not said at all; what cannot be tested says why.

mod criteria;
mod sections;
mod sentences;

use std::fmt::Write as _;

use trialbook_analysis::finding::{Analysis, Because, Division};

use crate::cautions;
use crate::figures::count;
use crate::page::{Page, some};
pub use criteria::{criteria, outcome, outcome_of_run};
pub use sections::{contrasts, method, metrics, resampled, trials};
pub(crate) use sections::{effect, of_kind, span};
pub use sentences::sentences;

/// The page of an analysis.
pub fn page(analysis: &Analysis) -> Page {
    let mut page = Page::default();
    page.text(headline(analysis));
    page.heading("Trials");
    page.table(trials(analysis));
    if analysis.metrics.is_empty() {
        page.text("No metric was recorded.");
    } else {
        page.heading("Metrics");
        page.table(metrics(analysis));
        page.list(resampled(analysis));
    }
    let against = contrasts(analysis);
    if let Some(baseline) = analysis
        .baseline
        .as_ref()
        .filter(|_| !against.rows.is_empty())
    {
        page.heading(format!("Against {}", baseline.arm));
        page.table(against);
        page.list(sentences(analysis));
    }
    if let Some(verdict) = &analysis.criteria {
        page.heading("Success criteria");
        page.table(criteria(verdict));
    }
    warnings(&mut page, analysis);
    page.heading("Method");
    page.text(method(analysis));
    page
}

/// Adds the warnings, under a heading where there are any.
pub fn warnings(page: &mut Page, analysis: &Analysis) {
    if !analysis.warnings.is_empty() {
        page.heading("Take care");
    }
    for warning in &analysis.warnings {
        page.warning(cautions::of_analysis(warning));
    }
}

/// `EXP-001: name: 3 arms by variation, 30 trials, each arm against A (the first: no baseline is marked)`.
pub fn headline(analysis: &Analysis) -> String {
    let trials: u64 = analysis.arms.iter().map(|arm| arm.statuses.total()).sum();
    let mut text = format!(
        "{}: {} {}, {}",
        analysis.experiment,
        count(analysis.arms.len() as u64, "arm"),
        divided(&analysis.division),
        count(trials, "trial")
    );
    match &analysis.baseline {
        Some(baseline) => {
            let why = match baseline.because {
                Because::Asked => "as asked",
                Because::Marked => "the marked baseline",
                Because::First => "the first: no baseline is marked",
            };
            write!(text, "; the others against {} ({why})", baseline.arm)
                .expect("a string takes all");
        }
        None if analysis.arms.len() == 1 => {
            text.push_str("; with one arm there is nothing to compare");
        }
        None => {}
    }
    if !analysis.not_looked_at.is_empty() {
        let names = some(&analysis.not_looked_at, 5);
        write!(
            text,
            ". Recorded too, and looked at only when asked for: {names}"
        )
        .expect("a string takes all");
    }
    text
}

fn divided(division: &Division) -> String {
    match division {
        Division::Variations => "by variation".to_owned(),
        Division::Keys { keys } => format!("by {}", keys.join(", ")),
        Division::OnlyParam { key } => format!("by {key}, the one param that varies"),
        Division::Whole => "(nothing varies)".to_owned(),
    }
}
