//! Which records of items are answers that count, and which a later one has taken the place of.
//!
//! An answer is one repeat of one item. Of its attempts the latest counts, and of records of one attempt the latest
//! record. A record that has neither number is an answer of its own, for nothing tells a repeat from a slip, unless a
//! later attempt at the item is recorded: then it was an earlier one. Not here: what an answer says.
//! Invariant: what counts follows from the records, not from the order in which they are met.

use std::collections::BTreeMap;

use super::Order;
use crate::record::Item;

/// Whether a record may take the place of another one.
pub(super) const fn is_numbered(item: &Item) -> bool {
    item.repeat.is_some() || item.attempt.is_some()
}

/// The records that count, those of one answer of its own first, then by item and repeat.
pub fn answers<'a>(items: impl IntoIterator<Item = (Order, &'a Item)>) -> Vec<(Order, &'a Item)> {
    let mut own: Vec<(Order, &Item)> = Vec::new();
    let mut latest: BTreeMap<(&str, Option<u64>), (Order, &Item)> = BTreeMap::new();
    for (order, item) in items {
        if !is_numbered(item) {
            own.push((order, item));
            continue;
        }
        let held = latest.entry((&item.id, item.repeat));
        let held = held.or_insert((order, item));
        if (held.1.attempt, held.0) < (item.attempt, order) {
            *held = (order, item);
        }
    }
    own.retain(|(_, item)| !latest.contains_key(&(item.id.as_str(), None)));
    own.extend(latest.into_values());
    own
}

/// How many records that count share their item with an earlier one, without a number for either: repeats, or slips.
pub fn repeated<'a>(items: impl IntoIterator<Item = &'a Item>) -> u64 {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for item in items.into_iter().filter(|item| !is_numbered(item)) {
        *seen.entry(&item.id).or_default() += 1;
    }
    seen.values().map(|times| times - 1).sum()
}
