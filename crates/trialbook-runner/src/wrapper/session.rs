//! One execution in progress: waits for output, for the process's end, for deadlines and for requests to
//! stop, all in one place, so that none can block another.
//!
//! Invariant: every wait has an end: after the process has ended, whoever still holds its output open is
//! given a moment, then killed, then left behind.

use std::borrow::Cow;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use trialbook_model::record::{Heartbeat, Log, LogStream, Op, RunError, SetStatus};
use trialbook_model::secret;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use super::console::{Console, Piece};
use super::ending::{Ended, Ending, verdict};
use super::process::{Process, Streams};
use super::{RecordError, Task, Tools, WrapperError};
use crate::protocol::Reader;
use crate::protocol::Timed;
use crate::protocol::line::Place;
use crate::protocol::tail::{Line, Tail};
use crate::stop::Urgency;

/// How often the metrics file is looked at.
const TAIL_EVERY: Duration = Duration::from_millis(250);
/// How often a sign of life is recorded.
const BEAT_EVERY: Duration = Duration::from_secs(10);
/// How often a process is looked at where its end wakes nobody.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long others may hold the output open after the process has ended, before they are killed.
const LINGER: Duration = Duration::from_millis(500);
/// How long after that kill the output is still read.
const LEAVE: Duration = Duration::from_millis(250);
/// The most that is read from one stream before the others get their turn.
const READ_AT_ONCE: usize = 64 * 1024;
/// The longest result file.
const LONGEST_RESULT: u64 = 64 * 1024 * 1024;
/// How much of the last line on standard error is kept as the error's message.
const LONGEST_MESSAGE: usize = 500;

pub(super) fn execute(task: &Task, tools: Tools<'_>) -> Result<Ended, WrapperError> {
    let mut session = Session::new(task, tools);
    session.set_status(RunStatus::Running, None)?;
    let (process, streams) = match Process::start(&task.program) {
        Ok(started) => started,
        Err(reason) => return session.finish(Ending::NotStarted(reason), None),
    };
    tools.guard.add(process.pid());
    let watched = session.watch(&process, streams);
    tools.guard.remove(process.pid());
    // Whatever went wrong above, the group must not outlive this call.
    let exit = process.reap();
    let cause = watched?;
    let exit = exit.map_err(|source| session.cannot_watch(source))?;
    let told = session.take_rest()?;
    let ending = match cause {
        Cause::Itself => Ending::Exited(exit),
        Cause::Timeout(after) => Ending::TimedOut { after, exit },
        Cause::Stop => Ending::Stopped(exit),
    };
    session.finish(ending, told)
}

/// Why a process ends.
#[derive(Debug, Clone, Copy)]
enum Cause {
    Itself,
    Timeout(Duration),
    Stop,
}

struct Session<'a> {
    task: &'a Task,
    tools: Tools<'a>,
    reader: Reader,
    console: Console,
    tail: Tail,
    last_line: Vec<u8>,
    started: Timestamp,
    begun: Instant,
    accepted: u64,
    cost: Duration,
}

/// What is waited for.
struct Waiting {
    cause: Cause,
    known: Urgency,
    timeout: Option<Instant>,
    kill: Option<Instant>,
    /// Set once the process has ended.
    linger: Option<Instant>,
    leave: Option<Instant>,
    tail: Instant,
    beat: Instant,
}

/// One stream, until it is closed.
struct Open<R> {
    of: LogStream,
    pipe: Option<R>,
}

/// What a wait came back with.
struct Woken {
    stdout: bool,
    stderr: bool,
}

impl<'a> Session<'a> {
    fn new(task: &'a Task, tools: Tools<'a>) -> Self {
        Self {
            task,
            tools,
            reader: Reader::new(task.run),
            console: Console::new(),
            tail: Tail::new(&task.files.metrics),
            last_line: Vec::new(),
            started: tools.clock.now(),
            begun: Instant::now(),
            accepted: 0,
            cost: Duration::ZERO,
        }
    }

    /// Follows the process until it has ended and its output is read.
    fn watch(&mut self, process: &Process, streams: Streams) -> Result<Cause, WrapperError> {
        let mut stdout = Open {
            of: LogStream::Stdout,
            pipe: Some(streams.stdout),
        };
        let mut stderr = Open {
            of: LogStream::Stderr,
            pipe: Some(streams.stderr),
        };
        let mut buffer = vec![0; READ_AT_ONCE];
        let mut waiting = Waiting::new(self.task, self.begun);
        loop {
            let fds = (
                stdout.pipe.as_ref().map(|pipe| pipe.as_fd()),
                stderr.pipe.as_ref().map(|pipe| pipe.as_fd()),
            );
            let woken = self
                .wait(process, fds, &waiting)
                .map_err(|source| self.cannot_watch(source))?;
            if woken.stdout {
                self.read(&mut stdout, &mut buffer)?;
            }
            if woken.stderr {
                self.read(&mut stderr, &mut buffer)?;
            }
            let now = Instant::now();
            let ended = process.has_ended();
            if ended && stdout.pipe.is_none() && stderr.pipe.is_none() {
                return Ok(waiting.cause);
            }
            if ended {
                if waiting.lingered(process, now) {
                    return Ok(waiting.cause);
                }
            } else {
                waiting.press(process, self.tools.stop.urgency(), self.task, now);
            }
            self.tend(&mut waiting, now)?;
        }
    }

    /// Sleeps until something happens.
    fn wait(
        &self,
        process: &Process,
        (stdout, stderr): (Option<BorrowedFd<'_>>, Option<BorrowedFd<'_>>),
        waiting: &Waiting,
    ) -> io::Result<Woken> {
        let ended = waiting.linger.is_some();
        let watch = process.watch().filter(|_| !ended);
        let stop = self.tools.stop.beyond(waiting.known).filter(|_| !ended);
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(4);
        for fd in [stdout, stderr, watch, stop].into_iter().flatten() {
            fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
        }
        let now = Instant::now();
        let mut until = waiting.next(self.tail.is_open());
        if let Some(due) = self.console.due() {
            until = until.min(due);
        }
        if process.watch().is_none() {
            until = until.min(now + LOOK_EVERY);
        }
        let patience = until.saturating_duration_since(now);
        let patience = Timespec::try_from(patience).unwrap_or(Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        });
        match poll(&mut fds, Some(&patience)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        Ok(Woken {
            stdout: stdout.is_some() && ready.next().unwrap_or(false),
            stderr: stderr.is_some() && ready.next().unwrap_or(false),
        })
    }

    /// Takes what one read gives; closes a stream at its end.
    fn read<R: Read>(&mut self, open: &mut Open<R>, buffer: &mut [u8]) -> Result<(), WrapperError> {
        let Some(pipe) = open.pipe.as_mut() else {
            return Ok(());
        };
        match pipe.read(buffer) {
            Ok(0) => open.pipe = None,
            Ok(length) => self.take_output(open.of, &buffer[..length])?,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(source) => return Err(self.cannot_watch(source)),
        }
        Ok(())
    }

    fn take_output(&mut self, of: LogStream, bytes: &[u8]) -> Result<(), RecordError> {
        let pieces = self.console.push(of, bytes, Instant::now());
        self.log(pieces)?;
        let now = self.tools.clock.now();
        let mut timed = Vec::new();
        let (reader, last_line) = (&mut self.reader, &mut self.last_line);
        self.console.lines(of, bytes, &mut |line| match of {
            LogStream::Stdout => timed.extend(metrics_of(reader, line, now)),
            LogStream::Stderr => keep_line(last_line, line),
        });
        self.record_all(timed, now)
    }

    /// Does what is due by the clock.
    fn tend(&mut self, waiting: &mut Waiting, now: Instant) -> Result<(), RecordError> {
        let pieces = self.console.waited(now);
        self.log(pieces)?;
        if waiting.tail <= now {
            let more = self.follow()?;
            waiting.tail = if more { now } else { now + TAIL_EVERY };
        }
        if waiting.beat <= now {
            waiting.beat = now + BEAT_EVERY;
            self.beat()?;
        }
        Ok(())
    }

    /// Reads on in the metrics file; true when there may be more.
    fn follow(&mut self) -> Result<bool, RecordError> {
        let now = self.tools.clock.now();
        let lines = match self.tail.lines() {
            Ok(lines) => lines,
            Err(error) => {
                self.unreadable("metrics file", &error, now)?;
                return Ok(false);
            }
        };
        let more = !lines.is_empty();
        for line in lines {
            self.take_line(&line, now)?;
        }
        Ok(more)
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
    fn take_rest(&mut self) -> Result<Option<RunError>, RecordError> {
        let pieces = self.console.rest();
        self.log(pieces)?;
        let now = self.tools.clock.now();
        let mut timed = Vec::new();
        let (reader, last_line) = (&mut self.reader, &mut self.last_line);
        self.console.last_line(LogStream::Stdout, &mut |line| {
            timed.extend(metrics_of(reader, line, now));
        });
        self.console
            .last_line(LogStream::Stderr, &mut |line| keep_line(last_line, line));
        self.record_all(timed, now)?;
        while self.follow()? {}
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
                Ok(outcome.error)
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

    fn finish(&mut self, ending: Ending, told: Option<RunError>) -> Result<Ended, WrapperError> {
        let last_line = String::from_utf8_lossy(&self.last_line);
        let last_line = secret::text(last_line.trim()).content.into_owned();
        let (status, error) = verdict(&ending, told, &last_line);
        let ended = Ended {
            ending,
            status,
            error,
            started: self.started,
            ended: self.tools.clock.now().max(self.started),
            took: self.begun.elapsed(),
            metrics: self
                .reader
                .latest()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            not_understood: self.reader.not_understood(),
        };
        self.set_status(status, Some(&ended))?;
        Ok(ended)
    }

    fn set_status(&mut self, status: RunStatus, ended: Option<&Ended>) -> Result<(), RecordError> {
        let op = SetStatus {
            run: self.task.run,
            status,
            started: Some(self.started),
            ended: ended.map(|ended| ended.ended),
            error: ended.and_then(|ended| ended.error.clone()),
            exit_code: ended.and_then(Ended::exit_code),
        };
        self.record(Op::SetStatus(op))
    }

    fn beat(&mut self) -> Result<(), RecordError> {
        let beat = Heartbeat {
            run: self.task.run,
            accepted: self.accepted,
            dropped: 0,
            cost_ns: u64::try_from(self.cost.as_nanos()).unwrap_or(u64::MAX),
        };
        self.record(Op::Heartbeat(beat))
    }

    fn log(&mut self, pieces: Vec<Piece>) -> Result<(), RecordError> {
        for Piece { stream, text } in pieces {
            let run = self.task.run;
            // The usual piece holds no secret and is not copied.
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
        timed
            .into_iter()
            .try_for_each(|(time, op)| self.record(dated(time, op, now)))
    }

    fn record(&mut self, op: Op) -> Result<(), RecordError> {
        let before = Instant::now();
        self.tools.sink.record(op)?;
        self.accepted += 1;
        self.cost += before.elapsed();
        Ok(())
    }

    fn cannot_watch(&self, source: io::Error) -> WrapperError {
        WrapperError::Watch {
            run: self.task.run,
            source,
        }
    }
}

impl Waiting {
    fn new(task: &Task, begun: Instant) -> Self {
        Self {
            cause: Cause::Itself,
            known: Urgency::None,
            timeout: task
                .limits
                .timeout
                .and_then(|after| begun.checked_add(after)),
            kill: None,
            linger: None,
            leave: None,
            tail: begun + TAIL_EVERY,
            beat: begun + BEAT_EVERY,
        }
    }

    /// The next moment at which something is due.
    fn next(&self, tailing: bool) -> Instant {
        let mut next = self.beat;
        // A file that is not there yet is looked for as well, but nothing is lost by being late.
        next = next.min(if tailing {
            self.tail
        } else {
            self.tail + TAIL_EVERY
        });
        let deadlines = match self.linger {
            Some(_) => [self.linger, self.leave, None],
            None => [self.timeout, self.kill, None],
        };
        deadlines.into_iter().flatten().fold(next, Instant::min)
    }

    /// Presses a process to its end where it took too long or a stop was requested.
    fn press(&mut self, process: &Process, urgency: Urgency, task: &Task, now: Instant) {
        if self.timeout.is_some_and(|timeout| timeout <= now) {
            self.timeout = None;
            if let (Cause::Itself, Some(after)) = (self.cause, task.limits.timeout) {
                self.cause = Cause::Timeout(after);
                self.ask(process, task.limits.grace, now);
            }
        }
        if urgency > self.known {
            self.known = urgency;
            if matches!(self.cause, Cause::Itself) {
                self.cause = Cause::Stop;
            }
            match urgency {
                Urgency::None => {}
                Urgency::Gentle => self.ask(process, task.limits.grace, now),
                Urgency::Forced => process.signal(Signal::KILL),
            }
        }
        if self.kill.is_some_and(|kill| kill <= now) {
            self.kill = None;
            process.signal(Signal::KILL);
        }
    }

    fn ask(&mut self, process: &Process, grace: Duration, now: Instant) {
        process.signal(Signal::TERM);
        // A stopped process would not even hear it.
        process.signal(Signal::CONT);
        self.kill.get_or_insert(now + grace);
    }

    /// After the process's end, with its output still held open: true when that was long enough.
    fn lingered(&mut self, process: &Process, now: Instant) -> bool {
        let linger = *self.linger.get_or_insert(now + LINGER);
        if self.leave.is_none() && linger <= now {
            process.signal(Signal::KILL);
            self.leave = Some(now + LEAVE);
        }
        self.leave.is_some_and(|leave| leave <= now)
    }
}

/// The time that a program gave an event stands in the event: its record's own time is when it was read.
fn dated(time: Timestamp, op: Op, now: Timestamp) -> Op {
    match op {
        Op::Event(mut event) if time != now => {
            if let Some(fields) = event.data.as_object_mut() {
                let time = serde_json::Value::String(time.to_string());
                fields.entry("timestamp").or_insert(time);
            }
            Op::Event(event)
        }
        other => other,
    }
}

fn metrics_of(reader: &mut Reader, line: &[u8], now: Timestamp) -> Vec<Timed> {
    // Most lines are text; those without `=` are not worth decoding.
    if !line.contains(&b'=') {
        return Vec::new();
    }
    std::str::from_utf8(line).map_or_else(|_text| Vec::new(), |line| reader.output(line, now))
}

fn keep_line(last: &mut Vec<u8>, line: &[u8]) {
    if line.iter().any(|byte| !byte.is_ascii_whitespace()) {
        last.clear();
        last.extend_from_slice(&line[..line.len().min(LONGEST_MESSAGE)]);
    }
}

fn name_of(path: &std::path::Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
