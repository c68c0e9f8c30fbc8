//! A stream of lines on its way into the book.
//!
//! A line of numbers goes by a short way without trees; every other line is read by the task protocol's
//! reader, so that both mean the same. Invariant: each line is recorded before the next one is read, and a
//! line that is not understood is kept as an event and named with its number.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use trialbook_model::record::{Event, Op, Param, SeriesKey, SetParams, Subject};
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_runner::protocol::line::Place;
use trialbook_runner::protocol::{NOT_UNDERSTOOD, Reader, json};
use trialbook_spool::{KeyIndex, SpoolError, SubjectIndex};
use trialbook_store::{BookError, Recorder};

use super::bounded;
use super::numbers::{self, Numbers};
use crate::book::Open;
use crate::commands::end::next_step;
use crate::context::{Context, SystemClock};
use crate::failure::Failure;
use crate::once::WriteOnce;
use crate::target::Target;
use crate::{secrets, values};

/// Problems that are told one by one.
const TOLD: u64 = 20;

/// Bytes recorded between two seals.
const SEAL_AFTER: u64 = 16 << 20;

/// What was recorded.
#[derive(Debug, Default, Serialize)]
pub(super) struct Logged {
    pub(super) run: String,
    pub(super) handle: String,
    pub(super) lines: u64,
    pub(super) points: u64,
    pub(super) params: u64,
    pub(super) events: u64,
    pub(super) items: u64,
    pub(super) broken: u64,
    pub(super) problems: Vec<String>,
}

/// A series as the stream knows it.
struct Known {
    index: KeyIndex,
    next_step: i64,
}

/// The stream of lines on its way into the book.
pub(super) struct Stream<'a> {
    recorder: Recorder,
    subject: SubjectIndex,
    target: &'a Target,
    reader: Reader,
    series: BTreeMap<String, Known>,
    /// Params of the run and of this stream, which later lines must not change.
    once: WriteOnce<'a>,
    /// Of one line, to be reused.
    pairs: Vec<(KeyIndex, f64)>,
    source: String,
    /// Lines whose records were all acknowledged.
    recorded: u64,
    /// In what places something was left out.
    dropped: BTreeSet<String>,
    logged: Logged,
}

impl<'a> Stream<'a> {
    pub(super) fn new(mut recorder: Recorder, target: &'a Target, source: String) -> Self {
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
            once: WriteOnce::of(&target.run, &target.title),
            pairs: Vec::new(),
            source,
            recorded: 0,
            dropped: BTreeSet::new(),
            logged: Logged {
                run: run.to_string(),
                handle: target.title.clone(),
                ..Logged::default()
            },
        }
    }

    /// Records all lines; what was recorded is sealed from time to time, so that reading stays quick and
    /// small however long the stream is.
    pub(super) fn read_all(
        &mut self,
        input: &mut dyn BufRead,
        (open, cx): (&Open, &Context),
    ) -> Result<()> {
        let mut sealed = 0;
        let mut bytes = Vec::new();
        loop {
            if !bounded::read_line(input, &mut bytes)? {
                secrets::tell_dropped(cx, &self.dropped);
                return Ok(());
            }
            self.logged.lines += 1;
            let text = String::from_utf8_lossy(&bytes);
            self.line(text.trim(), cx)?;
            self.recorded = self.logged.lines;
            let bytes = self.recorder.bytes();
            if bytes < sealed {
                // Another file.
                sealed = 0;
            } else if bytes - sealed >= SEAL_AFTER {
                open.tidy_meanwhile(cx);
                sealed = bytes;
            }
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
        self.dropped.extend(secrets::dropped(op));
        self.recorder.record(&secrets::operation(op))?;
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
                let run = self.target.uid();
                self.recorder
                    .record(&Op::SetParams(SetParams { run, params }))?;
            }
            Err(refused) => {
                let problem = format!("line {} of {}: {refused}", self.logged.lines, self.source);
                self.complain(&problem, cx);
                let event = Op::Event(Event {
                    subject: Subject::Run(self.target.uid()),
                    kind: NOT_UNDERSTOOD.to_owned(),
                    severity: Some("medium".to_owned()),
                    text: problem,
                    data: serde_json::json!({ "line": self.logged.lines, "text": text }),
                    step: None,
                });
                self.recorder.record(&secrets::operation(&event))?;
            }
        }
        Ok(())
    }

    /// The params of a line, unless one of them has another value.
    fn new_params(&mut self, map: &Value) -> Result<Vec<(String, Param)>, Failure> {
        let params = values::params_of_json(&map.to_string())?;
        self.once.accept(params)
    }

    /// Ends the spool, and says of a stream that broke off how much of it is recorded.
    pub(super) fn finish(self, outcome: Result<()>) -> Result<Logged> {
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
