//! `trialbook artifact list`: the files of a run, or of an experiment and its runs.
//!
//! Invariant: a path that was removed is shown only among its versions.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::state::Records;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;

use super::{Version, is_of, versions};
use crate::book;
use crate::context::Context;
use crate::figures::bytes;
use crate::names::{Found, Names};
use crate::printer::{Column, Table};
use crate::{titles, when};

/// List the files of a run, or of an experiment and its runs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook artifact list latest
  trialbook artifact list EXP-001 --type model
  trialbook artifact list EXP-001/run-014 --versions
  trialbook artifact list latest --json")]
pub(super) struct Args {
    /// The run, or an experiment
    #[arg(default_value = "latest", value_name = "RUN")]
    of: String,
    /// Only these types: model, plot, data, report, log, other …
    #[arg(
        long = "type",
        alias = "artifact-type",
        value_delimiter = ',',
        value_name = "TYPE,…"
    )]
    types: Vec<String>,
    /// Older versions too
    #[arg(long)]
    versions: bool,
}

#[derive(Serialize)]
struct Document {
    artifacts: Vec<Entry>,
    /// The sum of the sizes that are known.
    total_size: u64,
}

#[derive(Serialize)]
struct Entry {
    of: String,
    id: String,
    path: String,
    version: usize,
    versions: usize,
    #[serde(rename = "type")]
    kind: Option<String>,
    role: Option<String>,
    step: Option<i64>,
    size: Option<u64>,
    sha256: Option<String>,
    uri: Option<String>,
    description: Option<String>,
    removed: bool,
    time: String,
}

/// Lists them.
pub(super) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let mut entries = Vec::new();
    match Names::new(&view).any(&args.of)? {
        Found::Run(run) => {
            let experiment = view.experiment(run.experiment)?;
            let title = titles::run(&run, experiment.as_ref());
            let of = (title, run.uid.to_string());
            add(&mut entries, args, &run.state.records, &of);
        }
        Found::Experiment(row) => of_experiment(&view, args, &row, &mut entries)?,
    }
    if cx.printer.json_wanted() {
        let total_size = entries.iter().filter_map(|entry| entry.size).sum();
        let document = Document {
            artifacts: entries,
            total_size,
        };
        cx.printer.json(super::SCHEMA, &document)?;
    } else {
        print(&entries, cx);
    }
    Ok(ExitCode::SUCCESS)
}

fn of_experiment<V: Reading<Error: Into<anyhow::Error>>>(
    view: &V,
    args: &Args,
    row: &ExperimentRow,
    entries: &mut Vec<Entry>,
) -> Result<()> {
    let of = (
        titles::experiment(row),
        titles::experiment_uid(row).to_string(),
    );
    add(entries, args, &row.state.records, &of);
    let query = Query {
        experiments: Some(vec![row.no]),
        shown: Shown::WithArchived,
        ..Query::all()
    };
    let mut numbers = view.search(&query).map_err(Into::into)?.runs;
    numbers.sort();
    for some in numbers.chunks(256) {
        for run in view.runs(some).map_err(Into::into)? {
            let of = (titles::run(&run, Some(row)), run.uid.to_string());
            add(entries, args, &run.state.records, &of);
        }
    }
    Ok(())
}

fn add(entries: &mut Vec<Entry>, args: &Args, records: &Records, of: &(String, String)) {
    for Version {
        number,
        of: all,
        stands,
        held,
    } in versions(records)
    {
        let artifact = &held.value;
        if !(stands || args.versions) || !is_of(artifact, &args.types) {
            continue;
        }
        entries.push(Entry {
            of: of.0.clone(),
            id: of.1.clone(),
            path: artifact.path.clone(),
            version: number,
            versions: all,
            kind: artifact.r#type.clone(),
            role: artifact.role.clone(),
            step: artifact.step,
            size: artifact.size,
            sha256: artifact.sha256.clone(),
            uri: artifact.uri.clone(),
            description: artifact.description.clone(),
            removed: artifact.removed,
            time: held.stamp.time.to_string(),
        });
    }
}

fn print(entries: &[Entry], cx: &Context) {
    if entries.is_empty() {
        cx.printer.line("no artifacts");
        return;
    }
    let mut table = Table::new(vec![
        Column::whole("RUN"),
        Column::text("PATH"),
        Column::whole("VERSION"),
        Column::whole("TYPE"),
        Column::whole("ROLE"),
        Column::number("STEP"),
        Column::number("SIZE"),
        Column::whole("SHA-256"),
        Column::whole("KEPT"),
        Column::text("DESCRIPTION"),
    ]);
    for entry in entries {
        let sum = entry.sha256.as_deref();
        let sum = sum.map(|sum| sum[..sum.len().min(12)].to_owned());
        let place = if entry.removed {
            Some("removed".to_owned())
        } else {
            sum.or_else(|| entry.uri.clone())
        };
        table.row(vec![
            entry.of.clone(),
            entry.path.clone(),
            format!("{} of {}", entry.version, entry.versions),
            entry.kind.clone().unwrap_or_default(),
            entry.role.clone().unwrap_or_default(),
            entry.step.map(|step| step.to_string()).unwrap_or_default(),
            entry.size.map(bytes).unwrap_or_default(),
            place.unwrap_or_default(),
            local(&entry.time),
            entry.description.clone().unwrap_or_default(),
        ]);
    }
    cx.printer.table(&table);
}

fn local(time: &str) -> String {
    trialbook_model::time::Timestamp::parse(time).map_or_else(|_| time.to_owned(), when::local)
}
