//! A consistent look at a book: what is sealed, and the unsealed tails of all spools folded onto it.
//!
//! Not here: how rows and chunks are packed, what records mean. Invariant: nothing in the book's folder is
//! written, changed or removed, a view does not change, and nothing that was acknowledged before the view was opened is missing.

mod buckets;
mod entries;
mod items;
mod points;
mod search;
mod service;
mod sums;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use trialbook_model::filter::KeyKind;
use trialbook_model::id::{EntryNo, EntryUid, ExperimentNo, RunNo, RunUid, Uid};
use trialbook_model::record::{SeriesKey, Signed};
use trialbook_model::state::ProjectState;
use trialbook_spool::codec::{BucketSpec, Buckets};

use crate::backend::{Backend, Experiments, Look};
use crate::book::{Book, Effort};
use crate::error::BookError;
use crate::fold::{Fold, Folded, Kept};
use crate::index::{ExperimentFacts, Index};
use crate::indexes::Indexes;
use crate::live::LiveIndex;
use crate::nouns::{
    AssessRecord, EntryRow, EventRecord, ExperimentRow, ItemRecord, LogRecord, Owner, Recorded,
    RunRow, Series, SpanRecord,
};
use crate::pack::{Places, RecordPlace, unpack_document};
use crate::query::{Entries, Hits, ItemGroup, Query};
use crate::reading::{Reading, uids_beginning};
use crate::sealed::Sealed;
use crate::tails::{BATCH_BYTES, Tails, read_tails};
use buckets::RollCache;
pub(crate) use search::{build, changes_since};

/// How often a view begins anew because spools were sealed and removed meanwhile.
const ATTEMPTS: usize = 64;

/// A consistent look at a book. It does not change while others write.
pub struct BookView<'a> {
    sealed: Rc<Sealed<'a>>,
    fold: Arc<Folded>,
    unsealed_bytes: u64,
    dead_spools: usize,
    rolls: RefCell<RollCache>,
    indexes: Arc<Indexes>,
    /// The index with what is not sealed, once it was asked for.
    unsealed_index: RefCell<Option<Index>>,
    /// The index that all views of a book in service share.
    live: Option<Arc<LiveIndex>>,
    /// Damaged rows that were passed over.
    damaged: RefCell<BTreeSet<RunNo>>,
}

impl<'a> BookView<'a> {
    /// Opens a view. More tails than memory is to hold at once are sealed before, batch by batch, where that
    /// may be done.
    pub(crate) fn open(book: &'a Book) -> Result<Self, BookError> {
        Self::open_below(book, BATCH_BYTES)
    }

    pub(crate) fn open_below(book: &'a Book, limit: u64) -> Result<Self, BookError> {
        if book.writable().is_ok() {
            if let Some(view) = Self::within(book, limit)? {
                return Ok(view);
            }
            // Whoever else seals does the same, and what hinders it is told to whoever wants to seal.
            book.seal(Effort::All).ok();
        }
        let view = Self::within(book, u64::MAX)?;
        Ok(view.expect("no tail is longer than the limit"))
    }

    /// A view, unless the tails are longer than `limit`.
    fn within(book: &'a Book, limit: u64) -> Result<Option<Self>, BookError> {
        let folder = book.spool_folder();
        let list = || {
            let files = book.files().list(&folder);
            let mut files = files.map_err(BookError::io("list", &folder))?;
            files.retain(|file| file.extension().is_some_and(|ending| ending == "spool"));
            Ok(files.into_iter().collect())
        };
        let whole = Cell::new(true);
        let view = Self::over(book.backend(), book.indexes(), list, |look| {
            let tails = read_tails(book.files(), &folder, look, limit)?;
            whole.set(tails.is_whole());
            // What is not to be shown need not be folded.
            Ok(if whole.get() { tails } else { Tails::default() })
        })?;
        Ok(whole.get().then_some(view))
    }

    /// A view of rows with the tails that `read` gives for them; `list` gives the spools there
    /// are.
    pub(crate) fn over(
        backend: &'a dyn Backend,
        indexes: Arc<Indexes>,
        list: impl Fn() -> Result<BTreeSet<PathBuf>, BookError>,
        read: impl Fn(&dyn Look) -> Result<Tails, BookError>,
    ) -> Result<Self, BookError> {
        for _ in 0..ATTEMPTS {
            let before = list()?;
            let sealed = Rc::new(Sealed::open(backend.look()?)?);
            let tails = read(sealed.look())?;
            // A spool that was removed before the listing was sealed before the look, and one that is still
            // there was read, whatever was sealed meanwhile. Only one that went away in between may have
            // been missed by both.
            if before.is_subset(&list()?) {
                let (unsealed_bytes, dead_spools) = (tails.bytes(), tails.dead());
                let mut fold = Fold::new(Rc::clone(&sealed));
                fold.apply(tails.batch)?;
                let of = (unsealed_bytes, dead_spools);
                return Ok(Self::of(sealed, fold.folded, of, indexes));
            }
        }
        Err(BookError::Restless)
    }

    fn of(
        sealed: Rc<Sealed<'a>>,
        fold: Arc<Folded>,
        (unsealed_bytes, dead_spools): (u64, usize),
        indexes: Arc<Indexes>,
    ) -> Self {
        Self {
            sealed,
            fold,
            unsealed_bytes,
            dead_spools,
            rolls: RefCell::default(),
            indexes,
            unsealed_index: RefCell::default(),
            live: None,
            damaged: RefCell::default(),
        }
    }

    /// Ends the view of a process that is about to end: the many small pieces of memory in what was folded
    /// are left to the system, which takes them back at once.
    pub fn leave(self) {
        std::mem::forget(Arc::clone(&self.fold));
        std::mem::forget(self.unsealed_index.take());
    }

    fn row(&self, no: RunNo) -> Result<Option<RunRow>, BookError> {
        if let Some(folded) = self.fold.runs.get(&no) {
            return Ok(Some(RunRow::clone(&folded.row)));
        }
        if self.fold.removed.contains_key(&no) {
            return Ok(None);
        }
        let sealed = self.sealed.run(no)?;
        Ok(sealed.map(|sealed| RunRow::clone(&sealed.row)))
    }

    /// The book's identity, which no other has.
    pub fn book_uid(&self) -> Result<Uid, BookError> {
        self.sealed.look().uid()
    }

    /// Bytes in spools that are not sealed.
    pub fn unsealed_bytes(&self) -> u64 {
        self.unsealed_bytes
    }

    /// Spools of writers that have ended.
    pub fn dead_spools(&self) -> usize {
        self.dead_spools
    }

    /// Raised by each seal.
    pub fn rev(&self) -> u64 {
        self.sealed.counters().rev
    }

    /// Where the sealed chunks of a subject are, and what is new of it.
    fn places(&self, of: &Owner) -> Result<(Places, Option<&Kept>), BookError> {
        let kept = self.fold.kept(of);
        if let Some(kept) = kept {
            return Ok((kept.places.clone(), Some(kept)));
        }
        let places = match of {
            Owner::Run(no) if self.fold.removed.contains_key(no) => None,
            Owner::Run(no) => self.sealed.run(*no)?.map(|run| run.places.clone()),
            Owner::Experiment(no) => self.sealed.experiment(*no)?.map(|found| found.places),
            Owner::Project(name) => self.sealed.project(name)?.map(|project| project.places),
            Owner::Entry(no) if self.fold.entries.removed.contains_key(no) => None,
            Owner::Entry(no) => self.sealed.entry(*no)?.map(|found| found.places),
        };
        Ok((places.unwrap_or_default(), None))
    }

    fn records<T: serde::de::DeserializeOwned + Clone>(
        &self,
        of: &Owner,
        place: impl Fn(&Places) -> Option<RecordPlace>,
        new: impl Fn(&Kept) -> &Vec<Recorded<T>>,
    ) -> Result<Vec<Recorded<T>>, BookError> {
        let (places, kept) = self.places(of)?;
        let mut records = self.sealed.records(&places, place(&places))?;
        if let Some(kept) = kept {
            records.extend_from_slice(new(kept));
        }
        records.sort_by_key(|record| record.stamp);
        Ok(records)
    }
}

impl Reading for BookView<'_> {
    type Error = BookError;

    fn experiments(&self) -> Result<Vec<ExperimentRow>, BookError> {
        let mut rows = BTreeMap::new();
        for sealed in self.sealed.experiments(Experiments::All)? {
            rows.insert(sealed.row.no, sealed.row);
        }
        for (no, folded) in &self.fold.experiments {
            rows.insert(*no, folded.row.clone());
        }
        Ok(rows.into_values().collect())
    }

    fn experiment(&self, no: ExperimentNo) -> Result<Option<ExperimentRow>, BookError> {
        if let Some(folded) = self.fold.experiments.get(&no) {
            return Ok(Some(folded.row.clone()));
        }
        Ok(self.sealed.experiment(no)?.map(|sealed| sealed.row))
    }

    fn project(&self, name: &str) -> Result<ProjectState, BookError> {
        if let Some(folded) = self.fold.projects.get(name) {
            return Ok(folded.state.clone());
        }
        let sealed = self.sealed.project(name)?;
        Ok(sealed.map(|sealed| sealed.state).unwrap_or_default())
    }

    fn projects(&self) -> Result<Vec<String>, BookError> {
        let experiments = self.experiments()?;
        let of_experiments = experiments.iter().map(|row| row.state.project().to_owned());
        let sealed = self.sealed.projects()?.into_iter().map(|(name, _)| name);
        let folded = self.fold.projects.keys().cloned();
        let mut names: Vec<String> = of_experiments.chain(sealed).chain(folded).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn entry_no(&self, uid: EntryUid) -> Result<Option<EntryNo>, BookError> {
        self.fold.entry_no(self.sealed.look(), uid)
    }

    fn entry(&self, no: EntryNo) -> Result<Option<EntryRow>, BookError> {
        self.entry_row(no)
    }

    fn entries(&self, wanted: &Entries) -> Result<Vec<EntryRow>, BookError> {
        self.entry_rows(wanted)
    }

    fn collection(&self, project: &str, name: &str) -> Result<Option<EntryNo>, BookError> {
        self.fold.collection(self.sealed.look(), project, name)
    }

    fn run_no(&self, uid: RunUid) -> Result<Option<RunNo>, BookError> {
        if let Some(no) = self.fold.run_numbers.get(&uid) {
            return Ok(Some(*no));
        }
        let sealed = self.sealed.look().run_no(uid)?;
        Ok(sealed.filter(|no| !self.fold.removed.contains_key(no)))
    }

    fn runs_beginning(&self, digits: &str, limit: usize) -> Result<Vec<RunNo>, BookError> {
        match uids_beginning(digits) {
            Some(uids) => self.fold.runs_between(&self.sealed, uids, limit),
            None => Ok(Vec::new()),
        }
    }

    fn runs(&self, numbers: &[RunNo]) -> Result<Vec<RunRow>, BookError> {
        let mut rows = Vec::with_capacity(numbers.len());
        for no in numbers {
            match self.row(*no) {
                // One damaged row does not hide the others.
                Err(error) if error.is_damage() && numbers.len() > 1 => {
                    self.damaged.borrow_mut().insert(*no);
                }
                row => rows.extend(row?),
            }
        }
        Ok(rows)
    }

    fn search(&self, query: &Query) -> Result<Hits, BookError> {
        self.find(query)
    }

    fn count_runs(&self) -> Result<BTreeMap<ExperimentNo, u64>, BookError> {
        self.ask(Index::count_runs)
    }

    fn series(&self, of: &Owner, key: &SeriesKey) -> Result<Series, BookError> {
        self.points_of(of, key)
    }

    fn buckets(&self, of: &Owner, key: &SeriesKey, spec: BucketSpec) -> Result<Buckets, BookError> {
        self.buckets_of(of, key, spec)
    }

    fn buckets_each(
        &self,
        of: &[Owner],
        key: &SeriesKey,
        spec: BucketSpec,
    ) -> Result<Vec<Buckets>, BookError> {
        self.buckets_of_each(of, key, spec)
    }

    fn events(&self, of: &Owner) -> Result<Vec<EventRecord>, BookError> {
        self.records(of, |places| places.events, |kept| &kept.events)
    }

    fn spans(&self, of: &Owner) -> Result<Vec<SpanRecord>, BookError> {
        self.records(of, |places| places.spans, |kept| &kept.spans)
    }

    fn logs(&self, run: RunNo) -> Result<Vec<LogRecord>, BookError> {
        self.records(&Owner::Run(run), |places| places.logs, |kept| &kept.logs)
    }

    fn items(&self, run: RunNo) -> Result<Vec<ItemRecord>, BookError> {
        let (places, kept) = self.places(&Owner::Run(run))?;
        let mut items = self.sealed.items(&places)?;
        if let Some(kept) = kept {
            items.extend_from_slice(&kept.items);
        }
        items.sort_by_key(|item| item.stamp);
        Ok(items)
    }

    fn assessments(&self, run: RunNo) -> Result<Vec<AssessRecord>, BookError> {
        let of = Owner::Run(run);
        self.records(&of, |places| places.assessments, |kept| &kept.assessments)
    }

    fn group_items(&self, runs: &[RunNo], labels: &[String]) -> Result<Vec<ItemGroup>, BookError> {
        self.count_items(runs, labels)
    }

    fn unknown(&self) -> Result<Vec<Signed>, BookError> {
        let mut records = self.sealed.look().unknown()?;
        records.extend_from_slice(&self.fold.unknown);
        records.sort_by_key(|signed| (signed.writer, signed.seq));
        Ok(records)
    }

    fn snapshot(&self, sha256: &str) -> Result<Option<serde_json::Value>, BookError> {
        if let Some(document) = self.fold.snapshots.get(sha256) {
            return Ok(Some(serde_json::Value::clone(document)));
        }
        let Some(packed) = self.sealed.look().snapshot(sha256)? else {
            return Ok(None);
        };
        let document = unpack_document(&packed).map_err(BookError::damaged("snapshot", 0))?;
        Ok(Some(document))
    }

    fn run_count(&self) -> Result<u64, BookError> {
        let sealed = self.sealed.look().changed_since(0)?;
        let first_new = self.sealed.counters().run;
        let new = self.fold.runs.range(RunNo(first_new)..).count() as u64;
        // Others got their number since, and it will stay unused.
        let removed = self.fold.removed.range(..RunNo(first_new)).count() as u64;
        Ok(sealed + new - removed)
    }

    fn newest(&self, limit: usize) -> Result<Vec<RunNo>, BookError> {
        self.newest_runs(limit)
    }

    fn damaged(&self) -> Result<BTreeSet<RunNo>, BookError> {
        let folded = self.fold.runs.iter();
        let folded = folded.filter(|(_, run)| run.kept.aside.is_some());
        let mut damaged = self.damaged.borrow().clone();
        damaged.extend(folded.map(|(no, _)| *no));
        damaged.extend(self.unindexed()?);
        Ok(damaged)
    }

    fn experiment_facts(&self) -> Result<Vec<ExperimentFacts>, BookError> {
        self.ask(|index| Ok(index.experiments().to_vec()))
    }

    fn key_names(&self, kind: KeyKind) -> Result<BTreeSet<String>, BookError> {
        self.ask(|index| index.names(kind))
    }
}
