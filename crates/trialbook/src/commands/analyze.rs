//! `trialbook analyze`: is the difference real? (A-20, A-22, A-24, T-5)
//!
//! Not here: the statistics and the words. Invariant: what is printed is what is kept.

use std::process::ExitCode;

use anyhow::Result;
use trialbook_analysis::analysis::Request;
use trialbook_analysis::finding::{SCHEMA, Test};
use trialbook_analysis::measure::Agg;
use trialbook_model::filter::{self, Dialect, Key, KeyKind};
use trialbook_stats::Correction;

use crate::answers;
use crate::commands::compare::agg;
use crate::context::Context;
use crate::failure::Failure;
use crate::pages;

/// Test which differences between the arms of an experiment are real
///
/// The arms are its variations, else the values of the one param that varies, else those of --by. Each is held
/// against the baseline: the marked one, else the first. All p-values are adjusted together. The answer is kept with
/// the experiment: asked again on the same data it is the same, and on more trials it says that it is another look.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook analyze EXP-001
  trialbook analyze EXP-001 --metric completion_time_ms --test mann-whitney
  trialbook analyze tuning --by lr,tags.stage --agg best
  trialbook analyze EXP-001 --test paired --pair-by seed --json")]
pub(crate) struct Args {
    /// The experiment
    #[arg(value_name = "EXPERIMENT")]
    experiment: String,
    #[command(flatten)]
    asked: Asked,
}

/// What is asked of an experiment.
#[derive(Debug, clap::Args)]
pub(crate) struct Asked {
    /// The metrics: KEY,KEY; default: those of the config, else all that were logged
    #[arg(
        long = "metric",
        short,
        alias = "metrics",
        value_delimiter = ',',
        value_name = "KEYS"
    )]
    metrics: Vec<String>,
    /// What makes the arms: params, tags, attributes
    #[arg(long, value_delimiter = ',', value_name = "KEYS")]
    by: Vec<String>,
    /// What the runs of a pair have in common, such as `seed`; default: the trial under `seed_policy: paired`
    #[arg(long, value_name = "KEY")]
    pair_by: Option<String>,
    /// auto (paired t where the design makes pairs, else Welch), welch, student, paired, mann-whitney, wilcoxon
    #[arg(long, default_value = "auto", value_parser = test, value_name = "WORD")]
    test: Test,
    /// Student's t test: equal variances
    #[arg(long, conflicts_with = "test")]
    equal_var: bool,
    /// How p-values are adjusted: holm, bonferroni, hochberg, hommel, bh, by, sidak, holm_sidak, none
    #[arg(long, default_value = "holm", value_parser = correction, value_name = "WORD")]
    correction: Adjusted,
    /// Which number of a series is a run's value: last, best, mean, min or max
    #[arg(long, default_value = "last", value_parser = agg, value_name = "WORD")]
    agg: Agg,
    /// The share of wrong alarms that is put up with
    #[arg(long, default_value_t = 0.05, value_name = "NUMBER")]
    alpha: f64,
    /// The arm that the others are held against
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
}

impl Asked {
    /// The question.
    pub(crate) fn request(&self) -> Result<Request, Failure> {
        let by = self.by.iter().map(|text| key(text));
        Ok(Request {
            metrics: self.metrics.clone(),
            by: by.collect::<Result<_, _>>()?,
            pair_by: self.pair_by.as_deref().map(key).transpose()?,
            test: if self.equal_var {
                Test::Student
            } else {
                self.test
            },
            correction: self.correction.0,
            agg: self.agg,
            alpha: self.alpha,
            baseline: self.baseline.clone(),
        })
    }
}

/// How p-values are adjusted, if they are.
#[derive(Debug, Clone, Copy)]
struct Adjusted(Option<Correction>);

fn test(word: &str) -> Result<Test, String> {
    Test::parse(word).ok_or_else(|| {
        let words = Test::ALL.map(Test::word);
        format!("expected one of {}", words.join(", "))
    })
}

fn correction(word: &str) -> Result<Adjusted, String> {
    match word {
        "none" => Ok(Adjusted(None)),
        "fdr" => Ok(Adjusted(Some(Correction::BenjaminiHochberg))),
        word => Correction::of_word(word)
            .map(|it| Adjusted(Some(it)))
            .ok_or_else(|| {
                let words = Correction::ALL.map(Correction::word);
                format!("expected one of {}, none", words.join(", "))
            }),
    }
}

/// A key of a run.
pub(crate) fn key(text: &str) -> Result<Key, Failure> {
    let term =
        filter::parse_order_term(text, Dialect::Native).map_err(|source| Failure::Filter {
            text: text.to_owned(),
            source,
        })?;
    match term.key.kind {
        KeyKind::Metric | KeyKind::Dataset => Err(Failure::Usage {
            problem: format!("`{text}` is neither a param, a tag nor an attribute"),
            hint: "write `lr`, `params.lr`, `tags.stage` or `status`".to_owned(),
        }),
        KeyKind::Attribute | KeyKind::Param | KeyKind::Tag | KeyKind::Bare => Ok(term.key),
    }
}

/// Asks and tells.
pub(crate) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let answer = answers::ask(cx, &args.experiment, &args.asked.request()?)?;
    if cx.printer.json_wanted() {
        cx.printer.json(SCHEMA, &answer.analysis)?;
        return Ok(ExitCode::SUCCESS);
    }
    let page = trialbook_report::analysis::page(&answer.analysis);
    pages::print(&page, &cx.printer);
    Ok(ExitCode::SUCCESS)
}
