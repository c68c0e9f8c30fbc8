//! Searching by the column index: its snapshot, what was sealed since, and what is not sealed.
//!
//! Not here: how the index searches. Invariant: an index that cannot be used is built anew from the rows; it
//! is a cache.

use std::collections::BTreeSet;

use trialbook_model::id::RunNo;

use super::BookView;
use crate::backend::{Experiments, Wanted};
use crate::error::BookError;
use crate::index::{Changes, Damaged, ExperimentFacts, Index, IndexBuilder, RunFacts};
use crate::query::{Hits, Query, Shown};
use crate::reading::Reading as _;
use crate::sealed::Sealed;
use crate::shares::{self, RUNS_EACH};

impl BookView<'_> {
    pub(super) fn find(&self, query: &Query) -> Result<Hits, BookError> {
        self.ask(|index| index.search(query))
    }

    /// Asks the index of everything that this view sees.
    pub(super) fn ask<T>(
        &self,
        question: impl Fn(&Index) -> Result<T, Damaged>,
    ) -> Result<T, BookError> {
        let mut index = self.index(Ask::Known)?;
        if let Ok(answer) = question(&index) {
            return Ok(answer);
        }
        // Damaged bytes of the snapshot: what they held stands in the rows. Who reads removes nothing; a
        // seal or a rebuild does.
        self.indexes.distrust();
        if let Some(live) = &self.live {
            live.forget();
        }
        index = self.index(Ask::Anew)?;
        question(&index).map_err(|damaged| BookError::Index {
            source: damaged.into(),
        })
    }

    /// The index of everything that this view sees.
    fn index(&self, ask: Ask) -> Result<Index, BookError> {
        let cached = self.unsealed_index.borrow().clone();
        if let (Ask::Known, Some(index)) = (ask, cached) {
            return Ok(index);
        }
        let sealed = || match ask {
            Ask::Known => self.indexes.known(&self.sealed),
            Ask::Anew => self.indexes.anew(&self.sealed),
        };
        let index = if let Some(live) = &self.live {
            let of = (self.sealed.counters(), self.fold.tick);
            live.index(of, sealed, |tick| self.unsealed_changes(tick))?
        } else {
            let mut index = sealed()?;
            index.apply(self.unsealed_changes(0)?);
            index
        };
        *self.unsealed_index.borrow_mut() = Some(index.clone());
        Ok(index)
    }

    /// What is not sealed and came after a batch, as changes of the index.
    fn unsealed_changes(&self, tick: u64) -> Result<Changes, BookError> {
        let runs = self.fold.runs.values().filter(|run| run.tick > tick);
        let rows = runs.map(|run| &*run.row).collect();
        let runs = shares::map(rows, RUNS_EACH, |row| RunFacts::of(row).into_owned());
        if self.fold.nouns_tick <= tick {
            return Ok(Changes {
                runs,
                ..Changes::default()
            });
        }
        let mut experiments: BTreeSet<_> = self.fold.experiments.keys().copied().collect();
        if !self.fold.projects.is_empty() {
            for row in self.experiments()? {
                if self.fold.projects.contains_key(row.state.project()) {
                    experiments.insert(row.no);
                }
            }
        }
        let mut changes = Changes {
            rev: 0,
            runs,
            purged: self.fold.removed.keys().copied().collect(),
            experiments: Vec::with_capacity(experiments.len()),
        };
        for no in experiments {
            if let Some(row) = self.experiment(no)? {
                let project = self.project(row.state.project())?;
                changes
                    .experiments
                    .push(ExperimentFacts::of(&row, &project));
            }
        }
        Ok(changes)
    }

    /// Runs that were given a number, are not purged, and are not in the index, which has all that can be read.
    pub(super) fn unindexed(&self) -> Result<Vec<RunNo>, BookError> {
        let numbers = 1..self.fold.counters.run;
        let mut gone: BTreeSet<RunNo> = self.sealed.look().removed_since(0)?.into_iter().collect();
        gone.extend(self.fold.removed.keys());
        let expected = (numbers.end - numbers.start).saturating_sub(gone.len() as u64);
        if self.ask(Index::count_all)? >= expected {
            return Ok(Vec::new());
        }
        let all = Query {
            shown: Shown::All,
            ..Query::all()
        };
        let there: BTreeSet<RunNo> = self.find(&all)?.runs.into_iter().collect();
        let numbers = numbers.map(RunNo);
        let missing = numbers.filter(|no| !there.contains(no) && !gone.contains(no));
        Ok(missing.collect())
    }

    pub(super) fn newest_runs(&self, limit: usize) -> Result<Vec<RunNo>, BookError> {
        let mut numbers = Vec::new();
        for no in (1..self.fold.counters.run).rev().map(RunNo) {
            if numbers.len() == limit {
                break;
            }
            let there = self.fold.runs.contains_key(&no)
                || !self.fold.removed.contains_key(&no) && self.sealed.look().has_run(no)?;
            if there {
                numbers.push(no);
            }
        }
        Ok(numbers)
    }
}

/// Which index is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// One that is there already, brought up to date.
    Known,
    /// One built from the rows.
    Anew,
}

/// What was sealed after the revision that an index knows.
pub(crate) fn changes_since(sealed: &Sealed<'_>, rev: u64) -> Result<Changes, BookError> {
    let mut changes = Changes {
        rev: sealed.counters().rev,
        purged: sealed.look().removed_since(rev)?,
        ..Changes::default()
    };
    changes.experiments = experiment_facts(sealed, Some(rev))?;
    let runs = sealed.runs(Wanted::Since(rev))?;
    changes.runs = shares::map(runs, RUNS_EACH, |run| RunFacts::of(&run.row).into_owned());
    Ok(changes)
}

/// Experiments that changed after a revision, or whose project did; `None` for all.
fn experiment_facts(
    sealed: &Sealed<'_>,
    since: Option<u64>,
) -> Result<Vec<ExperimentFacts>, BookError> {
    let projects = sealed.projects()?;
    let wanted = match since {
        Some(rev) if projects.iter().all(|(_, project)| project.rev <= rev) => {
            Experiments::Since(rev)
        }
        Some(_) | None => Experiments::All,
    };
    let nothing = trialbook_model::state::ProjectState::default();
    let facts = sealed.experiments(wanted)?.into_iter().map(|experiment| {
        let name = experiment.row.state.project();
        let at = projects.binary_search_by(|(known, _)| known.as_str().cmp(name));
        let project = at.map_or(&nothing, |at| &projects[at].1.state);
        ExperimentFacts::of(&experiment.row, project)
    });
    Ok(facts.collect())
}

/// An index built from all sealed rows.
pub(crate) fn build(sealed: &Sealed<'_>) -> Result<Index, BookError> {
    let mut builder = IndexBuilder::new(sealed.look().uid()?);
    for experiment in experiment_facts(sealed, None)? {
        builder.add_experiment(experiment);
    }
    let indexing = |error| BookError::Index { source: error };
    // In pieces, so that not all rows are in memory at once.
    let last = sealed.counters().run;
    let mut from = 1;
    while from < last {
        let numbers: Vec<RunNo> = (from..last.min(from + PIECE)).map(RunNo).collect();
        for run in sealed.runs(Wanted::Numbers(&numbers))? {
            builder.add_run(&RunFacts::of(&run.row)).map_err(indexing)?;
        }
        from += PIECE;
    }
    builder.finish(sealed.counters().rev).map_err(indexing)
}

/// Runs that are read at once while an index is built.
const PIECE: u64 = 4096;
