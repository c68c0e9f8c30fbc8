//! The task protocol: how a program in any language tells its run's metrics and events.
//!
//! Three ways, freely mixed: lines of JSON appended to the metrics file, `key=value` lines on standard
//! output, and one result file written at the end. This module turns them into operations; it opens
//! no process and records nothing itself. `docs/reference/task-protocol.md` is its text for users.
//!
//! Invariant: what cannot be understood becomes an event that names the file, the line and what was
//! expected there, and carries the text; nothing that a program wrote is dropped.

pub mod assignment;
pub mod json;
pub mod line;
pub mod result;
pub mod tail;

use std::collections::BTreeMap;

use trialbook_model::id::RunUid;
use trialbook_model::record::{Event, Op, Points, SeriesKey, Subject};
use trialbook_model::time::Timestamp;

use crate::known::KnownSecrets;

/// Kind of the events that stand for something a program wrote and that could not be understood.
pub const NOT_UNDERSTOOD: &str = "not_understood";

/// An operation and the time it is recorded under.
pub type Timed = (Timestamp, Op);

/// What one run has said so far: numbers steps where none are given and remembers the metrics seen.
#[derive(Debug)]
pub struct Reader {
    run: RunUid,
    metrics: BTreeMap<String, Seen>,
    not_understood: u64,
    secrets: KnownSecrets,
}

/// One metric as seen by the reader.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    next_step: i64,
    last: f64,
}

impl Reader {
    /// A reader for one run.
    pub fn new(run: RunUid) -> Self {
        Self::without(run, KnownSecrets::default())
    }

    /// A reader for one run that knows what must not be kept of a text that it cuts.
    pub fn without(run: RunUid, secrets: KnownSecrets) -> Self {
        Self {
            run,
            metrics: BTreeMap::new(),
            not_understood: 0,
            secrets,
        }
    }

    /// The run.
    pub fn run(&self) -> RunUid {
        self.run
    }

    /// The metrics told so far with the value told last.
    pub fn latest(&self) -> impl Iterator<Item = (&str, f64)> {
        self.metrics
            .iter()
            .map(|(key, seen)| (key.as_str(), seen.last))
    }

    /// How many pieces could not be understood.
    pub fn not_understood(&self) -> u64 {
        self.not_understood
    }

    /// Reads one line of standard output; text that is no metric gives nothing.
    pub fn output(&mut self, line: &str, now: Timestamp) -> Vec<Timed> {
        match assignment::parse(line) {
            Some(found) => self.points(now, found.step, found.values),
            None => Vec::new(),
        }
    }

    /// Adds the points of one line. Values without a step continue their own series (M-4), so that the
    /// order in which they were told is the order of their steps.
    fn points(
        &mut self,
        time: Timestamp,
        step: Option<i64>,
        values: Vec<(String, f64)>,
    ) -> Vec<Timed> {
        let mut by_step: BTreeMap<i64, Vec<(SeriesKey, f64)>> = BTreeMap::new();
        for (key, value) in values {
            let seen = self.metrics.entry(key.clone()).or_insert(Seen {
                next_step: 0,
                last: value,
            });
            let at = step.unwrap_or(seen.next_step);
            seen.next_step = seen.next_step.max(at.saturating_add(1));
            seen.last = value;
            by_step
                .entry(at)
                .or_default()
                .push((SeriesKey::plain(key), value));
        }
        let subject = Subject::Run(self.run);
        by_step
            .into_iter()
            .map(|(step, values)| {
                let points = Points {
                    subject: subject.clone(),
                    step,
                    time,
                    set: false,
                    values,
                };
                (time, Op::Points(points))
            })
            .collect()
    }

    fn event(&self, kind: &str, text: String, data: serde_json::Value) -> Event {
        Event {
            subject: Subject::Run(self.run),
            kind: kind.to_owned(),
            severity: None,
            text,
            data,
            step: None,
        }
    }

    /// An event that says that a file could not be read.
    pub(crate) fn unreadable(&mut self, text: &str, now: Timestamp) -> Timed {
        self.complain(now, text.to_owned(), serde_json::Value::Null)
    }

    fn complain(&mut self, time: Timestamp, text: String, data: serde_json::Value) -> Timed {
        self.not_understood += 1;
        let mut event = self.event(NOT_UNDERSTOOD, text, data);
        event.severity = Some("medium".to_owned());
        (time, Op::Event(event))
    }
}

#[cfg(test)]
mod tests;
