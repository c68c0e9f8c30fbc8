//! What a glob means: all of it, or the newest few without reading the others.
//!
//! Invariant: a cut never reads many more runs than it keeps, however many a glob means.

use anyhow::Result;
use trialbook_model::filter::Expr;
use trialbook_model::handle;
use trialbook_model::id::{ExperimentNo, RunNo};
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;

use super::choice::experiment_candidate;
use super::{Choice, Found, Names, Preferred, narrow};
use crate::failure::Failure;

/// Runs that are looked at together.
const BATCH: usize = 1_000;

/// The newest runs that a text means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Newest {
    /// They, the newest first.
    pub(crate) runs: Vec<RunRow>,
    /// Whether there are more.
    pub(crate) more: bool,
}

impl Newest {
    fn of(mut runs: Vec<RunRow>, limit: usize) -> Self {
        runs.sort_by_key(|run| std::cmp::Reverse(run.no));
        runs.dedup_by_key(|run| run.no);
        let more = runs.len() > limit;
        runs.truncate(limit);
        Self { runs, more }
    }
}

impl<V: Reading> Names<'_, V> {
    /// All runs that a text means: one, those of a glob that are not in the bin, or those of an experiment.
    pub(crate) fn runs(&self, text: &str) -> Result<Vec<RunRow>> {
        if handle::is_glob(text) {
            let mut runs = Vec::new();
            for found in self.matching_glob(text)? {
                match found {
                    Found::Run(run) => runs.push(*run),
                    Found::Experiment(row) => runs.extend(self.runs_of(&row, usize::MAX)?),
                }
            }
            runs.sort_by_key(|run| run.no);
            runs.dedup_by_key(|run| run.no);
            if !runs.is_empty() {
                return Ok(runs);
            }
        }
        self.runs_of_one(text, usize::MAX)
    }

    /// The newest runs that a glob means.
    pub(crate) fn newest_runs(&self, glob: &str, limit: usize) -> Result<Newest> {
        let enough = limit.saturating_add(1);
        let wants_bin = self.preferred == Preferred::Deleted;
        let verbatim = self.choice(&self.verbatim(glob)?)?;
        if !verbatim.verbatim(glob).is_empty() {
            return Ok(Newest::of(self.runs(glob)?, limit));
        }
        let mut runs = newest_of(self.could_match(glob)?, enough, |batch| {
            let mut runs = Vec::new();
            for found in self.choice(batch)?.matching(glob) {
                if let Found::Run(run) = found
                    && run.state.annotations.flag("deleted") == wants_bin
                {
                    runs.push(*run);
                }
            }
            Ok(runs)
        })?;
        let mut others = Vec::new();
        if runs.is_empty() {
            let choice = Choice {
                experiments: self.view.experiments()?,
                ..Choice::default()
            };
            others = choice.matching(glob);
        }
        for uid in self.aliased(glob)? {
            others.push(self.by_uid(glob, uid)?);
        }
        for found in others {
            match found {
                Found::Run(run) if run.state.annotations.flag("deleted") == wants_bin => {
                    runs.push(*run);
                }
                Found::Experiment(row) if row.state.annotations.flag("deleted") == wants_bin => {
                    runs.extend(self.runs_of(&row, enough)?);
                }
                Found::Run(_) | Found::Experiment(_) => {}
            }
        }
        if runs.is_empty() {
            runs = self.runs_of_one(glob, enough)?;
        }
        Ok(Newest::of(runs, limit))
    }

    /// All that a glob means: runs; where it matches none, experiments and what aliases stand for.
    pub(crate) fn matching_glob(&self, text: &str) -> Result<Vec<Found>> {
        let mut choice = self.choice(&self.could_match(text)?)?;
        let mut found = choice.matching(text);
        if found.is_empty() {
            choice.experiments = self.view.experiments()?;
            found = choice.matching(text);
        }
        for uid in self.aliased(text)? {
            found.push(self.by_uid(text, uid)?);
        }
        let wants_bin = self.preferred == Preferred::Deleted;
        found.retain(|it| it.is_deleted() == wants_bin);
        Ok(found)
    }

    /// The runs of what a text means alone.
    fn runs_of_one(&self, text: &str, limit: usize) -> Result<Vec<RunRow>> {
        match self.any(text)? {
            Found::Run(run) => Ok(vec![*run]),
            Found::Experiment(row) => {
                let runs = self.runs_of(&row, limit)?;
                if runs.is_empty() {
                    let experiment = text.to_owned();
                    return Err(Failure::NoRunYet { experiment }.into());
                }
                Ok(runs)
            }
        }
    }

    /// The newest runs of an experiment that lists show, by number.
    fn runs_of(&self, row: &ExperimentRow, limit: usize) -> Result<Vec<RunRow>> {
        let query = Query {
            experiments: Some(vec![row.no]),
            limit,
            ..Query::all()
        };
        let mut numbers = self.view.search(&query)?.runs;
        numbers.sort();
        Ok(self.view.runs(&numbers)?)
    }

    /// The runs that are called as the glob reads, by name or by path.
    fn verbatim(&self, glob: &str) -> Result<Vec<RunNo>> {
        self.found(narrow::is_called(glob), None)
    }

    /// The runs that a glob could mean, by number: where it names an experiment, of that one alone.
    fn could_match(&self, glob: &str) -> Result<Vec<RunNo>> {
        let cuts = glob.match_indices('/').map(|(at, _)| at);
        let cuts: Vec<(&str, &str)> = cuts.map(|at| (&glob[..at], &glob[at + 1..])).collect();
        if cuts.iter().any(|(path, _)| handle::is_glob(path)) {
            return self.matching(glob);
        }
        let mut numbers = self.found(narrow::could_be(glob), None)?;
        let experiments = if cuts.is_empty() {
            Vec::new()
        } else {
            self.view.experiments()?
        };
        for (path, tail) in cuts {
            let is_meant = |row: &&ExperimentRow| {
                row.state.project() == path || experiment_candidate(row, &[]).is_experiment(path)
            };
            let of: Vec<ExperimentNo> = experiments
                .iter()
                .filter(is_meant)
                .map(|row| row.no)
                .collect();
            if !of.is_empty() {
                numbers.extend(self.found(narrow::could_be(tail), Some(of))?);
            }
        }
        numbers.sort();
        numbers.dedup();
        Ok(numbers)
    }

    fn found(&self, filter: Expr, experiments: Option<Vec<ExperimentNo>>) -> Result<Vec<RunNo>> {
        let query = Query {
            filter,
            experiments,
            shown: Shown::All,
            ..Query::all()
        };
        Ok(self.view.search(&query)?.runs)
    }
}

/// Those of some runs that fit, the newest first, until there are enough: read a batch at a time.
fn newest_of(
    mut numbers: Vec<RunNo>,
    enough: usize,
    fitting: impl Fn(&[RunNo]) -> Result<Vec<RunRow>>,
) -> Result<Vec<RunRow>> {
    numbers.sort_by_key(|no| std::cmp::Reverse(*no));
    let mut runs = Vec::new();
    for batch in numbers.chunks(BATCH.min(enough.saturating_mul(2)).max(1)) {
        runs.extend(fitting(batch)?);
        if runs.len() >= enough {
            break;
        }
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use trialbook_model::id::RunUid;
    use trialbook_model::state::RunState;

    use super::*;

    #[test]
    fn a_cut_reads_little_more_than_it_keeps() {
        let run = |no: &RunNo| RunRow {
            no: *no,
            uid: RunUid::default(),
            experiment: ExperimentNo(0),
            number: None,
            state: RunState::default(),
        };
        let all: Vec<RunNo> = (1..=100_000).map(RunNo).collect();
        let read = Cell::new(0);
        let every_other = |batch: &[RunNo]| {
            read.set(read.get() + batch.len());
            let fitting = batch.iter().filter(|no| no.0 % 2 == 0);
            Ok(fitting.map(run).collect())
        };
        let found = newest_of(all.clone(), 101, every_other).unwrap();
        let found = Newest::of(found, 100);
        assert!(found.more && found.runs.len() == 100);
        assert_eq!(
            (found.runs[0].no, found.runs[99].no),
            (RunNo(100_000), RunNo(99_802))
        );
        assert!(read.get() <= 4 * 101, "{} rows were read", read.get());
        read.set(0);
        let none = newest_of(all, 101, |batch| {
            read.set(read.get() + batch.len());
            Ok(Vec::new())
        });
        assert_eq!((none.unwrap(), read.get()), (Vec::new(), 100_000));
    }
}
