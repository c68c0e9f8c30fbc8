//! `trialbook compare`: runs and arms beside each other (C-29, T-5, M-17, A-25).
//!
//! Not here: what is compared (`trialbook-analysis`) and its words (`trialbook-report`). Invariant: what is left
//! out because there is too much of it is said.

mod items;
mod subjects;

use std::process::ExitCode;

use anyhow::Result;
use trialbook_analysis::comparison::{self, Request, Scope};
use trialbook_analysis::measure::Agg;
use trialbook_model::filter::Key;
use trialbook_report::comparison::Settings;

use crate::commands::analyze::key;
use crate::context::Context;
use crate::failure::Failure;
use crate::{book, pages};

const SCHEMA: u32 = 1;

/// Compare runs or experiments
///
/// Params and config keys that differ come first, then metrics with the difference to the baseline, then which is
/// best. An experiment stands for its variations, or for its runs where it has none; with --by runs of equal params, tags
/// or attributes are one arm. The baseline is the one that
/// `trialbook baseline` or the config marks, else the first. Where runs are trials of arms, a winner is named only
/// if its difference can be told from chance.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook compare 1a2b3c4d 5e6f7a8b
  trialbook compare EXP-001
  trialbook compare tuning --metrics loss,accuracy --agg best
  trialbook compare tuning --by lr,tags.stage
  trialbook compare EXP-001 EXP-002 --metrics completion_time_ms
  trialbook compare 'tuning/run-*' --all --json
  trialbook compare gpt-a gpt-b --items --cluster source")]
pub(crate) struct Args {
    /// Runs and experiments: id, beginning of an id, name, `EXP-001/run-014`, `latest`, a glob
    #[arg(value_name = "RUN|EXPERIMENT", required_unless_present = "ids")]
    subjects: Vec<String>,
    /// The same as one list: A,B,C
    #[arg(
        long = "ids",
        alias = "experiment-ids",
        alias = "run-ids",
        value_delimiter = ',',
        value_name = "LIST"
    )]
    ids: Vec<String>,
    /// The metrics: KEY,KEY; default: those that were logged, else those that follow from what was recorded
    #[arg(
        long,
        short,
        alias = "metric",
        value_delimiter = ',',
        value_name = "KEYS"
    )]
    metrics: Vec<String>,
    /// What makes the arms: params, tags, attributes; default: variations, else each run stands for itself
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "KEYS",
        conflicts_with = "items"
    )]
    by: Vec<String>,
    /// Which number of a series is a run's value: last, best, mean, min or max
    #[arg(long, default_value = "last", value_parser = agg, value_name = "WORD")]
    agg: Agg,
    /// What the others are compared with: one of the subjects, or the name of a baseline
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// Also params and config keys in which they agree, derived metrics and those of the processes
    #[arg(short, long)]
    all: bool,
    /// Compare the judged answers of two, item by item; an experiment stands for its completed runs
    #[arg(long, conflicts_with_all = ["metrics", "all", "baseline"])]
    items: bool,
    /// With --items: the score; default: the primary one of each item
    #[arg(long, requires = "items", value_name = "NAME")]
    score: Option<String>,
    /// With --items: the label whose equal values make clusters, such as the source of a question
    #[arg(long, requires = "items", value_name = "LABEL")]
    cluster: Option<String>,
    /// The share of wrong alarms that is put up with
    #[arg(long, default_value_t = 0.05, value_parser = alpha, value_name = "NUMBER")]
    alpha: f64,
    /// So many runs at most, the newest of an experiment or a glob; and so many arms
    #[arg(long, short = 'n', default_value_t = 100, value_name = "NUMBER")]
    limit: usize,
}

fn alpha(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let number = number.filter(|alpha| *alpha > 0.0 && *alpha < 1.0);
    number.ok_or_else(|| "expected a number between 0 and 1".to_owned())
}

/// The aggregate of a word.
pub(crate) fn agg(word: &str) -> Result<Agg, String> {
    Agg::parse(word).ok_or_else(|| "expected last, best, mean, min or max".to_owned())
}

/// Compares them.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let open = book::reading(cx)?;
    let view = open.view()?;
    let texts: Vec<&str> = args
        .subjects
        .iter()
        .chain(&args.ids)
        .map(String::as_str)
        .collect();
    if args.items {
        return items::run(&view, &texts, args, cx);
    }
    let by = args.by.iter().map(|text| key(text));
    let by = by.collect::<Result<Vec<Key>, Failure>>()?;
    let found = subjects::find(&view, &texts, &by, args.limit.max(1))?;
    if found.list.is_empty() {
        return Err(Failure::Usage {
            problem: "there is no run to compare".to_owned(),
            hint: "`trialbook list` shows what there is".to_owned(),
        }
        .into());
    }
    for left_out in &found.left_out {
        cx.printer.warn(left_out);
    }
    let baseline = subjects::baseline(&view, &found, args.baseline.as_deref())?;
    let request = Request {
        metrics: args.metrics.clone(),
        scope: if args.all { Scope::All } else { Scope::Logged },
        alpha: args.alpha,
        agg: args.agg,
        baseline,
    };
    let comparison = comparison::compare(&view, &found.list, &request)?;
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &comparison)?;
        return Ok(ExitCode::SUCCESS);
    }
    let shown = if args.all {
        Settings::All
    } else {
        Settings::Differing
    };
    let page = trialbook_report::comparison::page(&comparison, shown);
    pages::print(&page, &cx.printer);
    Ok(ExitCode::SUCCESS)
}
