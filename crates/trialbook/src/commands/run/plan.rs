//! What is going to be done and why, in words.

use anyhow::Result;
use serde_json::json;
use trialbook_model::handle::run_label;
use trialbook_model::id::RunUid;
use trialbook_model::plan::{Action, Change, Tally, Why};
use trialbook_runner::ledger::Job;
use trialbook_runner::outline::{Outline, OutlineError};
use trialbook_runner::sample::Sample;

use super::sampling;
use super::source::Spec;
use crate::context::Context;
use crate::figures::count;
use crate::printer::{Column, Line, Style, Table};
use crate::titles;

/// Version of the JSON document of a dry run.
const SCHEMA: u32 = 1;
/// Changes shown; a config that differs in more is another config.
const MOST_CHANGES: usize = 20;

/// The answer of a dry run.
pub(super) fn show(
    cx: &Context,
    spec: &Spec,
    outline: &Outline,
    sample: Option<&Sample>,
) -> Result<()> {
    let tally = outline.decisions.tally();
    if cx.printer.json_wanted() {
        let mut document = document(spec, outline, tally);
        if let Some(sample) = sample {
            document["sample"] = sampling::document(sample);
        }
        return cx.printer.json(SCHEMA, &document);
    }
    sampling::announce(cx, sample);
    show_changes(cx, &outline.changes);
    let mut table = Table::new(vec![
        Column::text("VARIATION"),
        Column::number("TRIAL"),
        Column::number("SEED"),
        Column::text("WHAT"),
    ]);
    for decision in &outline.decisions.decisions {
        let planned = &decision.planned;
        table.row(vec![
            planned.variation.clone(),
            planned.trial.to_string(),
            planned.seed.to_string(),
            what(&decision.action),
        ]);
    }
    cx.printer.table(&table);
    cx.printer.line("");
    cx.printer.line(format!(
        "{}: {}; nothing was started",
        spec.config.experiment.name,
        summary(tally)
    ));
    Ok(())
}

fn document(spec: &Spec, outline: &Outline, tally: Tally) -> serde_json::Value {
    let runs = outline.decisions.decisions.iter().map(|decision| {
        let planned = &decision.planned;
        json!({
            "variation": planned.variation,
            "trial": planned.trial,
            "seed": planned.seed,
            "run_key": planned.key,
            "action": word(&decision.action),
            "reason": reason(&decision.action),
            "why": what(&decision.action),
        })
    });
    json!({
        "experiment": spec.config.experiment.name,
        "runs": runs.collect::<Vec<_>>(),
        "changes": outline.changes,
        "done": tally.done,
        "failed": tally.failed,
        "running": tally.busy,
        "to_start": tally.to_start,
    })
}

fn word(action: &Action) -> &'static str {
    match action {
        Action::Start { .. } | Action::Take { .. } => "start",
        Action::Done { .. } => "done",
        Action::Failed { .. } => "failed",
        Action::Busy { .. } => "running",
        Action::NotChosen => "not_chosen",
    }
}

/// What asks for the action, in one word for programs.
const fn reason(action: &Action) -> &'static str {
    match action {
        Action::Start { why, .. } => why.word(),
        Action::Take { .. } => Why::NeverRun.word(),
        Action::Done { .. } => "done",
        Action::Failed { .. } => "failed",
        Action::Busy { .. } => "running",
        Action::NotChosen => "not_chosen",
    }
}

fn what(action: &Action) -> String {
    let short = |run: &RunUid| titles::short_id(run.0);
    match action {
        Action::Start {
            attempt,
            after,
            why,
        } => {
            let before = after.as_ref().map(short).unwrap_or_default();
            match why {
                Why::NeverRun => "start: never run".to_owned(),
                Why::Failed => format!("start: attempt {attempt}, since {before} failed"),
                Why::Interrupted => {
                    format!("start: attempt {attempt}, since {before} lost its process")
                }
                Why::Cancelled => format!("start: attempt {attempt}, since {before} was cancelled"),
                Why::Rerun => format!("start: attempt {attempt}, asked for again after {before}"),
            }
        }
        Action::Take { run, .. } => format!("start: never run; it waits as {}", short(run)),
        Action::Done { run } => format!("nothing: {} is completed", short(run)),
        Action::Failed { run } => format!("nothing: {} failed (see --retry-failed)", short(run)),
        Action::Busy { run } => format!("nothing: {} is running", short(run)),
        Action::NotChosen => "nothing: not chosen by --only".to_owned(),
    }
}

/// `28 of 30 done, 2 to start`.
fn summary(tally: Tally) -> String {
    let done = [format!("{} of {} done", tally.done, tally.chosen)];
    let others = [
        (tally.failed, "failed"),
        (tally.busy, "running"),
        (tally.to_start, "to start"),
    ];
    let others = others.iter().filter(|(number, _)| *number > 0);
    let others = others.map(|(number, word)| format!("{number} {word}"));
    done.into_iter()
        .chain(others)
        .collect::<Vec<_>>()
        .join(", ")
}

/// How the config differs from the recorded one.
pub(super) fn show_changes(cx: &Context, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    let title = "the config has changed since the last run:";
    cx.printer.note(Line::styled(Style::Yellow, title));
    let shown = |value: &Option<serde_json::Value>| {
        let text = value
            .as_ref()
            .map_or("nothing".to_owned(), ToString::to_string);
        match text.char_indices().nth(60) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    };
    for Change { path, old, new } in changes.iter().take(MOST_CHANGES) {
        let line = format!("  {path}: {} → {}", shown(old), shown(new));
        cx.printer.note(line);
    }
    if changes.len() > MOST_CHANGES {
        let more = changes.len() - MOST_CHANGES;
        cx.printer.note(format!("  … and {more} more"));
    }
}

/// What changed so that nothing is done.
pub(super) fn show_refused(cx: &Context, error: &OutlineError) {
    match error {
        OutlineError::Changed { changes, .. } => show_changes(cx, changes),
        OutlineError::Plan(_) | OutlineError::Deleted { .. } => {}
    }
}

/// What became of runs whose process is gone.
fn lost(lost: usize, retried: usize) -> String {
    let runs = count(lost as u64, "run");
    let process = if lost == 1 {
        "its process"
    } else {
        "their processes"
    };
    let what = match retried {
        0 => String::new(),
        all if all == lost && lost == 1 => " and is attempted again".to_owned(),
        all if all == lost => " and are attempted again".to_owned(),
        1 => "; 1 of them is attempted again".to_owned(),
        some => format!("; {some} of them are attempted again"),
    };
    format!("{runs} lost {process}{what}")
}

/// What begins now.
pub(super) fn announce(cx: &Context, spec: &Spec, outline: &Outline, jobs: &[Job]) {
    let printer = &cx.printer;
    if !outline.cut_off.is_empty() {
        printer.note(lost(outline.cut_off.len(), outline.retried()));
    }
    if !outline.leaving.is_empty() {
        let leaving = count(outline.leaving.len() as u64, "run");
        let are = if outline.leaving.len() == 1 {
            "is"
        } else {
            "are"
        };
        printer.note(format!(
            "{leaving} that the config no longer asks for {are} archived"
        ));
    }
    let tally = outline.decisions.tally();
    let first = match jobs.first() {
        Some(job) if jobs.len() > 1 => format!(", from {}", run_label(job.number)),
        Some(job) => format!(", {}", run_label(job.number)),
        None => String::new(),
    };
    if spec.config.random_seed.is_none() && !jobs.is_empty() {
        printer.note(format!(
            "seeds are derived from {}, which was drawn and is kept",
            outline.base_seed
        ));
    }
    let line = Line::styled(Style::Bold, &spec.config.experiment.name);
    printer.note(line.plain(format!(": {}{first}", summary(tally))));
}

#[cfg(test)]
mod tests {
    use super::lost;

    #[test]
    fn lost_runs_are_told_with_what_becomes_of_them() {
        assert_eq!(lost(1, 1), "1 run lost its process and is attempted again");
        assert_eq!(lost(1, 0), "1 run lost its process");
        assert_eq!(
            lost(3, 3),
            "3 runs lost their processes and are attempted again"
        );
        assert_eq!(
            lost(3, 1),
            "3 runs lost their processes; 1 of them is attempted again"
        );
    }
}
