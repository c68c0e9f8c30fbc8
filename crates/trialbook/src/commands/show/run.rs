//! A run as people read it: all but its head.

use anyhow::Result;
use trialbook_analysis::variations::{RunCell, judge_run};
use trialbook_model::derived::{Input, rule_of};
use trialbook_model::setup::SETUP_SNAPSHOT;
use trialbook_model::state::Annotations;
use trialbook_model::time::Clock as _;
use trialbook_store::nouns::{Owner, RunRow};
use trialbook_store::reading::Reading;

use super::identity::identity;
use super::page::{SHOWN, clipped, field, heading};
use super::run_document::{self, Recorder};
use super::{Args, SCHEMA, results, setup};
use crate::book::View;
use crate::context::{Context, SystemClock};
use crate::documents::NoteDocument;
use crate::figures::{bytes, count, grouped, short};
use crate::printer::{Column, Line, Style, Table};
use crate::variations::outcome_style;
use crate::when;

/// Params and metrics that are listed.
const LISTED: usize = 500;

/// Shows a run.
pub(super) fn show(view: &View<'_>, run: &RunRow, args: &Args, cx: &Context) -> Result<()> {
    let now = SystemClock.now();
    let experiment = view.experiment(run.experiment)?;
    let is_whole = !view.damaged()?.contains(&run.no);
    if cx.printer.json_wanted() {
        let mut document = run_document::build(view, (run, experiment.as_ref()), args, now)?;
        document.whole = is_whole;
        return cx.printer.json(SCHEMA, &document);
    }
    if !is_whole {
        cx.printer
            .warn("what was recorded of this run before is damaged: only what came since is shown");
    }
    identity(view, (run, experiment.as_ref()), now, cx)?;
    setup_of(view, run, args, cx)?;
    params(run, args, cx);
    if let Some(results) = run.state.derived.results() {
        results::print(&results, results::again(view, run), cx);
    }
    let shown = if args.full { usize::MAX } else { LISTED };
    metrics(run, shown, cx);
    if let Some(experiment) = &experiment {
        criteria(&judge_run(experiment, run), cx);
    }
    annotations(run, args, cx);
    events(view, run, args, cx)?;
    artifacts(run, cx);
    surroundings(view, run, args, cx)?;
    recorder(run, cx);
    if args.logs {
        logs(view, run, cx)?;
    }
    Ok(())
}

/// Says how many are left out.
fn more(all: usize, most: usize, how: &str, cx: &Context) {
    if all > most {
        let left_out = grouped((all - most) as u64);
        cx.printer
            .line(format!("… and {left_out} more: {how} shows all"));
    }
}

fn params(run: &RunRow, args: &Args, cx: &Context) {
    if run.state.params.is_empty() {
        return;
    }
    heading(cx, &format!("Params ({})", run.state.params.len()));
    let mut table = Table::new(vec![Column::text("PARAM"), Column::text("VALUE")]);
    let most = if args.full { usize::MAX } else { LISTED };
    for (key, held) in run.state.params.iter().take(most) {
        let text = &held.param().text;
        let value = if args.full {
            text.clone()
        } else {
            clipped(text, SHOWN)
        };
        table.row(vec![key.clone(), value]);
    }
    cx.printer.table(&table);
    more(run.state.params.len(), most, "`--full`", cx);
    for (key, kept, refused) in run.state.conflicts() {
        let refused: Vec<String> = refused
            .iter()
            .map(|(_, param)| clipped(&param.text, 80))
            .collect();
        cx.printer
            .line(Line::styled(Style::Yellow, "conflict").plain(format!(
                ": `{key}` was also written as `{}`; the first, `{}`, holds",
                refused.join("`, `"),
                clipped(&kept.text, 80)
            )));
    }
}

/// The metrics with their summaries.
pub(super) fn metrics(run: &RunRow, most: usize, cx: &Context) {
    let series = &run.state.records.series;
    if !series.is_empty() {
        heading(cx, &format!("Metrics ({})", series.len()));
        let mut table = Table::new(vec![
            Column::text("METRIC"),
            Column::number("LAST"),
            Column::number("MIN"),
            Column::number("MEAN"),
            Column::number("MAX"),
            Column::number("N"),
            Column::number("STEPS"),
            Column::text(""),
        ]);
        let finite = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), short);
        for (key, summary) in series.iter().take(most) {
            let mut odd: Vec<String> = Vec::new();
            if summary.nan > 0 {
                odd.push(format!("{} NaN", summary.nan));
            }
            if summary.pos_inf + summary.neg_inf > 0 {
                odd.push(format!("{} infinite", summary.pos_inf + summary.neg_inf));
            }
            table.row(vec![
                key.to_string(),
                short(summary.last.value),
                finite(summary.min()),
                finite(summary.mean()),
                finite(summary.max()),
                summary.count.to_string(),
                format!("{}..{}", summary.first_step, summary.last.step),
                odd.join(", "),
            ]);
        }
        cx.printer.table(&table);
        more(series.len(), most, "`trialbook series RUN`", cx);
    }
    derived(run, cx);
}

/// What the experiment's success criteria say of this run.
fn criteria(cells: &[RunCell], cx: &Context) {
    if cells.is_empty() {
        return;
    }
    heading(cx, &format!("Success criteria ({})", cells.len()));
    let mut table = Table::new(vec![
        Column::text("CRITERION"),
        Column::number("VALUE"),
        Column::whole("OUTCOME"),
    ]);
    for cell in cells {
        let value = cell.value.map_or_else(|| "-".to_owned(), short);
        let outcome = trialbook_report::analysis::outcome_of_run(cell.outcome, cell.value);
        table.styled_row(vec![
            (Style::Plain, cell.criterion.clone()),
            (Style::Plain, value),
            (outcome_style(cell.outcome), outcome.to_owned()),
        ]);
    }
    cx.printer.table(&table);
}

fn derived(run: &RunRow, cx: &Context) {
    let mut values = run.state.derived_values();
    // What the items came to stands in a section of its own.
    values.retain(|(name, _)| rule_of(name).is_none_or(|rule| rule.inputs != [Input::Items]));
    if values.is_empty() {
        return;
    }
    heading(cx, &format!("Derived ({})", values.len()));
    let mut table = Table::new(vec![Column::text("METRIC"), Column::number("VALUE")]);
    for (name, value) in values {
        table.row(vec![name, short(value)]);
    }
    cx.printer.table(&table);
}

fn annotations(run: &RunRow, args: &Args, cx: &Context) {
    let annotations = &run.state.annotations;
    let tags: Vec<(&str, &str)> = annotations.tags().collect();
    if !tags.is_empty() {
        heading(cx, &format!("Tags ({})", tags.len()));
        let mut table = Table::new(vec![Column::text("TAG"), Column::text("VALUE")]);
        for (tag, value) in tags {
            table.row(vec![tag.to_owned(), clipped(value, SHOWN)]);
        }
        cx.printer.table(&table);
    }
    notes(annotations, args, cx);
}

/// Notes with their labels and data.
pub(super) fn notes(annotations: &Annotations, args: &Args, cx: &Context) {
    for note in NoteDocument::all(annotations) {
        heading(cx, &note.title());
        for line in note.lines() {
            let line = if args.full {
                line
            } else {
                clipped(&line, 4 * SHOWN)
            };
            cx.printer.line(format!("  {line}"));
        }
    }
}

fn events<V: Reading>(view: &V, run: &RunRow, args: &Args, cx: &Context) -> Result<()> {
    let counts = &run.state.records.counts;
    if counts.items > 0 {
        heading(cx, &format!("Items ({})", counts.items));
        let judged = count(counts.assessments, "later judgement");
        cx.printer
            .line(format!("  {}, {judged}", count(counts.items, "item")));
    }
    if counts.events.is_empty() {
        return Ok(());
    }
    heading(
        cx,
        &format!("Events ({})", counts.events.values().sum::<u64>()),
    );
    if !args.events {
        for (kind, number) in &counts.events {
            cx.printer.line(format!("  {kind}: {number}"));
        }
        return Ok(());
    }
    let mut table = Table::new(vec![
        Column::whole("TIME"),
        Column::whole("KIND"),
        Column::whole("SEVERITY"),
        Column::text("TEXT"),
        Column::text("DATA"),
    ]);
    for record in view.events(&Owner::Run(run.no))? {
        let event = record.record;
        let data = if event.data.is_null() {
            String::new()
        } else {
            event.data.to_string()
        };
        let cut = |text: &str| {
            if args.full {
                text.to_owned()
            } else {
                clipped(text, SHOWN)
            }
        };
        table.row(vec![
            when::local(record.stamp.time),
            event.kind,
            event.severity.unwrap_or_default(),
            cut(&event.text),
            cut(&data),
        ]);
    }
    cx.printer.table(&table);
    Ok(())
}

fn artifacts(run: &RunRow, cx: &Context) {
    let records = &run.state.records;
    let present: Vec<_> = records.artifacts().collect();
    if present.is_empty() {
        return;
    }
    heading(cx, &format!("Artifacts ({})", present.len()));
    let mut table = Table::new(vec![
        Column::text("PATH"),
        Column::whole("TYPE"),
        Column::whole("ROLE"),
        Column::number("SIZE"),
        Column::number("VERSIONS"),
        Column::whole("SHA-256"),
        Column::text("DESCRIPTION"),
    ]);
    for held in present {
        let artifact = &held.value;
        let sum = artifact
            .sha256
            .as_deref()
            .map(|sum| sum[..sum.len().min(12)].to_owned());
        table.row(vec![
            artifact.path.clone(),
            artifact.r#type.clone().unwrap_or_default(),
            artifact.role.clone().unwrap_or_default(),
            artifact.size.map(bytes).unwrap_or_default(),
            records
                .artifacts
                .get(&artifact.path)
                .map_or(1, Vec::len)
                .to_string(),
            sum.or_else(|| artifact.uri.clone()).unwrap_or_default(),
            artifact.description.clone().unwrap_or_default(),
        ]);
    }
    cx.printer.table(&table);
}

/// The setup that it was started with.
fn setup_of<V: Reading>(view: &V, run: &RunRow, args: &Args, cx: &Context) -> Result<()> {
    let Some(held) = run.state.snapshots.get(SETUP_SNAPSHOT) else {
        return Ok(());
    };
    let most = if args.full { usize::MAX } else { SHOWN };
    if let Some(document) = view.snapshot(&held.value)? {
        setup::print(&held.value, &document, most, cx);
    }
    Ok(())
}

/// Other snapshots: environment, dataset, system.
fn surroundings<V: Reading>(view: &V, run: &RunRow, args: &Args, cx: &Context) -> Result<()> {
    let others = run.state.snapshots.iter();
    for (kind, held) in others.filter(|(kind, _)| *kind != SETUP_SNAPSHOT) {
        let sum = &held.value[..held.value.len().min(12)];
        heading(cx, &format!("Snapshot {kind} {sum}"));
        let document = view.snapshot(&held.value)?;
        let Some(serde_json::Value::Object(document)) = document else {
            cx.printer.line("  its document is not in this book");
            continue;
        };
        for (name, value) in document {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let length = if args.full { usize::MAX } else { 100 };
            field(cx, &name, clipped(&text, length));
        }
    }
    Ok(())
}

fn recorder(run: &RunRow, cx: &Context) {
    let sum = Recorder::of(run);
    if sum.writers == 0 {
        return;
    }
    heading(cx, "Recorder");
    field(cx, "accepted", count(sum.accepted, "record"));
    let dropped = Line::styled(Style::Dim, "  dropped      ");
    let style = if sum.dropped > 0 {
        Style::Red
    } else {
        Style::Plain
    };
    cx.printer
        .line(dropped.add(style, count(sum.dropped, "record")));
    field(
        cx,
        "cost",
        format!(
            "{} ms in {}",
            short(sum.cost_ms),
            count(sum.writers as u64, "writer")
        ),
    );
}

fn logs<V: Reading>(view: &V, run: &RunRow, cx: &Context) -> Result<()> {
    heading(
        cx,
        &format!("Console ({})", bytes(run.state.records.counts.log_bytes)),
    );
    let mut whole = String::new();
    for log in view.logs(run.no)? {
        whole.push_str(&log.record.text);
    }
    for line in whole.lines() {
        cx.printer.line(line);
    }
    Ok(())
}
