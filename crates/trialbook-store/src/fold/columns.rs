//! New points of one subject as columns: calls with the same keys stand in one table, row after row.
//!
//! Not here: chunks. Invariant: no point is looked at again until its series is wanted.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use trialbook_model::record::SeriesKey;
use trialbook_model::state::{Point, SeriesSummary, Stamp};
use trialbook_model::time::Timestamp;

/// Calls with the same series, in the same order.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallTable {
    /// Places of the series of each row's values.
    pub(crate) slots: Vec<u32>,
    pub(crate) steps: Vec<i64>,
    pub(crate) times: Vec<i64>,
    /// Row after row.
    values: Vec<f64>,
    /// How many rows are in the summaries.
    folded: usize,
}

impl CallTable {
    /// Adds a call; its values follow.
    pub(crate) fn push(&mut self, step: i64, time: i64, values: impl Iterator<Item = f64>) {
        self.steps.push(step);
        self.times.push(time);
        self.values.extend(values);
    }

    fn is_folded(&self) -> bool {
        self.folded == self.steps.len()
    }

    /// What the rows in one position amount to that are not in the summaries.
    fn summary_of_news(&self, position: usize) -> Option<SeriesSummary> {
        let news = self.folded..self.steps.len();
        let mut points = news.map(|row| Point {
            step: self.steps[row],
            time: Timestamp(self.times[row]),
            value: self.values[row * self.slots.len() + position],
        });
        let mut summary = SeriesSummary::new(points.next()?);
        for point in points {
            summary.add(point);
        }
        Some(summary)
    }

    /// The values in one position of all rows.
    pub(crate) fn column(&self, position: usize) -> impl Iterator<Item = f64> + '_ {
        self.values
            .iter()
            .skip(position)
            .step_by(self.slots.len().max(1))
            .copied()
    }
}

/// Columns of one series.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SlotColumns {
    pub(crate) steps: Vec<i64>,
    pub(crate) times: Vec<i64>,
    pub(crate) values: Vec<f64>,
}

/// Bits that tell one point from another.
type PointBits = (i64, i64, u64);

/// Which series there are, and in which tables they stand.
#[derive(Debug, Clone, Default)]
struct Layout {
    /// Series, by their places.
    keys: Vec<SeriesKey>,
    places: FxHashMap<SeriesKey, u32>,
    /// For each series the tables in which it stands, rising.
    tables_of: Vec<Vec<u32>>,
    tables_by_slots: FxHashMap<Vec<u32>, usize>,
}

/// New points of one subject.
#[derive(Debug, Clone, Default)]
pub(crate) struct PointColumns {
    /// Shared by the subjects that log alike.
    layout: Arc<Layout>,
    pub(crate) tables: Vec<CallTable>,
    /// All points of the series that equal points were asked about.
    seen: FxHashMap<u32, FxHashSet<PointBits>>,
    /// The stamp of the first call that stands here without its operation.
    pub(crate) first: Option<Stamp>,
    /// The earliest actor of such calls.
    pub(crate) actor: Option<(Stamp, String)>,
    /// The latest stamp's time of such calls.
    pub(crate) alive: Option<Timestamp>,
    /// The earliest one's.
    pub(crate) born: Option<Timestamp>,
}

impl PointColumns {
    /// Columns for the same series in the same tables, without any call.
    pub(crate) fn like(&self) -> Self {
        let tables = self.tables.iter().map(|table| CallTable {
            slots: table.slots.clone(),
            ..CallTable::default()
        });
        Self {
            layout: Arc::clone(&self.layout),
            tables: tables.collect(),
            ..Self::default()
        }
    }

    /// Series, by their places.
    pub(crate) fn keys(&self) -> &[SeriesKey] {
        &self.layout.keys
    }

    /// Whether there is no point.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The place of a series.
    pub(crate) fn slot(&mut self, key: &SeriesKey) -> u32 {
        if let Some(place) = self.layout.places.get(key) {
            return *place;
        }
        let layout = Arc::make_mut(&mut self.layout);
        let place = layout.keys.len() as u32;
        layout.keys.push(key.clone());
        layout.places.insert(key.clone(), place);
        layout.tables_of.push(Vec::new());
        place
    }

    /// The place of a series that has points here.
    pub(crate) fn known_slot(&self, key: &SeriesKey) -> Option<u32> {
        self.layout.places.get(key).copied()
    }

    /// The table of calls with these series.
    pub(crate) fn table(&mut self, slots: Vec<u32>) -> usize {
        if let Some(at) = self.layout.tables_by_slots.get(&slots) {
            return *at;
        }
        let layout = Arc::make_mut(&mut self.layout);
        let next = self.tables.len() as u32;
        for slot in &slots {
            let tables = &mut layout.tables_of[*slot as usize];
            if tables.last() != Some(&next) {
                tables.push(next);
            }
        }
        self.tables.push(CallTable {
            slots: slots.clone(),
            ..CallTable::default()
        });
        layout.tables_by_slots.insert(slots, self.tables.len() - 1);
        self.tables.len() - 1
    }

    /// Notes who made a call, and when.
    pub(crate) fn sign(&mut self, stamp: Stamp, actor: Option<&str>) {
        if self.first.is_none_or(|first| stamp < first) {
            self.first = Some(stamp);
        }
        if let Some(actor) = actor
            && self
                .actor
                .as_ref()
                .is_none_or(|(earliest, _)| stamp < *earliest)
        {
            self.actor = Some((stamp, actor.to_owned()));
        }
        self.alive = self.alive.max(Some(stamp.time));
        self.born = Some(self.born.map_or(stamp.time, |born| born.min(stamp.time)));
    }

    /// Whether the points of a series can be asked about with [`Self::see`].
    pub(crate) fn watches(&self, slot: u32) -> bool {
        self.seen.contains_key(&slot)
    }

    /// Makes the points of a series known: those that are sealed, and those here.
    pub(crate) fn watch(&mut self, slot: u32, sealed: impl Iterator<Item = Point>) {
        let mut seen: FxHashSet<PointBits> = sealed.map(bits_of).collect();
        let columns = self.columns(slot);
        for (at, value) in columns.values.iter().enumerate() {
            seen.insert((columns.steps[at], columns.times[at], value.to_bits()));
        }
        self.seen.insert(slot, seen);
    }

    /// Notes a point, where its series is watched.
    pub(crate) fn see(&mut self, slot: u32, point: Point) {
        if let Some(seen) = self.seen.get_mut(&slot) {
            seen.insert(bits_of(point));
        }
    }

    /// Whether a point of a series that is watched is known.
    pub(crate) fn has_seen(&self, slot: u32, point: Point) -> bool {
        let seen = self.seen.get(&slot);
        seen.is_some_and(|seen| seen.contains(&bits_of(point)))
    }

    /// The tables in which a series has values, each with its position there.
    fn occurrences(&self, slot: u32) -> impl Iterator<Item = (usize, usize)> + '_ {
        let tables = &self.layout.tables_of[slot as usize];
        tables.iter().flat_map(move |table| {
            let table = *table as usize;
            let positions = self.tables[table].slots.iter().enumerate();
            positions.filter_map(move |(position, at)| (*at == slot).then_some((table, position)))
        })
    }

    /// All new points of a series, table after table.
    pub(crate) fn columns(&self, slot: u32) -> SlotColumns {
        let mut columns = SlotColumns::default();
        for (table, position) in self.occurrences(slot) {
            let table = &self.tables[table];
            columns.steps.extend_from_slice(&table.steps);
            columns.times.extend_from_slice(&table.times);
            columns.values.extend(table.column(position));
        }
        columns
    }

    /// Whether all points are in the summaries.
    pub(crate) fn is_folded(&self) -> bool {
        self.tables.iter().all(CallTable::is_folded)
    }

    /// Gives what new points amount to, table by table; they count as folded then.
    pub(crate) fn fold_news(&mut self, mut each: impl FnMut(&SeriesKey, SeriesSummary)) {
        for table in self.tables.iter_mut().filter(|table| !table.is_folded()) {
            for (position, slot) in table.slots.iter().enumerate() {
                if let Some(summary) = table.summary_of_news(position) {
                    each(&self.layout.keys[*slot as usize], summary);
                }
            }
            table.folded = table.steps.len();
        }
    }

    /// Takes over the points of other columns of the same subject.
    pub(crate) fn merge(&mut self, other: Self) {
        let slots: Vec<u32> = other.keys().iter().map(|key| self.slot(key)).collect();
        for calls in other.tables {
            let here: Vec<u32> = calls
                .slots
                .iter()
                .map(|slot| slots[*slot as usize])
                .collect();
            self.see_all(&here, &calls);
            let table = self.table(here);
            let table = &mut self.tables[table];
            table.steps.extend(calls.steps);
            table.times.extend(calls.times);
            table.values.extend(calls.values);
        }
    }

    /// Notes the points of a table whose series are watched.
    fn see_all(&mut self, slots: &[u32], calls: &CallTable) {
        for (position, slot) in slots.iter().enumerate() {
            if let Some(seen) = self.seen.get_mut(slot) {
                let rows = calls.steps.iter().zip(&calls.times);
                let points = rows.zip(calls.column(position));
                seen.extend(points.map(|((step, time), value)| (*step, *time, value.to_bits())));
            }
        }
    }
}

fn bits_of(point: Point) -> PointBits {
    (point.step, point.time.0, point.value.to_bits())
}
