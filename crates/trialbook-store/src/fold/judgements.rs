//! Items that were judged later: what they count for is folded anew, from all items of their run.

use trialbook_model::derived::Judgements;
use trialbook_model::state::Stamp;

use super::Fold;
use crate::error::BookError;
use crate::nouns::{AssessRecord, ItemRecord};

impl Fold<'_> {
    /// Folds the items of runs again that have judgements and got new items or judgements.
    pub(super) fn judge_again(&mut self) -> Result<(), BookError> {
        for run in self.runs.values_mut() {
            let kept = &run.kept;
            let derived = &mut run.row.state.derived;
            let untouched = kept.items.is_empty() && kept.assessments.is_empty();
            if untouched || !derived.has_judgements() {
                continue;
            }
            let judged = self.sealed.records(&kept.places, kept.places.assessments);
            let items = self.sealed.items(&kept.places);
            let (mut judged, mut items): (Vec<AssessRecord>, Vec<ItemRecord>) =
                match (judged, items) {
                    // Without all of them the last result is the best that is known.
                    (Err(error), _) | (_, Err(error)) if error.is_damage() => continue,
                    (judged, items) => (judged?, items?),
                };
            judged.extend_from_slice(&kept.assessments);
            let mut judgements = Judgements::default();
            for record in &judged {
                judgements.observe(order(record.stamp), &record.record);
            }
            items.extend_from_slice(&kept.items);
            let items = items.iter().map(|item| (order(item.stamp), &item.record));
            derived.refold_items(&judgements, items);
        }
        Ok(())
    }
}

/// A stamp as derived metrics order by it.
fn order(stamp: Stamp) -> trialbook_model::derived::Order {
    (stamp.time, stamp.writer, stamp.seq)
}
