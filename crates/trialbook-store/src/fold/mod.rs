//! Taking in a batch of records on top of what is sealed: the same for a seal and for a look at tails.
//!
//! The meaning is that of the reference model; here it is done without touching what the batch does not
//! speak of. Not here: writing rows, reading spools.
//! Invariant: folding changes nothing outside itself; it can be thrown away.

mod collect;
mod columns;
mod entries;
mod experiments;
mod judgements;
mod numbers;
mod owners;
mod shared;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use trialbook_model::id::{EntryUid, ExperimentNo, ExperimentUid, OperationUid, RunNo, RunUid};
use trialbook_model::record::{
    Assess, Event, Item, Log, Op, Points, SeriesKey, Signed, Span, Subject,
};
use trialbook_model::state::{Earliest, Point, ProjectState, Records, SeriesSummary, Stamp};

pub(crate) use collect::{Batch, Collector, SpoolPlaces};
pub(crate) use columns::PointColumns;
pub(crate) use entries::{
    FoldedEntries, FoldedEntry, belonging, found_by, freed, next_version, unnumbered,
};
pub(crate) use experiments::renamed;
pub(crate) use judgements::Observed;
pub(crate) use numbers::Mention;
pub(crate) use shared::Shared;

use crate::backend::Counters;
use crate::error::BookError;
use crate::nouns::{ExperimentRow, Owner, Recorded, RunRow, Series};
use crate::pack::Places;
use crate::sealed::{Sealed, SealedRun};
use crate::shares::{self, RUNS_EACH};

/// New records of one subject, and where its sealed ones are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    /// Where sealed chunks are.
    pub(crate) places: Places,
    /// New points.
    pub(crate) points: PointColumns,
    pub(crate) events: Vec<Recorded<Event>>,
    pub(crate) logs: Vec<Recorded<Log>>,
    pub(crate) items: Vec<Recorded<Item>>,
    pub(crate) assessments: Vec<Recorded<Assess>>,
    pub(crate) spans: Vec<Recorded<Span>>,
    /// The bytes of its row, where they are damaged: a seal keeps them beside the row that it makes.
    pub(crate) aside: Option<Vec<u8>>,
}

/// A run that the batch speaks of.
#[derive(Debug, Clone)]
pub(crate) struct FoldedRun {
    pub(crate) row: Shared<RunRow>,
    pub(crate) kept: Kept,
    /// The batch that spoke of it last.
    pub(crate) tick: u64,
}

/// An experiment that the batch speaks of.
#[derive(Debug, Clone)]
pub(crate) struct FoldedExperiment {
    pub(crate) row: ExperimentRow,
    pub(crate) kept: Kept,
    /// Its place among the names of the fold.
    named: Option<(String, String)>,
}

/// A project that the batch speaks of.
#[derive(Debug, Clone, Default)]
pub(crate) struct FoldedProject {
    pub(crate) state: ProjectState,
    pub(crate) kept: Kept,
}

/// What batches said, folded onto what is sealed: all that a reader needs of it. A clone costs as much as
/// there are runs and experiments in it, whatever these hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folded {
    pub(crate) counters: Counters,
    /// How many batches there were.
    pub(crate) tick: u64,
    /// The last one that spoke of experiments or projects, or removed a run.
    pub(crate) nouns_tick: u64,
    pub(crate) experiments: BTreeMap<ExperimentNo, Shared<FoldedExperiment>>,
    /// Uids that the batches gave a meaning.
    pub(crate) experiment_uids: BTreeMap<ExperimentUid, ExperimentNo>,
    pub(crate) runs: BTreeMap<RunNo, Shared<FoldedRun>>,
    pub(crate) run_numbers: FxHashMap<RunUid, RunNo>,
    pub(crate) projects: BTreeMap<String, Shared<FoldedProject>>,
    pub(crate) entries: FoldedEntries,
    pub(crate) snapshots: BTreeMap<String, Shared<serde_json::Value>>,
    pub(crate) removed: BTreeMap<RunNo, (RunUid, Places)>,
    /// Records of kinds that this version does not know: kept as they came.
    pub(crate) unknown: Vec<Signed>,
}

/// Batches folded onto what is sealed, one after the other.
pub(crate) struct Fold<'a> {
    sealed: Rc<Sealed<'a>>,
    pub(crate) folded: Arc<Folded>,
    /// Present names of the experiments that were spoken of.
    names: FxHashMap<(String, String), BTreeSet<ExperimentNo>>,
    /// Sealed runs that the batch speaks of, until it is their turn; `None` for those that are not sealed.
    loaded: FxHashMap<RunUid, Option<SealedRun>>,
    /// `run-NNN` of the runs above, by experiment.
    taken: FxHashMap<ExperimentNo, BTreeSet<u64>>,
    /// Greatest sealed `run-NNN` of an experiment, runs above left out.
    highest: FxHashMap<ExperimentNo, Option<u64>>,
    pub(crate) purged: BTreeSet<Subject>,
    pub(crate) operations: BTreeSet<OperationUid>,
    /// What was found out about subjects.
    swallowed: FxHashMap<Subject, bool>,
    /// Runs that the present batch speaks of.
    touched: FxHashSet<RunNo>,
    /// Those of them whose items or judgements it brings.
    judged: FxHashSet<RunNo>,
}

impl Deref for Fold<'_> {
    type Target = Folded;

    fn deref(&self) -> &Folded {
        &self.folded
    }
}

impl DerefMut for Fold<'_> {
    fn deref_mut(&mut self) -> &mut Folded {
        Arc::make_mut(&mut self.folded)
    }
}

/// What happens in the order of stamps.
enum Happening<'b> {
    Operation(&'b Signed),
    /// The first of a subject's points that came without operations.
    Points(usize),
}

impl<'a> Fold<'a> {
    /// Nothing folded yet.
    pub(crate) fn new(sealed: Rc<Sealed<'a>>) -> Self {
        let folded = Folded {
            counters: sealed.counters(),
            ..Folded::default()
        };
        Self {
            folded: Arc::new(folded),
            sealed,
            names: FxHashMap::default(),
            loaded: FxHashMap::default(),
            taken: FxHashMap::default(),
            highest: FxHashMap::default(),
            purged: BTreeSet::new(),
            operations: BTreeSet::new(),
            swallowed: FxHashMap::default(),
            touched: FxHashSet::default(),
            judged: FxHashSet::default(),
        }
    }

    /// Folds a batch, in the order of its stamps, behind all that were folded before. After a failure the
    /// fold holds part of it and has to be thrown away.
    pub(crate) fn apply(&mut self, batch: Batch) -> Result<(), BookError> {
        self.tick += 1;
        self.touched.clear();
        self.judged.clear();
        let Batch {
            mut operations,
            mut points,
            ..
        } = batch;
        operations.sort_by_key(Signed::order);
        let fresh = self.fresh(&operations)?;
        self.purge(&fresh)?;
        let subjects = fresh.iter().filter_map(|signed| signed.op.subject());
        let subjects = subjects.chain(points.iter().map(|(subject, _)| subject.clone()));
        let uids = subjects.filter_map(|subject| match subject {
            Subject::Run(uid) => Some(uid),
            Subject::Experiment(_) | Subject::Project(_) | Subject::Entry(_) => None,
        });
        self.load_runs(uids.collect())?;
        let mut happenings = Vec::with_capacity(fresh.len() + points.len());
        for signed in fresh {
            if !self.is_swallowed(signed.op.subject().as_ref())? {
                happenings.push((Stamp::from(signed), Happening::Operation(signed)));
            }
        }
        for (at, (subject, columns)) in points.iter().enumerate() {
            if !self.is_swallowed(Some(subject))? {
                happenings.push((columns.first.unwrap_or_default(), Happening::Points(at)));
            }
        }
        happenings.sort_by_key(|(stamp, _)| *stamp);
        self.give_names(&happenings)?;
        let mut mentions = Vec::new();
        let mut mentioned = FxHashSet::default();
        for (_, happening) in &happenings {
            let (subject, moved) = match happening {
                Happening::Operation(signed) => {
                    self.take(signed)?;
                    (signed.op.subject(), Mention::of_move(signed))
                }
                Happening::Points(at) => {
                    let (subject, columns) = &mut points[*at];
                    self.take_points(subject, std::mem::take(columns))?;
                    (Some(subject.clone()), None)
                }
            };
            // A run is where it started before it is moved, whichever was said first.
            if let Some(Subject::Run(uid)) = subject
                && mentioned.insert(uid)
            {
                mentions.push(Mention::Seen(uid));
            }
            mentions.extend(moved);
        }
        self.fold_points();
        self.number_runs(&mentions)?;
        self.number_entries(&entries_of(&happenings, &points))?;
        self.judge_again()
    }

    /// Takes in what gives experiments and collections their names, before anything else is said.
    fn give_names(&mut self, happenings: &[(Stamp, Happening<'_>)]) -> Result<(), BookError> {
        for (_, happening) in happenings {
            if let Happening::Operation(signed) = happening {
                self.name_experiment(signed)?;
                self.name_entry(signed)?;
            }
        }
        Ok(())
    }

    /// Operations that were not applied before, in order.
    fn fresh<'b>(&mut self, operations: &'b [Signed]) -> Result<Vec<&'b Signed>, BookError> {
        let mut fresh = Vec::with_capacity(operations.len());
        for signed in operations {
            let known = match signed.operation {
                Some(uid) => !self.operations.insert(uid) || self.sealed.look().is_applied(uid)?,
                None => false,
            };
            if !known {
                fresh.push(signed);
            }
        }
        Ok(fresh)
    }

    fn purge(&mut self, fresh: &[&Signed]) -> Result<(), BookError> {
        for signed in fresh {
            let Op::Purge(purge) = &signed.op else {
                continue;
            };
            let uid = match purge.subject {
                Subject::Run(uid) => uid,
                Subject::Entry(uid) => {
                    self.purge_entry(uid)?;
                    continue;
                }
                // Nothing else can be purged, whoever asks for it.
                Subject::Experiment(_) | Subject::Project(_) => continue,
            };
            self.purged.insert(purge.subject.clone());
            self.swallowed.insert(purge.subject.clone(), true);
            self.nouns_tick = self.tick;
            self.forget_run(uid);
            if let Some(no) = self.sealed.look().run_no(uid)? {
                let places = match self.sealed.run(no) {
                    // Nobody knows where its chunks are: a check names them.
                    Err(error) if error.is_damage() => Some(Places::default()),
                    run => run?.map(|run| run.places.clone()),
                };
                if let Some(places) = places {
                    self.removed.insert(no, (uid, places));
                }
            }
        }
        Ok(())
    }

    fn is_swallowed(&mut self, subject: Option<&Subject>) -> Result<bool, BookError> {
        let Some(subject) = subject else {
            return Ok(false);
        };
        if let Some(known) = self.swallowed.get(subject) {
            return Ok(*known);
        }
        let swallowed = self.purged.contains(subject) || self.sealed.look().is_purged(subject)?;
        self.swallowed.insert(subject.clone(), swallowed);
        Ok(swallowed)
    }

    fn take(&mut self, signed: &Signed) -> Result<(), BookError> {
        if matches!(signed.op, Op::CreateExperiment(_) | Op::Purge(_)) {
            return Ok(());
        }
        let Some(subject) = signed.op.subject() else {
            self.unknown.push(signed.clone());
            return Ok(());
        };
        let owner = self.owner(&subject)?;
        if let Op::Points(points) = &signed.op {
            self.keep_points(&owner, points)?;
            // The values are folded with all others, at the end; here only that somebody spoke.
            let mut silent = signed.clone();
            silent.op = Op::Points(Points {
                values: Vec::new(),
                ..points.clone()
            });
            self.apply_to(&owner, &silent);
            return Ok(());
        }
        let mut without_document = None;
        if let Op::LinkSnapshot(link) = &signed.op
            && let Some(document) = &link.document
        {
            let document = Shared::from(document.clone());
            self.snapshots.insert(link.sha256.clone(), document);
            let mut bare = link.clone();
            bare.document = None;
            without_document = Some(Signed {
                op: Op::LinkSnapshot(bare),
                ..signed.clone()
            });
        }
        self.keep(&owner, signed);
        self.apply_to(&owner, without_document.as_ref().unwrap_or(signed));
        Ok(())
    }

    /// Keeps what a state does not hold.
    fn keep(&mut self, owner: &Owner, signed: &Signed) {
        let stamp = Stamp::from(signed);
        if let Owner::Run(no) = owner
            && matches!(signed.op, Op::Item(_) | Op::Assess(_))
        {
            self.judged.insert(*no);
        }
        let kept = self.kept_mut(owner);
        if let Op::Event(event) = &signed.op {
            let record = event.clone();
            kept.events.push(Recorded { stamp, record });
        } else if let Op::Log(log) = &signed.op {
            let record = log.clone();
            kept.logs.push(Recorded { stamp, record });
        } else if let Op::Item(item) = &signed.op {
            let record = (**item).clone();
            kept.items.push(Recorded { stamp, record });
        } else if let Op::Assess(assess) = &signed.op {
            let record = assess.clone();
            kept.assessments.push(Recorded { stamp, record });
        } else if let Op::Span(span) = &signed.op {
            let record = span.clone();
            kept.spans.push(Recorded { stamp, record });
        }
    }

    /// Keeps the values of one call together, so that their series share an axis, and folds them into the
    /// summaries: the next point is held against these.
    fn keep_points(&mut self, owner: &Owner, points: &Points) -> Result<(), BookError> {
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

    fn take_points(&mut self, subject: &Subject, columns: PointColumns) -> Result<(), BookError> {
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
    fn fold_points(&mut self) {
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
/// The entries that a batch speaks of, in the order in which it does.
fn entries_of(
    happenings: &[(Stamp, Happening<'_>)],
    points: &[(Subject, PointColumns)],
) -> Vec<EntryUid> {
    let mut met = FxHashSet::default();
    let subjects = happenings
        .iter()
        .filter_map(|(_, happening)| match happening {
            Happening::Operation(signed) => signed.op.subject(),
            Happening::Points(at) => Some(points.get(*at)?.0.clone()),
        });
    let uids = subjects.filter_map(|subject| match subject {
        Subject::Entry(uid) => Some(uid),
        Subject::Run(_) | Subject::Experiment(_) | Subject::Project(_) => None,
    });
    uids.filter(|uid| met.insert(*uid)).collect()
}

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
