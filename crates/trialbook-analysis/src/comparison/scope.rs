//! Which metrics a comparison shows.
//!
//! Not here: which of them are judged. Invariant: metrics that were named are shown, and no others.

use super::{Request, Subject};
use crate::measure;

/// Which metrics are shown where none are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those that were logged; where none was, those that follow from what was recorded.
    Logged,
    /// Those, derived ones and those of the processes.
    All,
}

/// The metrics asked for, once each, else those of the scope by name; and the derived ones that are left out.
pub(super) fn keys(subjects: &[Subject], request: &Request) -> (Vec<String>, Vec<String>) {
    let mut keys: Vec<String> = Vec::new();
    for key in &request.metrics {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    if !keys.is_empty() {
        return (keys, Vec::new());
    }
    let runs = || subjects.iter().flat_map(|subject| &subject.runs);
    let mut shown = measure::logged_keys(runs());
    let derived = measure::derived_keys(runs());
    let mut left_out = Vec::new();
    match request.scope {
        Scope::Logged if !shown.is_empty() => left_out.extend(derived.difference(&shown).cloned()),
        Scope::Logged => shown = derived,
        Scope::All => {
            shown.extend(derived);
            shown.extend(measure::system_keys(runs()));
        }
    }
    (shown.into_iter().collect(), left_out)
}
