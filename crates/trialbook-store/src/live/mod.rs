//! A book in service: one process holds its lease, keeps what is not sealed folded in memory, and decides
//! what others will read.
//!
//! Batches are folded in the order of their arrival and sealed as they were folded, so that numbers and names
//! that were answered stay. Other processes go on to write spools of their own, which are followed. Not here:
//! threads, requests. Invariant: what was written through [`Live::write`] is seen by the next view, is on the
//! disk after [`SyncPoint::sync`], and is sealed once.

mod delivery;
mod index;
mod own;
mod standing;
mod state;
mod tail;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use trialbook_model::id::WriterUid;
use trialbook_model::record::{Op, Signed};
use trialbook_spool::{Note, SyncPoint, remove_unfinished};

use crate::book::{Book, Effort};
use crate::error::BookError;
use crate::fold::{Batch, Fold};
use crate::recorder::RecorderOptions;
use crate::seal::{
    LARGE_BYTES, Lease, MANY_SPOOLS, change_of, remove_consumed, seal_held, take_lease,
};
use crate::sealed::Sealed;
use crate::sequences::{Numbers, Sequences};
use crate::tails::TailRead;
use crate::view::BookView;

pub use delivery::{Delivery, Gaps};
pub(crate) use index::LiveIndex;
use own::Own;
pub use standing::{Measure, Standing};
use standing::{Now, Watch};
use state::State;
use tail::Tail;

/// Runs with unsealed records from which they are sealed: their states are held in memory.
const MANY_RUNS: usize = 1024;

/// The one who writes to a book in service.
pub struct Live<'b> {
    book: &'b Book,
    _lease: Lease,
    options: RecorderOptions,
    standing: Arc<Standing>,
    /// `None` after a failure, until everything was read anew.
    state: Option<State<'b>>,
    seals: u64,
    sealed_records: u64,
}

impl<'b> Live<'b> {
    /// Takes a book into service; `None` while somebody else has its lease. What was left unsealed is sealed
    /// first where it is much.
    pub fn open(
        book: &'b Book,
        options: RecorderOptions,
        standing: &Arc<Standing>,
    ) -> Result<Option<Self>, BookError> {
        book.writable()?;
        let Some(lease) = book.with_ground(take_lease)? else {
            return Ok(None);
        };
        book.with_ground(|ground| seal_held(ground, Effort::IfLarge))?;
        let mut live = Self {
            book,
            _lease: lease,
            options,
            standing: Arc::clone(standing),
            state: None,
            seals: 0,
            sealed_records: 0,
        };
        live.catch_up()?;
        Ok(Some(live))
    }

    /// Takes in what other processes have spooled.
    pub fn catch_up(&mut self) -> Result<(), BookError> {
        let caught = self.try_to_catch_up();
        self.dropping_on_failure(caught)
    }

    fn try_to_catch_up(&mut self) -> Result<(), BookError> {
        loop {
            self.begin()?;
            let book = self.book;
            let state = self.state.as_mut().expect("it was just begun");
            let files = book.files();
            let folder = book.spool_folder();
            let listed = files
                .list(&folder)
                .map_err(BookError::io("list", &folder))?;
            let mut changed = state.find(files, listed)?;
            let (batch, read) = state.read(files, LARGE_BYTES)?;
            changed |= read > 0 || batch.records > 0;
            let whole = read < LARGE_BYTES;
            if batch.records > 0 {
                self.fold(batch, read)?;
            }
            if changed {
                self.tell();
            }
            if whole {
                return Ok(());
            }
            // More than memory is to hold at once.
            self.try_to_seal()?;
        }
    }

    /// A view of everything folded so far.
    pub fn view(&mut self) -> Result<BookView<'b>, BookError> {
        let begun = self.begin();
        self.dropping_on_failure(begun)?;
        let state = self.state.as_ref().expect("it was just begun");
        let measure = self.standing.measure();
        let (sealed, folded) = (Rc::clone(&state.sealed), Arc::clone(&state.fold.folded));
        Ok(self.standing.over(self.book, sealed, folded, measure))
    }

    /// Writes operations. They are seen at once, and durable after the sync point was synced.
    pub fn write(&mut self, said: &[(Op, Note)]) -> Result<(), BookError> {
        let written = self.try_to_write(said);
        self.dropping_on_failure(written)
    }

    /// The same; gives the operations as they were signed.
    #[cfg(test)]
    pub(crate) fn write_signed(&mut self, said: &[(Op, Note)]) -> Result<Vec<Signed>, BookError> {
        let state = self.ready_to_write()?;
        let mut batch = Batch::default();
        state.record(said, &mut batch.operations)?;
        let signed = batch.operations.clone();
        self.fold(batch, 0)?;
        Ok(signed)
    }

    #[cfg(test)]
    pub(crate) const fn book(&self) -> &'b Book {
        self.book
    }

    fn try_to_write(&mut self, said: &[(Op, Note)]) -> Result<(), BookError> {
        if said.is_empty() {
            return Ok(());
        }
        let state = self.ready_to_write()?;
        let before = state.own_bytes();
        let mut batch = Batch::default();
        let written = state.record(said, &mut batch.operations);
        let bytes = state.own_bytes().saturating_sub(before);
        batch.records = batch.operations.len() as u64;
        // What was written before a failure is in the book.
        self.fold(batch, bytes)?;
        written
    }

    /// Takes in what others recorded elsewhere. It is seen at once, and durable after the sync point was synced.
    pub fn deliver(&mut self, records: &[Signed], gaps: Gaps) -> Result<Delivery, BookError> {
        let delivered = self.try_to_deliver(records, gaps);
        self.dropping_on_failure(delivered)
    }

    fn try_to_deliver(&mut self, records: &[Signed], gaps: Gaps) -> Result<Delivery, BookError> {
        if records.is_empty() {
            return Ok(Delivery::default());
        }
        let state = self.ready_to_write()?;
        let before = state.own_bytes();
        let mut batch = Batch::default();
        let delivered = state.deliver(records, gaps, &mut batch.operations);
        let bytes = state.own_bytes().saturating_sub(before);
        batch.records = batch.operations.len() as u64;
        self.fold(batch, bytes)?;
        delivered
    }

    /// Which records of writers are in the book, as ranges of their numbers.
    pub fn numbers_of(&mut self, writers: &[WriterUid]) -> Result<Vec<Vec<(u64, u64)>>, BookError> {
        self.begin()?;
        let state = self.state.as_mut().expect("it was just begun");
        writers.iter().map(|it| state.numbers_of(*it)).collect()
    }

    /// The state with a spool of its own, which is made for the first write.
    fn ready_to_write(&mut self) -> Result<&mut State<'b>, BookError> {
        self.begin()?;
        let is_open = self.state.as_ref().is_some_and(|state| state.own.is_some());
        if !is_open {
            let own = Own::open(self.book, self.options.clone())?;
            if let Some(state) = &mut self.state {
                state.own = Some(own);
            }
            self.tell();
        }
        Ok(self.state.as_mut().expect("it was just begun"))
    }

    /// What makes durable, from any thread, what was written so far.
    pub fn sync_point(&self) -> Option<SyncPoint> {
        self.state.as_ref()?.own.as_ref()?.sync_point()
    }

    /// Records that were taken in since the book is in service.
    pub fn records(&self) -> u64 {
        self.sealed_records + self.state.as_ref().map_or(0, |state| state.records)
    }

    /// Whether there is so much that it should be sealed.
    pub fn is_heavy(&self) -> bool {
        self.state.as_ref().is_some_and(|state| {
            state.bytes >= LARGE_BYTES
                || state.fold.runs.len() >= MANY_RUNS
                || state.tails.values().filter(|tail| tail.is_dead()).count() >= MANY_SPOOLS
        })
    }

    /// Seals everything that was spooled. Views go on meanwhile.
    pub fn seal(&mut self) -> Result<(), BookError> {
        let sealed = self.catch_up().and_then(|()| self.try_to_seal());
        self.dropping_on_failure(sealed)
    }

    fn try_to_seal(&mut self) -> Result<(), BookError> {
        let Some(state) = &mut self.state else {
            return Ok(());
        };
        let files = self.book.files();
        for tail in state.tails.values_mut() {
            tail.look_after(files)?;
        }
        // The last words of those that were found dead.
        let state = self.state.as_mut().expect("it is there since above");
        let (batch, _) = state.read(files, u64::MAX)?;
        if batch.records > 0 {
            self.fold(batch, 0)?;
        }
        let state = self.state.take().expect("it is there since above");
        self.commit(state)
    }

    /// Commits a state, and begins the next one on top of it.
    fn commit(&mut self, state: State<'b>) -> Result<(), BookError> {
        let State {
            sealed,
            fold,
            mut tails,
            sequences,
            mut own,
            records,
            ..
        } = state;
        let reads: Vec<TailRead> = tails
            .values()
            .map(Tail::as_read)
            .chain(own.as_ref().map(Own::as_read).unwrap_or_default())
            .collect();
        if reads.iter().any(|read| read.changed) {
            let changed = reads.iter().filter(|read| read.changed);
            let records = changed.map(|read| read.record.clone()).collect();
            let mut change = change_of(fold, &sealed, records)?;
            let grown = sequences.iter().filter(|(_, numbers)| numbers.has_grown());
            change.sequences = grown
                .map(|(writer, numbers)| (*writer, numbers.clone()))
                .collect();
            self.book.backend().commit(&change)?;
        }
        // An open look would hold back the log of the database.
        drop(sealed);
        tails.values_mut().for_each(Tail::mark_sealed);
        if let Some(own) = &mut own {
            own.mark_sealed();
        }
        let writers = tails
            .values()
            .map(|tail| tail.writer)
            .chain(own.as_ref().map(Own::writer));
        let writers: BTreeSet<_> = writers.collect();
        let mut sequences = sequences;
        sequences.retain(|writer, _| writers.contains(writer));
        for numbers in sequences.values_mut() {
            *numbers = Numbers::new(numbers.ranges().clone());
        }
        self.seals += 1;
        self.sealed_records += records;
        self.start(tails, sequences, own)?;
        self.tidy(&reads)
    }

    /// Removes spools that are sealed to their end, and brings the index's snapshot up to date.
    fn tidy(&mut self, reads: &[TailRead]) -> Result<(), BookError> {
        let book = self.book;
        book.with_ground(|ground| {
            remove_consumed(ground, reads)?;
            remove_unfinished(ground.files, ground.spools)?;
            ground
                .indexes
                .refresh(&Sealed::open(ground.backend.look()?)?)
        })?;
        let folder = book.spool_folder();
        let there = book.files().list(&folder);
        let there = there.map_err(BookError::io("list", &folder))?;
        if let Some(state) = &mut self.state {
            state.tails.retain(|path, _| there.contains(path));
            if let Some(own) = &mut state.own {
                own.forget_removed(&there);
            }
        }
        self.tell();
        Ok(())
    }

    /// Begins anew, from the disk, where nothing is known.
    fn begin(&mut self) -> Result<(), BookError> {
        if self.state.is_some() {
            return Ok(());
        }
        self.start(BTreeMap::new(), Sequences::new(), None)
    }

    fn start(
        &mut self,
        tails: BTreeMap<PathBuf, Tail>,
        sequences: Sequences,
        own: Option<Own>,
    ) -> Result<(), BookError> {
        let sealed = Rc::new(Sealed::open(self.book.backend().look()?)?);
        let fold = Fold::new(Rc::clone(&sealed));
        self.state = Some(State {
            sealed,
            fold,
            tails,
            sequences,
            own,
            passed_over: BTreeSet::new(),
            bytes: 0,
            records: 0,
        });
        self.tell();
        Ok(())
    }

    /// Folds a batch; no reader has the fold meanwhile, so that nothing of it need be copied.
    fn fold(&mut self, batch: Batch, bytes: u64) -> Result<(), BookError> {
        let state = self.state.as_mut().expect("only what was begun is folded");
        let mut slot = self.standing.slot();
        let now = slot.now.take();
        let base = now.map(|now| (now.base, now.names));
        state.bytes += bytes;
        state.records += batch.records;
        state.fold.apply(batch)?;
        slot.now = base.map(|(base, names)| Now {
            base,
            names,
            folded: Arc::clone(&state.fold.folded),
        });
        slot.measure.unsealed_bytes = state.bytes;
        slot.measure.unsealed_runs = state.fold.runs.len() as u64;
        Ok(())
    }

    /// Tells readers how things stand.
    fn tell(&self) {
        let Some(state) = &self.state else {
            return;
        };
        let known = state.tails.keys().chain(&state.passed_over).cloned();
        let known = known.chain(state.own.iter().flat_map(Own::paths));
        let watch = Watch {
            known: known.collect(),
            tails: state.tails.values().filter_map(Tail::watched).collect(),
        };
        let mut slot = self.standing.slot();
        slot.now = Some(Now {
            base: state.sealed.counters(),
            names: state.sealed.shared_names(),
            folded: Arc::clone(&state.fold.folded),
        });
        slot.watched = Arc::new(watch);
        slot.measure = Measure {
            unsealed_bytes: state.bytes,
            unsealed_runs: state.fold.runs.len() as u64,
            spools: state.tails.len() as u64,
            dead_spools: state.tails.values().filter(|tail| tail.is_dead()).count(),
            seals: self.seals,
            sealed_records: self.sealed_records,
        };
    }

    /// After a failure what is in memory may differ from what is on the disk, which holds: it is read anew.
    fn dropping_on_failure<T>(&mut self, done: Result<T, BookError>) -> Result<T, BookError> {
        if done.is_err() {
            self.standing.slot().now = None;
            self.state = None;
            // Readers go on with it. What hinders that is told to whoever asks next.
            if self.try_to_catch_up().is_err() {
                self.state = None;
            }
        }
        done
    }

    /// Ends the service: everything on the disk, the lease given up.
    pub fn close(mut self) -> Result<(), BookError> {
        self.standing.slot().now = None;
        match self.state.take() {
            Some(State { own: Some(own), .. }) => own.finish(),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
