//! How far the runs are: a line for each that ended, and on a terminal one line with the time left.
//!
//! Invariant: only the main thread prints; the runs' threads send what happened.

use std::io::{self, IsTerminal as _};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use trialbook_model::handle::run_label;
use trialbook_model::status::RunStatus;
use trialbook_runner::engine::{EngineError, Progress, Totals};
use trialbook_runner::ledger::Job;
use trialbook_runner::stop::{Stop, Urgency};
use trialbook_runner::wrapper::{Ended, Ending, RecordError};

use super::standing::{Pace, Standing};
use crate::context::Context;
use crate::printer::{Line, Style};

/// How often the line on the terminal is drawn anew.
const REDRAW: Duration = Duration::from_millis(200);

/// Tells the main thread.
pub(super) struct Teller {
    sender: Mutex<Sender<Message>>,
}

enum Message {
    Started,
    Ended(Line),
    Warning(String),
}

impl Teller {
    fn new(sender: Sender<Message>) -> Self {
        Self {
            sender: Mutex::new(sender),
        }
    }

    /// Something odd, to be told between the lines of the runs.
    pub(super) fn warn(&self, text: String) {
        self.tell(Message::Warning(text));
    }

    fn tell(&self, message: Message) {
        if let Ok(sender) = self.sender.lock() {
            // The listener lives as long as the engine; if it did not, nobody would be left to tell.
            sender.send(message).ok();
        }
    }
}

impl Progress for Teller {
    fn started(&self, _job: &Job) {
        self.tell(Message::Started);
    }

    fn ended(&self, job: &Job, ended: &Ended) {
        self.tell(Message::Ended(line_of(job, ended)));
    }
}

fn line_of(job: &Job, ended: &Ended) -> Line {
    let planned = &job.planned;
    let name = format!(
        "{}  {} #{}  ",
        run_label(job.number),
        planned.variation,
        planned.trial
    );
    let millis = ended.took.as_millis();
    let (style, word) = match ended.status {
        RunStatus::Completed => (Style::Green, format!("completed in {millis} ms")),
        RunStatus::Cancelled => (Style::Yellow, format!("cancelled after {millis} ms")),
        RunStatus::Failed | RunStatus::Queued | RunStatus::Running => {
            (Style::Red, format!("failed after {millis} ms"))
        }
    };
    let line = Line::default().plain(name).add(style, word);
    let line = match &ended.error {
        Some(error) if ended.status == RunStatus::Failed => {
            line.plain(format!(": {}: {}", error.kind, error.message))
        }
        Some(_) | None => line,
    };
    match &ended.ending {
        Ending::NotStarted(reason) => match reason.hint() {
            Some(hint) => line
                .plain("\n")
                .add(Style::Green, "hint")
                .plain(format!(": {hint}")),
            None => line,
        },
        Ending::Exited(_)
        | Ending::TimedOut { .. }
        | Ending::Stopped(_)
        | Ending::Cancelled { .. }
        | Ending::Withdrawn { .. } => line,
    }
}

/// Lets the engine work on another thread, and beside it what is looked at meanwhile; tells how far it is.
pub(super) fn follow(
    cx: &Context,
    jobs: &[Job],
    stop: &Stop,
    engine: impl FnOnce(&Teller) -> Result<Totals, EngineError> + Send,
    beside: impl FnOnce(&Teller) -> Result<(), RecordError> + Send,
) -> Result<Totals, EngineError> {
    let (sender, receiver) = mpsc::channel();
    let also = sender.clone();
    std::thread::scope(|scope| {
        let working = scope.spawn(move || engine(&Teller::new(sender)));
        let looking = scope.spawn(move || beside(&Teller::new(also)));
        let mut screen = Screen::new(cx, stop, jobs.len());
        screen.listen(&receiver);
        let totals = joined(working)?;
        joined(looking)?;
        Ok(totals)
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

struct Screen<'a> {
    cx: &'a Context,
    stop: &'a Stop,
    face: Face,
    all: u32,
    done: u32,
    running: u32,
    begun: Instant,
    /// How long after the beginning the last run ended.
    last_end: Duration,
    drawn: Option<Instant>,
    told: Urgency,
}

/// What standard error is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Face {
    Terminal,
    Other,
}

impl<'a> Screen<'a> {
    fn new(cx: &'a Context, stop: &'a Stop, all: usize) -> Self {
        Self {
            cx,
            stop,
            face: if io::stderr().is_terminal() {
                Face::Terminal
            } else {
                Face::Other
            },
            all: u32::try_from(all).unwrap_or(u32::MAX),
            done: 0,
            running: 0,
            begun: Instant::now(),
            last_end: Duration::ZERO,
            drawn: None,
            told: Urgency::None,
        }
    }

    fn listen(&mut self, receiver: &Receiver<Message>) {
        loop {
            match receiver.recv_timeout(REDRAW) {
                Ok(Message::Started) => self.running += 1,
                Ok(Message::Ended(line)) => {
                    self.running = self.running.saturating_sub(1);
                    self.done += 1;
                    self.last_end = self.begun.elapsed();
                    self.note(line);
                }
                Ok(Message::Warning(text)) => {
                    self.clear();
                    self.cx.printer.warn(&text);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tell_of_stop();
            self.draw();
        }
        self.clear();
    }

    /// A line that stays.
    fn note(&mut self, line: impl Into<Line>) {
        self.clear();
        self.cx.printer.note(line);
    }

    /// Draws the line that does not stay, not more often than an eye can follow.
    fn draw(&mut self) {
        let is_due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW);
        if self.face == Face::Terminal && is_due {
            self.cx.printer.status(&self.standing().text());
            self.drawn = Some(Instant::now());
        }
    }

    fn clear(&mut self) {
        if self.drawn.take().is_some() {
            self.cx.printer.status("");
        }
    }

    fn tell_of_stop(&mut self) {
        let urgency = self.stop.urgency();
        if urgency == self.told {
            return;
        }
        self.told = urgency;
        match urgency {
            Urgency::None => {}
            Urgency::Gentle => self.note(
                "stopping: no run begins any more, running ones are asked to end; once more kills them",
            ),
            Urgency::Forced => self.note("killing the running ones"),
        }
    }

    fn standing(&self) -> Standing {
        Standing {
            all: self.all,
            done: self.done,
            running: self.running,
            elapsed: self.begun.elapsed(),
            last_end: self.last_end,
            pace: match self.told {
                Urgency::None => Pace::GoingOn,
                Urgency::Gentle | Urgency::Forced => Pace::Stopping,
            },
        }
    }
}
