//! Finding the subjects that a batch speaks of, and loading those that are sealed.

use trialbook_model::id::{ExperimentNo, ExperimentUid, RunNo, RunUid};
use trialbook_model::record::{Signed, Subject};
use trialbook_model::state::RunState;

use super::{Fold, Folded, FoldedExperiment, FoldedProject, FoldedRun, Kept, Shared};
use crate::backend::Wanted;
use crate::error::BookError;
use crate::nouns::{Owner, RunRow};
use crate::pack::Places;
use crate::sealed::{Sealed, SealedRun};
use crate::shares::RUNS_EACH;

impl From<SealedRun> for FoldedRun {
    fn from(sealed: SealedRun) -> Self {
        Self {
            row: sealed.row,
            kept: Kept {
                places: sealed.places,
                ..Kept::default()
            },
            tick: 0,
        }
    }
}

impl Fold<'_> {
    /// The subject by its number, a new one where it is not known.
    pub(super) fn owner(&mut self, subject: &Subject) -> Result<Owner, BookError> {
        Ok(match subject {
            Subject::Run(uid) => Owner::Run(self.run_at(*uid)?),
            Subject::Experiment(uid) => Owner::Experiment(self.experiment_no(*uid)?),
            Subject::Project(name) => {
                self.load_project(name)?;
                Owner::Project(name.clone())
            }
            Subject::Entry(uid) => Owner::Entry(self.entry_at(*uid)?),
        })
    }

    /// The number of a run, which is loaded, or made. The present batch speaks of it.
    pub(super) fn run_at(&mut self, uid: RunUid) -> Result<RunNo, BookError> {
        let known = self.run_numbers.get(&uid).copied();
        let no = match known {
            Some(no) => no,
            None => self.load_run(uid)?,
        };
        if self.touched.insert(no) {
            let tick = self.tick;
            if let Some(run) = self.runs.get_mut(&no) {
                run.tick = tick;
            }
        }
        Ok(no)
    }

    fn load_run(&mut self, uid: RunUid) -> Result<RunNo, BookError> {
        let sealed = match self.loaded.remove(&uid) {
            Some(loaded) => loaded.map(FoldedRun::from),
            None => match self.sealed.look().run_no(uid)? {
                Some(no) => self.sealed_run(no)?,
                None => None,
            },
        };
        let run = sealed.unwrap_or_else(|| self.new_run(uid));
        let no = run.row.no;
        if let Some(number) = run.row.number {
            self.taken
                .entry(run.row.experiment)
                .or_default()
                .insert(number);
        }
        self.run_numbers.insert(uid, no);
        self.runs.insert(no, run.into());
        Ok(no)
    }

    /// Loads the sealed runs that a batch speaks of, where they are many: then several threads unpack them.
    /// Damaged ones are left out, and met when they are asked for.
    pub(super) fn load_runs(&mut self, mut uids: Vec<RunUid>) -> Result<(), BookError> {
        uids.sort_unstable();
        uids.dedup();
        uids.retain(|uid| !self.run_numbers.contains_key(uid));
        if uids.len() < 2 * RUNS_EACH {
            return Ok(());
        }
        let mut numbers = Vec::with_capacity(uids.len());
        for uid in uids {
            match self.sealed.look().run_no(uid)? {
                Some(no) => numbers.push(no),
                None => {
                    self.loaded.insert(uid, None);
                }
            }
        }
        // Rows that stand together are read together.
        numbers.sort_unstable();
        for run in self.sealed.runs(Wanted::Numbers(&numbers))? {
            self.loaded.insert(run.row.uid, Some(run));
        }
        Ok(())
    }

    /// A sealed run. One whose row is damaged begins anew with what its columns say, the bytes set aside.
    fn sealed_run(&self, no: RunNo) -> Result<Option<FoldedRun>, BookError> {
        match self.sealed.owned_run(no) {
            Err(error) if error.is_damage() => {
                let record = self.sealed.look().runs(Wanted::Numbers(&[no]))?.pop();
                Ok(record.map(|record| FoldedRun {
                    row: Shared::from(RunRow {
                        no,
                        uid: record.uid,
                        experiment: record.experiment,
                        number: record.number,
                        state: RunState::default(),
                    }),
                    kept: Kept {
                        aside: Some(record.state),
                        ..Kept::default()
                    },
                    tick: 0,
                }))
            }
            run => Ok(run?.map(FoldedRun::from)),
        }
    }

    fn new_run(&mut self, uid: RunUid) -> FoldedRun {
        let no = RunNo(self.counters.run);
        self.counters.run += 1;
        FoldedRun {
            row: Shared::from(RunRow {
                no,
                uid,
                experiment: ExperimentNo(0),
                number: None,
                state: RunState::default(),
            }),
            kept: Kept::default(),
            tick: 0,
        }
    }

    /// Drops what was said of a run. A number that it got here stays unused.
    pub(super) fn forget_run(&mut self, uid: RunUid) {
        let Some(no) = self.run_numbers.remove(&uid) else {
            return;
        };
        self.touched.remove(&no);
        if let Some(run) = self.runs.remove(&no)
            && let Some(number) = run.row.number
            && let Some(taken) = self.taken.get_mut(&run.row.experiment)
        {
            taken.remove(&number);
        }
        self.loaded.insert(uid, None);
        self.removed.insert(no, (uid, Places::default()));
    }

    /// The number of an experiment; one that only its runs name is made without a name.
    pub(super) fn experiment_no(&mut self, uid: ExperimentUid) -> Result<ExperimentNo, BookError> {
        if let Some(no) = self.experiment_uids.get(&uid) {
            let no = *no;
            self.load_experiment(no)?;
            return Ok(no);
        }
        if let Some(no) = self.sealed.look().experiment_no(uid)? {
            self.load_experiment(no)?;
            return Ok(no);
        }
        let no = self.new_experiment();
        self.experiment_mut(no).row.state.uids.insert(uid);
        self.experiment_uids.insert(uid, no);
        Ok(no)
    }

    pub(super) fn load_experiment(&mut self, no: ExperimentNo) -> Result<(), BookError> {
        if self.experiments.contains_key(&no) {
            return Ok(());
        }
        if let Some(sealed) = self.sealed.experiment(no)? {
            let kept = Kept {
                places: sealed.places,
                aside: sealed.aside,
                ..Kept::default()
            };
            let row = sealed.row;
            let named = None;
            let experiment = FoldedExperiment { row, kept, named };
            self.experiments.insert(no, experiment.into());
            self.note_name(no);
        }
        Ok(())
    }

    fn load_project(&mut self, name: &str) -> Result<(), BookError> {
        if self.projects.contains_key(name) {
            return Ok(());
        }
        let project = match self.sealed.project(name)? {
            Some(sealed) => FoldedProject {
                state: sealed.state,
                kept: Kept {
                    places: sealed.places,
                    aside: sealed.aside,
                    ..Kept::default()
                },
            },
            None => FoldedProject::default(),
        };
        self.projects.insert(name.to_owned(), project.into());
        Ok(())
    }

    pub(super) fn experiment_mut(&mut self, no: ExperimentNo) -> &mut FoldedExperiment {
        self.experiments
            .get_mut(&no)
            .map(|found| &mut **found)
            .expect("an experiment that was just found")
    }

    pub(super) fn kept_mut(&mut self, owner: &Owner) -> &mut Kept {
        let kept = match owner {
            Owner::Run(no) => self.runs.get_mut(no).map(|run| &mut run.kept),
            Owner::Experiment(no) => self.experiments.get_mut(no).map(|found| &mut found.kept),
            Owner::Project(name) => self.projects.get_mut(name).map(|project| &mut project.kept),
            Owner::Entry(no) => self.entries.by_no.get_mut(no).map(|entry| &mut entry.kept),
        };
        kept.expect("a subject that was just found")
    }

    pub(super) fn apply_to(&mut self, owner: &Owner, signed: &Signed) {
        if !matches!(owner, Owner::Run(_)) {
            self.nouns_tick = self.tick;
        }
        match owner {
            Owner::Run(no) => {
                if let Some(run) = self.runs.get_mut(no) {
                    run.row.state.apply(signed);
                }
            }
            Owner::Experiment(no) => {
                self.experiment_mut(*no).row.state.apply(signed);
                self.note_name(*no);
            }
            Owner::Project(name) => {
                if let Some(project) = self.projects.get_mut(name) {
                    project.state.apply(signed);
                }
            }
            Owner::Entry(no) => self.apply_to_entry(*no, signed),
        }
    }
}

impl Folded {
    /// What is new of a subject, where it was spoken of.
    pub(crate) fn kept(&self, owner: &Owner) -> Option<&Kept> {
        match owner {
            Owner::Run(no) => self.runs.get(no).map(|run| &run.kept),
            Owner::Experiment(no) => self.experiments.get(no).map(|found| &found.kept),
            Owner::Project(name) => self.projects.get(name).map(|project| &project.kept),
            Owner::Entry(no) => self.entries.by_no.get(no).map(|entry| &entry.kept),
        }
    }

    /// Runs whose uid is from the first to the last, by number: at most so many of the sealed ones.
    pub(crate) fn runs_between(
        &self,
        sealed: &Sealed<'_>,
        (first, last): (RunUid, RunUid),
        limit: usize,
    ) -> Result<Vec<RunNo>, BookError> {
        // Of what is removed there may be as many among them.
        let most = limit.saturating_add(self.removed.len());
        let sealed = sealed.look().runs_between((first, last), most)?;
        let mut numbers: Vec<RunNo> = sealed
            .into_iter()
            .filter(|no| !self.removed.contains_key(no))
            .take(limit)
            .collect();
        let unsealed = self.run_numbers.iter();
        numbers.extend(
            unsealed
                .filter(|(uid, _)| (first..=last).contains(uid))
                .map(|(_, no)| *no),
        );
        numbers.sort();
        numbers.dedup();
        Ok(numbers)
    }
}
