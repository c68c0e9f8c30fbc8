//! Looks at the same rows that share what was read of them.
//!
//! Invariant: counters and names are those of the rows that are looked at.

use std::cell::RefCell;
use std::sync::Arc;

use trialbook_spool::codec::Scratch;

use super::Sealed;
use crate::backend::{Counters, Look};
use crate::pack::Names;

impl<'a> Sealed<'a> {
    /// A look whose counters and names are known already.
    pub(crate) fn with(look: Box<dyn Look + 'a>, counters: Counters, names: Arc<Names>) -> Self {
        Self {
            counters,
            look,
            names,
            scratch: RefCell::new(Scratch::default()),
            last_run: RefCell::default(),
        }
    }

    /// The names, for other looks at the same rows.
    pub(crate) fn shared_names(&self) -> Arc<Names> {
        Arc::clone(&self.names)
    }
}
