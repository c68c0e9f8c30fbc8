//! What a run says: its output, its metrics file, its result file, turned into records as it comes.
//!
//! Not here: waiting for it. Invariant: pieces of output are recorded in the order in which they were read; a
//! line of the metrics file is recorded once.

use std::borrow::Cow;
use std::io::{self, Read as _};
use std::time::{Duration, Instant};

use trialbook_model::record::{Heartbeat, Log, LogStream, Op, RunError};
use trialbook_model::secret;
use trialbook_model::time::Timestamp;

use super::console::{Console, Piece};
use super::{RecordError, Task, Tools};
use crate::known::KnownSecrets;
use crate::protocol::line::Place;
use crate::protocol::tail::{Line, Tail};
use crate::protocol::{Reader, Timed};

/// The longest result file.
const LONGEST_RESULT: u64 = 64 * 1024 * 1024;
/// How much of the last line on standard error is kept as the error's message.
const LONGEST_MESSAGE: usize = 500;

/// Everything that one run says.
pub(super) struct Hearing<'a> {
    task: &'a Task,
    tools: Tools<'a>,
    reader: Reader,
    console: Console,
    tail: Tail,
    last_line: Vec<u8>,
    /// Whether it was told that the metrics file cannot be read.
    cannot_follow: bool,
    accepted: u64,
    cost: Duration,
}

impl<'a> Hearing<'a> {
    pub(super) fn new(task: &'a Task, tools: Tools<'a>) -> Self {
        Self {
            task,
            tools,
            reader: Reader::without(task.run, task.secrets.clone()),
            console: Console::new(&task.secrets),
            tail: Tail::new(&task.files.metrics),
            last_line: Vec::new(),
            cannot_follow: false,
            accepted: 0,
            cost: Duration::ZERO,
        }
    }

    /// When a held piece of output has waited long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        self.console.due()
    }

    /// The metrics told, each with the value told last.
    pub(super) fn metrics(&self) -> Vec<(String, f64)> {
        let latest = self.reader.latest();
        latest.map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// How many pieces could not be understood.
    pub(super) fn not_understood(&self) -> u64 {
        self.reader.not_understood()
    }

    /// The last line on standard error that is not blank, without secrets.
    pub(super) fn last_line(&self) -> String {
        let line = String::from_utf8_lossy(&self.last_line);
        secret::text(line.trim()).content.into_owned()
    }

    /// Takes bytes of a stream as they came.
    pub(super) fn take_output(&mut self, of: LogStream, bytes: &[u8]) -> Result<(), RecordError> {
        let pieces = self.console.push(of, bytes, Instant::now());
        self.log(pieces)?;
        let now = self.tools.clock.now();
        let mut timed = Vec::new();
        let (reader, last_line) = (&mut self.reader, &mut self.last_line);
        let secrets = &self.task.secrets;
        self.console.lines(of, bytes, &mut |line| match of {
            LogStream::Stdout => timed.extend(metrics_of(reader, line, now)),
            LogStream::Stderr => keep_line(last_line, line, secrets),
        });
        self.record_all(timed, now)
    }

    /// Records the output that has waited long enough.
    pub(super) fn take_waited(&mut self, now: Instant) -> Result<(), RecordError> {
        let pieces = self.console.waited(now);
        self.log(pieces)
    }

    /// Reads on in the metrics file; true when there may be more.
    pub(super) fn follow(&mut self) -> Result<bool, RecordError> {
        Ok(self.read_on(u64::MAX)? > 0)
    }

    /// Reads at most so many bytes of the metrics file; gives how many there were.
    fn read_on(&mut self, at_most: u64) -> Result<u64, RecordError> {
        let now = self.tools.clock.now();
        let portion = match self.tail.lines(at_most) {
            Ok(portion) => portion,
            Err(error) => {
                self.cannot_follow(&error, now)?;
                return Ok(0);
            }
        };
        for line in portion.lines {
            self.take_line(&line, now)?;
        }
        Ok(portion.bytes)
    }

    /// Once is enough for whoever reads the run.
    fn cannot_follow(&mut self, error: &io::Error, now: Timestamp) -> Result<(), RecordError> {
        if std::mem::replace(&mut self.cannot_follow, true) {
            return Ok(());
        }
        self.unreadable("metrics file", error, now)
    }

    /// Reads what the metrics file holds now: a process that left the group may go on writing for ever.
    fn read_to_present_end(&mut self) -> Result<(), RecordError> {
        let mut left = match self.tail.left() {
            Ok(left) => left,
            Err(error) => return self.cannot_follow(&error, self.tools.clock.now()),
        };
        while left > 0 {
            match self.read_on(left)? {
                0 => break,
                bytes => left = left.saturating_sub(bytes),
            }
        }
        Ok(())
    }

    fn take_line(&mut self, line: &Line, now: Timestamp) -> Result<(), RecordError> {
        let file = name_of(self.tail.path());
        let place = Place {
            file: &file,
            line: line.number,
        };
        let timed = self.reader.line(place, &line.text, now);
        self.record_all(timed, now)
    }

    /// The end of the output and of the files, once the process has ended.
    pub(super) fn take_rest(&mut self) -> Result<Option<RunError>, RecordError> {
        let pieces = self.console.rest();
        self.log(pieces)?;
        let now = self.tools.clock.now();
        let mut timed = Vec::new();
        let (reader, last_line) = (&mut self.reader, &mut self.last_line);
        self.console.last_line(LogStream::Stdout, &mut |line| {
            timed.extend(metrics_of(reader, line, now));
        });
        let secrets = &self.task.secrets;
        self.console.last_line(LogStream::Stderr, &mut |line| {
            keep_line(last_line, line, secrets);
        });
        self.record_all(timed, now)?;
        self.read_to_present_end()?;
        if let Some(line) = self.tail.rest() {
            self.take_line(&line, now)?;
        }
        self.take_result(now)
    }

    fn take_result(&mut self, now: Timestamp) -> Result<Option<RunError>, RecordError> {
        let path = &self.task.files.result;
        let read = std::fs::File::open(path).and_then(|file| {
            let mut bytes = Vec::new();
            file.take(LONGEST_RESULT).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        match read {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let outcome = self.reader.result(&name_of(path), &text, now);
                self.record_all(outcome.operations, now)?;
                let secrets = &self.task.secrets;
                let error = outcome.error.map(|error| secrets.error(&error));
                Ok(error.as_ref().map(without_secrets))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                self.unreadable("result file", &error, now)?;
                Ok(None)
            }
        }
    }

    fn unreadable(
        &mut self,
        what: &str,
        error: &io::Error,
        now: Timestamp,
    ) -> Result<(), RecordError> {
        let timed = self
            .reader
            .unreadable(&format!("the {what} could not be read: {error}"), now);
        self.record_all(vec![timed], now)
    }

    /// Records a sign of life.
    pub(super) fn beat(&mut self) -> Result<(), RecordError> {
        let beat = Heartbeat {
            run: self.task.run,
            accepted: self.accepted,
            dropped: 0,
            cost_ns: u64::try_from(self.cost.as_nanos()).unwrap_or(u64::MAX),
        };
        self.record(Op::Heartbeat(beat))
    }

    fn log(&mut self, pieces: Vec<Piece>) -> Result<(), RecordError> {
        if !self.task.capture.console {
            return Ok(());
        }
        for Piece { stream, text } in pieces {
            let run = self.task.run;
            // The usual piece holds no secret and is not copied. Known values go first: what the filter takes
            // may be a part of one.
            let text = match self.task.secrets.text(&text) {
                Cow::Borrowed(_) => text,
                Cow::Owned(clean) => clean,
            };
            let filtered = match secret::text(&text).content {
                Cow::Borrowed(_) => None,
                Cow::Owned(filtered) => Some(filtered),
            };
            let text = filtered.unwrap_or(text);
            self.record(Op::Log(Log { run, stream, text }))?;
        }
        Ok(())
    }

    fn record_all(&mut self, timed: Vec<Timed>, now: Timestamp) -> Result<(), RecordError> {
        timed.into_iter().try_for_each(|(time, op)| {
            let op = self.task.secrets.operation(op);
            self.record(dated(time, filtered(op), now))
        })
    }

    /// Records an operation.
    pub(super) fn record(&mut self, op: Op) -> Result<(), RecordError> {
        let before = Instant::now();
        self.tools.sink.record(op)?;
        self.accepted += 1;
        self.cost += before.elapsed();
        Ok(())
    }
}

/// An event as it is kept: what a program says of what happened may hold secrets by name and by look (S-58).
fn filtered(op: Op) -> Op {
    let Op::Event(mut event) = op else {
        return op;
    };
    if let Cow::Owned(clean) = secret::value(&event.text).content {
        event.text = clean;
    }
    event.data = secret::json(event.data).content;
    Op::Event(event)
}

/// What a program says of its failure is shown and kept like its output.
fn without_secrets(error: &RunError) -> RunError {
    RunError {
        kind: secret::text(&error.kind).content.into_owned(),
        message: secret::text(&error.message).content.into_owned(),
    }
}

/// The time that a program gave an event stands in the event: its record's own time is when it was read.
fn dated(time: Timestamp, mut op: Op, now: Timestamp) -> Op {
    if let Op::Event(event) = &mut op
        && time != now
        && let Some(fields) = event.data.as_object_mut()
    {
        let time = serde_json::Value::String(time.to_string());
        fields.entry("timestamp").or_insert(time);
    }
    op
}

fn metrics_of(reader: &mut Reader, line: &[u8], now: Timestamp) -> Vec<Timed> {
    // Most lines are text; those without `=` are not worth decoding.
    if !line.contains(&b'=') {
        return Vec::new();
    }
    std::str::from_utf8(line).map_or_else(|_text| Vec::new(), |line| reader.output(line, now))
}

/// Known secrets go before the line is cut, so that none is cut in two and missed.
fn keep_line(last: &mut Vec<u8>, line: &[u8], secrets: &KnownSecrets) {
    if line.iter().any(|byte| !byte.is_ascii_whitespace()) {
        last.clear();
        if secrets.is_empty() {
            last.extend_from_slice(&line[..line.len().min(LONGEST_MESSAGE)]);
            return;
        }
        let text = String::from_utf8_lossy(line);
        let clean = secrets.text(&text);
        last.extend_from_slice(&clean.as_bytes()[..clean.len().min(LONGEST_MESSAGE)]);
    }
}

fn name_of(path: &std::path::Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
