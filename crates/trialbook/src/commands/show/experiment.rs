//! An experiment as people read it and as JSON: identity, config, table by variation, last runs.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use trialbook_analysis::ExperimentStatus;
use trialbook_analysis::variations::VariationTable;
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::query::Query;
use trialbook_store::reading::Reading as _;

use super::identity::put_away;
use super::page::{SHOWN, clipped, field, heading};
use super::{Args, SCHEMA, run};
use crate::baselines;
use crate::book::View;
use crate::context::{Context, SystemClock};
use crate::documents::{NoteDocument, RunHead};
use crate::figures::{count, grouped};
use crate::listing::{Listing, tell_unreadable};
use crate::names::Names;
use crate::printer::{Line, Style};
use crate::variations::{self, TableDocument};
use crate::{titles, when};

/// Runs of the experiment that are shown.
const LAST: usize = 10;

#[derive(Serialize)]
struct ExperimentDocument {
    id: String,
    no: u64,
    handle: Option<String>,
    name: Option<String>,
    project: String,
    status: ExperimentStatus,
    created: Option<String>,
    config_hash: Option<String>,
    config: Option<Value>,
    notes: Option<String>,
    all_notes: Vec<NoteDocument>,
    tags: BTreeMap<String, String>,
    fields: BTreeMap<String, Value>,
    aliases: Vec<String>,
    archived: bool,
    deleted: bool,
    baseline: Option<baselines::Document>,
    runs: u64,
    /// Runs of the book whose records are damaged, so that none of them can be told to be of it.
    unreadable: u64,
    table: TableDocument,
    last: Vec<RunHead>,
}

/// Shows an experiment.
pub(super) fn show(view: &View<'_>, row: &ExperimentRow, args: &Args, cx: &Context) -> Result<()> {
    let now = SystemClock.now();
    let table = VariationTable::of(view, row)?;
    let hits = view.search(&Query {
        experiments: Some(vec![row.no]),
        limit: LAST,
        ..Query::all()
    })?;
    let last = Listing::read(view, &hits.runs)?;
    let unreadable = tell_unreadable(view, cx)?;
    let status = ExperimentStatus::of(view, row)?;
    let created = row
        .state
        .created()
        .filter(|time| *time != Timestamp::default());
    let aliases = Names::new(view).aliases_of(row)?;
    let marked = view.project(row.state.project())?.baseline_of(&row.state);
    let baseline = match &marked {
        Some(marked) => Some(baselines::document(view, marked)?),
        None => None,
    };
    if cx.printer.json_wanted() {
        let around = Around {
            status,
            created,
            aliases,
            baseline,
            runs: hits.total,
            unreadable,
            table: variations::document(&table),
            last: last.heads(now),
        };
        let document = document(row, around);
        return cx.printer.json(SCHEMA, &document);
    }
    identity(row, created, (now, hits.total), cx);
    field(cx, "status", status.word());
    if !aliases.is_empty() {
        field(cx, "aliases", aliases.join(", "));
    }
    if let Some(baseline) = &baseline {
        field(cx, "baseline", baseline.told());
    }
    annotations(row, args, cx);
    config(row, cx);
    if hits.total == 0 {
        return Ok(());
    }
    heading(cx, "By variation");
    variations::print(&table, &cx.printer);
    heading(
        cx,
        &format!("Last runs ({} of {})", last.runs.len(), grouped(hits.total)),
    );
    cx.printer.table(&last.table(now, &[]));
    Ok(())
}

/// What others say of an experiment.
struct Around {
    status: ExperimentStatus,
    created: Option<Timestamp>,
    aliases: Vec<String>,
    baseline: Option<baselines::Document>,
    runs: u64,
    unreadable: u64,
    table: TableDocument,
    last: Vec<RunHead>,
}

fn document(row: &ExperimentRow, around: Around) -> ExperimentDocument {
    let config = row.state.config();
    ExperimentDocument {
        id: titles::experiment_uid(row).to_string(),
        no: row.no.0,
        handle: row.state.handle().map(str::to_owned),
        name: row.state.name().map(str::to_owned),
        project: row.state.project().to_owned(),
        status: around.status,
        created: around.created.map(|time| time.to_string()),
        config_hash: config.and_then(|config| config.hash.clone()),
        config: config.map(|config| config.document.clone()),
        notes: row.state.annotations.main_note().map(str::to_owned),
        all_notes: NoteDocument::all(&row.state.annotations),
        tags: row
            .state
            .annotations
            .tags()
            .map(|(tag, value)| (tag.to_owned(), value.to_owned()))
            .collect(),
        fields: fields(row),
        aliases: around.aliases,
        archived: row.state.annotations.flag("archived"),
        deleted: row.state.annotations.flag("deleted"),
        baseline: around.baseline,
        runs: around.runs,
        unreadable: around.unreadable,
        table: around.table,
        last: around.last,
    }
}

fn identity(
    row: &ExperimentRow,
    created: Option<Timestamp>,
    (now, runs): (Timestamp, u64),
    cx: &Context,
) {
    let title = titles::experiment(row);
    cx.printer
        .line(Line::styled(Style::Bold, format!("experiment {title}")));
    field(cx, "id", titles::experiment_uid(row).to_string());
    if let Some(created) = created {
        let age = when::age(created, now);
        field(cx, "created", format!("{} ({age})", when::local(created)));
    }
    field(cx, "runs", count(runs, "run"));
    if let Some(hash) = row.state.config().and_then(|config| config.hash.as_ref()) {
        field(cx, "config hash", &hash[..hash.len().min(12)]);
    }
    put_away(&row.state.annotations, cx);
}

/// What is not its name: description and the like, tags, notes.
fn annotations(row: &ExperimentRow, args: &Args, cx: &Context) {
    for (name, value) in fields(row) {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        field(cx, &name.replace('_', " "), clipped(&text, SHOWN));
    }
    let tags = row.state.annotations.tags();
    let tags: Vec<String> = tags
        .map(|(tag, value)| match value {
            "" => tag.to_owned(),
            value => format!("{tag}={value}"),
        })
        .collect();
    if !tags.is_empty() {
        field(cx, "tags", tags.join(", "));
    }
    run::notes(&row.state.annotations, args, cx);
}

/// Fields that no other part of the page shows.
fn fields(row: &ExperimentRow) -> BTreeMap<String, Value> {
    const SHOWN_ELSEWHERE: [&str; 4] = ["name", "project", "archived", "deleted"];
    let fields = row.state.annotations.fields.iter();
    fields
        .filter(|(name, held)| !SHOWN_ELSEWHERE.contains(&name.as_str()) && !held.value.is_null())
        .map(|(name, held)| (name.clone(), held.value.clone()))
        .collect()
}

/// The config as indented lines: JSON, which is YAML too.
fn config(row: &ExperimentRow, cx: &Context) {
    let Some(config) = row.state.config() else {
        return;
    };
    heading(cx, "Config");
    let text = serde_json::to_string_pretty(&config.document).unwrap_or_default();
    for line in text.lines() {
        cx.printer.line(format!("  {line}"));
    }
}
