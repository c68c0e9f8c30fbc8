//! Entries of the register, as a view sees them.
//!
//! Not here: what they mean. Invariant: what the tails say of an entry goes before its sealed row.

use std::collections::BTreeMap;

use trialbook_model::id::EntryNo;

use super::BookView;
use crate::backend::WantedEntries;
use crate::error::BookError;
use crate::nouns::{EntryRow, Owner};
use crate::query::Entries;

impl Entries {
    /// Whether an entry is one of those that are asked for.
    pub(crate) fn are(&self, row: &EntryRow) -> bool {
        match self {
            Self::All => true,
            Self::Kind(kind) => row.state.kind() == Some(*kind),
            Self::Of(kind, of) => row.state.kind() == Some(*kind) && row.of.as_ref() == Some(of),
        }
    }

    /// What is to be read of the rows: those asked for, and perhaps others.
    fn wanted(&self) -> WantedEntries {
        match self {
            Self::All => WantedEntries::All,
            Self::Of(kind, Owner::Entry(no)) => WantedEntries::Below(*kind, *no),
            Self::Of(kind, Owner::Experiment(no)) => WantedEntries::In(*kind, *no),
            Self::Kind(kind) | Self::Of(kind, Owner::Project(_) | Owner::Run(_)) => {
                WantedEntries::Kind(*kind)
            }
        }
    }
}

impl BookView<'_> {
    pub(super) fn entry_row(&self, no: EntryNo) -> Result<Option<EntryRow>, BookError> {
        if let Some(folded) = self.fold.entries.by_no.get(&no) {
            return Ok(Some(folded.row.clone()));
        }
        if self.fold.entries.removed.contains_key(&no) {
            return Ok(None);
        }
        Ok(self.sealed.entry(no)?.map(|sealed| sealed.row))
    }

    pub(super) fn entry_rows(&self, wanted: &Entries) -> Result<Vec<EntryRow>, BookError> {
        let folded = &self.fold.entries;
        let mut rows = BTreeMap::new();
        for sealed in self.sealed.entries(wanted.wanted())? {
            let no = sealed.row.no;
            if !folded.by_no.contains_key(&no) && !folded.removed.contains_key(&no) {
                rows.insert(no, sealed.row);
            }
        }
        for (no, entry) in &folded.by_no {
            rows.insert(*no, entry.row.clone());
        }
        rows.retain(|_, row| wanted.are(row));
        Ok(rows.into_values().collect())
    }
}
