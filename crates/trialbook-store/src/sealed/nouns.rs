//! Rows of runs, experiments and projects, unpacked.
//!
//! Invariant: a row that is damaged hides no other one. Of experiments and projects what their columns say is
//! given with the damaged bytes; a damaged run is an error where it is asked for alone.

use std::rc::Rc;

use trialbook_model::id::{EntryNo, ExperimentNo, RunNo};
use trialbook_model::record::Subject;
use trialbook_model::state::{
    Earliest, EntryPlace, EntryState, ExperimentPlace, ExperimentState, ProjectState, Stamp,
};

use super::{Sealed, SealedExperiment, SealedProject, SealedRun};
use crate::backend::{
    EntryRecord, ExperimentRecord, Experiments, ProjectRecord, RunRecord, Wanted, WantedEntries,
};
use crate::error::BookError;
use crate::fold::Shared;
use crate::nouns::{EntryRow, ExperimentRow, RunRow};
use crate::pack::{Names, Places, unpack_noun, unpack_run};
use crate::shares::{self, RUNS_EACH};

/// A sealed entry of the register.
#[derive(Debug, Clone)]
pub(crate) struct SealedEntry {
    pub(crate) row: EntryRow,
    pub(crate) places: Places,
    /// The bytes of its row, where they are damaged: then only what its columns say is known.
    pub(crate) aside: Option<Vec<u8>>,
}

impl Sealed<'_> {
    /// A run; fails where its row is damaged.
    pub(crate) fn run(&self, no: RunNo) -> Result<Option<Rc<SealedRun>>, BookError> {
        let last = self.last_run.borrow().clone();
        if let Some(last) = last.filter(|last| last.row.no == no) {
            return Ok(Some(last));
        }
        let found = self.owned_run(no)?.map(Rc::new);
        self.last_run.borrow_mut().clone_from(&found);
        Ok(found)
    }

    /// A run for whoever goes on with it; fails where its row is damaged.
    pub(crate) fn owned_run(&self, no: RunNo) -> Result<Option<SealedRun>, BookError> {
        let record = self.look.runs(Wanted::Numbers(&[no]))?.pop();
        record
            .map(|record| unpack(&record, &self.names))
            .transpose()
    }

    /// Runs whose rows can be read; a check names the others.
    pub(crate) fn runs(&self, wanted: Wanted<'_>) -> Result<Vec<SealedRun>, BookError> {
        let records = self.look.runs(wanted)?;
        let names: &Names = &self.names;
        let runs = shares::map(records, RUNS_EACH, |record| unpack(&record, names));
        let whole =
            |run: &Result<SealedRun, BookError>| !run.as_ref().is_err_and(BookError::is_damage);
        runs.into_iter().filter(whole).collect()
    }

    pub(crate) fn experiment(
        &self,
        no: ExperimentNo,
    ) -> Result<Option<SealedExperiment>, BookError> {
        let record = self.look.experiments(Experiments::One(no))?.pop();
        Ok(record.map(|record| self.unpack_experiment(&record)))
    }

    pub(crate) fn experiments(
        &self,
        wanted: Experiments,
    ) -> Result<Vec<SealedExperiment>, BookError> {
        let records = self.look.experiments(wanted)?;
        let records = records.iter();
        Ok(records
            .map(|record| self.unpack_experiment(record))
            .collect())
    }

    /// An experiment. Where its row is damaged, project and name still stand in columns.
    fn unpack_experiment(&self, record: &ExperimentRecord) -> SealedExperiment {
        let no = record.no;
        match unpack_noun(&record.state, &self.names) {
            Ok((state, places)) => SealedExperiment {
                row: ExperimentRow { no, state },
                places,
                aside: None,
            },
            Err(_damaged) => SealedExperiment {
                row: ExperimentRow {
                    no,
                    state: named(record),
                },
                places: Places::default(),
                aside: Some(record.state.clone()),
            },
        }
    }

    pub(crate) fn project(&self, name: &str) -> Result<Option<SealedProject>, BookError> {
        let record = self.look.projects(Some(name))?.pop();
        Ok(record.map(|record| self.unpack_project(record)))
    }

    pub(crate) fn projects(&self) -> Result<Vec<(String, SealedProject)>, BookError> {
        let records = self.look.projects(None)?.into_iter();
        Ok(records
            .map(|record| (record.name.clone(), self.unpack_project(record)))
            .collect())
    }

    pub(crate) fn entry(&self, no: EntryNo) -> Result<Option<SealedEntry>, BookError> {
        let record = self.look.entries(WantedEntries::One(no))?.pop();
        Ok(record.map(|record| self.unpack_entry(record)))
    }

    pub(crate) fn entries(&self, wanted: WantedEntries) -> Result<Vec<SealedEntry>, BookError> {
        let records = self.look.entries(wanted)?.into_iter();
        Ok(records.map(|record| self.unpack_entry(record)).collect())
    }

    /// An entry. Where its row is damaged, what its columns say is known.
    fn unpack_entry(&self, record: EntryRecord) -> SealedEntry {
        let (state, places, aside) = match unpack_noun(&record.state, &self.names) {
            Ok((state, places)) => (state, places, None),
            Err(_damaged) => {
                let state = columns_of(&record);
                (state, Places::default(), Some(record.state))
            }
        };
        let row = EntryRow {
            no: record.no,
            uid: record.uid,
            of: record.of,
            number: record.number,
            state,
        };
        SealedEntry { row, places, aside }
    }

    /// A project. Where its row is damaged, nothing but its name is known.
    fn unpack_project(&self, record: ProjectRecord) -> SealedProject {
        let rev = record.rev;
        match unpack_noun(&record.state, &self.names) {
            Ok((state, places)) => SealedProject {
                rev,
                state,
                places,
                aside: None,
            },
            Err(_damaged) => SealedProject {
                rev,
                state: ProjectState::default(),
                places: Places::default(),
                aside: Some(record.state),
            },
        }
    }
}

fn unpack(record: &RunRecord, names: &Names) -> Result<SealedRun, BookError> {
    let (state, places) =
        unpack_run(&record.state, names).map_err(BookError::damaged("run", record.no.0 as i64))?;
    Ok(SealedRun {
        row: Shared::from(RunRow {
            no: record.no,
            uid: record.uid,
            experiment: record.experiment,
            number: record.number,
            state,
        }),
        places,
    })
}

/// An experiment of which only its columns are known.
fn named(record: &ExperimentRecord) -> ExperimentState {
    let mut state = ExperimentState::default();
    if let Some(name) = &record.name {
        let place = ExperimentPlace {
            project: record.project.clone(),
            name: name.clone(),
        };
        Earliest::offer(&mut state.place, Stamp::default(), place);
    }
    state
}

/// An entry of which only its columns are known.
fn columns_of(record: &EntryRecord) -> EntryState {
    let mut state = EntryState::default();
    state.uids.insert(record.uid);
    if let Some(kind) = record.kind {
        let project = record.project.clone().unwrap_or_default();
        let place = EntryPlace {
            kind,
            of: Subject::Project(project),
            name: record.name.clone(),
            number: record.number,
        };
        Earliest::offer(&mut state.place, Stamp::default(), place);
    }
    state
}
