//! What views of a book in service are asked most: a run, a param, an experiment by its name.
//!
//! Not here: who keeps the fold that they share. Invariant: they answer as all other views do.

use std::rc::Rc;
use std::sync::Arc;

use trialbook_model::id::{ExperimentNo, ExperimentUid, RunNo, RunUid};
use trialbook_model::record::Param;
use trialbook_model::state::ExperimentState;

use super::BookView;
use crate::error::BookError;
use crate::fold::Folded;
use crate::indexes::Indexes;
use crate::live::LiveIndex;
use crate::nouns::RunRow;
use crate::reading::Reading as _;
use crate::sealed::Sealed;

impl<'a> BookView<'a> {
    /// A view of a book in service.
    pub(crate) fn live(
        sealed: Rc<Sealed<'a>>,
        fold: Arc<Folded>,
        of: (u64, usize),
        (indexes, live): (Arc<Indexes>, Arc<LiveIndex>),
    ) -> Self {
        Self {
            live: Some(live),
            ..Self::of(sealed, fold, of, indexes)
        }
    }

    /// The run of a uid, without a copy of its own.
    pub fn shared_run(&self, uid: RunUid) -> Result<Option<Arc<RunRow>>, BookError> {
        match self.run_no(uid)? {
            Some(no) => self.shared_row(no),
            None => Ok(None),
        }
    }

    /// As `Reading::runs`, without copies of their own.
    pub fn shared_runs(&self, numbers: &[RunNo]) -> Result<Vec<Arc<RunRow>>, BookError> {
        let mut rows = Vec::with_capacity(numbers.len());
        for no in numbers {
            match self.shared_row(*no) {
                // One damaged row does not hide the others.
                Err(error) if error.is_damage() && numbers.len() > 1 => {
                    self.damaged.borrow_mut().insert(*no);
                }
                row => rows.extend(row?),
            }
        }
        Ok(rows)
    }

    fn shared_row(&self, no: RunNo) -> Result<Option<Arc<RunRow>>, BookError> {
        if let Some(folded) = self.fold.runs.get(&no) {
            return Ok(Some(folded.row.share()));
        }
        if self.fold.removed.contains_key(&no) {
            return Ok(None);
        }
        Ok(self.sealed.run(no)?.map(|sealed| sealed.row.share()))
    }

    /// The first experiment that has a name in a project now, those in the bin too.
    pub fn experiment_named(
        &self,
        project: &str,
        name: &str,
    ) -> Result<Option<ExperimentNo>, BookError> {
        let bears = |state: &ExperimentState| {
            state.project() == project && state.name().is_some_and(|known| known == name)
        };
        let mut folded = self.fold.experiments.iter();
        let folded = folded.find(|(_, found)| bears(&found.row.state));
        let folded = folded.map(|(no, _)| *no);
        // What was spoken of since bears its present name above.
        let mut sealed = self.sealed.look().experiments_named(project, name)?;
        sealed.retain(|no| !self.fold.experiments.contains_key(no));
        Ok(folded.into_iter().chain(sealed).min())
    }

    /// The experiment of a uid.
    pub fn experiment_no(&self, uid: ExperimentUid) -> Result<Option<ExperimentNo>, BookError> {
        match self.fold.experiment_uids.get(&uid) {
            Some(no) => Ok(Some(*no)),
            None => self.sealed.look().experiment_no(uid),
        }
    }

    /// The present value of a param, so that a differing one can be refused at once (M-5).
    pub fn param(&self, uid: RunUid, key: &str) -> Result<Option<Param>, BookError> {
        let row = self.run_by_uid(uid)?;
        Ok(row.and_then(|row| row.state.params.get(key).map(|param| param.param().clone())))
    }
}
