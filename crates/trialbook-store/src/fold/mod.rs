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

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};
use trialbook_model::id::{EntryUid, ExperimentNo, ExperimentUid, OperationUid, RunNo, RunUid};
use trialbook_model::record::{Assess, Event, Item, Log, Op, Points, Signed, Span, Subject};
use trialbook_model::state::{Earliest, Point, ProjectState, Records, SeriesSummary, Stamp};

pub(crate) use collect::{Batch, Collector, SpoolPlaces};
pub(crate) use columns::PointColumns;
pub(crate) use entries::{
    FoldedEntries, FoldedEntry, belonging, found_by, freed, next_version, unnumbered,
};
pub(crate) use experiments::renamed;
pub(crate) use judgements::Observed;
pub(crate) use numbers::Mention;

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
    pub(crate) row: RunRow,
    pub(crate) kept: Kept,
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

/// A batch folded onto what is sealed.
pub(crate) struct Fold<'a> {
    sealed: Rc<Sealed<'a>>,
    pub(crate) counters: Counters,
    pub(crate) experiments: BTreeMap<ExperimentNo, FoldedExperiment>,
    /// Uids that the batch gave a meaning.
    pub(crate) experiment_uids: BTreeMap<ExperimentUid, ExperimentNo>,
    /// Present names of the experiments above.
    names: FxHashMap<(String, String), BTreeSet<ExperimentNo>>,
    pub(crate) runs: BTreeMap<RunNo, FoldedRun>,
    run_numbers: FxHashMap<RunUid, RunNo>,
    /// Sealed runs that the batch speaks of, until it is their turn; `None` for those that are not sealed.
    loaded: FxHashMap<RunUid, Option<SealedRun>>,
    /// `run-NNN` of the runs above, by experiment.
    taken: FxHashMap<ExperimentNo, BTreeSet<u64>>,
    /// Greatest sealed `run-NNN` of an experiment, runs above left out.
    highest: FxHashMap<ExperimentNo, Option<u64>>,
    pub(crate) projects: BTreeMap<String, FoldedProject>,
    pub(crate) entries: FoldedEntries,
    pub(crate) snapshots: BTreeMap<String, serde_json::Value>,
    pub(crate) purged: BTreeSet<Subject>,
    pub(crate) removed: BTreeMap<RunNo, (RunUid, Places)>,
    pub(crate) operations: BTreeSet<OperationUid>,
    /// Records of kinds that this version does not know: kept as they came.
    pub(crate) unknown: Vec<Signed>,
    /// What was found out about subjects.
    swallowed: FxHashMap<Subject, bool>,
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
        Self {
            counters: sealed.counters(),
            sealed,
            experiments: BTreeMap::new(),
            experiment_uids: BTreeMap::new(),
            names: FxHashMap::default(),
            runs: BTreeMap::new(),
            run_numbers: FxHashMap::default(),
            loaded: FxHashMap::default(),
            taken: FxHashMap::default(),
            highest: FxHashMap::default(),
            projects: BTreeMap::new(),
            entries: FoldedEntries::default(),
            snapshots: BTreeMap::new(),
            purged: BTreeSet::new(),
            removed: BTreeMap::new(),
            operations: BTreeSet::new(),
            unknown: Vec::new(),
            swallowed: FxHashMap::default(),
        }
    }

    /// Folds a batch. Only once for each fold.
    pub(crate) fn apply(&mut self, batch: Batch) -> Result<(), BookError> {
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
        for (_, happening) in &happenings {
            if let Happening::Operation(signed) = happening {
                self.name_experiment(signed)?;
                self.name_entry(signed)?;
            }
        }
        let mut mentions = Vec::new();
        let mut entries: Vec<EntryUid> = Vec::new();
        let mut mentioned = FxHashSet::default();
        let mut met = FxHashSet::default();
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
            if let Some(Subject::Entry(uid)) = subject
                && met.insert(uid)
            {
                entries.push(uid);
            }
        }
        self.fold_points();
        self.number_runs(&mentions)?;
        self.number_entries(&entries)?;
        self.judge_again()
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
            self.snapshots.insert(link.sha256.clone(), document.clone());
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

    /// Keeps the values of one call together, so that their series share an axis.
    fn keep_points(&mut self, owner: &Owner, points: &Points) -> Result<(), BookError> {
        let mut slots = Vec::with_capacity(points.values.len());
        let mut values = Vec::with_capacity(points.values.len());
        for (key, value) in &points.values {
            let point = Point {
                step: points.step,
                time: points.time,
                value: *value,
            };
            let slot = self.kept_mut(owner).points.slot(key);
            if points.set && !self.kept_mut(owner).points.watches(slot) {
                let places = self.kept_mut(owner).places.clone();
                let sealed = match self.sealed.series(&places, key) {
                    // What cannot be read is not known to be there already.
                    Err(error) if error.is_damage() => Series::default(),
                    sealed => sealed?,
                };
                self.kept_mut(owner).points.watch(slot, sealed.points());
            }
            let columns = &mut self.kept_mut(owner).points;
            if !columns.see(slot, point) || !points.set {
                slots.push(slot);
                values.push(*value);
            }
        }
        if !slots.is_empty() {
            let columns = &mut self.kept_mut(owner).points;
            let table = columns.table(slots);
            columns.tables[table].push(points.step, points.time.0, values.into_iter());
        }
        Ok(())
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

    /// Adds all new points to the summaries of their subjects.
    fn fold_points(&mut self) {
        let runs: Vec<&mut FoldedRun> = self.runs.values_mut().collect();
        shares::map(runs, RUNS_EACH, |run| {
            fold_into(&mut run.row.state.records, &run.kept.points);
        });
        for experiment in self.experiments.values_mut() {
            fold_into(&mut experiment.row.state.records, &experiment.kept.points);
        }
        for project in self.projects.values_mut() {
            fold_into(&mut project.state.records, &project.kept.points);
        }
        for entry in self.entries.by_no.values_mut() {
            fold_into(&mut entry.row.state.records, &entry.kept.points);
        }
    }
}

fn fold_into(records: &mut Records, points: &PointColumns) {
    if points.is_empty() {
        return;
    }
    let summaries = points.summaries();
    for (key, summary) in points.keys().iter().zip(summaries) {
        let Some(summary) = summary else { continue };
        records.counts.points += summary.count;
        match records.series.get_mut(key) {
            Some(known) => SeriesSummary::merge(known, &summary),
            None => {
                records.series.insert(key.clone(), summary);
            }
        }
    }
}
