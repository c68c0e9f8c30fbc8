//! What is divided into buckets, into how many, and how finely.
//!
//! Not here: filling them. Invariant: a range that ends before it begins holds nothing.

use super::{AxisRoll, ValueRoll};
use serde::{Deserialize, Serialize};

/// What the buckets divide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Along {
    /// The step.
    Step,
    /// The time.
    Time,
}

/// How finely the borders of buckets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Detail {
    /// Every value is in its bucket; bounds are exact.
    Exact,
    /// Borders are snapped to 256 values; bounds are rounded outward to `f32`.
    Snapped,
}

/// A range in buckets of equal width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketSpec {
    /// What is divided.
    pub along: Along,
    /// The first step or time of the range.
    pub from: i64,
    /// The last step or time of the range, inclusive.
    pub to: i64,
    /// How many buckets; 0 counts as 1.
    pub count: usize,
}

impl BucketSpec {
    /// The place in the range where a roll-up counts, if it holds anything and touches the range.
    pub(super) fn place_of(self, span: &AxisRoll, roll: &ValueRoll) -> Option<i64> {
        let (first, last) = match self.along {
            Along::Step => (span.first_step, span.last_step),
            Along::Time => (span.first_time, span.last_time),
        };
        let touches = last >= self.from && first <= self.to;
        (touches && roll.count() > 0).then_some(first.max(self.from))
    }
}
