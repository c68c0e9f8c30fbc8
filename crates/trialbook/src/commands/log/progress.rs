//! `trialbook log progress`: how much of a run's work is done (S-66).

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use trialbook_model::record::{Op, Progress};
use trialbook_model::time::Clock as _;
use trialbook_store::reading::Reading as _;

use crate::context::{Context, SystemClock};
use crate::failure::Failure;
use crate::target::RunChoice;
use crate::{figures, values, when};

/// Record how much of the work is done
///
/// From the second time on `show` and `status` say when it may be finished.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook log progress 3/10
  trialbook log progress 45%
  trialbook log progress 0.45
  trialbook log progress 1200 --total 5000 --stage evaluations")]
pub(crate) struct Args {
    /// How much is done: DONE/TOTAL, a percentage, a fraction such as 0.5, or a number beside --total
    #[arg(value_name = "DONE")]
    done: String,
    /// How much there is in all
    #[arg(long, value_name = "NUMBER")]
    total: Option<f64>,
    /// What it is at, such as loading, evaluations, saving
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    #[command(flatten)]
    choice: RunChoice,
}

#[derive(Serialize)]
struct Logged {
    run: String,
    handle: String,
    done: Value,
    total: Option<Value>,
    /// 0 to 1.
    share: Option<Value>,
    /// When it may be finished.
    finish: Option<String>,
}

/// Records it.
pub(super) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let (done, total) = amounts(args)?;
    if let Some(stage) = &args.stage {
        values::check_name("a stage", stage)?;
    }
    if total.is_some_and(|total| done > total) {
        cx.printer
            .note("more is done than there is: it counts as 100%");
    }
    let (open, target) = super::open(&args.choice, cx)?;
    let mut writer = open.writer(cx)?;
    writer.record(&Op::Progress(Progress {
        run: target.uid(),
        done,
        total,
        stage: args.stage.clone(),
    }))?;
    writer.finish(cx)?;
    let run = open.view()?.runs(&[target.run.no])?.pop();
    let history = run.map(|run| run.state.progress).unwrap_or_default();
    let now = SystemClock.now();
    let (share, finish) = (history.share(), history.finish(now));
    if cx.printer.json_wanted() {
        let logged = Logged {
            run: target.uid().to_string(),
            handle: target.title.clone(),
            done: figures::json(done),
            total: total.map(figures::json),
            share: share.map(figures::json),
            finish: finish.map(|time| time.to_string()),
        };
        cx.printer.json(super::SCHEMA, &logged)?;
        return Ok(ExitCode::SUCCESS);
    }
    let parts = [
        total.map(|total| format!(" of {}", figures::short(total))),
        share.map(|share| format!(" ({})", figures::done(share))),
        finish.map(|finish| {
            let left = when::span(finish.0.saturating_sub(now.0));
            format!(", {left} left")
        }),
    ];
    let parts: String = parts.into_iter().flatten().collect();
    let done = figures::short(done);
    cx.printer
        .line(format!("Progress of {}: {done}{parts}", target.told()));
    Ok(ExitCode::SUCCESS)
}

/// Done and total.
fn amounts(args: &Args) -> Result<(f64, Option<f64>), Failure> {
    let number = |text: &str| {
        let number = text.trim().parse::<f64>();
        let number = number.ok().filter(|it| it.is_finite() && *it >= 0.0);
        number.ok_or_else(|| Failure::Value {
            what: "progress".to_owned(),
            value: args.done.clone(),
            expected: "a number from 0 on, DONE/TOTAL or a percentage",
        })
    };
    let (done, total) = if let Some(percent) = args.done.trim().strip_suffix('%') {
        let percent = number(percent)?;
        if percent > 100.0 {
            return Err(Failure::Value {
                what: "progress".to_owned(),
                value: args.done.clone(),
                expected: "a percentage from 0% to 100%",
            });
        }
        (percent, Some(100.0))
    } else if let Some((done, total)) = args.done.split_once('/') {
        (number(done)?, Some(number(total)?))
    } else {
        let done = number(&args.done)?;
        // Without a total, a number that is written with a point and is no more than all of it is a fraction.
        let is_fraction = args.done.contains('.') && done <= 1.0;
        (done, args.total.or(is_fraction.then_some(1.0)))
    };
    match total {
        Some(total) if !total.is_finite() || total <= 0.0 => Err(Failure::Value {
            what: "the total".to_owned(),
            value: total.to_string(),
            expected: "a number above 0",
        }),
        Some(_) | None => Ok((done, total)),
    }
}
