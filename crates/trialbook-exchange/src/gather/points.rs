//! Points as blocks: series with equal steps and times share them.
//!
//! Not here: how a book packs points. Invariant: which series stand in which block follows from the points
//! alone; a block is small enough to be held many times.

use trialbook_model::record::{SeriesKey, Subject};
use trialbook_model::state::Records;
use trialbook_store::BookError;
use trialbook_store::nouns::{Owner, Series};
use trialbook_store::reading::Reading;

use super::Sink;
use crate::record::{Block, Record};

/// Points of a block at most, unless one call has more.
const BLOCK: usize = 1 << 16;

/// Points that are in memory at most, unless one series has more.
const HELD: u64 = 4_000_000;

/// Series with one axis.
struct Group {
    keys: Vec<SeriesKey>,
    steps: Vec<i64>,
    times: Vec<i64>,
    values: Vec<Vec<f64>>,
}

/// Gives all points of a subject.
pub(super) fn blocks<V: Reading<Error = BookError>, E: From<BookError>>(
    view: &V,
    owner: &Owner,
    subject: &Subject,
    records: &Records,
    sink: Sink<'_, E>,
) -> Result<(), E> {
    let mut grouping = Grouping::default();
    for (key, summary) in &records.series {
        grouping.make_room(summary.count, subject, sink)?;
        grouping.add(key, view.series(owner, key)?);
    }
    grouping.finish(subject, sink)
}

/// Puts series together, which come in the order of their keys.
#[derive(Default)]
pub(crate) struct Grouping {
    groups: Vec<Group>,
    held: u64,
}

impl Grouping {
    /// Gives what there is, if so many points more are too many.
    pub(crate) fn make_room<E>(
        &mut self,
        points: u64,
        subject: &Subject,
        sink: Sink<'_, E>,
    ) -> Result<(), E> {
        if self.held + points > HELD && self.held > 0 {
            give(&mut self.groups, subject, sink)?;
            self.held = 0;
        }
        self.held += points;
        Ok(())
    }

    /// Adds a series.
    pub(crate) fn add(&mut self, key: &SeriesKey, series: Series) {
        // The ends tell most that differ.
        let fits = |group: &&mut Group| {
            group.steps.len() == series.steps.len()
                && group.steps.first() == series.steps.first()
                && group.times.last() == series.times.last()
                && group.steps == series.steps
                && group.times == series.times
        };
        if let Some(group) = self.groups.iter_mut().rev().find(fits) {
            group.keys.push(key.clone());
            group.values.push(series.values);
        } else {
            self.groups.push(Group {
                keys: vec![key.clone()],
                steps: series.steps,
                times: series.times,
                values: vec![series.values],
            });
        }
    }

    /// Gives the rest.
    pub(crate) fn finish<E>(mut self, subject: &Subject, sink: Sink<'_, E>) -> Result<(), E> {
        give(&mut self.groups, subject, sink)
    }
}

fn give<E>(groups: &mut Vec<Group>, subject: &Subject, sink: Sink<'_, E>) -> Result<(), E> {
    for group in groups.drain(..) {
        let calls = (BLOCK / group.keys.len()).max(1);
        let mut from = 0;
        while from < group.steps.len() {
            let to = group.steps.len().min(from + calls);
            let values = group.values.iter().map(|values| values[from..to].to_vec());
            sink(Record::Points(Block {
                of: subject.clone(),
                series: group.keys.clone(),
                steps: group.steps[from..to].to_vec(),
                times: group.times[from..to].to_vec(),
                values: values.collect(),
            }))?;
            from = to;
        }
    }
    Ok(())
}
