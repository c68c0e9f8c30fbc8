//! `trialbook report`: an experiment told as Markdown, HTML or JSON (A-23, M-18, T-24).
//!
//! Not here: words. Invariant: a file that no report wrote is replaced only where it was named; a report has its name
//! only when it is whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use trialbook_analysis::finding::Analysis;
use trialbook_model::config::Config;
use trialbook_model::time::Clock as _;
use trialbook_store::query::Query;
use trialbook_store::reading::Reading as _;

use crate::answers::{self, Answer};
use crate::commands::analyze::Asked;
use crate::context::{Context, SystemClock};
use crate::failure::Failure;
use crate::replaced::replaceable;
use crate::{book, documents, figures};

const SCHEMA: u32 = 1;
/// How a report begins, so that one may take the place of an older one.
const MARK: &str = "<!-- trialbook report -->\n";

/// Write the report of an experiment
///
/// Every sentence is one of `trialbook analyze`, which takes the same questions and keeps its answers. Markdown goes to report.md,
/// HTML to report.html as one file that needs nothing else, JSON to experiment_report.json with all runs. A file that
/// is there and is no report is replaced with `--force` only.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook report EXP-001
  trialbook report tuning --by lr --metric loss
  trialbook report EXP-001 --format html -o results/exp-001.html
  trialbook report tuning --format json -o - | jq .metrics")]
pub(crate) struct Args {
    /// The experiment
    #[arg(value_name = "EXPERIMENT", required_unless_present = "name")]
    experiment: Option<String>,
    /// The same
    #[arg(
        long = "experiment-id",
        hide = true,
        id = "name",
        value_name = "EXPERIMENT"
    )]
    name: Option<String>,
    /// The file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How: md, html or json
    #[arg(long, short, default_value = "md", value_parser = format, value_name = "WORD")]
    format: Format,
    #[command(flatten)]
    asked: Asked,
    /// Replace a file that is no report
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Markdown,
    Html,
    Json,
}

fn format(word: &str) -> Result<Format, String> {
    match word {
        "md" | "markdown" => Ok(Format::Markdown),
        "html" => Ok(Format::Html),
        "json" => Ok(Format::Json),
        _ => Err("expected md, html or json".to_owned()),
    }
}

impl Format {
    const fn file(self) -> &'static str {
        match self {
            Self::Markdown => "report.md",
            Self::Html => "report.html",
            Self::Json => "experiment_report.json",
        }
    }
}

/// The JSON form.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    experiment_name: String,
    tracking_uri: String,
    generated_at: String,
    /// By run id.
    runs: BTreeMap<String, ReportedRun>,
    /// The statistics of each metric over the arms.
    metrics: Value,
    analysis: &'a Analysis,
}

#[derive(Serialize)]
struct ReportedRun {
    params: BTreeMap<String, Box<RawValue>>,
    metrics: BTreeMap<String, Value>,
    status: &'static str,
    start_time: Option<i64>,
    end_time: Option<i64>,
}

#[derive(Serialize)]
struct Written {
    file: String,
    bytes: usize,
}

/// Writes it.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let text = args.experiment.as_ref().or(args.name.as_ref());
    let text = text.map_or("latest", String::as_str);
    let format = if cx.printer.json_wanted() && args.output.is_none() {
        Format::Json
    } else {
        args.format
    };
    let target = match &args.output {
        Some(output) if output == Path::new("-") => None,
        Some(output) => Some(output.clone()),
        None if cx.printer.json_wanted() => None,
        None => Some(PathBuf::from(format.file())),
    };
    if let (Some(target), false) = (&target, args.force) {
        refuse_foreign(target)?;
    }
    let answer = answers::ask(cx, text, &args.asked.request()?)?;
    let report = rendered(cx, &answer, format)?;
    let Some(target) = target else {
        cx.printer.stream().write_all(report.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    write(&target, &report)?;
    let written = Written {
        file: target.display().to_string(),
        bytes: report.len(),
    };
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &written)?;
    } else {
        cx.printer.line(format!("Wrote {}", written.file));
    }
    Ok(ExitCode::SUCCESS)
}

fn rendered(cx: &Context, answer: &Answer, format: Format) -> Result<String> {
    let config = answer.experiment.state.config();
    let config: Option<Config> =
        config.and_then(|config| serde_json::from_value(config.document.clone()).ok());
    let page = || trialbook_report::experiment::page(&answer.analysis, config.as_ref());
    Ok(match format {
        Format::Markdown => format!("{MARK}{}", trialbook_report::markdown::render(&page())),
        Format::Html => {
            trialbook_report::html::render(&page()).replacen('\n', &format!("\n{MARK}"), 1)
        }
        Format::Json => {
            let mut text = serde_json::to_string_pretty(&document(cx, answer)?)?;
            text.push('\n');
            text
        }
    })
}

fn document<'a>(cx: &Context, answer: &'a Answer) -> Result<Report<'a>> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let hits = view.search(&Query {
        experiments: Some(vec![answer.experiment.no]),
        ..Query::all()
    })?;
    let mut runs = BTreeMap::new();
    for run in view.runs(&hits.runs)? {
        let state = &run.state;
        let series = state.records.series.iter();
        let plain = series.filter(|(key, _)| key.context.is_empty());
        let logged =
            plain.map(|(key, summary)| (key.key.clone(), figures::json(summary.last.value)));
        let derived = state.derived_values().into_iter();
        let mut metrics: BTreeMap<String, Value> = derived
            .map(|(key, value)| (key, figures::json(value)))
            .collect();
        metrics.extend(logged);
        let reported = ReportedRun {
            params: documents::params(&run),
            metrics,
            status: state.status().word(),
            start_time: state.started().map(|time| time.0 / 1000),
            end_time: state.ended().map(|time| time.0 / 1000),
        };
        runs.insert(run.uid.to_string(), reported);
    }
    let metrics = answer.analysis.metrics.iter().map(|metric| {
        let arms = serde_json::to_value(&metric.arms).unwrap_or_default();
        (metric.measure.key.clone(), arms)
    });
    Ok(Report {
        schema: SCHEMA,
        experiment_name: answer
            .experiment
            .state
            .name()
            .unwrap_or_default()
            .to_owned(),
        tracking_uri: open.name(),
        generated_at: SystemClock.now().to_string(),
        runs,
        metrics: metrics.collect::<serde_json::Map<String, Value>>().into(),
        analysis: &answer.analysis,
    })
}

/// Refuses a file that is there and that no report wrote. What is no file, such as a pipe, loses nothing.
fn refuse_foreign(target: &Path) -> Result<()> {
    let Some(real) = replaceable(target).filter(|real| real.exists()) else {
        return Ok(());
    };
    let text = fs::read(&real).unwrap_or_default();
    let head = String::from_utf8_lossy(&text[..text.len().min(1600)]);
    let is_report = text.is_empty()
        || head.contains(MARK.trim())
        || head.contains("\"schema\": ") && head.contains("\"experiment_name\": ");
    if is_report {
        return Ok(());
    }
    Err(Failure::NoReport {
        path: target.display().to_string(),
    }
    .into())
}

/// Writes a file so that it has its name only when it is whole; what is no file is written into.
fn write(target: &Path, text: &str) -> Result<()> {
    let failed = || format!("cannot write `{}`", target.display());
    if let Some(folder) = target.parent().filter(|it| !it.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    let Some(real) = replaceable(target) else {
        return fs::write(target, text).with_context(failed);
    };
    let mut draft = real.as_os_str().to_owned();
    draft.push(".draft");
    let draft = PathBuf::from(draft);
    fs::write(&draft, text).with_context(failed)?;
    fs::rename(&draft, real).with_context(failed)
}
