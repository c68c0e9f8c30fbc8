//! Rebuilding what rows say of records from the records themselves.
//!
//! Not here: repairing chunks. Invariant: what cannot be read stays as its row says.

use serde::Serialize;
use trialbook_model::state::{Records, RunState, SeriesSummary};

use crate::backend::{
    Change, EntryRecord, ExperimentRecord, Experiments, ProjectRecord, RunRecord, Wanted,
    WantedEntries,
};
use crate::book::{Book, SealOutcome};
use crate::error::BookError;
use crate::fold::Observed;
use crate::nouns::{AssessRecord, EventRecord, LogRecord, Series, SpanRecord};
use crate::pack::{Names, Places, pack_noun, pack_run};
use crate::seal::take_lease;
use crate::sealed::Sealed;

/// What a rebuild did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RebuildReport {
    /// Whether it was done, or somebody else was sealing.
    pub outcome: SealOutcome,
    /// Subjects whose rows said something else than their records.
    pub changed: u64,
}

impl Book {
    /// Makes summaries and counts anew from chunks, where they differ. The index's snapshot is written
    /// anew, whatever is in it.
    pub fn rebuild(&self) -> Result<RebuildReport, BookError> {
        self.writable()?;
        let Some(_lease) = self.with_ground(take_lease)? else {
            return Ok(RebuildReport {
                outcome: SealOutcome::Busy,
                changed: 0,
            });
        };
        let sealed = Sealed::open(self.backend().look()?)?;
        let mut names = sealed.names().clone();
        let mut change = Change {
            base: Some(sealed.counters()),
            counters: sealed.counters(),
            ..Change::default()
        };
        change.counters.rev += 1;
        runs(&sealed, &mut names, &mut change)?;
        experiments(&sealed, &mut names, &mut change)?;
        entries(&sealed, &mut names, &mut change)?;
        let nouns = change.experiments.len() + change.projects.len() + change.entries.len();
        let changed = change.runs.len() + nouns;
        drop(sealed);
        if changed > 0 {
            self.backend().commit(&change)?;
        }
        let indexes = self.indexes();
        indexes.forget()?;
        indexes.refresh(&Sealed::open(self.backend().look()?)?)?;
        Ok(RebuildReport {
            outcome: SealOutcome::Sealed,
            changed: changed as u64,
        })
    }
}

fn runs(sealed: &Sealed<'_>, names: &mut Names, change: &mut Change) -> Result<(), BookError> {
    for record in sealed.look().runs(Wanted::Since(0))? {
        let found = sealed.runs(Wanted::Numbers(&[record.no]));
        let Some(mut run) = found.ok().and_then(|mut runs| runs.pop()) else {
            continue;
        };
        recount(sealed, &run.places, &mut run.row.state.records);
        rederive(sealed, &run.places, &mut run.row.state);
        let state = pack_run(&run.row.state, &run.places, names);
        let state = state.map_err(BookError::pack("a run"))?;
        if state != record.state {
            let rev = change.counters.rev;
            change.runs.push(RunRecord {
                rev,
                state,
                ..record
            });
        }
    }
    Ok(())
}

fn experiments(
    sealed: &Sealed<'_>,
    names: &mut Names,
    change: &mut Change,
) -> Result<(), BookError> {
    for record in sealed.look().experiments(Experiments::All)? {
        let Some(mut found) = sealed.experiment(record.no)? else {
            continue;
        };
        if found.aside.is_some() {
            continue;
        }
        recount(sealed, &found.places, &mut found.row.state.records);
        let state = packed(&found.row.state, &found.places, names)?;
        if state != record.state {
            let rev = change.counters.rev;
            change.experiments.push(ExperimentRecord {
                rev,
                state,
                ..record
            });
        }
    }
    for record in sealed.look().projects(None)? {
        let Some(mut found) = sealed.project(&record.name)? else {
            continue;
        };
        if found.aside.is_some() {
            continue;
        }
        recount(sealed, &found.places, &mut found.state.records);
        let state = packed(&found.state, &found.places, names)?;
        if state != record.state {
            let rev = change.counters.rev;
            change.projects.push(ProjectRecord {
                rev,
                state,
                ..record
            });
        }
    }
    Ok(())
}

fn entries(sealed: &Sealed<'_>, names: &mut Names, change: &mut Change) -> Result<(), BookError> {
    for record in sealed.look().entries(WantedEntries::All)? {
        let Some(mut found) = sealed.entry(record.no)? else {
            continue;
        };
        if found.aside.is_some() {
            continue;
        }
        recount(sealed, &found.places, &mut found.row.state.records);
        let state = packed(&found.row.state, &found.places, names)?;
        if state != record.state {
            let rev = change.counters.rev;
            change.entries.push(EntryRecord {
                rev,
                state,
                ..record
            });
        }
    }
    Ok(())
}

fn packed(
    state: &impl Serialize,
    places: &Places,
    names: &mut Names,
) -> Result<Vec<u8>, BookError> {
    pack_noun(state, places, names).map_err(BookError::pack("a state"))
}

/// Folds what derived metrics are made of anew, where all of it can be read.
fn rederive(sealed: &Sealed<'_>, places: &Places, state: &mut RunState) {
    if let Ok(observed) = Observed::read(sealed, places) {
        state.derived = observed.fold();
    }
}

fn resum(summary: &mut SeriesSummary, series: &Series) {
    let mut points = series.points();
    if let Some(first) = points.next() {
        *summary = SeriesSummary::new(first);
        points.for_each(|point| summary.add(point));
    }
}

/// Folds all records that can be read anew.
fn recount(sealed: &Sealed<'_>, places: &Places, records: &mut Records) {
    records.counts.points = 0;
    let packed = sealed.short_by_key(places).unwrap_or_default();
    for (key, summary) in &mut records.series {
        if places.long.contains_key(key) {
            if let Ok(series) = sealed.series(places, key) {
                resum(summary, &series);
            }
        } else if let Some(series) = packed.get(key) {
            resum(summary, series);
        }
        records.counts.points += summary.count;
    }
    if let Ok(events) = sealed.records(places, places.events) {
        records.counts.events.clear();
        for event in events as Vec<EventRecord> {
            *records.counts.events.entry(event.record.kind).or_default() += 1;
        }
    }
    if let Ok(logs) = sealed.records(places, places.logs) {
        let logs: Vec<LogRecord> = logs;
        records.counts.log_bytes = logs.iter().map(|log| log.record.text.len() as u64).sum();
    }
    if let Ok(items) = sealed.items(places) {
        records.counts.items = items.len() as u64;
    }
    if let Ok(judged) = sealed.records(places, places.assessments) {
        let judged: Vec<AssessRecord> = judged;
        records.counts.assessments = judged.len() as u64;
    }
    if let Ok(spans) = sealed.records(places, places.spans) {
        let spans: Vec<SpanRecord> = spans;
        records.counts.spans = spans.len() as u64;
    }
}
