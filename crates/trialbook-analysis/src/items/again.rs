//! Answers that were recorded more than once.
//!
//! Each record counts as an answer, as nothing tells a repeat without a number from a slip; so it is told of.

use std::collections::BTreeMap;

use trialbook_model::record::Item;

/// How many records share item, repeat and attempt with an earlier one.
pub fn recorded_again<'a>(items: impl IntoIterator<Item = &'a Item>) -> u64 {
    let mut seen: BTreeMap<(&str, Option<u64>, Option<u64>), u64> = BTreeMap::new();
    for item in items {
        *seen
            .entry((item.id.as_str(), item.repeat, item.attempt))
            .or_default() += 1;
    }
    seen.values().map(|times| times - 1).sum()
}
