//! `trialbook dataset`: the data manifest beside an experiment's config.
//!
//! Not here: the form of manifests, how checksums are made. Invariant: a manifest that is changed keeps its form,
//! its order and what was not to be changed; its comments too where the text can be changed in place.

mod opened;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use trialbook_capture::data::{self, DataError, MANIFEST, Measured};
use trialbook_model::manifest::{self, Checksum, Dataset, Form, Manifest};
use trialbook_model::time::Clock as _;

use opened::{Opened, relative};

use crate::context::{Context, SystemClock};
use crate::failure::Failure;
use crate::figures::bytes;
use crate::printer::{Column, Table};

const SCHEMA: u32 = 1;

/// Keep checksums of the data that experiments are made of
///
/// The manifest, `data-manifest.yaml`, lies beside the config. Both of its forms are read, `data_sources` and
/// `datasets`, and a manifest keeps the form that it has. Paths are relative to its folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook dataset add data/texts --name texts --description '100 text files'
  trialbook dataset verify
  trialbook dataset update texts
  trialbook dataset verify --manifest experiments/exp-001/data-manifest.yaml --json")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Add(Box<Add>),
    Verify(Choice),
    Update(Choice),
}

/// Add a file or folder to the manifest
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook dataset add data/texts
  trialbook dataset add data/train.csv --name train --source 'survey of 2025' --data-version 3")]
struct Add {
    /// The file or folder
    path: PathBuf,
    #[command(flatten)]
    manifest: ManifestFile,
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// What it is
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where it comes from
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Its version
    #[arg(long, value_name = "VERSION")]
    data_version: Option<String>,
}

/// Check data against the manifest, or with `update` write the checksums that it has now
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook dataset verify
  trialbook dataset update data/texts
  trialbook dataset verify texts --json")]
struct Choice {
    /// Names or paths of entries; default: all
    #[arg(value_name = "ENTRY")]
    entries: Vec<String>,
    #[command(flatten)]
    manifest: ManifestFile,
}

#[derive(Debug, clap::Args)]
struct ManifestFile {
    /// The manifest
    #[arg(long, value_name = "FILE", default_value = MANIFEST)]
    manifest: PathBuf,
}

#[derive(Serialize)]
struct Document {
    manifest: String,
    datasets: Vec<Checked>,
}

#[derive(Serialize)]
struct Checked {
    name: Option<String>,
    path: String,
    /// `same`, `changed`, `missing`, `unreadable`; of `add` and `update` also `written`.
    outcome: &'static str,
    expected: Option<String>,
    found: Option<String>,
    files: Option<u64>,
    bytes: Option<u64>,
    reason: Option<String>,
}

/// Does it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    match &args.what {
        What::Add(args) => add(args, cx),
        What::Verify(args) => verify(args, cx),
        What::Update(args) => update(args, cx),
    }
}

fn add(args: &Add, cx: &Context) -> Result<ExitCode> {
    let path = cx.here().join(&args.manifest.manifest);
    let opened = if path.exists() {
        Opened::read(&args.manifest, cx)?
    } else {
        Opened {
            told: args.manifest.manifest.display().to_string(),
            path,
            text: String::new(),
            manifest: Manifest::default(),
        }
    };
    let measured = data::checksum(&cx.here().join(&args.path))?;
    let relative = relative(opened.folder(), &cx.here().join(&args.path));
    if opened.chosen(std::slice::from_ref(&relative)).is_ok() && !opened.text.is_empty() {
        return Err(Failure::Usage {
            problem: format!("`{relative}` is in the manifest already"),
            hint: format!("`trialbook dataset update {relative}` writes its present checksum"),
        }
        .into());
    }
    let form = if opened.text.is_empty() && args.name.is_some() {
        Form::Datasets
    } else {
        Form::of(&opened.text)
    };
    let mut dataset = Dataset {
        name: args.name.clone(),
        path: relative,
        checksum: measured.checksum,
        created: Some(SystemClock.now().to_string()[..10].to_owned()),
        source: args.source.clone(),
        version: args.data_version.clone(),
        file_count: None,
        record_count: None,
        task_count: None,
        total_size_mb: None,
        description: args.description.clone(),
    };
    if form == Form::Datasets {
        counted(&mut dataset, measured);
    }
    let mut meant = opened.manifest.clone();
    meant.datasets.push(dataset.clone());
    let mut text = if opened.text.is_empty() {
        manifest::to_yaml(&meant, form)
    } else {
        let mut text = opened.text.clone();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text + &manifest::entry(&dataset)
    };
    if manifest::parse(&text, &opened.told).is_ok_and(|it| it != meant) {
        text = manifest::to_yaml(&meant, form);
    }
    opened.write(text, &meant)?;
    let checked = told(&dataset, "written", Some(measured));
    finish(cx, &opened, vec![checked])
}

/// Counts and sizes, as far as they are known.
fn counted(dataset: &mut Dataset, measured: Measured) {
    dataset.file_count = Some(measured.files);
    dataset.total_size_mb = Some((measured.bytes as f64 / 1e4).round() / 100.0);
}

fn told(dataset: &Dataset, outcome: &'static str, measured: Option<Measured>) -> Checked {
    Checked {
        name: dataset.name.clone(),
        path: dataset.path.clone(),
        outcome,
        expected: Some(dataset.checksum.to_string()),
        found: measured.map(|it| it.checksum.to_string()),
        files: measured.map(|it| it.files),
        bytes: measured.map(|it| it.bytes),
        reason: None,
    }
}

/// Where the data of an entry are: where `run --strict-data` looks for them, too.
fn place(opened: &Opened, dataset: &Dataset) -> PathBuf {
    let found = data::locate(opened.folder(), &dataset.path);
    found.unwrap_or_else(|| opened.folder().join(&dataset.path))
}

fn check(opened: &Opened, dataset: &Dataset) -> (Checked, Option<Measured>) {
    match data::checksum(&place(opened, dataset)) {
        Ok(measured) => {
            let same = measured.checksum == dataset.checksum;
            let outcome = if same { "same" } else { "changed" };
            (told(dataset, outcome, Some(measured)), Some(measured))
        }
        Err(error) => {
            let outcome = match error {
                DataError::Missing { .. } => "missing",
                DataError::Dangling { .. }
                | DataError::Loop { .. }
                | DataError::Special { .. }
                | DataError::Unreadable { .. }
                | DataError::Stopped { .. } => "unreadable",
            };
            let mut checked = told(dataset, outcome, None);
            checked.reason = Some(error.to_string());
            (checked, None)
        }
    }
}

fn verify(args: &Choice, cx: &Context) -> Result<ExitCode> {
    let opened = Opened::read(&args.manifest, cx)?;
    let chosen = opened.chosen(&args.entries)?;
    let datasets = chosen.iter().map(|at| &opened.manifest.datasets[*at]);
    let checked: Vec<Checked> = datasets.map(|it| check(&opened, it).0).collect();
    let wrong = checked.iter().filter(|it| it.outcome != "same");
    let problems: Vec<String> = wrong
        .map(|it| match &it.reason {
            Some(reason) => reason.clone(),
            None => format!("`{}` is {}", it.path, it.outcome),
        })
        .collect();
    finish(cx, &opened, checked)?;
    if problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::DataChanged { problems }.into())
}

fn update(args: &Choice, cx: &Context) -> Result<ExitCode> {
    let opened = Opened::read(&args.manifest, cx)?;
    let mut meant = opened.manifest.clone();
    let mut text = opened.text.clone();
    let mut all = Vec::new();
    for at in opened.chosen(&args.entries)? {
        let dataset = &opened.manifest.datasets[at];
        let (mut checked, measured) = check(&opened, dataset);
        let Some(measured) = measured else {
            return Err(data::checksum(&place(&opened, dataset)).err().map_or_else(
                || anyhow::anyhow!("`{}` came back", dataset.path),
                Into::into,
            ));
        };
        if checked.outcome == "changed" {
            checked.outcome = "written";
            let new = &mut meant.datasets[at];
            new.checksum = measured.checksum;
            if dataset.file_count.is_some() || dataset.total_size_mb.is_some() {
                let before = new.clone();
                counted(new, measured);
                new.file_count = before.file_count.and(new.file_count);
                new.total_size_mb = before.total_size_mb.and(new.total_size_mb);
            }
            text = replaced(&text, dataset.checksum, measured.checksum);
        }
        all.push(checked);
    }
    if meant != opened.manifest {
        opened.write(text, &meant)?;
    }
    finish(cx, &opened, all)
}

/// The text with one checksum for another, where that stands only once.
fn replaced(text: &str, old: Checksum, new: Checksum) -> String {
    let old = old.to_string();
    if text.matches(&old).count() == 1 {
        text.replacen(&old, &new.to_string(), 1)
    } else {
        text.to_owned()
    }
}

fn finish(cx: &Context, opened: &Opened, datasets: Vec<Checked>) -> Result<ExitCode> {
    if cx.printer.json_wanted() {
        let document = Document {
            manifest: opened.told.clone(),
            datasets,
        };
        cx.printer.json(SCHEMA, &document)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(vec![
        Column::text("NAME"),
        Column::text("PATH"),
        Column::whole("DATA"),
        Column::number("FILES"),
        Column::number("SIZE"),
        Column::text("CHECKSUM"),
    ]);
    for it in datasets {
        let sum = it.found.or(it.expected).unwrap_or_default();
        table.row(vec![
            it.name.unwrap_or_default(),
            it.path,
            it.outcome.to_owned(),
            it.files.map(|files| files.to_string()).unwrap_or_default(),
            it.bytes.map(bytes).unwrap_or_default(),
            it.reason.unwrap_or_else(|| sum.chars().take(19).collect()),
        ]);
    }
    cx.printer.table(&table);
    Ok(ExitCode::SUCCESS)
}
