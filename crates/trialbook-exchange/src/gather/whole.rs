//! A run that was put together from files of others, as the stream that a book would give of it.
//!
//! So the same files brought in twice give the same stream, which is passed over. Not here: the files.
//! Invariant: the order in which things are said does not matter beyond their times.

use std::collections::BTreeMap;

use serde_json::Value;
use trialbook_model::id::{ExperimentNo, RunNo, RunUid};
use trialbook_model::record::{Assess, Event, Item, Log, Op, SeriesKey, Signed, Subject};
use trialbook_model::state::{Point, RunState, Stamp};
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{Recorded, RunRow, Series};

use super::points::Grouping;
use super::states;
use super::{Sink, repeat, say};

/// A run as it is put together.
pub(crate) struct Whole {
    uid: RunUid,
    state: RunState,
    seq: u64,
    logs: Vec<Recorded<Log>>,
    items: Vec<Recorded<Item>>,
    assessments: Vec<Recorded<Assess>>,
    events: Vec<Recorded<Event>>,
    series: BTreeMap<SeriesKey, Vec<Point>>,
    snapshots: BTreeMap<String, Value>,
}

impl Whole {
    /// A run of which nothing is known.
    pub(crate) fn new(uid: RunUid) -> Self {
        Self {
            uid,
            state: RunState::default(),
            seq: 0,
            logs: Vec::new(),
            items: Vec::new(),
            assessments: Vec::new(),
            events: Vec::new(),
            series: BTreeMap::new(),
            snapshots: BTreeMap::new(),
        }
    }

    /// Adds what was said at a time.
    pub(crate) fn say(&mut self, time: Timestamp, mut op: Op) {
        self.seq += 1;
        if let Op::LinkSnapshot(link) = &mut op
            && let Some(document) = link.document.take()
        {
            self.snapshots.insert(link.sha256.clone(), document);
        }
        let signed = Signed {
            time,
            writer: trialbook_model::id::WriterUid::default(),
            seq: self.seq,
            actor: None,
            operation: None,
            op,
        };
        self.state.apply(&signed);
        let stamp = Stamp::from(&signed);
        if let Op::Points(points) = signed.op {
            for (key, value) in points.values {
                let (step, time) = (points.step, points.time);
                let point = Point { step, time, value };
                self.series.entry(key).or_default().push(point);
            }
        } else if let Op::Log(record) = signed.op {
            self.logs.push(Recorded { stamp, record });
        } else if let Op::Item(item) = signed.op {
            let record = *item;
            self.items.push(Recorded { stamp, record });
        } else if let Op::Assess(record) = signed.op {
            self.assessments.push(Recorded { stamp, record });
        } else if let Op::Event(record) = signed.op {
            self.events.push(Recorded { stamp, record });
        }
    }

    /// The last point of a series.
    pub(crate) fn last(&self, key: &SeriesKey) -> Option<Point> {
        let points = self.series.get(key)?.iter();
        points.max_by(|one, other| one.order(other)).copied()
    }

    /// Gives the stream.
    pub(crate) fn give<E>(mut self, sink: Sink<'_, E>) -> Result<(), E> {
        let number = self.state.start().and_then(|start| start.number);
        let row = RunRow {
            no: RunNo::default(),
            uid: self.uid,
            experiment: ExperimentNo::default(),
            number,
            state: self.state,
        };
        let mut told = states::of_run(&row);
        for one in &mut told {
            if let Op::LinkSnapshot(link) = &mut one.op {
                link.document = self.snapshots.remove(&link.sha256);
            }
        }
        say(told, sink)?;
        repeat(in_order(self.logs), Op::Log, sink)?;
        repeat(in_order(self.items), |item| Op::Item(Box::new(item)), sink)?;
        repeat(in_order(self.assessments), Op::Assess, sink)?;
        repeat(in_order(self.events), Op::Event, sink)?;
        let subject = Subject::Run(self.uid);
        let mut grouping = Grouping::default();
        for (key, points) in self.series {
            grouping.make_room(points.len() as u64, &subject, sink)?;
            grouping.add(&key, columns(points));
        }
        grouping.finish(&subject, sink)
    }
}

/// Points as a book gives them.
pub(crate) fn columns(mut points: Vec<Point>) -> Series {
    points.sort_by(Point::order);
    let mut columns = Series::default();
    for point in points {
        columns.push(point);
    }
    columns
}

fn in_order<T>(mut records: Vec<Recorded<T>>) -> Vec<Recorded<T>> {
    records.sort_by_key(|record| record.stamp);
    records
}
