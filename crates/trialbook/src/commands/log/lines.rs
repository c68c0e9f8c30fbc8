//! `trialbook log lines`, also written `log -`: everything that a program says, as lines of JSON.
//!
//! A line of numbers goes by a short way without trees; every other line is read by the task protocol's
//! reader, so that both mean the same. Invariant: each line is recorded before the next one is read, and a
//! line that is not understood is kept as an event and named with its number.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use trialbook_model::record::{Event, Op, SeriesKey, SetParams, Subject};
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_runner::protocol::line::Place;
use trialbook_runner::protocol::{NOT_UNDERSTOOD, Reader, json};
use trialbook_spool::{KeyIndex, SpoolError, SubjectIndex};
use trialbook_store::{BookError, Recorder};

use super::bounded;
use super::numbers::{self, Numbers};
use crate::commands::end::next_step;
use crate::commands::start::check_param;
use crate::context::{Context, SystemClock};
use crate::failure::Failure;
use crate::figures::count;
use crate::target::{RunChoice, Target};
use crate::values;

/// Problems that are told one by one.
const TOLD: u64 = 20;

/// Record lines of JSON: `trialbook log -` reads them from standard input
///
/// One object a line. Numbers by name are metrics: {"step": 3, "loss": 0.31}. So are
/// {"metric": "loss", "value": 0.31, "step": 3} and {"metrics": {"loss": 0.31}, "step": 3}. Without a step
/// each series continues its own. Others: {"params": {"lr": 0.1}}, {"event": "blocker", "severity": "high",
/// "text": "…"}, {"event": "item", "id": "q-1", "scores": {"correct": true}},
/// {"event": "progress", "done": 3, "total": 10}. `timestamp` says when (seconds since 1970 or a time).
/// NaN and Infinity are read as Python writes them. A line that is not understood is named, kept as an event
/// and makes the exit code 4; all others are recorded.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  python train.py | trialbook log -
  trialbook log lines history.jsonl --run 1a2b3c4d")]
pub(crate) struct Args {
    /// The file; `-` or nothing for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    #[command(flatten)]
    choice: RunChoice,
}

/// What was recorded.
#[derive(Debug, Default, Serialize)]
struct Logged {
    run: String,
    handle: String,
    lines: u64,
    points: u64,
    params: u64,
    events: u64,
    items: u64,
    broken: u64,
    problems: Vec<String>,
}

/// Records them.
pub(super) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let name = args.file.display().to_string();
    let mut input: Box<dyn BufRead> = if name == "-" {
        Box::new(BufReader::with_capacity(1 << 16, io::stdin()))
    } else {
        let file = File::open(&args.file).map_err(|source| Failure::Unreadable {
            path: name.clone(),
            source,
        })?;
        Box::new(BufReader::with_capacity(1 << 16, file))
    };
    let (open, target) = super::open(&args.choice, cx)?;
    let mut stream = Stream::new(open.stream_writer(cx)?, &target, name);
    let outcome = stream.read_all(&mut *input, cx);
    let logged = stream.finish(outcome);
    open.tidy(cx);
    let logged = logged?;
    tell(&logged, cx)?;
    if logged.broken > 0 {
        return Err(Failure::BrokenLines {
            broken: logged.broken,
            lines: logged.lines,
        }
        .into());
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(logged: &Logged, cx: &Context) -> Result<()> {
    if cx.printer.json_wanted() {
        return cx.printer.json(super::SCHEMA, logged);
    }
    let parts = [
        (logged.points, "point"),
        (logged.params, "param"),
        (logged.events, "event"),
        (logged.items, "item"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, noun)| *number > 0 || *noun == "point")
        .map(|(number, noun)| count(number, noun))
        .collect();
    let lines = count(logged.lines, "line");
    cx.printer.line(format!(
        "Logged {} from {lines} to {}",
        parts.join(", "),
        logged.handle
    ));
    Ok(())
}

/// A series as the stream knows it.
struct Known {
    index: KeyIndex,
    next_step: i64,
}

/// The stream of lines on its way into the book.
struct Stream<'a> {
    recorder: Recorder,
    subject: SubjectIndex,
    target: &'a Target,
    reader: Reader,
    series: BTreeMap<String, Known>,
    /// Params of this stream, which later lines must not change.
    params: BTreeMap<String, trialbook_model::record::Param>,
    /// Of one line, to be reused.
    pairs: Vec<(KeyIndex, f64)>,
    source: String,
    /// Lines whose records were all acknowledged.
    recorded: u64,
    logged: Logged,
}

impl<'a> Stream<'a> {
    fn new(mut recorder: Recorder, target: &'a Target, source: String) -> Self {
        let run = target.uid();
        let source = if source == "-" {
            "standard input".to_owned()
        } else {
            source
        };
        Self {
            subject: recorder.subject(&Subject::Run(run)),
            recorder,
            target,
            reader: Reader::new(run),
            series: BTreeMap::new(),
            params: BTreeMap::new(),
            pairs: Vec::new(),
            source,
            recorded: 0,
            logged: Logged {
                run: run.to_string(),
                handle: target.title.clone(),
                ..Logged::default()
            },
        }
    }

    fn read_all(&mut self, input: &mut dyn BufRead, cx: &Context) -> Result<()> {
        let mut bytes = Vec::new();
        loop {
            if !bounded::read_line(input, &mut bytes)? {
                return Ok(());
            }
            self.logged.lines += 1;
            let text = String::from_utf8_lossy(&bytes);
            self.line(text.trim(), cx)?;
            self.recorded = self.logged.lines;
        }
    }

    fn line(&mut self, text: &str, cx: &Context) -> Result<()> {
        if let Some(numbers) = numbers::read(text) {
            return self.numbers(&numbers);
        }
        let Ok(Value::Object(object)) = json::parse(text) else {
            return self.by_protocol(text, StepIs::Missing, cx);
        };
        if let Some(Value::Object(_)) = object.get("params") {
            return self.params(text, &object["params"], cx);
        }
        let whole = |step: &Value| step.as_f64().is_some_and(|step| step.fract() == 0.0);
        let given = object.get("step").is_some_and(whole);
        self.by_protocol(
            text,
            if given {
                StepIs::Given
            } else {
                StepIs::Missing
            },
            cx,
        )
    }

    /// A line of numbers alone.
    fn numbers(&mut self, numbers: &Numbers<'_>) -> Result<()> {
        let time = self.recorder.tick();
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.clear();
        let mut step_of_pairs = numbers.step;
        for (key, value) in numbers.values() {
            let known = self.known(key);
            let step = numbers.step.unwrap_or(known.next_step);
            known.next_step = known.next_step.max(step.saturating_add(1));
            let pair = (known.index, value);
            // Series that go on at different steps take a record each.
            if step_of_pairs.is_some_and(|of_pairs| of_pairs != step) {
                self.recorder.points_at(
                    self.subject,
                    step_of_pairs.unwrap_or(step),
                    time,
                    &pairs,
                )?;
                pairs.clear();
            }
            step_of_pairs = Some(step);
            pairs.push(pair);
            self.logged.points += 1;
        }
        if let Some(step) = step_of_pairs {
            self.recorder.points_at(self.subject, step, time, &pairs)?;
        }
        self.pairs = pairs;
        Ok(())
    }

    fn known(&mut self, key: &str) -> &mut Known {
        if !self.series.contains_key(key) {
            let series = SeriesKey::plain(key);
            let known = Known {
                index: self.recorder.key(&series),
                next_step: next_step(self.target.run.state.records.series.get(&series)),
            };
            self.series.insert(key.to_owned(), known);
        }
        self.series
            .get_mut(key)
            .expect("it was put there if it was not")
    }

    /// Any other line, as the task protocol reads it.
    fn by_protocol(&mut self, text: &str, step: StepIs, cx: &Context) -> Result<()> {
        let source = self.source.clone();
        let place = Place {
            file: &source,
            line: self.logged.lines,
        };
        for (time, op) in self.reader.line(place, text, SystemClock.now()) {
            self.op(time, &op, step, cx)?;
        }
        Ok(())
    }

    fn op(&mut self, time: Timestamp, op: &Op, step: StepIs, cx: &Context) -> Result<()> {
        if let Op::Points(points) = op {
            self.logged.points += points.values.len() as u64;
            for (key, value) in &points.values {
                let known = self.known(&key.key);
                let at = match step {
                    StepIs::Given => points.step,
                    StepIs::Missing => known.next_step,
                };
                known.next_step = known.next_step.max(at.saturating_add(1));
                let pair = (key.clone(), *value);
                self.recorder.points(&points.subject, at, time, &[pair])?;
            }
            return Ok(());
        }
        if let Op::Item(_) = op {
            self.logged.items += 1;
        } else if let Op::Event(event) = op
            && event.kind == NOT_UNDERSTOOD
        {
            self.complain(&event.text, cx);
        } else {
            self.logged.events += 1;
        }
        self.recorder.record(op)?;
        Ok(())
    }

    fn complain(&mut self, problem: &str, cx: &Context) {
        self.logged.broken += 1;
        if self.logged.broken <= TOLD {
            cx.printer.warn(problem);
            self.logged.problems.push(problem.to_owned());
        }
    }

    fn params(&mut self, text: &str, map: &Value, cx: &Context) -> Result<()> {
        match self.new_params(map) {
            Ok(params) => {
                self.logged.params += params.len() as u64;
                self.params.extend(params.iter().cloned());
                let run = self.target.uid();
                self.recorder
                    .record(&Op::SetParams(SetParams { run, params }))?;
            }
            Err(refused) => {
                let problem = format!("line {} of {}: {refused}", self.logged.lines, self.source);
                self.complain(&problem, cx);
                self.recorder.record(&Op::Event(Event {
                    subject: Subject::Run(self.target.uid()),
                    kind: NOT_UNDERSTOOD.to_owned(),
                    severity: Some("medium".to_owned()),
                    text: problem,
                    data: serde_json::json!({ "line": self.logged.lines, "text": text }),
                    step: None,
                }))?;
            }
        }
        Ok(())
    }

    /// The params of a line, unless one of them has another value.
    fn new_params(
        &self,
        map: &Value,
    ) -> Result<Vec<(String, trialbook_model::record::Param)>, Failure> {
        let params = values::params_of_json(&map.to_string())?;
        for (key, param) in &params {
            check_param(&self.target.run, key, param, &self.target.title)?;
            if let Some(held) = self.params.get(key).filter(|held| !held.same(param)) {
                return Err(Failure::ParamConflict {
                    key: key.clone(),
                    run: format!("run {}", self.target.title),
                    present: held.text.clone(),
                    refused: param.text.clone(),
                });
            }
        }
        Ok(params)
    }

    /// Ends the spool, and says of a stream that broke off how much of it is recorded.
    fn finish(self, outcome: Result<()>) -> Result<Logged> {
        let finished = self.recorder.finish();
        let Err(error) = outcome else {
            finished?;
            return Ok(self.logged);
        };
        // A record that had to wait went out in the end.
        let recorded = self.recorded + u64::from(finished.is_ok() && waits(&error));
        Err(error.context(format!(
            "stopped behind line {recorded} of {}: what follows is not recorded",
            self.source
        )))
    }
}

/// Whether a failure left its record waiting in memory.
fn waits(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(BookError::Spool(SpoolError::Waiting { .. }))
    )
}

/// Whether a line says its step.
#[derive(Clone, Copy)]
enum StepIs {
    Given,
    Missing,
}
