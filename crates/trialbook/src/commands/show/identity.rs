//! What a run is: its head as people read it.

use anyhow::Result;
use trialbook_model::id::RunUid;
use trialbook_model::stale::stale_since;
use trialbook_model::state::{Annotations, BIN_DAYS, RunState};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading;

use super::page::{SHOWN, clipped, field};
use crate::baselines;
use crate::context::Context;
use crate::figures::{done, short};
use crate::listing;
use crate::names::Names;
use crate::printer::{Line, Style};
use crate::{titles, when};

/// Name, state, times, error, and where it came from.
pub(super) fn identity<V: Reading>(
    view: &V,
    (run, experiment): (&RunRow, Option<&ExperimentRow>),
    now: Timestamp,
    cx: &Context,
) -> Result<()> {
    let state = &run.state;
    let (style, word) = listing::status(run, now);
    let title = titles::run(run, experiment);
    let name = state.name().unwrap_or_default();
    let head = Line::styled(Style::Bold, format!("run {title}")).plain(format!("  {name}  "));
    cx.printer.line(head.add(style, word));
    field(cx, "id", run.uid.to_string());
    let aliases = Names::new(view).aliases_of_any(&[run.uid.0])?;
    if !aliases.is_empty() {
        field(cx, "aliases", aliases.join(", "));
    }
    if let Some(row) = experiment {
        field(cx, "experiment", titles::experiment(row));
    }
    times(run, now, cx);
    put_away(&state.annotations, cx);
    if let Some(row) = experiment {
        let baseline_of = baselines::of_run(view, run, row)?;
        if !baseline_of.is_empty() {
            field(cx, "baseline of", baseline_of.join(", "));
        }
    }
    if let Some(progress) = state.progress.last() {
        let share = state.progress.share();
        field(cx, "progress", progress_text(progress, share));
    }
    if let Some(finish) = finish(state, now) {
        let left = when::span(finish.0.saturating_sub(now.0));
        field(
            cx,
            "finished by",
            format!("{} (in {left})", when::local(finish)),
        );
    }
    if let Some(error) = state.error() {
        let message = clipped(&error.message, SHOWN);
        cx.printer.line(
            Line::styled(Style::Dim, "  error        ")
                .add(Style::Red, format!("{}: {message}", error.kind)),
        );
    }
    if let Some(code) = state.exit_code() {
        field(cx, "exit code", code.to_string());
    }
    origin(view, run, cx)
}

/// When it started and ended, and since when it says nothing.
fn times(run: &RunRow, now: Timestamp, cx: &Context) {
    let state = &run.state;
    if let Some(started) = state.started() {
        let age = when::age(started, now);
        field(cx, "started", format!("{} ({age})", when::local(started)));
    }
    if let Some(ended) = state.ended() {
        let took = listing::took(run, now);
        let how = if took.is_empty() {
            "never began".to_owned()
        } else {
            format!("took {took}")
        };
        field(cx, "ended", format!("{} ({how})", when::local(ended)));
    }
    if let Some(since) = stale_since(state, now) {
        let hint = "`trialbook end --status cancelled` closes it";
        field(
            cx,
            "silent since",
            format!("{}; {hint}", when::local(since)),
        );
    }
}

/// Whether it is archived or in the bin.
pub(super) fn put_away(annotations: &Annotations, cx: &Context) {
    if annotations.flag("archived") {
        field(
            cx,
            "archived",
            "`trialbook unarchive` shows it in lists again",
        );
    }
    if let Some(since) = annotations.deleted_since() {
        let until = Timestamp(since.0.saturating_add(BIN_DAYS * 86_400_000_000));
        let until = when::local(until);
        field(
            cx,
            "in the bin",
            format!("until {until}; `trialbook undelete` brings it back"),
        );
    }
}

/// When a running run may be done.
pub(super) fn finish(state: &RunState, now: Timestamp) -> Option<Timestamp> {
    let is_running = state.status() == RunStatus::Running && stale_since(state, now).is_none();
    state.progress.finish(now).filter(|_| is_running)
}

fn progress_text(progress: &trialbook_model::record::Progress, share: Option<f64>) -> String {
    let stage = progress
        .stage
        .as_ref()
        .map(|stage| format!(", {stage}"))
        .unwrap_or_default();
    match (share, progress.total) {
        (Some(share), Some(total)) => {
            let (so_far, all) = (short(progress.done), short(total));
            format!("{so_far} of {all} ({}){stage}", done(share))
        }
        (Some(share), None) => format!("{}{stage}", done(share)),
        (None, _) => format!("{}{stage}", short(progress.done)),
    }
}

/// What it came from: variation, trial, seed, command, links.
fn origin<V: Reading>(view: &V, run: &RunRow, cx: &Context) -> Result<()> {
    let Some(start) = run.state.start() else {
        return Ok(());
    };
    if let Some(variation) = &start.variation {
        let trial = start
            .trial
            .map(|trial| format!(", trial {trial}"))
            .unwrap_or_default();
        let attempt = start.attempt.filter(|attempt| *attempt > 1);
        let attempt = attempt
            .map(|attempt| format!(", attempt {attempt}"))
            .unwrap_or_default();
        field(cx, "variation", format!("{variation}{trial}{attempt}"));
    }
    if let Some(seed) = start.seed {
        field(cx, "seed", seed.to_string());
    }
    if !start.command.is_empty() {
        field(cx, "command", clipped(&start.command.join(" "), SHOWN));
    }
    let actor = run.state.actor.as_ref().map(|actor| actor.value.as_str());
    let by = [Some(start.source.as_str()), actor].into_iter().flatten();
    let by: Vec<&str> = by.filter(|text| !text.is_empty()).collect();
    field(cx, "started by", by.join(", "));
    for (kind, other) in &start.links {
        let word = match kind {
            trialbook_model::record::LinkKind::RetryOf => "retry of",
            trialbook_model::record::LinkKind::Reproduces => "reproduces",
            trialbook_model::record::LinkKind::Parent => "part of",
        };
        field(cx, word, linked(view, *other)?);
    }
    Ok(())
}

fn linked<V: Reading>(view: &V, uid: RunUid) -> Result<String> {
    let Some(no) = view.run_no(uid)? else {
        return Ok(uid.to_string());
    };
    let Some(run) = view.runs(&[no])?.pop() else {
        return Ok(uid.to_string());
    };
    let experiment = view.experiment(run.experiment)?;
    Ok(titles::run(&run, experiment.as_ref()))
}
