//! Ids that others gave: pointers of a project to the uid of a run or of an experiment.
//!
//! Invariant: an alias never hides what a text means by itself; it is asked last.

use anyhow::Result;
use trialbook_model::handle;
use trialbook_model::id::Uid;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading;

use super::Names;
use crate::failure::Failure;

/// The kind of pointers that are aliases.
pub(crate) const ALIAS: &str = "alias";

impl<V: Reading> Names<'_, V> {
    /// What an alias stands for.
    pub(super) fn alias(&self, text: &str) -> Result<Option<Uid>> {
        let place = (ALIAS.to_owned(), text.to_owned());
        for project in self.view.projects()? {
            let state = self.view.project(&project)?;
            let held = state.pointers.get(&place);
            let uid = held.and_then(|held| held.value.as_str()?.parse().ok());
            if uid.is_some() {
                return Ok(uid);
            }
        }
        Ok(None)
    }

    /// What the aliases stand for that a glob matches.
    pub(super) fn aliased(&self, glob: &str) -> Result<Vec<Uid>> {
        let mut found = Vec::new();
        for (alias, uid) in self.aliases()? {
            if handle::glob_matches(glob, &alias) && !found.contains(&uid) {
                found.push(uid);
            }
        }
        Ok(found)
    }

    /// All aliases of the book, in the order of their projects and texts.
    pub(crate) fn aliases(&self) -> Result<Vec<(String, Uid)>> {
        let mut all = Vec::new();
        for project in self.view.projects()? {
            for ((kind, alias), held) in self.view.project(&project)?.pointers {
                let uid = held.value.as_str().and_then(|uid| uid.parse().ok());
                if let (ALIAS, Some(uid)) = (kind.as_str(), uid) {
                    all.push((alias, uid));
                }
            }
        }
        Ok(all)
    }

    /// The aliases of an experiment.
    pub(crate) fn aliases_of(&self, row: &ExperimentRow) -> Result<Vec<String>> {
        let uids: Vec<Uid> = row.state.uids.iter().map(|uid| uid.0).collect();
        self.aliases_of_any(&uids)
    }

    /// The aliases that stand for one of some uids.
    pub(crate) fn aliases_of_any(&self, uids: &[Uid]) -> Result<Vec<String>> {
        let mut all = self.aliases()?;
        all.retain(|(_, uid)| uids.contains(uid));
        Ok(all.into_iter().map(|(alias, _)| alias).collect())
    }

    /// Refuses an alias that stands for something already.
    pub(crate) fn refuse_taken_alias(&self, alias: &str) -> Result<()> {
        if self.alias(alias)?.is_some() {
            return Err(Failure::Taken {
                noun: "alias",
                name: alias.to_owned(),
            }
            .into());
        }
        Ok(())
    }
}
