//! The way of a stream into a book.
//!
//! A run that is not in the book is taken in; one that is there and equal is passed over; one that differs is
//! an error, or comes in under another id. Experiments, projects and entries of the register are merged: what is there already is
//! passed over, and of two values of one thing the later holds. Everything is written to a draft, which
//! becomes part of the book at the end. Not here: files. Invariant: after an error the book is as it was.

mod checks;
mod registers;
mod renaming;
mod standing;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use trialbook_model::id::{Entropy, ExperimentUid, RunUid};
use trialbook_model::record::{CreateExperiment, Op, Subject};
use trialbook_model::time::Timestamp;
use trialbook_store::{Book, BookView, Draft, Effort};

use crate::error::{ImportError, Place, Problem};
use crate::record::{Record, Said};
pub use registers::Overruled;
use renaming::Renaming;
use standing::{Digest, Held, Matching, OfNoun, digest};

/// What becomes of a run or an experiment that the book has and that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflicts {
    /// It is an error.
    #[default]
    Refuse,
    /// It comes in beside, under a new id and name.
    Rename,
}

/// What came in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Experiments that are new.
    pub experiments: u64,
    /// Runs that are new, those under another id among them.
    pub runs: u64,
    /// Runs that were there and are equal.
    pub same: u64,
    /// Runs that came in under another id: the old one and the new one.
    pub renamed: Vec<(RunUid, RunUid)>,
    /// Runs that the files give a number, those under another id apart: the book may have given another.
    pub numbers: Vec<(RunUid, u64)>,
    /// What the book and the files say otherwise of one thing of an experiment or a project.
    pub overruled: Vec<Overruled>,
    /// Points that came in.
    pub points: u64,
    /// Records that came in, points apart.
    pub records: u64,
}

/// How a stream is taken in.
pub struct Manner<'a> {
    /// What becomes of what differs.
    pub conflicts: Conflicts,
    /// The present time, for the draft.
    pub now: Timestamp,
    /// For new ids.
    pub entropy: &'a mut dyn Entropy,
}

/// Takes a stream in.
pub struct Arrival<'a> {
    view: BookView<'a>,
    draft: Draft,
    manner: Manner<'a>,
    renaming: Renaming,
    held: Held,
    runs: FxHashMap<RunUid, Run>,
    /// The run of the record before: a run's records stand together.
    present: Option<RunUid>,
    /// Experiments, projects and entries: what the book has of them.
    nouns: BTreeMap<Subject, OfNoun>,
    /// What the book has of records that this version does not know; read when the first one comes.
    unknown: Option<BTreeSet<Digest>>,
    /// Bytes that records that came in speak of.
    sums: BTreeSet<String>,
    /// The numbers that the files give to runs of experiments that were here.
    numbers: BTreeMap<RunUid, u64>,
    summary: Summary,
}

/// A run of the stream.
enum Run {
    /// It is not in the book, or comes in under another id: when it lived, as far as it was said.
    New(Option<(Timestamp, Timestamp)>),
    /// It is in the book; so far it is equal.
    Matching(Box<Matching>),
}

impl<'a> Arrival<'a> {
    /// Begins.
    pub fn new(book: &'a Book, manner: Manner<'a>) -> Result<Self, ImportError> {
        // What is here keeps its numbers: those that come in get the next ones.
        book.seal(Effort::All)?;
        let view = book.view()?;
        Ok(Self {
            draft: book.draft(manner.now)?,
            held: Held::of(&view)?,
            view,
            manner,
            renaming: Renaming::default(),
            runs: FxHashMap::default(),
            present: None,
            nouns: BTreeMap::new(),
            unknown: None,
            sums: BTreeSet::new(),
            numbers: BTreeMap::new(),
            summary: Summary::default(),
        })
    }

    /// Takes a record in; `place` is where it stands, for errors.
    pub fn take(&mut self, place: &Place, record: Record) -> Result<(), ImportError> {
        checks::check(place, &record)?;
        let subject = match &record {
            Record::Points(block) => Some(block.of.clone()),
            Record::Said(said) => said.op.subject(),
        };
        if let Record::Said(Said {
            op: Op::CreateExperiment(create),
            ..
        }) = &record
        {
            self.meet(place, create)?;
        }
        self.note_number(&record);
        let run = match &subject {
            Some(Subject::Run(uid)) => Some(*uid),
            Some(Subject::Experiment(_) | Subject::Project(_) | Subject::Entry(_)) | None => None,
        };
        if self.present != run {
            self.settle()?;
            self.present = run;
        }
        match subject {
            Some(Subject::Run(uid)) => self.take_of_run(place, uid, record),
            Some(noun) => self.take_of_noun(&noun, record),
            None => self.take_unknown(record),
        }
    }

    /// The SHA-256 of the bytes that what came in so far speaks of.
    pub const fn sums(&self) -> &BTreeSet<String> {
        &self.sums
    }

    /// Puts everything into the book.
    pub fn finish(mut self) -> Result<Summary, ImportError> {
        self.settle()?;
        self.draft.commit()?;
        for (old, _) in &self.summary.renamed {
            self.numbers.remove(old);
        }
        self.summary.numbers = self.numbers.into_iter().collect();
        Ok(self.summary)
    }

    /// A run of an experiment that was here may have another number in the book than in the files.
    fn note_number(&mut self, record: &Record) {
        if let Record::Said(Said {
            op: Op::StartRun(start),
            ..
        }) = record
            && let Some(number) = start.number
            && self.held.experiment(start.experiment).is_some()
            && !self.held.is_arriving(start.experiment)
        {
            self.numbers.insert(start.run, number);
        }
    }

    /// The run that was spoken of last is over: what the book has more of it makes it another one.
    fn settle(&mut self) -> Result<(), ImportError> {
        let Some(uid) = self.present.take() else {
            return Ok(());
        };
        match self.runs.remove(&uid) {
            Some(Run::Matching(matching)) if matching.is_whole() => {
                self.summary.same += 1;
                self.runs.insert(uid, Run::Matching(matching));
                Ok(())
            }
            Some(Run::Matching(matching)) => {
                let place = matching.place().clone();
                self.differs(&place, uid, &matching)
            }
            Some(new @ Run::New(_)) => {
                self.runs.insert(uid, new);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn take_of_run(
        &mut self,
        place: &Place,
        uid: RunUid,
        record: Record,
    ) -> Result<(), ImportError> {
        if !self.runs.contains_key(&uid) {
            let run = if let Some(matching) = Matching::of(&self.view, uid, place)? {
                Run::Matching(Box::new(matching))
            } else {
                self.summary.runs += 1;
                Run::New(None)
            };
            self.runs.insert(uid, run);
        }
        let differs = match self.runs.get_mut(&uid) {
            Some(Run::Matching(matching)) => {
                if matching.goes_on_with(place, &record) {
                    return Ok(());
                }
                true
            }
            Some(Run::New(_)) | None => false,
        };
        if differs && let Some(Run::Matching(matching)) = self.runs.remove(&uid) {
            self.differs(place, uid, &matching)?;
        }
        if let Record::Said(said) = &record {
            self.lived(uid, said.time);
        }
        self.write(record)
    }

    /// A run that is not what the book has: an error, or what was equal so far is repeated for its new id.
    fn differs(
        &mut self,
        place: &Place,
        uid: RunUid,
        matching: &Matching,
    ) -> Result<(), ImportError> {
        match self.manner.conflicts {
            Conflicts::Refuse => {
                let run = uid.to_string();
                Err(ImportError::at(place, Problem::RunDiffers { run }))
            }
            Conflicts::Rename => {
                let new = RunUid::mint(self.manner.entropy);
                self.renaming.run(uid, new);
                self.summary.renamed.push((uid, new));
                self.summary.runs += 1;
                self.runs.insert(uid, Run::New(None));
                for record in matching.repeated(&self.view)? {
                    if let Record::Said(said) = &record {
                        self.lived(uid, said.time);
                    }
                    self.write(record)?;
                }
                Ok(())
            }
        }
    }

    fn lived(&mut self, uid: RunUid, time: Timestamp) {
        if let Some(Run::New(life)) = self.runs.get_mut(&uid) {
            let (born, alive) = life.unwrap_or((time, time));
            *life = Some((born.min(time), alive.max(time)));
        }
    }

    /// A new experiment, one that is here, or one whose name is taken.
    fn meet(&mut self, place: &Place, create: &CreateExperiment) -> Result<(), ImportError> {
        let uid = create.experiment;
        if self.renaming.knows(uid) || self.held.is_arriving(uid) {
            return Ok(());
        }
        let here = (create.project.clone(), create.name.clone());
        let problem = match (self.held.experiment(uid), self.held.named(&here)) {
            (Some(own), _) if *own == here || uid == ExperimentUid::default() => return Ok(()),
            (Some(_), _) => Problem::ExperimentDiffers {
                experiment: uid.to_string(),
                what: "its project or its name",
            },
            (None, None) => {
                self.summary.experiments += 1;
                self.held.arrives(uid, here);
                return Ok(());
            }
            // Another uid of the experiment that has just come in.
            (None, Some(other)) if self.held.is_arriving(other) => {
                self.held.arrives(uid, here);
                return Ok(());
            }
            (None, Some(_)) => Problem::NameTaken {
                project: here.0.clone(),
                name: here.1.clone(),
            },
        };
        match self.manner.conflicts {
            Conflicts::Refuse => Err(ImportError::at(place, problem)),
            Conflicts::Rename => {
                let new = if self.held.experiment(uid).is_some() {
                    ExperimentUid::mint(self.manner.entropy)
                } else {
                    uid
                };
                let name = self.held.free_name(&here);
                self.summary.experiments += 1;
                self.held.arrives(new, (here.0, name.clone()));
                self.renaming.experiment(uid, new, name);
                Ok(())
            }
        }
    }

    /// Of experiments, projects and entries only what is not here comes in.
    fn take_of_noun(&mut self, noun: &Subject, record: Record) -> Result<(), ImportError> {
        let is_renamed = matches!(noun, Subject::Experiment(uid) if self.renaming.knows(*uid));
        if !is_renamed {
            if !self.nouns.contains_key(noun) {
                let there = standing::of_noun(&self.view, &self.held, noun)?;
                self.nouns.insert(noun.clone(), there);
            }
            if let Some(there) = self.nouns.get(noun) {
                if there.has(&record) {
                    return Ok(());
                }
                let overruled = there.overruled(&record, &self.held.told(noun));
                self.summary.overruled.extend(overruled);
            }
        }
        self.write(record)
    }

    fn take_unknown(&mut self, record: Record) -> Result<(), ImportError> {
        let there = match self.unknown.take() {
            Some(there) => there,
            None => standing::unknown(&self.view)?,
        };
        let is_there = there.contains(&digest(&record));
        self.unknown = Some(there);
        if is_there {
            return Ok(());
        }
        self.write(record)
    }
}
