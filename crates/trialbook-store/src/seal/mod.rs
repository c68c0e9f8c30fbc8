//! Sealing: a folded batch becomes one change of the book's rows.
//!
//! Not here: finding spools, leases, SQL. Invariant: the change holds the offsets of the spools together
//! with what they said, so that each record gets into the book once.

mod aside;
mod groups;
mod points;
mod records;
mod run;

use std::sync::Arc;

use trialbook_model::id::{ExperimentNo, ExperimentUid, Uid};
use trialbook_model::state::ExperimentState;

use crate::backend::{
    Change, Counters, EntryRecord, ExperimentRecord, ProjectRecord, RunRecord, SpoolRecord,
};
use crate::error::BookError;
use crate::fold::{Fold, FoldedEntry, FoldedExperiment, FoldedProject, FoldedRun, Kept};
use crate::pack::{BLOCK, Names, Places, chunk_id, pack_document, pack_noun, pack_run};
use crate::sealed::Sealed;

pub(crate) use run::{
    Ground, LARGE_BYTES, Lease, MANY_SPOOLS, lease_at, remove_consumed, seal, seal_held, take_lease,
};

/// Writes a change.
struct Writer<'a> {
    sealed: &'a Sealed<'a>,
    names: Names,
    change: Change,
}

/// The change that makes an empty book.
pub(crate) fn first_change(uid: Uid) -> Result<Change, BookError> {
    let mut names = Names::default();
    let state = ExperimentState::default_experiment();
    let packed = pack_noun(&state, &Places::default(), &mut names)
        .map_err(BookError::pack("an experiment"))?;
    Ok(Change {
        uid: Some(uid),
        counters: Counters::default(),
        names: owned(&names, 0),
        experiments: vec![ExperimentRecord {
            no: ExperimentNo(0),
            project: state.project().to_owned(),
            name: state.name().map(str::to_owned),
            rev: 0,
            state: packed,
        }],
        experiment_uids: vec![(ExperimentUid::default(), ExperimentNo(0))],
        ..Change::default()
    })
}

/// The change that a folded batch makes, with how far its spools are sealed then.
pub(crate) fn change_of(
    fold: Fold<'_>,
    sealed: &Sealed<'_>,
    spools: Vec<SpoolRecord>,
) -> Result<Change, BookError> {
    let base = Some(sealed.counters());
    let mut counters = fold.counters;
    counters.rev += 1;
    let mut writer = Writer {
        sealed,
        names: sealed.names().clone(),
        change: Change {
            base,
            counters,
            spools,
            ..Change::default()
        },
    };
    for (no, (_, places)) in &fold.folded.removed {
        writer.change.removed_runs.push(*no);
        writer.remove_all(places);
    }
    let folded = Arc::unwrap_or_clone(fold.folded);
    for run in folded.runs.into_values() {
        writer.write_run(run.into_inner())?;
    }
    for experiment in folded.experiments.into_values() {
        writer.write_experiment(experiment.into_inner())?;
    }
    for (name, project) in folded.projects {
        writer.write_project(name, project.into_inner())?;
    }
    for (no, places) in &folded.entries.removed {
        writer.change.removed_entries.push(*no);
        writer.remove_all(places);
    }
    for entry in folded.entries.by_no.into_values() {
        writer.write_entry(entry.into_inner())?;
    }
    writer.change.entry_uids.extend(folded.entries.uids);
    for (sha256, document) in folded.snapshots {
        let packed = pack_document(&document).map_err(BookError::pack("a snapshot"))?;
        writer.change.snapshots.push((sha256, packed));
    }
    writer.change.unknown = folded.unknown;
    writer.change.experiment_uids.extend(folded.experiment_uids);
    writer.change.operations.extend(fold.operations);
    writer.change.purged.extend(fold.purged);
    writer.change.names = owned(&writer.names, sealed.names().len());
    Ok(writer.change)
}

fn owned(names: &Names, from: u32) -> Vec<(u32, String)> {
    names
        .since(from)
        .map(|(number, name)| (number, name.to_owned()))
        .collect()
}

impl Writer<'_> {
    fn write_run(&mut self, run: FoldedRun) -> Result<(), BookError> {
        let FoldedRun { row, mut kept, .. } = run;
        self.write_kept(&mut kept)?;
        let state = pack_run(&row.state, &kept.places, &mut self.names)
            .map_err(BookError::pack("a run"))?;
        self.change.runs.push(RunRecord {
            no: row.no,
            uid: row.uid,
            experiment: row.experiment,
            number: row.number,
            rev: self.change.counters.rev,
            state,
        });
        Ok(())
    }

    fn write_experiment(&mut self, experiment: FoldedExperiment) -> Result<(), BookError> {
        let FoldedExperiment { row, mut kept, .. } = experiment;
        self.write_kept(&mut kept)?;
        let state = pack_noun(&row.state, &kept.places, &mut self.names)
            .map_err(BookError::pack("an experiment"))?;
        self.change.experiments.push(ExperimentRecord {
            no: row.no,
            project: row.state.project().to_owned(),
            name: row.state.name().map(str::to_owned),
            rev: self.change.counters.rev,
            state,
        });
        Ok(())
    }

    fn write_project(&mut self, name: String, project: FoldedProject) -> Result<(), BookError> {
        let FoldedProject { state, mut kept } = project;
        self.write_kept(&mut kept)?;
        let state = pack_noun(&state, &kept.places, &mut self.names)
            .map_err(BookError::pack("a project"))?;
        let rev = self.change.counters.rev;
        self.change
            .projects
            .push(ProjectRecord { name, rev, state });
        Ok(())
    }

    fn write_entry(&mut self, entry: FoldedEntry) -> Result<(), BookError> {
        let FoldedEntry { row, mut kept, .. } = entry;
        self.write_kept(&mut kept)?;
        let state = pack_noun(&row.state, &kept.places, &mut self.names)
            .map_err(BookError::pack("an entry"))?;
        let place = row.state.findable();
        self.change.entries.push(EntryRecord {
            no: row.no,
            uid: row.uid,
            kind: row.state.kind(),
            of: row.of,
            project: place.map(|(project, _)| project.to_owned()),
            name: place.map(|(_, name)| name.to_owned()),
            number: row.number,
            rev: self.change.counters.rev,
            state,
        });
        Ok(())
    }

    fn write_kept(&mut self, kept: &mut Kept) -> Result<(), BookError> {
        if let Some(data) = kept.aside.take() {
            self.keep_aside(&mut kept.places, data);
        }
        self.write_points_or_go_round(kept)?;
        self.write_records(kept)
    }

    /// Removes all chunks of a subject.
    fn remove_all(&mut self, places: &Places) {
        for block in &places.blocks {
            let first = chunk_id(block * BLOCK, 0);
            let last = chunk_id((block + 1) * BLOCK, 0) - 1;
            self.change.removed_chunks.push((first, last));
        }
    }
}

#[cfg(test)]
mod tests;
