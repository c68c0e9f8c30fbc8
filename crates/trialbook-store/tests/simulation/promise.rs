//! What writers said, and what was promised to them.
//!
//! Invariant: a promise only grows, until the power goes or the disk has told that it failed.

use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::record::Signed;

/// What one writer said and what it was promised.
#[derive(Default)]
pub(crate) struct Promise {
    pub(crate) said: BTreeMap<i64, Signed>,
    /// Survives the end of the process.
    pub(crate) kernel: BTreeSet<i64>,
    /// Survives a power cut.
    pub(crate) disk: BTreeSet<i64>,
    /// Told as perhaps lost by a sync that failed: nothing said later promises them again.
    doubtful: BTreeSet<i64>,
    /// Whether all of it is to be there or nothing.
    pub(crate) together: bool,
}

impl Promise {
    /// One of records that come together.
    pub(crate) fn together() -> Self {
        Self {
            together: true,
            ..Self::default()
        }
    }

    /// All that was said so far has reached the kernel.
    pub(crate) fn acknowledge(&mut self) {
        let sure = self
            .said
            .keys()
            .filter(|mark| !self.doubtful.contains(mark));
        self.kernel.extend(sure);
    }

    pub(crate) fn doubt(&mut self) {
        let unsure = self.said.keys().filter(|mark| !self.disk.contains(mark));
        self.doubtful.extend(unsure);
    }

    pub(crate) fn secure(&mut self) {
        self.acknowledge();
        let sure = self.kernel.difference(&self.doubtful);
        self.disk.extend(sure);
    }
}
