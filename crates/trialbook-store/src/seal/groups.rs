//! Which series go together: by the tables in which their new points stand, by what these follow, by where
//! they go.

use std::collections::BTreeMap;

use trialbook_model::record::SeriesKey;
use trialbook_spool::codec::Axis;

use crate::error::BookError;
use crate::fold::{Kept, PointColumns};
use crate::pack::ShortSeries;

/// Values up to which a series stays in the packed chunk.
const SHORT_VALUES: usize = 512;

/// A series with new points.
pub(super) struct Member {
    pub(super) key: SeriesKey,
    /// Its positions in the tables of its group.
    pub(super) positions: Vec<u32>,
}

/// Series whose new points stand in the same tables.
pub(super) struct Group {
    pub(super) tables: Vec<u32>,
    pub(super) members: Vec<Member>,
}

/// What the new points of a series follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Prior {
    /// Nothing that is still open.
    Nothing,
    /// An axis chunk that is not full.
    Tail(u32),
    /// An axis of the packed chunk.
    Packed(usize),
}

/// Where new points go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Short,
    Long,
}

/// Steps and times.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    pub(super) steps: Vec<i64>,
    pub(super) times: Vec<i64>,
}

/// The new calls of a group, and the order into which they were brought.
pub(super) struct GroupCalls {
    pub(super) calls: Calls,
    pub(super) order: Option<Vec<u32>>,
}

impl Calls {
    /// These calls and later ones.
    pub(super) fn then(mut self, later: &Self) -> Self {
        self.steps.extend_from_slice(&later.steps);
        self.times.extend_from_slice(&later.times);
        self
    }

    /// As an axis.
    pub(super) fn into_axis(self) -> Result<Axis, BookError> {
        Axis::new(self.steps, self.times).map_err(BookError::pack("an axis"))
    }
}

/// Series by the tables in which their new points stand.
pub(super) fn groups_of(points: &PointColumns) -> Vec<Group> {
    let mut occurrences: Vec<(Vec<u32>, Vec<u32>)> = vec![Default::default(); points.keys().len()];
    for (table, calls) in points.tables.iter().enumerate() {
        for (position, slot) in calls.slots.iter().enumerate() {
            let (tables, positions) = &mut occurrences[*slot as usize];
            tables.push(table as u32);
            positions.push(position as u32);
        }
    }
    let mut groups: BTreeMap<Vec<u32>, Vec<Member>> = BTreeMap::new();
    for ((tables, positions), key) in occurrences.into_iter().zip(points.keys()) {
        if !tables.is_empty() {
            groups.entry(tables).or_default().push(Member {
                key: key.clone(),
                positions,
            });
        }
    }
    let groups = groups.into_iter();
    groups
        .map(|(tables, members)| Group { tables, members })
        .collect()
}

/// The calls of a group's tables as one axis, by step and time where there are several.
pub(super) fn calls_of(points: &PointColumns, group: &Group) -> GroupCalls {
    let mut calls = Calls::default();
    for table in &group.tables {
        let table = &points.tables[*table as usize];
        calls.steps.extend_from_slice(&table.steps);
        calls.times.extend_from_slice(&table.times);
    }
    if group.tables.len() == 1 {
        return GroupCalls { calls, order: None };
    }
    let mut order: Vec<u32> = (0..calls.steps.len() as u32).collect();
    order.sort_by_key(|at| (calls.steps[*at as usize], calls.times[*at as usize]));
    let pick = |column: &[i64]| order.iter().map(|at| column[*at as usize]).collect();
    GroupCalls {
        calls: Calls {
            steps: pick(&calls.steps),
            times: pick(&calls.times),
        },
        order: Some(order),
    }
}

/// The new values of a series along its group's calls.
pub(super) fn values_of(
    points: &PointColumns,
    group: &Group,
    member: &Member,
    calls: &GroupCalls,
) -> Vec<f64> {
    let mut values = Vec::with_capacity(calls.calls.steps.len());
    for (table, position) in group.tables.iter().zip(&member.positions) {
        values.extend(points.tables[*table as usize].column(*position as usize));
    }
    match &calls.order {
        Some(order) => order.iter().map(|at| values[*at as usize]).collect(),
        None => values,
    }
}

/// A group's series by what they follow and where they go.
pub(super) fn bundles<'g>(
    kept: &Kept,
    group: &'g Group,
    packed: &BTreeMap<&SeriesKey, &ShortSeries>,
    calls: usize,
) -> BTreeMap<(Prior, Form), Vec<&'g Member>> {
    let mut bundles: BTreeMap<(Prior, Form), Vec<&Member>> = BTreeMap::new();
    for member in &group.members {
        let bundle = if let Some(long) = kept.places.long.get(&member.key) {
            (
                long.tail_axis.map_or(Prior::Nothing, Prior::Tail),
                Form::Long,
            )
        } else if let Some(series) = packed.get(&member.key) {
            let long = series.values.len() + calls > SHORT_VALUES;
            let form = if long { Form::Long } else { Form::Short };
            (Prior::Packed(series.axis), form)
        } else if calls > SHORT_VALUES {
            (Prior::Nothing, Form::Long)
        } else {
            (Prior::Nothing, Form::Short)
        };
        bundles.entry(bundle).or_default().push(member);
    }
    bundles
}
