//! Windows that agree: what a search found is held for those who go on reading it.
//!
//! Invariant: a version stands for one search and one order of runs; what is held is bounded, the oldest goes first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use trialbook_model::id::RunNo;
use trialbook_model::time::Timestamp;

/// Runs that are held in all: 32 MB.
const MOST_RUNS: usize = 4 << 20;

/// Searches that are held.
const MOST_SEARCHES: usize = 256;

/// What was found, by version.
#[derive(Debug)]
pub(crate) struct Windows {
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    next: u64,
    all: VecDeque<Found>,
}

#[derive(Debug, Clone)]
struct Found {
    version: u64,
    search: String,
    runs: Arc<[RunNo]>,
}

impl Windows {
    /// None yet. Versions begin at the present time, so that those of an earlier process are none of this one.
    pub(crate) fn new(now: Timestamp) -> Self {
        let next = now.0.unsigned_abs();
        let all = VecDeque::new();
        Self {
            held: Mutex::new(Held { next, all }),
        }
    }

    /// Holds what a search found; gives its version.
    pub(super) fn hold(&self, search: &str, runs: Arc<[RunNo]>) -> u64 {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = held
            .all
            .iter()
            .find(|it| it.search == search && it.runs == runs)
        {
            return same.version;
        }
        let version = held.next;
        held.next += 1;
        held.all.push_back(Found {
            version,
            search: search.to_owned(),
            runs,
        });
        let mut size: usize = held.all.iter().map(|found| found.runs.len()).sum();
        while held.all.len() > 1 && (size > MOST_RUNS || held.all.len() > MOST_SEARCHES) {
            size -= held.all.pop_front().map_or(0, |found| found.runs.len());
        }
        version
    }

    /// What the search found at a version.
    pub(super) fn find(&self, search: &str, version: u64) -> Option<Arc<[RunNo]>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = held.all.iter();
        let found = all.find(|it| it.version == version && it.search == search)?;
        Some(Arc::clone(&found.runs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(numbers: &[u64]) -> Arc<[RunNo]> {
        numbers.iter().map(|no| RunNo(*no)).collect()
    }

    #[test]
    fn a_version_is_of_one_search_and_one_order() {
        let windows = Windows::new(Timestamp(5));
        let one = windows.hold("a", runs(&[1, 2]));
        assert_eq!(windows.hold("a", runs(&[1, 2])), one);
        let other = windows.hold("a", runs(&[2, 1]));
        assert_ne!(other, one);
        assert_eq!(windows.find("a", one), Some(runs(&[1, 2])));
        assert_eq!(windows.find("a", other), Some(runs(&[2, 1])));
        assert_eq!(windows.find("b", one), None);
    }

    #[test]
    fn the_oldest_goes_first_and_the_newest_stays() {
        let windows = Windows::new(Timestamp(5));
        let first = windows.hold("0", runs(&[0]));
        for no in 1..=MOST_SEARCHES as u64 {
            windows.hold(&no.to_string(), runs(&[no]));
        }
        assert_eq!(windows.find("0", first), None);
        assert!(windows.find("1", first + 1).is_some());
        let many: Vec<u64> = (0..=MOST_RUNS as u64).collect();
        let last = windows.hold("many", runs(&many));
        assert!(windows.find("many", last).is_some());
        assert!(windows.find("1", first + 1).is_none());
    }
}
