//! Creating experiments: the first of a name in its project holds.

use std::collections::BTreeSet;

use trialbook_model::id::{ExperimentNo, ExperimentUid};
use trialbook_model::record::{CreateExperiment, Op, Signed, Subject};
use trialbook_model::state::ExperimentState;

use super::{Fold, FoldedExperiment, Kept};
use crate::error::BookError;
use crate::nouns::ExperimentRow;

impl Fold<'_> {
    /// Takes in what gives an experiment its name: its creation, and later changes of its name or project,
    /// so that a name which was given up is free for whoever creates it afterwards.
    pub(super) fn name_experiment(&mut self, signed: &Signed) -> Result<(), BookError> {
        if let Op::CreateExperiment(create) = &signed.op {
            return self.create_experiment(create, signed);
        }
        let Some(uid) = renamed(&signed.op) else {
            return Ok(());
        };
        // One that was not created yet bears no name; a register takes the same change twice.
        let is_known = self.experiment_uids.contains_key(&uid)
            || self.sealed.look().experiment_no(uid)?.is_some();
        if is_known {
            self.take(signed)?;
        }
        Ok(())
    }

    /// Creates an experiment, or gives one that exists another uid.
    fn create_experiment(
        &mut self,
        create: &CreateExperiment,
        signed: &Signed,
    ) -> Result<(), BookError> {
        let uid = create.experiment;
        let known = match self.experiment_uids.get(&uid) {
            Some(no) => Some(*no),
            None => self.sealed.look().experiment_no(uid)?,
        };
        let no = if let Some(no) = known {
            no
        } else {
            let no = match self.experiment_named(&create.project, &create.name)? {
                Some(no) => no,
                None => self.new_experiment(),
            };
            self.experiment_uids.insert(uid, no);
            no
        };
        self.load_experiment(no)?;
        self.nouns_tick = self.tick;
        self.experiment_mut(no).row.state.apply(signed);
        self.note_name(no);
        Ok(())
    }

    /// The first experiment that has a name in a project now.
    fn experiment_named(
        &mut self,
        project: &str,
        name: &str,
    ) -> Result<Option<ExperimentNo>, BookError> {
        let place = (project.to_owned(), name.to_owned());
        let folded = self.names.get(&place).and_then(BTreeSet::first).copied();
        let sealed = self.sealed.look().experiments_named(project, name)?;
        // What the batch has changed bears its present name above.
        let sealed = sealed
            .into_iter()
            .find(|no| !self.experiments.contains_key(no));
        Ok(match (folded, sealed) {
            (Some(folded), Some(sealed)) => Some(folded.min(sealed)),
            (folded, sealed) => folded.or(sealed),
        })
    }

    pub(super) fn new_experiment(&mut self) -> ExperimentNo {
        let no = ExperimentNo(self.counters.experiment);
        self.counters.experiment += 1;
        let row = ExperimentRow {
            no,
            state: ExperimentState::default(),
        };
        let kept = Kept::default();
        let named = None;
        let experiment = FoldedExperiment { row, kept, named };
        self.experiments.insert(no, experiment.into());
        self.nouns_tick = self.tick;
        no
    }

    /// Notes the present name of an experiment.
    pub(super) fn note_name(&mut self, no: ExperimentNo) {
        let state = &self.experiment_mut(no).row.state;
        let place = state
            .name()
            .map(|name| (state.project().to_owned(), name.to_owned()));
        let known = self.experiment_mut(no).named.clone();
        if known == place {
            return;
        }
        if let Some(known) = known
            && let Some(numbers) = self.names.get_mut(&known)
        {
            numbers.remove(&no);
        }
        if let Some(place) = &place {
            self.names.entry(place.clone()).or_default().insert(no);
        }
        self.experiment_mut(no).named = place;
    }
}

/// The experiment that an operation gives another name or project.
pub(crate) fn renamed(op: &Op) -> Option<ExperimentUid> {
    let Op::SetField(set) = op else {
        return None;
    };
    match set.subject {
        Subject::Experiment(uid) if ["name", "project"].contains(&set.field.as_str()) => Some(uid),
        Subject::Experiment(_) | Subject::Run(_) | Subject::Project(_) | Subject::Entry(_) => None,
    }
}
