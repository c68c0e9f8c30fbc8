//! `trialbook log event`.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value};
use trialbook_model::record::{Event, Op, Subject};

use crate::context::Context;
use crate::failure::Failure;
use crate::target::RunChoice;
use crate::values;

/// Record that something happened
///
/// The kind is an open word: blocker, decision, artifact, context_request, task_start, task_end, message,
/// error …
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook log event decision 'use the smaller model' --agent planner --task t-3
  trialbook log event blocker 'no GPU left' --severity high
  trialbook log event task_end --task t-3 --data '{\"duration_seconds\": 12.5}'")]
pub(crate) struct Args {
    /// What kind of event
    kind: String,
    /// What happened
    text: Option<String>,
    /// low, medium, high or critical
    #[arg(long, value_name = "WORD", value_parser = ["low", "medium", "high", "critical"])]
    severity: Option<String>,
    /// Everything else, as a JSON map
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// The agent that it is about
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The task that it is about
    #[arg(long, value_name = "ID")]
    task: Option<String>,
    /// The step that it belongs to
    #[arg(short, long, allow_negative_numbers = true)]
    step: Option<i64>,
    #[command(flatten)]
    choice: RunChoice,
}

#[derive(Serialize)]
struct Logged {
    run: String,
    handle: String,
    event: String,
}

/// Records it.
pub(super) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    values::check_name("an event's kind", &args.kind)?;
    let data = data(args)?;
    let (open, target) = super::open(&args.choice, cx)?;
    let mut writer = open.writer(cx)?;
    writer.record(&Op::Event(Event {
        subject: Subject::Run(target.uid()),
        kind: args.kind.clone(),
        severity: args.severity.clone(),
        text: args.text.clone().unwrap_or_default(),
        data,
        step: args.step,
    }))?;
    writer.finish(cx)?;
    if cx.printer.json_wanted() {
        let logged = Logged {
            run: target.uid().to_string(),
            handle: target.title.clone(),
            event: args.kind.clone(),
        };
        cx.printer.json(super::SCHEMA, &logged)?;
    } else {
        cx.printer
            .line(format!("Logged event {} to {}", args.kind, target.told()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The event's data: the map that was given, with agent and task.
fn data(args: &Args) -> Result<Value, Failure> {
    let mut map = match &args.data {
        None => Map::new(),
        Some(text) => serde_json::from_str(text).map_err(|error| Failure::Usage {
            problem: format!("--data is not a JSON map: {error}"),
            hint: "write it as '{\"duration_seconds\": 12.5}'".to_owned(),
        })?,
    };
    for (key, value) in [("agent_id", &args.agent), ("task_id", &args.task)] {
        if let Some(value) = value {
            map.insert(key.to_owned(), value.clone().into());
        }
    }
    Ok(if map.is_empty() {
        Value::Null
    } else {
        Value::Object(map)
    })
}
