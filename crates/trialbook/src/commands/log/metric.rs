//! `trialbook log metric`.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::record::{Op, Points, SeriesKey, SetParams, Subject};
use trialbook_model::time::{Clock as _, Timestamp};

use crate::commands::end::next_step;
use crate::context::{Context, SystemClock};
use crate::failure::Failure;
use crate::figures::count;
use crate::once::WriteOnce;
use crate::target::{RunChoice, Target};
use crate::values;

/// Record values of metrics
///
/// NaN and infinities are data. All values of one call share one step. Without --step it is the one after
/// the last step of these metrics, so that the order of calls is the order of steps.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook log metric loss 0.31
  trialbook log metric loss=0.31 accuracy=0.88 --step 3
  trialbook log metric loss=nan --context split=test
  trialbook log metric --metrics '{\"train_loss\": 0.32, \"val_loss\": 0.28}' --step 5")]
pub(crate) struct Args {
    /// Values: KEY=VALUE …, or KEY VALUE
    #[arg(value_name = "KEY=VALUE", allow_negative_numbers = true)]
    values: Vec<String>,
    /// Values as a JSON map
    #[arg(long, value_name = "JSON")]
    metrics: Option<String>,
    /// Params in the same go, as a JSON map
    #[arg(long, value_name = "JSON", hide = true)]
    params: Option<String>,
    /// The step (or epoch)
    #[arg(short, long, allow_negative_numbers = true)]
    step: Option<i64>,
    /// What tells series of one name apart: split=test, or a JSON map
    #[arg(long, default_value = "")]
    context: String,
    /// When it was measured, as `2026-01-21T10:00:12Z`; default: now
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<Timestamp>,
    #[command(flatten)]
    choice: RunChoice,
}

/// Reads a time with its offset.
fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

#[derive(Serialize)]
struct Logged {
    run: String,
    handle: String,
    step: i64,
    metrics: usize,
}

/// Records them.
pub(super) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let mut metrics = values::metrics(&args.values)?;
    if let Some(json) = &args.metrics {
        metrics.extend(values::metrics_of_json(json)?);
    }
    let params = match &args.params {
        Some(json) => values::params_of_json(json)?,
        None => Vec::new(),
    };
    if metrics.is_empty() && params.is_empty() {
        return Err(Failure::Usage {
            problem: "no metric is given".to_owned(),
            hint: "write `trialbook log metric loss=0.3`".to_owned(),
        }
        .into());
    }
    let context = values::context(&args.context)?;
    let values: Vec<(SeriesKey, f64)> = metrics
        .into_iter()
        .map(|(key, value)| (values::series_key(&key, &context), value))
        .collect();
    let (open, target) = super::open(&args.choice, cx)?;
    let logged = Logged {
        run: target.uid().to_string(),
        handle: target.title.clone(),
        step: args
            .step
            .unwrap_or_else(|| shared_next_step(&target, &values)),
        metrics: values.len(),
    };
    let params = WriteOnce::of(&target.run, &target.title).accept(params)?;
    let mut writer = open.writer(cx)?;
    if !params.is_empty() {
        writer.record(&Op::SetParams(SetParams {
            run: target.uid(),
            params,
        }))?;
    }
    writer.record(&Op::Points(Points {
        subject: Subject::Run(target.uid()),
        step: logged.step,
        time: args.time.unwrap_or_else(|| SystemClock.now()),
        set: false,
        values,
    }))?;
    writer.finish(cx)?;
    if cx.printer.json_wanted() {
        cx.printer.json(super::SCHEMA, &logged)?;
    } else {
        let metrics = count(logged.metrics as u64, "metric");
        cx.printer.line(format!(
            "Logged {metrics} at step {} to {}",
            logged.step,
            target.told()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The step after the last one of all these series.
fn shared_next_step(target: &Target, values: &[(SeriesKey, f64)]) -> i64 {
    let series = &target.run.state.records.series;
    let next = values.iter().map(|(key, _)| next_step(series.get(key)));
    next.max().unwrap_or(0)
}
