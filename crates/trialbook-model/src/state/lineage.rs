//! What went into a run and what came out of it: datasets, models.
//!
//! Not here: snapshots, files. Invariant: of one dataset, and of one model in one role, the earliest mention
//! holds, whatever the order in which they are folded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::register::{Earliest, Stamp};
use crate::id::EntryUid;
use crate::record::{LinkModel, ModelRole, UseDataset};

/// The datasets that a run used, the models that it used or made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Lineage {
    /// Datasets by name and digest.
    pub datasets: BTreeMap<(String, String), Earliest<UseDataset>>,
    /// Models by what the run did with them.
    pub models: BTreeMap<(ModelRole, EntryUid), Earliest<LinkModel>>,
}

impl Lineage {
    /// A dataset was used.
    pub fn use_dataset(&mut self, stamp: Stamp, mention: &UseDataset) {
        let place = (mention.dataset.name.clone(), mention.dataset.digest.clone());
        Earliest::offer_to(&mut self.datasets, place, stamp, mention.clone());
    }

    /// A model was used or made.
    pub fn link_model(&mut self, stamp: Stamp, link: &LinkModel) {
        let place = (link.role, link.model);
        Earliest::offer_to(&mut self.models, place, stamp, link.clone());
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.datasets.is_empty() && self.models.is_empty()
    }

    /// The datasets, in the order in which they were told.
    pub fn datasets(&self) -> Vec<&UseDataset> {
        in_order(self.datasets.values())
    }

    /// The models of a role, in the order in which they were told.
    pub fn models(&self, role: ModelRole) -> Vec<&LinkModel> {
        let all = self.models.iter();
        in_order(all.filter_map(|((of, _), link)| (*of == role).then_some(link)))
    }
}

fn in_order<'a, T>(mentions: impl Iterator<Item = &'a Earliest<T>>) -> Vec<&'a T> {
    let mut mentions: Vec<_> = mentions.collect();
    mentions.sort_by_key(|mention| mention.stamp);
    mentions.into_iter().map(|mention| &mention.value).collect()
}
