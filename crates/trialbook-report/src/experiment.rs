//! The report of an experiment: what it is about, what was found, how sure that is, how it was made.
//!
//! Not here: computing and files. Invariant: every sentence is one of the analysis; nothing depends on the clock, so
//! the same data gives the same page.

use trialbook_analysis::finding::Analysis;
use trialbook_model::config::Config;

use crate::analysis::{
    contrasts, criteria, headline, method, metrics, sentences, trials, warnings,
};
use crate::page::Page;

/// The page of a report.
pub fn page(analysis: &Analysis, config: Option<&Config>) -> Page {
    let mut page = Page::titled(format!("Experiment report: {}", analysis.experiment));
    if let Some(about) = config.map(|config| &config.experiment) {
        // Paragraphs of their own: a description may end without a full stop.
        let by = about.author.as_ref().map(|author| format!("By {author}."));
        for text in [about.description.clone(), by].into_iter().flatten() {
            page.text(text);
        }
    }
    page.text(format!("{}.", headline(analysis)));
    if analysis.arms.is_empty() {
        page.text("No run was recorded.");
        return page;
    }
    let found = sentences(analysis);
    if !found.is_empty() {
        page.heading("Findings");
        page.list(found);
    }
    warnings(&mut page, analysis);
    page.heading("Summary Statistics");
    if analysis.metrics.is_empty() {
        page.text("No metric was recorded.");
    }
    page.table(metrics(analysis));
    page.heading("Success Rates");
    page.table(trials(analysis));
    if let Some(verdict) = &analysis.criteria {
        page.heading("Success Criteria");
        page.table(criteria(verdict));
    }
    if let Some(baseline) = &analysis.baseline {
        page.heading(format!("Comparisons with {}", baseline.arm));
        page.table(contrasts(analysis));
    }
    page.heading("Method");
    page.text(method(analysis));
    page
}
