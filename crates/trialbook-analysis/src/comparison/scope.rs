//! Which metrics a comparison shows.
//!
//! Not here: which of them are judged. Invariant: metrics that were named are shown, and no others.

use std::collections::BTreeSet;

use trialbook_store::nouns::RunRow;

use super::{Request, Subject};
use crate::measure;

/// Which metrics are shown where none are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those that were logged; where none was, those that follow from what was recorded and tell each thing once.
    Logged,
    /// Those, derived ones and those of the processes.
    All,
}

/// The metrics of a comparison.
pub(super) struct Chosen {
    /// What is shown: the metrics asked for, once each, else those of the scope by name.
    pub(super) keys: Vec<String>,
    /// Derived metrics that are left out.
    pub(super) left_out: Vec<String>,
    /// Derived metrics that tell again what others tell: shown where all are, and neither tested nor judged.
    pub(super) again: BTreeSet<String>,
}

impl Chosen {
    pub(super) fn of(subjects: &[Subject], request: &Request) -> Self {
        let mut chosen = Self {
            keys: Vec::new(),
            left_out: Vec::new(),
            again: BTreeSet::new(),
        };
        for key in &request.metrics {
            if !chosen.keys.contains(key) {
                chosen.keys.push(key.clone());
            }
        }
        if !chosen.keys.is_empty() {
            return chosen;
        }
        let runs: Vec<&RunRow> = subjects.iter().flat_map(|subject| &subject.runs).collect();
        let mut shown = measure::logged_keys(runs.iter().copied());
        let (once, again) = measure::measured_once(&runs);
        match request.scope {
            Scope::Logged if !shown.is_empty() => {
                let derived = once.union(&again);
                let left_out = derived.filter(|key| !shown.contains(*key));
                chosen.left_out = left_out.cloned().collect();
            }
            Scope::Logged => {
                shown = once;
                chosen.left_out = again.into_iter().collect();
            }
            Scope::All => {
                chosen.again = again.difference(&shown).cloned().collect();
                shown.extend(once);
                shown.extend(again);
                shown.extend(measure::system_keys(runs));
            }
        }
        chosen.keys = shown.into_iter().collect();
        chosen
    }
}
