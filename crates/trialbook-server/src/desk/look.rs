//! What a request sees of the book: everything acknowledged so far, by whomever.
//!
//! Not here: how it is kept. Invariant: a look does not change while it is used.

use std::ops::Deref;
use std::sync::Arc;

use trialbook_model::id::{ExperimentNo, RunUid};
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading as _;
use trialbook_store::{BookError, BookView};

/// A consistent look at the book, with the lookups that most requests need.
pub struct Look<'a> {
    view: BookView<'a>,
}

impl<'a> Look<'a> {
    pub(super) const fn new(view: BookView<'a>) -> Self {
        Self { view }
    }
}

impl Look<'_> {
    /// The run of a uid, those in the bin too.
    pub fn run_of(&self, uid: RunUid) -> Result<Option<Arc<RunRow>>, BookError> {
        self.view.shared_run(uid)
    }

    /// An experiment, those in the bin too.
    pub fn experiment_of(&self, no: ExperimentNo) -> Result<Option<Arc<ExperimentRow>>, BookError> {
        Ok(self.view.experiment(no)?.map(Arc::new))
    }
}

impl<'a> Deref for Look<'a> {
    type Target = BookView<'a>;

    fn deref(&self) -> &Self::Target {
        &self.view
    }
}
