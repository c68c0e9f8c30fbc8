//! What the book has of the things that a stream speaks of.
//!
//! Not here: what becomes of what differs. Invariant: two records are the same when they are written the same;
//! documents of snapshots do not count, for their hash does, nor do numbers of runs and versions,
//! which each book gives anew where they are taken.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};
use trialbook_model::id::{ExperimentNo, ExperimentUid, RunUid};
use trialbook_model::record::{Op, Subject};
use trialbook_store::nouns::RunRow;
use trialbook_store::reading::Reading as _;
use trialbook_store::{BookError, BookView};

use super::registers::{Overruled, Registers};
use crate::error::{ImportError, Place};
use crate::gather::{Gather, uid_of};
use crate::record::{Record, Said};

/// What a record is known by.
pub(super) type Digest = [u8; 16];

/// The digest of a record.
pub(super) fn digest(record: &Record) -> Digest {
    let text = match record {
        Record::Said(said) => bare(said).map_or_else(|| record.to_json(), |it| it.to_json()),
        Record::Points(_) => record.to_json(),
    };
    // What cannot be written is equal to nothing that was read.
    let sum = Sha256::digest(text.unwrap_or_default());
    let mut digest = [0; 16];
    digest.copy_from_slice(&sum[..16]);
    digest
}

/// An operation without what does not count; `None` where all of it does.
fn bare(said: &Said) -> Option<Record> {
    let mut bare = said.clone();
    let taken = if let Op::LinkSnapshot(link) = &mut bare.op {
        link.document.take().is_some()
    } else if let Op::StartRun(start) = &mut bare.op {
        start.number.take().is_some()
    } else if let Op::CreateEntry(create) = &mut bare.op {
        create.number.take().is_some()
    } else {
        false
    };
    taken.then_some(Record::Said(bare))
}

/// A run of the book beside the one of the stream, as long as they are equal.
pub(super) struct Matching {
    row: RunRow,
    digests: Vec<Digest>,
    at: usize,
    place: Place,
}

impl Matching {
    /// The run of the book, if it has one of this uid.
    pub(super) fn of(
        view: &BookView<'_>,
        uid: RunUid,
        place: &Place,
    ) -> Result<Option<Self>, ImportError> {
        let Some(row) = view.run_by_uid(uid)? else {
            return Ok(None);
        };
        let mut digests = Vec::new();
        let mut sink = |record: Record| {
            digests.push(digest(&record));
            Ok::<_, BookError>(())
        };
        Gather::new(view).run(&row, &mut sink)?;
        Ok(Some(Self {
            row,
            digests,
            at: 0,
            place: place.clone(),
        }))
    }

    /// Whether the next record is the next one of the book, too.
    pub(super) fn goes_on_with(&mut self, place: &Place, record: &Record) -> bool {
        self.place = place.clone();
        let equal = self.digests.get(self.at) == Some(&digest(record));
        self.at += usize::from(equal);
        equal
    }

    /// Whether all of the run was met.
    pub(super) fn is_whole(&self) -> bool {
        self.at == self.digests.len()
    }

    /// Where its last record stands.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// What was equal so far.
    pub(super) fn repeated(&self, view: &BookView<'_>) -> Result<Vec<Record>, ImportError> {
        let mut records = Vec::new();
        let mut sink = |record: Record| {
            if records.len() < self.at {
                records.push(record);
            }
            Ok::<_, BookError>(())
        };
        Gather::new(view).run(&self.row, &mut sink)?;
        Ok(records)
    }
}

/// What the book has of an experiment, a project or an entry.
#[derive(Default)]
pub(super) struct OfNoun {
    digests: BTreeSet<Digest>,
    registers: Registers,
}

impl OfNoun {
    /// Whether the book has a record.
    pub(super) fn has(&self, record: &Record) -> bool {
        self.digests.contains(&digest(record))
    }

    /// What of a record and of the book is overruled.
    pub(super) fn overruled(&self, record: &Record, whose: &str) -> Vec<Overruled> {
        self.registers.against(record, whose)
    }
}

/// What the book has of an experiment, a project or an entry.
pub(super) fn of_noun(
    view: &BookView<'_>,
    held: &Held,
    noun: &Subject,
) -> Result<OfNoun, ImportError> {
    let mut there = OfNoun::default();
    let mut sink = |record: Record| {
        there.digests.insert(digest(&record));
        there.registers.learn(&record);
        Ok::<_, BookError>(())
    };
    let gather = Gather::new(view);
    match noun {
        Subject::Project(name) => gather.project(name, &view.project(name)?, &mut sink)?,
        Subject::Experiment(uid) => {
            let no = held.numbers.get(uid);
            if let Some(no) = no
                && let Some(row) = view.experiment(*no)?
            {
                gather.experiment(&row, &mut sink)?;
            }
        }
        Subject::Entry(uid) => {
            if let Some(no) = view.entry_no(*uid)?
                && let Some(row) = view.entry(no)?
            {
                gather.entry(&row, &mut sink)?;
            }
        }
        Subject::Run(_) => {}
    }
    Ok(there)
}

/// What the book has of records that this version does not know.
pub(super) fn unknown(view: &BookView<'_>) -> Result<BTreeSet<Digest>, ImportError> {
    let mut there = BTreeSet::new();
    let mut sink = |record: Record| {
        there.insert(digest(&record));
        Ok::<_, BookError>(())
    };
    Gather::new(view).unknown(&mut sink)?;
    Ok(there)
}

/// Project and name.
type Names = (String, String);

/// The experiments of the book, and those that come in.
pub(super) struct Held {
    /// The numbers of those of the book.
    numbers: BTreeMap<ExperimentUid, ExperimentNo>,
    by_uid: BTreeMap<ExperimentUid, Names>,
    by_name: BTreeMap<Names, ExperimentUid>,
    arriving: BTreeSet<ExperimentUid>,
}

impl Held {
    pub(super) fn of(view: &BookView<'_>) -> Result<Self, ImportError> {
        let mut held = Self {
            numbers: BTreeMap::new(),
            by_uid: BTreeMap::new(),
            by_name: BTreeMap::new(),
            arriving: BTreeSet::new(),
        };
        for row in view.experiments()? {
            let project = row.state.project();
            let first = row.state.place.as_ref().map(|place| &place.value);
            let first = first.map(|place| (place.project.as_str(), place.name.as_str()));
            // A document says where it was created, wherever it was moved since.
            let (from, created) = first.unwrap_or((project, ""));
            for uid in &row.state.uids {
                let place = (from.to_owned(), created.to_owned());
                held.numbers.insert(*uid, row.no);
                held.by_uid.insert(*uid, place);
            }
            let names = row.state.name().into_iter().chain(first.map(|it| it.1));
            let here = names.map(|name| (project, name));
            for (project, name) in here.chain(first) {
                let names = (project.to_owned(), name.to_owned());
                held.by_name.insert(names, uid_of(&row));
            }
        }
        Ok(held)
    }

    /// Where an experiment of the book was created.
    pub(super) fn experiment(&self, uid: ExperimentUid) -> Option<&Names> {
        self.by_uid.get(&uid)
    }

    /// What an experiment or a project is called.
    pub(super) fn told(&self, noun: &Subject) -> String {
        match noun {
            Subject::Experiment(uid) => match self.by_uid.get(uid) {
                Some((project, name)) => format!("experiment `{project}/{name}`"),
                None => format!("experiment {uid}"),
            },
            Subject::Project(name) => format!("project `{name}`"),
            Subject::Run(uid) => format!("run {uid}"),
            Subject::Entry(uid) => format!("entry {uid}"),
        }
    }

    /// The experiment of a name.
    pub(super) fn named(&self, names: &Names) -> Option<ExperimentUid> {
        self.by_name.get(names).copied()
    }

    /// An experiment comes in.
    pub(super) fn arrives(&mut self, uid: ExperimentUid, names: Names) {
        self.arriving.insert(uid);
        self.by_uid.insert(uid, names.clone());
        self.by_name.entry(names).or_insert(uid);
    }

    /// Whether an experiment came in with this stream.
    pub(super) fn is_arriving(&self, uid: ExperimentUid) -> bool {
        self.arriving.contains(&uid)
    }

    /// The first of `name-2`, `name-3` … that is free.
    pub(super) fn free_name(&self, (project, name): &Names) -> String {
        let candidates = (2_u64..).map(|number| format!("{name}-{number}"));
        let taken = |name: &String| self.by_name.contains_key(&(project.clone(), name.clone()));
        let mut free = candidates.filter(|name| !taken(name));
        free.next().expect("numbers do not end before names")
    }
}
