//! One execution in progress: waits for output, for the process's end, for deadlines and for requests to
//! stop, all in one place, so that none can block another.
//!
//! Invariant: every wait has an end: after the process has ended, whoever still holds its output open is
//! given a moment, then killed, then left behind.

use std::io::{self, Read};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use trialbook_model::id::RunUid;
use trialbook_model::record::{LogStream, Op, RunError, SetStatus};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use super::ending::{Ended, Ending, verdict};
use super::hearing::Hearing;
use super::meter::Meter;
use super::process::{Process, Streams};
use super::waiting::{Cause, TAIL_EVERY, Waiting};
use super::{RecordError, Task, Tools, WrapperError};
use crate::requests;

/// How often a process is looked at where its end wakes nobody.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The most that is read from one stream before the others get their turn.
const READ_AT_ONCE: usize = 64 * 1024;

pub(super) fn execute(task: &Task, tools: Tools<'_>) -> Result<Ended, WrapperError> {
    let mut session = Session::new(task, tools);
    session.set_status(RunStatus::Running, None)?;
    tools.guard.announce(task.run);
    let (process, streams) = match Process::start(&task.program) {
        Ok(started) => started,
        Err(reason) => {
            tools.guard.withdraw(task.run);
            return session.finish(Ending::NotStarted(reason), None);
        }
    };
    tools.guard.add(task.run, process.pid());
    tools.begun.tell();
    session.measure(&process);
    let watched = session.watch(&process, streams);
    session.take_totals()?;
    tools.guard.remove(process.pid());
    // Whatever went wrong above, the group must not outlive this call.
    let exit = process.reap();
    let cause = watched?;
    let exit = exit.map_err(|source| session.cannot_watch(source))?;
    let told = session.hearing.take_rest()?;
    let ending = match cause {
        Cause::Itself => Ending::Exited(exit),
        Cause::Timeout(after) => Ending::TimedOut { after, exit },
        Cause::Stop => Ending::Stopped(exit),
        Cause::Request => Ending::Cancelled {
            by: session.asked.take().unwrap_or_default(),
            exit,
        },
    };
    session.finish(ending, told)
}

/// A run that was cancelled before it began has no life to tell of.
pub(super) fn withdraw(run: RunUid, by: String, tools: Tools<'_>) -> Result<Ended, RecordError> {
    let now = tools.clock.now();
    let ending = Ending::Withdrawn { by };
    let (status, error) = verdict(&ending, None, "");
    tools.sink.record(Op::SetStatus(SetStatus {
        run,
        status,
        started: None,
        ended: Some(now),
        error: error.clone(),
        exit_code: None,
    }))?;
    Ok(Ended {
        ending,
        status,
        error,
        started: now,
        ended: now,
        took: Duration::ZERO,
        metrics: Vec::new(),
        not_understood: 0,
    })
}

struct Session<'a> {
    task: &'a Task,
    tools: Tools<'a>,
    hearing: Hearing<'a>,
    meter: Option<Meter>,
    /// Who asked for the run's end.
    asked: Option<String>,
    started: Timestamp,
    begun: Instant,
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
            hearing: Hearing::new(task, tools),
            meter: None,
            asked: None,
            started: tools.clock.now(),
            begun: Instant::now(),
        }
    }

    fn measure(&mut self, process: &Process) {
        let group = process.pid().as_raw_nonzero().get();
        let every = self.task.capture.resources;
        self.meter = every.map(|every| Meter::new(self.task.run, group, every));
    }

    /// What the process tree used in all; its first process has ended and is not waited for yet.
    fn take_totals(&mut self) -> Result<(), RecordError> {
        let now = self.tools.clock.now();
        let totals = self.meter.as_mut().and_then(|meter| meter.totals(now));
        totals.map_or(Ok(()), |totals| self.hearing.record(totals))
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
            self.tend(process, &mut waiting, now)?;
        }
    }

    /// Sleeps until something happens.
    fn wait(
        &self,
        process: &Process,
        (stdout, stderr): (Option<BorrowedFd<'_>>, Option<BorrowedFd<'_>>),
        waiting: &Waiting,
    ) -> io::Result<Woken> {
        let ended = waiting.has_ended();
        let watch = process.watch().filter(|_| !ended);
        let stop = self.tools.stop.beyond(waiting.known).filter(|_| !ended);
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(4);
        for fd in [stdout, stderr, watch, stop].into_iter().flatten() {
            fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
        }
        let now = Instant::now();
        let mut until = waiting.next();
        if let Some(due) = self.hearing.due() {
            until = until.min(due);
        }
        if let Some(meter) = &self.meter {
            until = until.min(meter.next());
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
            Ok(length) => self.hearing.take_output(open.of, &buffer[..length])?,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(source) => return Err(self.cannot_watch(source)),
        }
        Ok(())
    }

    /// Does what is due by the clock.
    fn tend(
        &mut self,
        process: &Process,
        waiting: &mut Waiting,
        now: Instant,
    ) -> Result<(), RecordError> {
        self.hearing.take_waited(now)?;
        let time = self.tools.clock.now();
        let sample = self.meter.as_mut().and_then(|it| it.sample(now, time));
        if let Some(sample) = sample {
            self.hearing.record(sample)?;
        }
        if waiting.is_tail_due(now) {
            self.heed(process, waiting, now);
            let more = self.hearing.follow()?;
            waiting.look_again(if more { now } else { now + TAIL_EVERY });
        }
        if waiting.beats(now) {
            self.hearing.beat()?;
        }
        Ok(())
    }

    /// Looks for a request to end the run.
    fn heed(&mut self, process: &Process, waiting: &mut Waiting, now: Instant) {
        let file = self.task.files.cancel.as_deref();
        if self.asked.is_none()
            && let Some(by) = file.and_then(requests::read)
        {
            self.asked = Some(by);
            waiting.request(process, self.task, now);
        }
    }

    fn finish(&mut self, ending: Ending, told: Option<RunError>) -> Result<Ended, WrapperError> {
        let (status, error) = verdict(&ending, told, &self.hearing.last_line());
        let error = error.map(|error| self.task.secrets.error(&error));
        let ended = Ended {
            ending,
            status,
            error,
            started: self.started,
            ended: self.tools.clock.now().max(self.started),
            took: self.begun.elapsed(),
            metrics: self.hearing.metrics(),
            not_understood: self.hearing.not_understood(),
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
        self.hearing.record(Op::SetStatus(op))
    }

    fn cannot_watch(&self, source: io::Error) -> WrapperError {
        WrapperError::Watch {
            run: self.task.run,
            source,
        }
    }
}
