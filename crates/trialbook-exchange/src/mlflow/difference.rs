//! What a store says otherwise than a book.
//!
//! Stores say things of which they keep no time at the beginning of what they speak of, each later value a
//! microsecond after the one before. Not here: saying it. Invariant: what was said later than that was said by people,
//! and holds.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use serde_json::Value;
use trialbook_model::state::{Annotations, Latest, Point, SeriesSummary};
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::Series;

use super::said::{IMPORTED, NOTES};

/// Microseconds behind a beginning in which values come from stores.
const STORES: i64 = 10_000;

/// What a store says otherwise than when it was brought in last.
pub(super) struct News<'a> {
    before: Option<&'a Value>,
    present: &'a Value,
}

impl<'a> News<'a> {
    pub(super) fn of(held: &'a Annotations, present: &'a Value) -> Self {
        let before = held.field(IMPORTED);
        Self { before, present }
    }

    /// Whether it says another thing under a key; where it was never brought in, whatever it says is news.
    pub(super) fn is_about(&self, key: &str) -> bool {
        self.before
            .is_none_or(|before| before.get(key) != self.present.get(key))
    }

    pub(super) fn is_any(&self) -> bool {
        self.before != Some(self.present)
    }
}

/// A time after what is held, and not before another.
pub(super) fn next(held: Option<Timestamp>, time: Timestamp) -> Timestamp {
    held.map_or(time, |held| time.max(Timestamp(held.0.saturating_add(1))))
}

/// Values that a store has changed, by the times at which to say so.
pub(super) type Changed<T> = BTreeMap<Timestamp, Vec<(String, T)>>;

/// Whether a value was said by a store: what people say is later.
fn is_of_store(time: Timestamp, begin: Timestamp) -> bool {
    (begin.0..begin.0.saturating_add(STORES)).contains(&time.0)
}

/// When to say a value in the place of what is held; `None` where that holds.
fn place<T: PartialEq>(held: Option<&Latest<T>>, value: &T, begin: Timestamp) -> Option<Timestamp> {
    match held {
        None => Some(begin),
        Some(held) if held.value == *value || !is_of_store(held.stamp.time, begin) => None,
        Some(held) => Some(next(Some(held.stamp.time), begin)),
    }
}

/// The tags that a store has changed.
pub(super) fn tags(
    held: &Annotations,
    tags: &BTreeMap<String, String>,
    begin: Timestamp,
) -> Changed<Option<String>> {
    let mut changed = Changed::new();
    for (key, text) in tags {
        let value = Some(text.clone());
        if let Some(time) = place(held.tags.get(key), &value, begin) {
            changed.entry(time).or_default().push((key.clone(), value));
        }
    }
    if held.field(IMPORTED).is_some() {
        let gone = held
            .tags
            .iter()
            .filter(|(key, held)| held.value.is_some() && !tags.contains_key(*key));
        for (key, held) in gone {
            if let Some(time) = place(Some(held), &None, begin) {
                changed.entry(time).or_default().push((key.clone(), None));
            }
        }
    }
    changed
}

/// The fields that a store has changed.
pub(super) fn fields(
    held: &Annotations,
    fields: &BTreeMap<String, Value>,
    begin: Timestamp,
) -> Changed<Value> {
    let mut changed = Changed::new();
    for (field, value) in fields {
        if let Some(time) = place(held.fields.get(field), value, begin) {
            changed
                .entry(time)
                .or_default()
                .push((field.clone(), value.clone()));
        }
    }
    changed
}

/// The main note, where a store has changed it.
pub(super) fn note(
    held: &Annotations,
    text: Option<&String>,
    begin: Timestamp,
) -> Option<Timestamp> {
    let at = (NOTES.to_owned(), String::new());
    let held = held.notes.get(&at);
    match held {
        None => text.map(|_| begin),
        Some(held) if held.value.text.as_ref() == text => None,
        Some(held) if is_of_store(held.stamp.time, begin) => {
            Some(next(Some(held.stamp.time), begin))
        }
        Some(_) => None,
    }
}

/// What makes a point the same: NaN is NaN, whatever its bits.
pub(super) fn bits(point: &Point) -> (i64, Timestamp, u64) {
    let value = if point.value.is_nan() {
        f64::NAN
    } else {
        point.value
    };
    (point.step, point.time, value.to_bits())
}

/// Keeps each point once, as MLflow's databases do.
pub(super) fn once(points: &mut Vec<Point>) {
    points.sort_by_key(bits);
    points.dedup_by_key(|point| bits(point));
}

pub(super) fn summary(points: &[Point]) -> Option<SeriesSummary> {
    let (first, rest) = points.split_first()?;
    let mut summary = SeriesSummary::new(*first);
    for point in rest {
        summary.add(*point);
    }
    Some(summary)
}

/// The points that are not in a series.
pub(super) fn fresh(points: &[Point], held: &Series) -> Vec<Point> {
    let known: FxHashSet<_> = held.points().map(|point| bits(&point)).collect();
    let fresh = points.iter().filter(|point| !known.contains(&bits(point)));
    fresh.copied().collect()
}
