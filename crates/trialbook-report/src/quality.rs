//! Gates of a run and hints on an experiment, in words.
//!
//! Invariant: a gate that is not passed says what would pass it.

use trialbook_analysis::gates::{Checked, Gate, Outcome};
use trialbook_analysis::lint::{ENOUGH, Hint};

use crate::figures::count;
use crate::page::{Page, Table, some};

/// Names that are listed.
const NAMED: usize = 5;

/// The page of a checked run.
pub fn gates(title: &str, checked: &[Checked]) -> Page {
    let mut page = Page::default();
    let mut table = Table::of_texts(["GATE", "STATE", "WHAT"]);
    for gate in checked {
        let (state, what) = told(gate);
        table.row(vec![gate.gate.word().to_owned(), state.to_owned(), what]);
    }
    page.table(table);
    let number = |wanted: fn(&Outcome) -> bool| {
        checked.iter().filter(|gate| wanted(&gate.outcome)).count() as u64
    };
    let passed = number(|it| matches!(it, Outcome::Passed { .. }));
    let failed = number(|it| matches!(it, Outcome::Failed { .. }));
    page.list(vec![format!(
        "{title}: {} passed, {failed} not passed.",
        count(passed, "gate")
    )]);
    page
}

fn told(checked: &Checked) -> (&'static str, String) {
    match &checked.outcome {
        Outcome::Passed { found } => ("passed", some(found, NAMED)),
        Outcome::NotApplicable => ("-", "nothing to look at".to_owned()),
        Outcome::Skipped => ("skipped", String::new()),
        Outcome::Failed { wrong } => ("NOT PASSED", failed(checked.gate, wrong)),
    }
}

fn failed(gate: Gate, wrong: &[String]) -> String {
    let names = some(wrong, NAMED);
    match gate {
        Gate::Named => "it has no name: `trialbook rename`".to_owned(),
        Gate::Tagged => "neither it nor its experiment has tags: `trialbook tag`".to_owned(),
        Gate::ParamsFirst if wrong.is_empty() => "no param was recorded".to_owned(),
        Gate::ParamsFirst => format!("recorded after the first metric: {names}"),
        Gate::Measured => "no metric was recorded".to_owned(),
        Gate::WithoutGaps => format!("steps are missing in {names}"),
        Gate::Artifacts => "no artifact is kept".to_owned(),
        Gate::Checkpoints => format!("no artifact has the role {names}"),
        Gate::Commit => "the commit is not recorded".to_owned(),
        Gate::Command => "the command is not recorded".to_owned(),
        Gate::Environment => "the surroundings are not recorded".to_owned(),
        Gate::Data => "the data are not recorded".to_owned(),
        Gate::Reproduced if wrong.is_empty() => "no run reproduces it".to_owned(),
        Gate::Reproduced => format!("a reproduction differs: {names}"),
        Gate::Baseline => "there is no baseline: `trialbook baseline`".to_owned(),
        Gate::Noted => "it has no note: `trialbook note`".to_owned(),
    }
}

/// The page of an experiment that was looked at.
pub fn hints(title: &str, hints: &[Hint]) -> Page {
    let mut page = Page::default();
    if hints.is_empty() {
        page.text(format!("{title}: nothing to say."));
        return page;
    }
    page.text(format!("{title}: {}", count(hints.len() as u64, "hint")));
    page.list(hints.iter().map(hint).collect());
    page
}

fn hint(hint: &Hint) -> String {
    let counted = |parts: &[(String, u64)]| {
        let parts: Vec<String> = parts
            .iter()
            .map(|(name, n)| format!("{name}: {n}"))
            .collect();
        some(&parts, NAMED)
    };
    match hint {
        Hint::Name { name } => format!("name: `{name}` does not say what it is about"),
        Hint::WithoutParams { runs, of } => {
            format!("params: {runs} of {} have none", count(*of, "run"))
        }
        Hint::ParamsLacking { params, of } => format!(
            "params: not in all of {} ({})",
            count(*of, "run"),
            counted(params)
        ),
        Hint::FewTrials { arms } => format!(
            "trials: fewer than {ENOUGH} completed runs ({}): chance cannot be told from effect",
            counted(arms)
        ),
        Hint::NoArms { params } => format!(
            "trials: several params vary ({}), so repetitions cannot be counted",
            some(params, NAMED)
        ),
        Hint::NoBaseline => "baseline: none is marked: `trialbook baseline`".to_owned(),
        Hint::NoTags => "tags: there are none: `trialbook tag`".to_owned(),
        Hint::NoNotes => "notes: there is neither a note nor a description".to_owned(),
        Hint::GoalsAssumed { metrics } => format!(
            "metrics: which direction is better is only assumed of {}",
            some(metrics, NAMED)
        ),
        Hint::NoRuns => "runs: there are none".to_owned(),
    }
}
