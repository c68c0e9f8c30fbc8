//! The deadlines of one execution: the timeout, the kill after it, the sign of life, the moment that others may
//! hold the output open.
//!
//! Invariant: every wait has an end.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::Task;
use super::process::Process;
use crate::stop::Urgency;

/// How often the metrics file is looked at.
pub(super) const TAIL_EVERY: Duration = Duration::from_millis(250);
/// How often a sign of life is recorded.
const BEAT_EVERY: Duration = Duration::from_secs(10);
/// How long others may hold the output open after the process has ended, before they are killed.
const LINGER: Duration = Duration::from_millis(500);
/// How long after that kill the output is still read.
const LEAVE: Duration = Duration::from_millis(250);

/// Why a process ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cause {
    Itself,
    Timeout(Duration),
    Stop,
    Request,
}

/// What is waited for.
pub(super) struct Waiting {
    pub(super) cause: Cause,
    pub(super) known: Urgency,
    timeout: Option<Instant>,
    kill: Option<Instant>,
    /// Set once the process has ended.
    linger: Option<Instant>,
    leave: Option<Instant>,
    tail: Instant,
    beat: Instant,
}

impl Waiting {
    pub(super) fn new(task: &Task, begun: Instant) -> Self {
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

    /// Whether the process has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.linger.is_some()
    }

    /// Whether it is time to look at the metrics file.
    pub(super) fn is_tail_due(&self, now: Instant) -> bool {
        self.tail <= now
    }

    /// When the metrics file is looked at again.
    pub(super) fn look_again(&mut self, at: Instant) {
        self.tail = at;
    }

    /// Whether a sign of life is due; the next one is planned then.
    pub(super) fn beats(&mut self, now: Instant) -> bool {
        let is_due = self.beat <= now;
        if is_due {
            self.beat = now + BEAT_EVERY;
        }
        is_due
    }

    /// The next moment at which something is due.
    pub(super) fn next(&self) -> Instant {
        let next = self.beat.min(self.tail);
        let deadlines = match (self.linger, self.leave) {
            (Some(_), Some(leave)) => [Some(leave), None],
            (Some(linger), None) => [Some(linger), None],
            (None, _) => [self.timeout, self.kill],
        };
        deadlines.into_iter().flatten().fold(next, Instant::min)
    }

    /// Presses a process to its end where it took too long or a stop was requested.
    pub(super) fn press(&mut self, process: &Process, urgency: Urgency, task: &Task, now: Instant) {
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

    /// Somebody asked for the end of this run.
    pub(super) fn request(&mut self, process: &Process, task: &Task, now: Instant) {
        if matches!(self.cause, Cause::Itself) && !self.has_ended() {
            self.cause = Cause::Request;
            self.ask(process, task.limits.grace, now);
        }
    }

    fn ask(&mut self, process: &Process, grace: Duration, now: Instant) {
        process.signal(Signal::TERM);
        // A stopped process would not even hear it.
        process.signal(Signal::CONT);
        // A grace beyond all time means that nobody is killed.
        self.kill = self.kill.or_else(|| now.checked_add(grace));
    }

    /// After the process's end, with its output still held open: true when that was long enough.
    pub(super) fn lingered(&mut self, process: &Process, now: Instant) -> bool {
        let linger = *self.linger.get_or_insert(now + LINGER);
        if self.leave.is_none() && linger <= now {
            process.signal(Signal::KILL);
            self.leave = Some(now + LEAVE);
        }
        self.leave.is_some_and(|leave| leave <= now)
    }
}
