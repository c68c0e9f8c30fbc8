//! The parts that the folds of derived metrics are made of: registers, means, bounded maps.
//!
//! Not here: what is folded. Invariant: every part is commutative and associative: the same observations
//! give equal parts whatever their order and however they were merged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::exact_sum::ExactSum;
use crate::id::WriterUid;
use crate::time::Timestamp;

/// What orders operations: time, writer, position in the writer's stream. No two operations share one.
pub type Order = (Timestamp, WriterUid, u64);

/// Longer ids are counted, but not kept one by one.
const MOST_KEY_BYTES: usize = 200;

/// Something that another of its kind can be added to.
pub(super) trait Merge {
    /// Adds what the other has seen.
    fn merge(&mut self, other: &Self);
}

impl Merge for () {
    fn merge(&mut self, _other: &Self) {}
}

/// Adds counts; it stays at the greatest number rather than wrap, in any order.
pub(super) fn count(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

/// Whether a part saw nothing, and need not be stored.
pub(super) fn is_default<T: Default + PartialEq>(part: &T) -> bool {
    *part == T::default()
}

/// The value of the latest operation that gave one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Latest<V>(Option<(Order, V)>);

impl<V> Default for Latest<V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<V> Latest<V> {
    pub(super) fn set(&mut self, order: Order, value: V) {
        if self.0.as_ref().is_none_or(|(held, _)| *held < order) {
            self.0 = Some((order, value));
        }
    }

    pub(super) fn get(&self) -> Option<&V> {
        self.0.as_ref().map(|(_, value)| value)
    }

    pub(super) fn order(&self) -> Option<Order> {
        self.0.as_ref().map(|(order, _)| *order)
    }
}

impl<V: Clone> Merge for Latest<V> {
    fn merge(&mut self, other: &Self) {
        if let Some((order, value)) = &other.0 {
            self.set(*order, value.clone());
        }
    }
}

/// A mean of what is finite, with the count of what is not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Mean {
    sum: ExactSum,
    n: u64,
    not_finite: u64,
}

impl Mean {
    pub(super) fn add(&mut self, value: f64) {
        if value.is_finite() {
            self.sum.add(value);
            count(&mut self.n, 1);
        } else {
            count(&mut self.not_finite, 1);
        }
    }

    /// Adds a value, if there is one.
    pub(super) fn extend(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.add(value);
        }
    }

    /// The sum; `None` when nothing finite was seen.
    pub(super) fn sum(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum.value())
    }

    pub(super) fn mean(&self) -> Option<f64> {
        self.sum.mean(self.n)
    }

    pub(super) fn not_finite(&self) -> u64 {
        self.not_finite
    }
}

impl Merge for Mean {
    fn merge(&mut self, other: &Self) {
        self.sum.merge(&other.sum);
        count(&mut self.n, other.n);
        count(&mut self.not_finite, other.not_finite);
    }
}

/// One key's part of a bounded map.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Kept<V> {
    seen: u64,
    value: V,
}

/// What was observed under each key, for the `CAP` keys that are first in byte order.
///
/// Which keys are kept must not depend on the order of observation. A key among the first of all keys is
/// among the first of any part of them, so it never was dropped before, and what is kept of it is whole.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Capped<V, const CAP: usize> {
    observed: u64,
    kept: BTreeMap<String, Kept<V>>,
}

impl<V: Default, const CAP: usize> Capped<V, CAP> {
    /// Counts an observation; its key's value, unless the key is not kept.
    pub(super) fn at(&mut self, key: &str) -> Option<&mut V> {
        count(&mut self.observed, 1);
        if key.len() > MOST_KEY_BYTES || !self.has_room(key) {
            return None;
        }
        if !self.kept.contains_key(key) {
            self.kept.insert(key.to_owned(), Kept::default());
            self.trim();
        }
        let kept = self.kept.get_mut(key)?;
        count(&mut kept.seen, 1);
        Some(&mut kept.value)
    }

    /// The value of a key that is kept already, without counting an observation.
    pub(super) fn held(&mut self, key: &str) -> Option<&mut V> {
        self.kept.get_mut(key).map(|kept| &mut kept.value)
    }

    fn has_room(&self, key: &str) -> bool {
        self.kept.len() < CAP
            || self
                .kept
                .last_key_value()
                .is_some_and(|(last, _)| key <= last.as_str())
    }

    fn trim(&mut self) {
        while self.kept.len() > CAP {
            self.kept.pop_last();
        }
    }

    /// Keys, how often each was seen, and what is kept of it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u64, &V)> {
        self.kept
            .iter()
            .map(|(key, kept)| (key.as_str(), kept.seen, &kept.value))
    }

    /// Observations whose keys are not kept.
    pub(super) fn truncated(&self) -> u64 {
        let kept = self
            .kept
            .values()
            .fold(0_u64, |sum, kept| sum.saturating_add(kept.seen));
        self.observed.saturating_sub(kept)
    }
}

impl<V: Merge + Default + Clone, const CAP: usize> Merge for Capped<V, CAP> {
    fn merge(&mut self, other: &Self) {
        count(&mut self.observed, other.observed);
        for (key, theirs) in &other.kept {
            match self.kept.get_mut(key) {
                Some(ours) => {
                    count(&mut ours.seen, theirs.seen);
                    ours.value.merge(&theirs.value);
                }
                None => {
                    self.kept.insert(key.clone(), theirs.clone());
                }
            }
        }
        self.trim();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fold(keys: &[String]) -> Capped<Mean, 3> {
        let mut map: Capped<Mean, 3> = Capped::default();
        for key in keys {
            if let Some(mean) = map.at(key) {
                mean.add(key.len() as f64 / 10.0);
            }
        }
        map
    }

    proptest! {
        #[test]
        fn kept_keys_do_not_depend_on_order_or_grouping(
            keys in proptest::collection::vec("[a-e]{1,2}", 0..30),
            cut in 0_usize..30,
        ) {
            let whole = fold(&keys);
            let mut reversed = keys.clone();
            reversed.reverse();
            prop_assert_eq!(&fold(&reversed), &whole);
            let (left, right) = keys.split_at(cut.min(keys.len()));
            let mut merged = fold(right);
            merged.merge(&fold(left));
            prop_assert_eq!(&merged, &whole);
            let kept: u64 = whole.iter().map(|(_, seen, _)| seen).sum();
            prop_assert_eq!(kept + whole.truncated(), keys.len() as u64);
            prop_assert!(whole.kept.len() <= 3);
            for (key, seen, _) in whole.iter() {
                prop_assert_eq!(seen, keys.iter().filter(|it| *it == key).count() as u64);
            }
        }
    }

    #[test]
    fn keys_too_long_are_counted_only() {
        let map = fold(&["x".repeat(MOST_KEY_BYTES + 1), "y".to_owned()]);
        assert_eq!(map.truncated(), 1);
        assert_eq!(map.kept.len(), 1);
    }
}
