//! Derived metrics of one run: folds over its events and items, with its life and progress (M-6 … M-13, C-11 … C-16).
//!
//! A [`State`] is part of a run's summary: it takes operations in any order, merges with other states of
//! the run, and gives its values under the names that [`RULES`] lists. Rules over several runs are not here.
//! The operations must each be observed once; whoever stores them drops repeats.
//! Invariant: states that saw the same operations are equal, and serialize to the same bytes, whatever the
//! order and the grouping. Invariant: a state is bounded: of each family of ids it keeps those that are
//! first in byte order and counts the observations of the others ([`State::truncations`]); totals and
//! means are over all. Invariant: what was not observed has no value; nothing is 0 because it is missing.

mod answers;
mod events;
mod fold;
mod items;
mod life;
mod rules;
mod verdict;

use serde::{Deserialize, Serialize};

use crate::record::{Item, Op};
use crate::time::Timestamp;
pub use answers::{answers, repeated};
use events::Events;
use fold::Merge as _;
pub use fold::Order;
pub use items::{AgentResult, Cost, ErrorPattern, GroupResult, Results};
pub use life::Life;
pub use rules::{Input, RULES, Rule, measured_once, rule_of};
pub use verdict::{Judgements, Verdict, verdict, verdict_name};

/// The version of the rules together: a state of another version is to be made anew from its operations.
pub const VERSION: u32 = 2;

/// Tasks whose own figures are kept.
pub const MOST_TASKS: usize = 1000;
/// Agents whose own figures are kept.
pub const MOST_AGENTS: usize = 256;
/// Kinds kept of each open word: item types, severities, artifact and context types.
pub const MOST_TYPES: usize = 256;
/// Classes of errors kept.
pub const MOST_ERRORS: usize = 256;

const PREFIX: &str = "derived.";

/// The names under which a derived metric is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Its own name, unless the user logged a metric of that name: then that one is meant.
    pub plain: Option<String>,
    /// `derived.NAME`, which always means the derived one.
    pub qualified: String,
}

/// The names of a derived metric in a run where `is_logged` tells which keys the user logged.
pub fn names(name: &str, is_logged: impl FnOnce(&str) -> bool) -> Names {
    Names {
        plain: (!is_logged(name)).then(|| name.to_owned()),
        qualified: format!("{PREFIX}{name}"),
    }
}

/// NAME of `derived.NAME`.
pub fn unqualified(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)
}

/// Observations that are in the totals but not kept under their own id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// Which ids, such as `tasks`.
    pub family: &'static str,
    /// How many observations.
    pub observations: u64,
}

impl From<(&'static str, u64)> for Truncation {
    fn from((family, observations): (&'static str, u64)) -> Self {
        Self {
            family,
            observations,
        }
    }
}

/// Names and values on their way out; a missing value is left out.
#[derive(Debug, Default)]
struct Values(Vec<(String, f64)>);

impl Values {
    fn put(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.0.push((name.to_owned(), value));
        }
    }
}

/// What was seen of one run, as far as derived metrics need it. Serialize it with field names: parts that
/// saw nothing are left out, so that the state of a plain run takes a few dozen bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    version: u32,
    #[serde(default, skip_serializing_if = "fold::is_default")]
    events: Events,
    #[serde(default, skip_serializing_if = "fold::is_default")]
    items: items::Items,
    #[serde(default, skip_serializing_if = "fold::is_default")]
    assessments: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            events: Events::default(),
            items: items::Items::default(),
            assessments: 0,
        }
    }
}

impl State {
    /// Takes in an operation about the run; those that no rule uses are passed over.
    pub fn observe(&mut self, time: Timestamp, order: Order, op: &Op) {
        if let Op::Event(event) = op {
            self.events.observe(order, time, event);
        } else if let Op::Item(item) = op {
            self.items.observe(order, item);
        } else if let Op::Assess(_) = op {
            fold::count(&mut self.assessments, 1);
        }
    }

    /// Takes in what another state of the same run saw.
    pub fn merge(&mut self, other: &Self) {
        self.version = self.version.min(other.version);
        self.events.merge(&other.events);
        self.items.merge(&other.items);
        fold::count(&mut self.assessments, other.assessments);
    }

    /// Whether it was made by the present rules; if not, make it anew from the run's operations.
    pub fn is_current(&self) -> bool {
        self.version == VERSION
    }

    /// Whether items were judged later, or records of items have numbers by which a later one takes the place of
    /// another. Both change what an item counts for, and a bounded state cannot take the item out again: then the
    /// item values are of all records as first given until [`State::refold_items`] is called, after every merge or
    /// observation of items or judgements.
    pub fn needs_all_items(&self) -> bool {
        self.assessments > 0 || self.has_numbered_items()
    }

    /// Whether a record of an item says which repeat or attempt it is: then some may not count.
    pub fn has_numbered_items(&self) -> bool {
        self.items.has_numbered()
    }

    /// Folds all items of the run again: those that count, each as it stands after its judgements.
    pub fn refold_items<'a>(
        &mut self,
        judgements: &Judgements,
        items: impl IntoIterator<Item = (Order, &'a Item)>,
    ) {
        self.items = items::Items::default();
        for (order, item) in answers(items) {
            self.items.observe(order, &judgements.judged(item));
        }
    }

    /// The derived metrics that have a value, by their plain names; each name once.
    pub fn values(&self, life: &Life) -> Vec<(String, f64)> {
        let mut out = Values::default();
        self.events.values(&mut out);
        life.values(self.events.tasks_completed(), &mut out);
        self.items.values(&mut out);
        out.0
    }

    /// The classes of errors that items ended in, the most frequent first (C-15).
    pub fn error_patterns(&self) -> Vec<ErrorPattern> {
        self.items.error_patterns()
    }

    /// What the items came to, overall and by agent, type and class of errors; `None` without items.
    pub fn results(&self) -> Option<Results> {
        self.items.results()
    }

    /// Scores, durations and costs of items that are not finite: counted, and in no mean.
    pub fn not_finite(&self) -> u64 {
        self.items.not_finite()
    }

    /// What the bounds left out, family by family; empty for all but the greatest runs.
    pub fn truncations(&self) -> Vec<Truncation> {
        let all = self.events.truncations().chain(self.items.truncations());
        all.filter(|it| it.observations > 0).collect()
    }
}

#[cfg(test)]
mod tests;
