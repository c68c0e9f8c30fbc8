//! Taking in a batch of records on top of what is sealed: the same for a seal and for a look at tails.
//!
//! The meaning is that of the reference model; here it is done without touching what the batch does not
//! speak of. Not here: writing rows, reading spools.
//! Invariant: folding changes nothing outside itself; it can be thrown away.

mod collect;
mod columns;
mod entries;
mod experiments;
mod held;
mod judgements;
mod numbers;
mod owners;
mod points;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use trialbook_model::id::{EntryUid, ExperimentNo, ExperimentUid, OperationUid, RunNo, RunUid};
use trialbook_model::record::{Assess, Event, Item, Log, Op, Points, Signed, Span, Subject};
use trialbook_model::state::{ProjectState, Stamp};

pub(crate) use collect::{Batch, Collector, SpoolPlaces};
pub(crate) use columns::PointColumns;
pub(crate) use entries::{
    FoldedEntries, FoldedEntry, belonging, found_by, freed, next_version, unnumbered,
};
pub(crate) use experiments::renamed;
pub(crate) use held::Shared;
pub(crate) use judgements::Observed;
pub(crate) use numbers::Mention;

use crate::backend::Counters;
use crate::error::BookError;
use crate::nouns::{ExperimentRow, Owner, Recorded, RunRow};
use crate::pack::Places;
use crate::sealed::{Sealed, SealedRun};

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
    touched: BTreeSet<RunNo>,
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
            touched: BTreeSet::new(),
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
        let happenings = self.in_order(fresh, &points)?;
        for happening in &happenings {
            if let Happening::Operation(signed) = happening {
                self.name_experiment(signed)?;
                self.name_entry(signed)?;
            }
        }
        let mut mentions = Vec::new();
        let mut entries: Vec<EntryUid> = Vec::new();
        let mut mentioned = FxHashSet::default();
        let mut met = FxHashSet::default();
        for happening in &happenings {
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

    /// What happens, in the order of stamps, but for what is swallowed; the runs that it is about are loaded.
    fn in_order<'b>(
        &mut self,
        fresh: Vec<&'b Signed>,
        points: &[(Subject, PointColumns)],
    ) -> Result<Vec<Happening<'b>>, BookError> {
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
        let happenings = happenings.into_iter();
        Ok(happenings.map(|(_, happening)| happening).collect())
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
}
