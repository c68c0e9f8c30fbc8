//! `trialbook validate`: says everything that is wrong with a config, a study or a data manifest, and runs nothing.
//!
//! Not here: the rules (the model). Invariant: all errors are told at once, each with line and column; nothing
//! is written, and no book is needed.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_capture::data::verify;
use trialbook_model::code::ErrorCode;
use trialbook_model::config::{self, Config, Parsed};
use trialbook_model::manifest;
use trialbook_model::study::{self, Study};
use trialbook_model::yaml::{FileError, Warning};

use crate::context::Context;
use crate::figures::count;
use crate::given;
use crate::printer::{Line, Style};

const SCHEMA: u32 = 1;

/// Check a config, a study or a data manifest, without running anything
///
/// All errors are told, each with its line and column. Beside the file itself it is looked whether the
/// program, the working folder and the data are there; what is missing is a warning. Of a study of language
/// models (`experiment_name`, `models`, `scrambling` …) it is told how many calls, hours and dollars it takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook validate experiment.yaml
  trialbook validate data/data-manifest.yaml
  trialbook validate experiment.yaml --json | jq '.errors[].line'")]
pub(crate) struct Args {
    /// The file
    #[arg(value_name = "FILE", required_unless_present = "config")]
    file: Option<String>,
    /// The same
    #[arg(short, long, value_name = "FILE", conflicts_with = "file")]
    config: Option<String>,
}

#[derive(Serialize)]
struct Document {
    file: String,
    kind: &'static str,
    valid: bool,
    errors: Vec<Told>,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    study: Option<StudySummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    datasets: Option<usize>,
}

#[derive(Serialize)]
struct Told {
    line: usize,
    column: usize,
    path: String,
    message: String,
    hint: Option<String>,
}

/// What a valid config asks for.
#[derive(Serialize)]
struct Summary {
    experiment: String,
    variations: usize,
    trials: u32,
    runs: u64,
    metrics: usize,
    success_criteria: usize,
    hash: String,
}

/// What a valid study asks for (S-15).
#[derive(Serialize)]
struct StudySummary {
    name: String,
    models: usize,
    benchmarks: usize,
    /// The most questions of a benchmark.
    max_samples: Option<u64>,
    levels: usize,
    methods: usize,
    /// Null where no benchmark says how many questions there are.
    estimate: Option<study::Estimate>,
    hash: String,
}

impl StudySummary {
    fn of(study: &Study) -> Self {
        Self {
            name: study.name.clone(),
            models: study.models.len(),
            benchmarks: study.benchmarks.len(),
            max_samples: study.max_samples(),
            levels: study.scrambling.levels.len(),
            methods: study.scrambling.methods.len(),
            estimate: study.estimate(),
            hash: study.hash(),
        }
    }
}

impl Document {
    fn new(file: &str, kind: &'static str) -> Self {
        Self {
            file: file.to_owned(),
            kind,
            valid: true,
            errors: Vec::new(),
            warnings: Vec::new(),
            config: None,
            study: None,
            datasets: None,
        }
    }

    fn wrong(mut self, errors: &[FileError]) -> Self {
        self.valid = false;
        self.errors = errors
            .iter()
            .map(|error| Told {
                line: error.at.line,
                column: error.at.column,
                path: error.path.clone(),
                message: error.problem.to_string(),
                hint: error.hint(),
            })
            .collect();
        self
    }
}

/// Checks it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let file = args.file.as_ref().or(args.config.as_ref());
    let file = file.map_or("", String::as_str);
    let path = cx.here().join(file);
    let text = given::text(file, cx)?;
    let document = if is_manifest(file, &text) {
        of_manifest(file, &text)
    } else if study::is_study(&text) {
        of_study(file, &text, path.parent().unwrap_or(cx.here()))
    } else {
        of_config(file, &text, path.parent().unwrap_or(cx.here()))
    };
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &document)?;
    } else {
        print(&document, cx);
    }
    Ok(if document.valid {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ErrorCode::ConfigInvalid.exit_code())
    })
}

/// A manifest is known by its name, or by the list that only manifests have.
fn is_manifest(file: &str, text: &str) -> bool {
    let has_list = |key: &str| text.lines().any(|line| line.starts_with(key));
    file.ends_with("data-manifest.yaml") || has_list("data_sources:") || has_list("datasets:")
}

fn of_manifest(file: &str, text: &str) -> Document {
    let mut document = Document::new(file, "data manifest");
    match manifest::parse(text, file) {
        Ok(manifest) => document.datasets = Some(manifest.datasets.len()),
        Err(errors) => return document.wrong(&errors.errors),
    }
    document
}

fn of_study(file: &str, text: &str, folder: &Path) -> Document {
    let mut document = Document::new(file, "study");
    match study::parse(text, file) {
        Ok((study, warnings)) => {
            document.warnings = warnings.iter().map(Warning::to_string).collect();
            let paths = study.benchmarks.iter().flat_map(|it| {
                let path = |path: &String| (it.name.clone(), path.clone());
                it.paths.iter().map(path)
            });
            let missing = paths.filter(|(_, path)| !folder.join(path).exists());
            document.warnings.extend(missing.map(|(name, path)| {
                format!("benchmarks.{name}.paths: there is nothing at `{path}`")
            }));
            document.study = Some(StudySummary::of(&study));
        }
        Err(errors) => return document.wrong(&errors.errors),
    }
    document
}

fn of_config(file: &str, text: &str, folder: &Path) -> Document {
    let mut document = Document::new(file, "config");
    match config::parse(text, file) {
        Ok(Parsed { config, warnings }) => {
            document.warnings = warnings.iter().map(Warning::to_string).collect();
            document.warnings.extend(missing(&config, folder));
            document.config = Some(Summary {
                experiment: config.experiment.name.clone(),
                variations: config.variations.len(),
                trials: config.trials,
                runs: config.runs(),
                metrics: config.metrics.len(),
                success_criteria: config.success_criteria.len(),
                hash: config.hash(),
            });
        }
        Err(errors) => return document.wrong(&errors.errors),
    }
    document
}

/// What the config speaks of and is not there.
fn missing(config: &Config, folder: &Path) -> Vec<String> {
    let task = &config.task;
    // What a template makes of it is known when it runs.
    let is_plain = |text: &&String| !text.contains(['{', '}']);
    let directory = task.cwd.as_ref().filter(is_plain);
    let directory = directory.map_or_else(|| folder.to_owned(), |cwd| folder.join(cwd));
    let mut missing = Vec::new();
    if !directory.is_dir() {
        missing.push(format!(
            "task.cwd: there is no folder `{}`",
            directory.display()
        ));
    }
    if let Some(program) = task.command.first().filter(is_plain)
        && !is_there(program, &directory)
    {
        missing.push(format!(
            "task.command: the program `{program}` was not found"
        ));
    }
    if let Some(data_path) = &task.data_path
        && trialbook_capture::data::locate(folder, data_path).is_none()
    {
        missing.push(format!("task.data_path: there is nothing at `{data_path}`"));
    }
    if let Some(path) = verify::find(folder, task.data_path.as_deref()) {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if let Err(errors) = manifest::parse(&text, &name) {
            missing.extend(errors.errors.iter().map(ToString::to_string));
        }
    }
    missing
}

fn is_there(program: &str, directory: &Path) -> bool {
    if program.contains('/') {
        return directory.join(program).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn print(document: &Document, cx: &Context) {
    let file = &document.file;
    for error in &document.errors {
        let path = if error.path.is_empty() {
            String::new()
        } else {
            format!("{}: ", error.path)
        };
        let place = format!("{file}:{}:{}: ", error.line, error.column);
        let line = Line::styled(Style::Bold, place);
        cx.printer
            .line(line.plain(format!("{path}{}", error.message)));
        if let Some(hint) = &error.hint {
            cx.printer.line(format!("  hint: {hint}"));
        }
    }
    for warning in &document.warnings {
        let line = Line::styled(Style::Yellow, "warning");
        cx.printer.line(line.plain(format!(": {file}: {warning}")));
    }
    if !document.valid {
        let errors = count(document.errors.len() as u64, "error");
        cx.printer.line(format!("{file}: {errors}"));
        return;
    }
    let valid = Line::default()
        .plain(format!("{file}: "))
        .add(Style::Green, "valid");
    if let Some(study) = &document.study {
        cx.printer.line(valid.plain(format!(": {}", study.name)));
        print_study(study, cx);
        return;
    }
    let more = match (&document.config, document.datasets) {
        (Some(config), _) => format!(
            ": {}: {} × {} = {}",
            config.experiment,
            count(config.variations as u64, "variation"),
            count(u64::from(config.trials), "trial"),
            count(config.runs, "run")
        ),
        (None, Some(datasets)) => format!(": {}", count(datasets as u64, "dataset")),
        (None, None) => String::new(),
    };
    cx.printer.line(valid.plain(more));
}

fn print_study(study: &StudySummary, cx: &Context) {
    let number = |number: usize, noun: &str| count(number as u64, noun);
    let samples = study.max_samples;
    let samples = samples.map_or_else(String::new, |it| {
        format!(", at most {}", count(it, "question"))
    });
    cx.printer.line(format!(
        "  {}, {}{samples}; {} × {}",
        number(study.models, "model"),
        number(study.benchmarks, "benchmark"),
        number(study.levels, "level"),
        number(study.methods, "method"),
    ));
    match &study.estimate {
        Some(estimate) => cx.printer.line(format!(
            "  estimated: {}, {:.1} hours one after the other, ${:.2}; {} GB memory, {} GB on the disk",
            count(estimate.api_calls, "call"),
            estimate.hours,
            estimate.cost,
            estimate.memory_gb,
            estimate.storage_gb
        )),
        None => cx
            .printer
            .line("  not estimated: without `benchmarks` nobody knows how many questions there are"),
    }
    cx.printer
        .line("  `trialbook create NAME FILE` keeps it; this version cannot run studies yet");
}
