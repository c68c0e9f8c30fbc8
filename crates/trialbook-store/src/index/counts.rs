//! How many runs there are, and how many each experiment has, from one look at one column.
//!
//! Not here: conditions on runs. Invariant: the counts are the totals of a search of each experiment for all
//! runs that are not in the bin.

use std::collections::BTreeMap;

use trialbook_model::id::ExperimentNo;

use super::bits::Bits;
use super::layout::{Damaged, SEGMENT, first_of};
use super::run_view::RunView;
use super::source::Scene;
use super::{Change, Index};
use crate::query::Shown;

impl Index {
    /// Runs of each experiment that are not in the bin; experiments without any are left out. A damaged
    /// snapshot gives no answer.
    pub fn count_runs(&self) -> Result<BTreeMap<ExperimentNo, u64>, Damaged> {
        let mut counts = BTreeMap::new();
        for change in self.changed.values() {
            let Change::Put(run) = change else {
                continue;
            };
            let experiment = self.experiments.get(run.experiment.0);
            if (RunView { run, experiment }).is_shown(Shown::WithArchived) {
                *counts.entry(run.experiment).or_default() += 1;
            }
        }
        for at in 0..self.segments.len() {
            self.count_segment(at, &mut counts)?;
        }
        Ok(counts)
    }

    /// All runs, those in the bin too.
    pub fn count_all(&self) -> Result<u64, Damaged> {
        let put = |change: &&Change| matches!(change, Change::Put(_));
        let mut count = self.changed.values().filter(put).count() as u64;
        for at in 0..self.segments.len() {
            if let Some((_scene, runs)) = self.unchanged(at)? {
                count += runs.count();
            }
        }
        Ok(count)
    }

    /// The runs of a segment over which no change lies.
    fn unchanged(&self, at: usize) -> Result<Option<(Scene<'_>, Bits)>, Damaged> {
        let Some(segment) = &self.segments[at] else {
            return Ok(None);
        };
        let first = first_of(at as u64);
        let scene = Scene::new(segment, first, &self.experiments)?;
        let mut of = scene.exists();
        for (no, _) in self.changed.range(first..first + SEGMENT) {
            let place = (no - first) as usize;
            if place < of.len() {
                of.clear(place);
            }
        }
        Ok(Some((scene, of)))
    }

    fn count_segment(
        &self,
        at: usize,
        counts: &mut BTreeMap<ExperimentNo, u64>,
    ) -> Result<(), Damaged> {
        let Some((scene, mut of)) = self.unchanged(at)? else {
            return Ok(());
        };
        if let Some(deleted) = scene.flagged("deleted")? {
            of.and_not(&deleted.bits());
        }
        let experiments = scene.experiments();
        let mut of_codes = vec![0; experiments.len()];
        for place in of.iter() {
            if let Some(count) = of_codes.get_mut(scene.code(place)) {
                *count += 1;
            }
        }
        for (code, (count, experiment)) in of_codes.into_iter().zip(experiments).enumerate() {
            if count > 0 && !experiment.deleted {
                *counts.entry(scene.experiment_no(code)).or_default() += count;
            }
        }
        Ok(())
    }
}
