//! Searching runs by judging every row.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use trialbook_model::id::RunNo;

use super::BookView;
use crate::backend::Wanted;
use crate::error::BookError;
use crate::nouns::RunRow;
use crate::query::{Hits, Query, Shown};
use crate::reading::Reading as _;

impl BookView<'_> {
    pub(super) fn find(&self, query: &Query) -> Result<Hits, BookError> {
        let mut experiments = BTreeMap::new();
        for row in self.experiments()? {
            experiments.insert(row.no, row.state);
        }
        let is_shown = |row: &RunRow| {
            let of = experiments.get(&row.experiment);
            let flag = |name| {
                row.state.annotations.flag(name) || of.is_some_and(|of| of.annotations.flag(name))
            };
            let asked = query.experiments.as_ref();
            asked.is_none_or(|asked| asked.contains(&row.experiment))
                && match query.shown {
                    Shown::Active => !flag("archived") && !flag("deleted"),
                    Shown::WithArchived => !flag("deleted"),
                    Shown::Bin => flag("deleted"),
                    Shown::All => true,
                }
        };
        let mut rows = self.all_runs()?;
        rows.retain(is_shown);
        rows.sort_by_key(|row| Reverse(row.no));
        let runs = rows.iter().skip(query.offset).take(query.limit);
        Ok(Hits {
            total: rows.len() as u64,
            runs: runs.map(|row| row.no).collect(),
        })
    }

    /// All runs, by number.
    pub(super) fn all_runs(&self) -> Result<Vec<RunRow>, BookError> {
        let mut rows: BTreeMap<RunNo, RunRow> = BTreeMap::new();
        for sealed in self.sealed.runs(Wanted::Since(0))? {
            if !self.fold.removed.contains_key(&sealed.row.no) {
                rows.insert(sealed.row.no, sealed.row);
            }
        }
        for (no, folded) in &self.fold.runs {
            rows.insert(*no, folded.row.clone());
        }
        Ok(rows.into_values().collect())
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
