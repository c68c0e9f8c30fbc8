//! The nouns as a book hands them out: model states with the dense numbers that this book gave them.

use serde::{Deserialize, Serialize};
use trialbook_model::id::{EntryNo, EntryUid, ExperimentNo, RunNo, RunUid};
use trialbook_model::record::{Assess, Event, Item, Log, SeriesKey, Span};
use trialbook_model::state::{EntryState, ExperimentState, Point, RunState, Stamp};
use trialbook_model::time::Timestamp;

/// An experiment of a book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentRow {
    /// Its number; 0 is `Default`.
    pub no: ExperimentNo,
    /// What is known of it.
    pub state: ExperimentState,
}

/// A run of a book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// Its number in the book, in the order in which runs were first seen.
    pub no: RunNo,
    /// Its uid.
    pub uid: RunUid,
    /// Its experiment; `Default` where its start is not known.
    pub experiment: ExperimentNo,
    /// `run-NNN` inside its experiment; `None` while its start is not known.
    pub number: Option<u64>,
    /// What is known of it.
    pub state: RunState,
}

/// An entry of the register of a book: a collection, a version, a logged model, a webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntryRow {
    /// Its number in the book, in the order in which entries were first seen.
    pub no: EntryNo,
    /// The uid by which it was first spoken of.
    pub uid: EntryUid,
    /// What it belongs to; `None` while its making is not known, or when that is gone for good.
    pub of: Option<Owner>,
    /// The number of a version inside its collection.
    pub number: Option<u64>,
    /// What is known of it.
    pub state: EntryState,
}

/// A record with what orders and signs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded<T> {
    /// When and by whom it was recorded.
    pub stamp: Stamp,
    /// The record.
    pub record: T,
}

/// An event, in the order of stamps.
pub type EventRecord = Recorded<Event>;
/// A piece of console output, in the order of stamps.
pub type LogRecord = Recorded<Log>;
/// A judged item, in the order of stamps.
pub type ItemRecord = Recorded<Item>;
/// A later judgement of an item, in the order of stamps.
pub type AssessRecord = Recorded<Assess>;

/// A span of a trace, in the order of stamps.
pub type SpanRecord = Recorded<Span>;

/// The points of a series as columns, in the order of [`Point::order`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Series {
    /// Steps.
    pub steps: Vec<i64>,
    /// Times, microseconds since 1970.
    pub times: Vec<i64>,
    /// Values.
    pub values: Vec<f64>,
}

impl Series {
    /// How many points.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds a point at the end.
    pub fn push(&mut self, point: Point) {
        self.steps.push(point.step);
        self.times.push(point.time.0);
        self.values.push(point.value);
    }

    /// The point at a position.
    pub fn point(&self, at: usize) -> Option<Point> {
        Some(Point {
            step: *self.steps.get(at)?,
            time: Timestamp(*self.times.get(at)?),
            value: *self.values.get(at)?,
        })
    }

    /// All points, in order.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        (0..self.len()).filter_map(|at| self.point(at))
    }
}

/// A series and its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesPlace {
    /// Whose series it is.
    pub of: Owner,
    /// Which of its series.
    pub key: SeriesKey,
}

/// Whose records are asked for, by the book's numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Owner {
    /// A run.
    Run(RunNo),
    /// An experiment.
    Experiment(ExperimentNo),
    /// A project, by name.
    Project(String),
    /// An entry of the register.
    Entry(EntryNo),
}
