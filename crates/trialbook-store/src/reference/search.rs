//! Searching runs in the plainest way: judge every run, sort all, cut.

use std::cmp::Reverse;

use super::Reference;
use crate::nouns::RunRow;
use crate::query::{Hits, Query, Shown};

impl Reference {
    pub(super) fn find(&self, query: &Query) -> Hits {
        let mut rows: Vec<&RunRow> = self
            .runs
            .iter()
            .flatten()
            .filter(|row| self.is_shown(row, query))
            .collect();
        rows.sort_by_key(|row| Reverse(row.no));
        Hits {
            total: rows.len() as u64,
            runs: rows
                .into_iter()
                .skip(query.offset)
                .take(query.limit)
                .map(|row| row.no)
                .collect(),
        }
    }

    fn is_shown(&self, row: &RunRow, query: &Query) -> bool {
        let experiment = &self.experiments[row.experiment.0 as usize].state;
        let flag = |name| row.state.annotations.flag(name) || experiment.annotations.flag(name);
        let asked = query
            .experiments
            .as_ref()
            .is_none_or(|experiments| experiments.contains(&row.experiment));
        asked
            && match query.shown {
                Shown::Active => !flag("archived") && !flag("deleted"),
                Shown::WithArchived => !flag("deleted"),
                Shown::Bin => flag("deleted"),
                Shown::All => true,
            }
    }
}
