//! How a book in service stands, for all who read it while one writes.
//!
//! Lock order: the slot is the only lock, and is held by readers for as long as a few pointers are copied.
//! Not here: writing. Invariant: a view holds every batch that was folded before it was asked for, over the
//! rows that these were folded onto.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::index::LiveIndex;
use super::tail::Watched;
use crate::backend::Counters;
use crate::book::Book;
use crate::error::BookError;
use crate::fold::Folded;
use crate::pack::Names;
use crate::sealed::Sealed;
use crate::view::BookView;

/// Between two attempts to see rows and batches that belong together.
const BREATH: Duration = Duration::from_micros(200);

/// Attempts: some seconds.
const ATTEMPTS: u32 = 25_000;

/// Shared by the one who writes and all who read.
#[derive(Default)]
pub struct Standing {
    slot: Mutex<Slot>,
}

/// What is handed to readers.
#[derive(Default)]
pub(super) struct Slot {
    /// `None` while the one who writes has it.
    pub(super) now: Option<Now>,
    pub(super) watched: Arc<Watch>,
    pub(super) measure: Measure,
}

/// Rows, and the batches over them.
#[derive(Clone)]
pub(super) struct Now {
    pub(super) base: Counters,
    pub(super) names: Arc<Names>,
    pub(super) folded: Arc<Folded>,
    /// Of this fold alone: another one counts its batches anew.
    pub(super) index: Arc<LiveIndex>,
}

/// Where reading the spools of others stands.
#[derive(Default)]
pub(super) struct Watch {
    pub(super) known: BTreeSet<PathBuf>,
    pub(super) tails: Vec<Watched>,
}

/// How much there is, for whoever watches over a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure {
    /// Bytes in spools that are not sealed.
    pub unsealed_bytes: u64,
    /// Runs that unsealed records speak of.
    pub unsealed_runs: u64,
    /// Spools of other processes.
    pub spools: u64,
    /// Those of them whose writers have ended.
    pub dead_spools: usize,
    /// Seals since the book is in service.
    pub seals: u64,
    /// Records that these sealed.
    pub sealed_records: u64,
}

impl Standing {
    pub(super) fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much there is.
    pub fn measure(&self) -> Measure {
        self.slot().measure
    }

    /// Whether nothing was spooled by others that is not folded yet. Where something was, the one who writes
    /// has to catch up before a view holds it.
    pub fn is_current(&self, book: &Book) -> Result<bool, BookError> {
        let watch = Arc::clone(&self.slot().watched);
        if watch.tails.iter().any(Watched::has_grown) {
            return Ok(false);
        }
        let folder = book.spool_folder();
        let files = book.files().list(&folder);
        let files = files.map_err(BookError::io("list", &folder))?;
        let mut spools = files.iter().filter(|file| is_spool(file));
        Ok(spools.all(|file| watch.known.contains(file)))
    }

    /// A view of everything folded so far.
    pub fn view<'a>(&self, book: &'a Book) -> Result<BookView<'a>, BookError> {
        for _ in 0..ATTEMPTS {
            let slot = self.slot();
            let (now, measure) = (slot.now.clone(), slot.measure);
            drop(slot);
            if let Some(now) = now {
                let look = book.backend().look()?;
                // A seal was committed, and its writer is just about to tell.
                if look.counters()? == now.base {
                    let sealed = Sealed::with(look, now.base, now.names);
                    return Ok(over(book, sealed.into(), (now.folded, now.index), measure));
                }
            }
            thread::sleep(BREATH);
        }
        Err(BookError::Restless)
    }
}

/// A view of rows with a fold over them, which has an index of its own.
pub(super) fn over<'a>(
    book: &'a Book,
    sealed: std::rc::Rc<Sealed<'a>>,
    (folded, index): (Arc<Folded>, Arc<LiveIndex>),
    measure: Measure,
) -> BookView<'a> {
    let of = (measure.unsealed_bytes, measure.dead_spools);
    BookView::live(sealed, folded, of, (book.indexes(), index))
}

/// Whether a file of the spool folder is a spool that has its name.
pub(super) fn is_spool(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|ending| ending == "spool")
}
