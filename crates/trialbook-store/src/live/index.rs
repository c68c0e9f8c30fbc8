//! The column index of a book in service: laid over by what changed since it was asked last.
//!
//! Not here: how the index searches. Invariant: an index is given only to a view of the rows and batches that
//! it holds, or of more.

use std::sync::{Mutex, PoisonError};

use crate::backend::Counters;
use crate::error::BookError;
use crate::index::{Changes, Index};

/// Changed runs from which they are folded into the segments: each costs a search about a microsecond.
const MANY_CHANGES: usize = 1024;

/// The index that was asked last.
#[derive(Debug, Default)]
pub(crate) struct LiveIndex {
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
struct Held {
    base: Counters,
    tick: u64,
    index: Index,
}

impl LiveIndex {
    /// The index of a view: `anew` gives the one of the sealed rows, `since` what batches after a tick changed.
    pub(crate) fn index(
        &self,
        (base, tick): (Counters, u64),
        anew: impl FnOnce() -> Result<Index, BookError>,
        since: impl FnOnce(u64) -> Result<Changes, BookError>,
    ) -> Result<Index, BookError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |held: &Held| held.base == base;
        let known = held.as_ref().filter(|held| is_known(held));
        // A view that is older than what was asked last is on its own.
        if known.is_some_and(|known| known.tick > tick) {
            drop(held);
            let mut index = anew()?;
            index.apply(since(0)?);
            return Ok(index);
        }
        let (mut index, from) = match held.take().filter(is_known) {
            Some(known) => (known.index, known.tick),
            None => (anew()?, 0),
        };
        if from < tick || from == 0 {
            index.apply(since(from)?);
        }
        if index.pending() > MANY_CHANGES {
            let mut settled = index.clone();
            if settled.settle().is_ok() {
                index = settled;
            }
        }
        *held = Some(Held {
            base,
            tick,
            index: index.clone(),
        });
        Ok(index)
    }

    /// Forgets it: it was found damaged.
    pub(crate) fn forget(&self) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
