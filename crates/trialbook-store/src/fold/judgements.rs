//! Derived metrics that cannot be folded on: items that were judged later or recorded anew, and states of older
//! rules. They are folded anew, from all that their run was heard to say.

use std::rc::Rc;
use std::sync::Arc;

use trialbook_model::derived::{self, Judgements};
use trialbook_model::record::{Event, Op};

use super::{Fold, Kept};
use crate::error::BookError;
use crate::nouns::{AssessRecord, EventRecord, ItemRecord};
use crate::pack::Places;
use crate::sealed::Sealed;

/// What derived metrics of one run are made of.
pub(crate) struct Observed {
    events: Vec<EventRecord>,
    items: Vec<ItemRecord>,
    judged: Vec<AssessRecord>,
}

impl Observed {
    /// All that is sealed.
    pub(crate) fn read(sealed: &Sealed<'_>, places: &Places) -> Result<Self, BookError> {
        Ok(Self {
            events: sealed.records::<Event>(places, places.events)?,
            items: sealed.items(places)?,
            judged: sealed.records(places, places.assessments)?,
        })
    }

    /// With what is new.
    fn and(mut self, kept: &Kept) -> Self {
        self.events.extend_from_slice(&kept.events);
        self.items.extend_from_slice(&kept.items);
        self.judged.extend_from_slice(&kept.assessments);
        self
    }

    /// By the present rules.
    pub(crate) fn fold(&self) -> derived::State {
        let mut state = derived::State::default();
        for event in &self.events {
            let op = Op::Event(event.record.clone());
            state.observe(event.stamp.time, event.stamp.order(), &op);
        }
        for item in &self.items {
            let op = Op::Item(Box::new(item.record.clone()));
            state.observe(item.stamp.time, item.stamp.order(), &op);
        }
        for record in &self.judged {
            let op = Op::Assess(record.record.clone());
            state.observe(record.stamp.time, record.stamp.order(), &op);
        }
        if state.needs_all_items() {
            self.judge(&mut state);
        }
        state
    }

    fn judge(&self, state: &mut derived::State) {
        let mut judgements = Judgements::default();
        for record in &self.judged {
            judgements.observe(record.stamp.order(), &record.record);
        }
        let items = self.items.iter();
        let items = items.map(|item| (item.stamp.order(), &item.record));
        state.refold_items(&judgements, items);
    }
}

impl Fold<'_> {
    /// Folds the items of runs again that have judgements or numbered items and got new items or judgements, and everything of
    /// runs that older rules have folded.
    pub(super) fn judge_again(&mut self) -> Result<(), BookError> {
        let sealed = Rc::clone(&self.sealed);
        for no in &self.touched {
            let Some(run) = self.folded.runs.get(no) else {
                continue;
            };
            let derived = &run.row.state.derived;
            let judged = self.judged.contains(no) && derived.needs_all_items();
            let is_current = derived.is_current();
            if is_current && !judged {
                continue;
            }
            let observed = match Observed::read(&sealed, &run.kept.places) {
                // Without all of it the last result is the best that is known.
                Err(error) if error.is_damage() => continue,
                observed => observed?.and(&run.kept),
            };
            let Some(run) = Arc::make_mut(&mut self.folded).runs.get_mut(no) else {
                continue;
            };
            let derived = &mut run.row.state.derived;
            if is_current {
                observed.judge(derived);
            } else {
                *derived = observed.fold();
            }
        }
        Ok(())
    }
}
