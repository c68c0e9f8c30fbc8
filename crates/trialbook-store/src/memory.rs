//! A back end in memory: what the simulation and the contract suite hold the seal against without a disk.
//!
//! Invariant: as [`crate::backend`] says; a look is a copy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use trialbook_model::id::{
    EntryNo, EntryUid, ExperimentNo, ExperimentUid, OperationUid, RunNo, RunUid, Uid, WriterUid,
};
use trialbook_model::record::{Signed, Subject};

use crate::backend::{
    Backend, Change, ChunkRecord, Counters, EntryRecord, ExperimentRecord, Experiments, Look, Part,
    ProjectRecord, RunRecord, Settle, Settled, SpoolRecord, Wanted, WantedEntries,
};
use crate::error::BookError;
use crate::nouns::Owner;
use crate::pack::SEQ_BITS;
use crate::sequences::{Numbers, Sequences};

/// Rows in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryBackend {
    rows: Mutex<Arc<Rows>>,
}

#[derive(Debug, Clone, Default)]
struct Rows {
    uid: Uid,
    removed: BTreeMap<RunNo, u64>,
    counters: Counters,
    names: BTreeMap<u32, String>,
    experiments: BTreeMap<ExperimentNo, ExperimentRecord>,
    experiment_uids: BTreeMap<ExperimentUid, ExperimentNo>,
    runs: BTreeMap<RunNo, RunRecord>,
    projects: BTreeMap<String, ProjectRecord>,
    entries: BTreeMap<EntryNo, EntryRecord>,
    entry_uids: BTreeMap<EntryUid, EntryNo>,
    chunks: BTreeMap<i64, ChunkRecord>,
    snapshots: BTreeMap<String, Vec<u8>>,
    operations: BTreeSet<OperationUid>,
    purged: BTreeSet<Subject>,
    spools: BTreeMap<String, SpoolRecord>,
    unknown: BTreeMap<(WriterUid, u64), Signed>,
    sequences: Sequences,
}

struct MemoryLook(Arc<Rows>);

impl Backend for MemoryBackend {
    fn look(&self) -> Result<Box<dyn Look + '_>, BookError> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(MemoryLook(Arc::clone(&rows))))
    }

    fn commit(&self, change: &Change) -> Result<(), BookError> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if change.base.is_some_and(|base| base != rows.counters) {
            return Err(BookError::Restless);
        }
        let mark = rows.counters.mark + 1;
        let rows = Arc::make_mut(&mut rows);
        rows.apply(change.clone());
        rows.counters.mark = mark;
        Ok(())
    }

    fn settle(&self, _wish: Settle) -> Result<Settled, BookError> {
        Ok(Settled::Whole)
    }
}

impl Rows {
    fn apply(&mut self, change: Change) {
        let Change {
            uid,
            base: _,
            counters,
            names,
            experiments,
            experiment_uids,
            removed_runs,
            runs,
            projects,
            removed_entries,
            entries,
            entry_uids,
            removed_chunks,
            chunks,
            snapshots,
            operations,
            purged,
            spools,
            unknown,
            sequences,
        } = change;
        self.sequences.extend(sequences);
        self.uid = uid.unwrap_or(self.uid);
        self.counters = counters;
        self.names.extend(names);
        self.experiments
            .extend(experiments.into_iter().map(|row| (row.no, row)));
        self.experiment_uids.extend(experiment_uids);
        for no in removed_runs {
            self.runs.remove(&no);
            self.removed.insert(no, counters.rev);
        }
        self.runs.extend(runs.into_iter().map(|row| (row.no, row)));
        self.projects
            .extend(projects.into_iter().map(|row| (row.name.clone(), row)));
        for no in removed_entries {
            self.entries.remove(&no);
            self.entry_uids.retain(|_, known| *known != no);
        }
        self.entries
            .extend(entries.into_iter().map(|row| (row.no, row)));
        self.entry_uids.extend(entry_uids);
        for (first, last) in removed_chunks {
            let ids: Vec<i64> = self.chunks.range(first..=last).map(|(id, _)| *id).collect();
            for id in ids {
                self.chunks.remove(&id);
            }
        }
        self.chunks
            .extend(chunks.into_iter().map(|row| (row.id, row)));
        self.snapshots.extend(snapshots);
        self.operations.extend(operations);
        self.purged.extend(purged);
        let by_number = |signed: Signed| ((signed.writer, signed.seq), signed);
        self.unknown.extend(unknown.into_iter().map(by_number));
        self.spools
            .extend(spools.into_iter().map(|row| (row.name.clone(), row)));
    }
}

impl Look for MemoryLook {
    fn uid(&self) -> Result<Uid, BookError> {
        Ok(self.0.uid)
    }

    fn changed_since(&self, rev: u64) -> Result<u64, BookError> {
        Ok(self.0.runs.values().filter(|row| row.rev > rev).count() as u64)
    }

    fn removed_since(&self, rev: u64) -> Result<Vec<RunNo>, BookError> {
        let removed = self.0.removed.iter().filter(|(_, removed)| **removed > rev);
        Ok(removed.map(|(no, _)| *no).collect())
    }

    fn counters(&self) -> Result<Counters, BookError> {
        Ok(self.0.counters)
    }

    fn names(&self, from: u32) -> Result<Vec<(u32, String)>, BookError> {
        let names = self.0.names.range(from..);
        Ok(names
            .map(|(number, name)| (*number, name.clone()))
            .collect())
    }

    fn spool(&self, name: &str) -> Result<Option<SpoolRecord>, BookError> {
        Ok(self.0.spools.get(name).cloned())
    }

    fn broken_sequences(&self) -> Result<Vec<WriterUid>, BookError> {
        let broken = self.0.sequences.iter();
        let broken = broken.filter(|(_, numbers)| numbers.ranges().len() > 1);
        Ok(broken.map(|(writer, _)| *writer).collect())
    }

    fn sequence(&self, writer: WriterUid) -> Result<Numbers, BookError> {
        let known = self.0.sequences.get(&writer);
        let ranges = known.map(|numbers| numbers.ranges().clone());
        Ok(Numbers::new(ranges.unwrap_or_default()))
    }

    fn spools(&self) -> Result<Vec<SpoolRecord>, BookError> {
        Ok(self.0.spools.values().cloned().collect())
    }

    fn experiment_no(&self, uid: ExperimentUid) -> Result<Option<ExperimentNo>, BookError> {
        Ok(self.0.experiment_uids.get(&uid).copied())
    }

    fn experiments_named(&self, project: &str, name: &str) -> Result<Vec<ExperimentNo>, BookError> {
        let rows = self.0.experiments.values();
        Ok(rows
            .filter(|row| row.project == project && row.name.as_deref() == Some(name))
            .map(|row| row.no)
            .collect())
    }

    fn experiments(&self, wanted: Experiments) -> Result<Vec<ExperimentRecord>, BookError> {
        let rows = self.0.experiments.values();
        Ok(rows
            .filter(|row| match wanted {
                Experiments::All => true,
                Experiments::One(no) => row.no == no,
                Experiments::Since(rev) => row.rev > rev,
            })
            .cloned()
            .collect())
    }

    fn run_no(&self, uid: RunUid) -> Result<Option<RunNo>, BookError> {
        let row = self.0.runs.values().find(|row| row.uid == uid);
        Ok(row.map(|row| row.no))
    }

    fn runs_between(
        &self,
        (first, last): (RunUid, RunUid),
        limit: usize,
    ) -> Result<Vec<RunNo>, BookError> {
        let rows = self.0.runs.values();
        let mut found: Vec<_> = rows
            .filter(|row| (first..=last).contains(&row.uid))
            .map(|row| (row.uid, row.no))
            .collect();
        found.sort();
        found.truncate(limit);
        Ok(found.into_iter().map(|(_, no)| no).collect())
    }

    fn runs(&self, wanted: Wanted<'_>) -> Result<Vec<RunRecord>, BookError> {
        Ok(match wanted {
            Wanted::Numbers(numbers) => numbers
                .iter()
                .filter_map(|no| self.0.runs.get(no).cloned())
                .collect(),
            Wanted::Since(rev) => {
                let rows = self.0.runs.values();
                rows.filter(|row| row.rev > rev).cloned().collect()
            }
        })
    }

    fn has_run(&self, no: RunNo) -> Result<bool, BookError> {
        Ok(self.0.runs.contains_key(&no))
    }

    fn numbered(
        &self,
        experiment: ExperimentNo,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, RunNo)>, BookError> {
        let rows = self.0.runs.values();
        let mut numbers: Vec<(u64, RunNo)> = rows
            .filter(|row| row.experiment == experiment)
            .filter_map(|row| Some((row.number?, row.no)))
            .filter(|(number, _)| *number <= from)
            .collect();
        numbers.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        numbers.truncate(limit);
        Ok(numbers)
    }

    fn projects(&self, only: Option<&str>) -> Result<Vec<ProjectRecord>, BookError> {
        let rows = self.0.projects.values();
        Ok(rows
            .filter(|row| only.is_none_or(|only| row.name == only))
            .cloned()
            .collect())
    }

    fn entry_no(&self, uid: EntryUid) -> Result<Option<EntryNo>, BookError> {
        Ok(self.0.entry_uids.get(&uid).copied())
    }

    fn entries_named(&self, project: &str, name: &str) -> Result<Vec<EntryNo>, BookError> {
        let rows = self.0.entries.values();
        let named = rows.filter(|row| {
            row.project.as_deref() == Some(project) && row.name.as_deref() == Some(name)
        });
        Ok(named.map(|row| row.no).collect())
    }

    fn entries(&self, wanted: WantedEntries) -> Result<Vec<EntryRecord>, BookError> {
        let is_wanted = |row: &&EntryRecord| match wanted {
            WantedEntries::All => true,
            WantedEntries::One(no) => row.no == no,
            WantedEntries::Kind(kind) => row.kind == Some(kind),
            WantedEntries::Below(kind, of) => {
                row.kind == Some(kind) && row.of == Some(Owner::Entry(of))
            }
            WantedEntries::In(kind, of) => {
                row.kind == Some(kind) && row.of == Some(Owner::Experiment(of))
            }
        };
        let rows = self.0.entries.values();
        Ok(rows.filter(is_wanted).cloned().collect())
    }

    fn versions(&self, of: EntryNo) -> Result<Vec<(u64, EntryNo)>, BookError> {
        let rows = self.0.entries.values();
        let versions = rows.filter(|row| row.of == Some(Owner::Entry(of)));
        let numbers = versions.filter_map(|row| Some((row.number?, row.no)));
        Ok(numbers.collect())
    }

    fn chunks(&self, range: (i64, i64), part: Part) -> Result<Vec<ChunkRecord>, BookError> {
        let mut chunks: Vec<ChunkRecord> = self
            .0
            .chunks
            .range(range.0..=range.1)
            .map(|(_, row)| row.clone())
            .collect();
        for chunk in &mut chunks {
            match part {
                Part::Roll => chunk.data.clear(),
                Part::Data => chunk.roll.clear(),
                Part::Both => {}
            }
        }
        Ok(chunks)
    }

    fn streams(&self) -> Result<Vec<u64>, BookError> {
        let streams = self.0.chunks.keys().map(|id| (*id >> SEQ_BITS) as u64);
        let mut streams: Vec<u64> = streams.collect();
        streams.dedup();
        Ok(streams)
    }

    fn snapshot(&self, sha256: &str) -> Result<Option<Vec<u8>>, BookError> {
        Ok(self.0.snapshots.get(sha256).cloned())
    }

    fn is_applied(&self, operation: OperationUid) -> Result<bool, BookError> {
        Ok(self.0.operations.contains(&operation))
    }

    fn unknown(&self) -> Result<Vec<Signed>, BookError> {
        Ok(self.0.unknown.values().cloned().collect())
    }

    fn is_purged(&self, subject: &Subject) -> Result<bool, BookError> {
        Ok(self.0.purged.contains(subject))
    }
}
