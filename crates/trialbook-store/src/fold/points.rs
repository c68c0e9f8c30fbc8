//! Points of a batch: kept in columns, folded into the summaries of their subjects, equal ones once where that is
//! wanted.
//!
//! Not here: operations of other kinds. Invariant: a point is in its summary once, whatever the batches were.

use std::cmp::Ordering;

use trialbook_model::record::{Points, SeriesKey, Subject};
use trialbook_model::state::{Earliest, Point, Records, SeriesSummary};

use super::{Fold, FoldedRun, PointColumns};
use crate::error::BookError;
use crate::nouns::{Owner, Series};
use crate::shares::{self, RUNS_EACH};

impl Fold<'_> {
    /// Keeps the values of one call together, so that their series share an axis, and folds them into the
    /// summaries: the next point is held against these.
    pub(super) fn keep_points(&mut self, owner: &Owner, points: &Points) -> Result<(), BookError> {
        let mut slots: Vec<u32> = Vec::with_capacity(points.values.len());
        let mut values: Vec<f64> = Vec::with_capacity(points.values.len());
        for (key, value) in &points.values {
            let point = Point {
                step: points.step,
                time: points.time,
                value: *value,
            };
            let slot = self.kept_mut(owner).points.slot(key);
            let mut said = slots.iter().zip(&values);
            let is_repeated = points.set
                && said.any(|(at, said)| *at == slot && said.to_bits() == value.to_bits());
            if !is_repeated && (!points.set || self.is_new(owner, key, point)?) {
                self.kept_mut(owner).points.see(slot, point);
                slots.push(slot);
                values.push(*value);
            }
        }
        if !slots.is_empty() {
            let columns = &mut self.kept_mut(owner).points;
            let table = columns.table(slots);
            columns.tables[table].push(points.step, points.time.0, values.into_iter());
            self.fold_points_of(owner);
        }
        Ok(())
    }

    /// Whether no equal point is there. One behind the last of its series surely is new, and the last one
    /// itself is not: only what comes out of order is looked for among all.
    fn is_new(&mut self, owner: &Owner, key: &SeriesKey, point: Point) -> Result<bool, BookError> {
        let Some(records) = self.records_of(owner) else {
            return Ok(true);
        };
        let order = match records.series.get(key) {
            Some(summary) if is_same(&point, &summary.last) => return Ok(false),
            Some(summary) => point.order(&summary.last),
            None => Ordering::Greater,
        };
        if order == Ordering::Greater {
            return Ok(true);
        }
        let slot = self.kept_mut(owner).points.slot(key);
        if !self.kept_mut(owner).points.watches(slot) {
            let places = self.kept_mut(owner).places.clone();
            let sealed = match self.sealed.series(&places, key) {
                // What cannot be read is not known to be there already.
                Err(error) if error.is_damage() => Series::default(),
                sealed => sealed?,
            };
            self.kept_mut(owner).points.watch(slot, sealed.points());
        }
        Ok(!self.kept_mut(owner).points.has_seen(slot, point))
    }

    pub(super) fn take_points(
        &mut self,
        subject: &Subject,
        columns: PointColumns,
    ) -> Result<(), BookError> {
        let owner = self.owner(subject)?;
        if let Owner::Run(no) = owner
            && let Some(run) = self.runs.get_mut(&no)
        {
            let state = &mut run.row.state;
            for time in [columns.born, columns.alive].into_iter().flatten() {
                state.sign_of_life(time);
            }
            if let Some((stamp, actor)) = &columns.actor {
                Earliest::offer(&mut state.actor, *stamp, actor.clone());
            }
        }
        let kept = self.kept_mut(&owner);
        if kept.points.is_empty() {
            kept.points = columns;
        } else {
            kept.points.merge(columns);
        }
        Ok(())
    }

    /// Adds new points to the summaries of the runs that the batch speaks of, and of all other subjects.
    pub(super) fn fold_points(&mut self) {
        let tick = self.tick;
        if self.touched.len() < RUNS_EACH {
            for no in std::mem::take(&mut self.touched) {
                self.fold_points_of(&Owner::Run(no));
                self.touched.insert(no);
            }
        } else {
            let runs = self.runs.values_mut().filter(|run| run.tick == tick);
            let runs: Vec<&mut FoldedRun> = runs.map(|run| &mut **run).collect();
            shares::map(runs, RUNS_EACH, |run| {
                fold_into(&mut run.row.state.records, &mut run.kept.points);
            });
        }
        let others = self.experiments.keys().copied().map(Owner::Experiment);
        let projects = self.projects.keys().cloned().map(Owner::Project);
        let entries = self.entries.by_no.keys().copied().map(Owner::Entry);
        for owner in others.chain(projects).chain(entries).collect::<Vec<_>>() {
            self.fold_points_of(&owner);
        }
    }

    fn fold_points_of(&mut self, owner: &Owner) {
        if self.kept(owner).is_none_or(|kept| kept.points.is_folded()) {
            return;
        }
        match owner {
            Owner::Run(no) => {
                if let Some(run) = self.runs.get_mut(no) {
                    let run = &mut **run;
                    fold_into(&mut run.row.state.records, &mut run.kept.points);
                }
            }
            Owner::Experiment(no) => {
                if let Some(found) = self.experiments.get_mut(no) {
                    let found = &mut **found;
                    fold_into(&mut found.row.state.records, &mut found.kept.points);
                }
            }
            Owner::Project(name) => {
                if let Some(project) = self.projects.get_mut(name) {
                    let project = &mut **project;
                    fold_into(&mut project.state.records, &mut project.kept.points);
                }
            }
            Owner::Entry(no) => {
                if let Some(entry) = self.entries.by_no.get_mut(no) {
                    let entry = &mut **entry;
                    fold_into(&mut entry.row.state.records, &mut entry.kept.points);
                }
            }
        }
    }

    fn records_of(&self, owner: &Owner) -> Option<&Records> {
        match owner {
            Owner::Run(no) => self.runs.get(no).map(|run| &run.row.state.records),
            Owner::Experiment(no) => {
                let found = self.experiments.get(no);
                found.map(|found| &found.row.state.records)
            }
            Owner::Project(name) => self.projects.get(name).map(|known| &known.state.records),
            Owner::Entry(no) => {
                let entry = self.entries.by_no.get(no);
                entry.map(|entry| &entry.row.state.records)
            }
        }
    }
}

/// Whether two points are the same, bit by bit.
fn is_same(one: &Point, other: &Point) -> bool {
    one.step == other.step && one.time == other.time && one.value.to_bits() == other.value.to_bits()
}

/// Adds the points that were not added yet.
fn fold_into(records: &mut Records, points: &mut PointColumns) {
    points.fold_news(|key, summary| {
        records.counts.points += summary.count;
        match records.series.get_mut(key) {
            Some(known) => SeriesSummary::merge(known, &summary),
            None => {
                records.series.insert(key.clone(), summary);
            }
        }
    });
}
