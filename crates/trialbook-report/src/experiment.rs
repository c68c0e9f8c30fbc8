//! The report of an experiment: what it is about, what was found, how sure that is, how it was made.
//!
//! Not here: computing and files. Invariant: every sentence is one of the analysis; nothing depends on the clock, so
//! the same data gives the same page.

use trialbook_analysis::finding::Analysis;
use trialbook_model::config::Config;

use crate::analysis::{
    contrasts, criteria, headline, method, metrics, resampled, sentences, trials, warnings,
};
use crate::page::Page;

/// A text with a full stop, unless it ends as a sentence does.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    let is_one = text.is_empty() || text.ends_with(['.', '!', '?', ':', '…']);
    format!("{text}{}", if is_one { "" } else { "." })
}

/// The page of a report.
pub fn page(analysis: &Analysis, config: Option<&Config>) -> Page {
    let mut page = Page::titled(format!("Experiment report: {}", analysis.experiment));
    if let Some(about) = config.map(|config| &config.experiment) {
        let by = about.author.as_ref().map(|author| format!("By {author}."));
        let about = [about.description.as_deref().map(sentence), by];
        let about: Vec<String> = about.into_iter().flatten().collect();
        if !about.is_empty() {
            page.text(about.join(" "));
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
    page.list(resampled(analysis));
    page.heading("Success Rates");
    page.table(trials(analysis));
    if let Some(verdict) = &analysis.criteria {
        page.heading("Success Criteria");
        page.table(criteria(verdict));
    }
    let against = contrasts(analysis);
    if let Some(baseline) = analysis
        .baseline
        .as_ref()
        .filter(|_| !against.rows.is_empty())
    {
        page.heading(format!("Comparisons with {}", baseline.arm));
        page.table(against);
    }
    page.heading("Method");
    page.text(method(analysis));
    page
}
