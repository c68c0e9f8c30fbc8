//! The numbers of a metric that a filter can name, and where they are looked for.
//!
//! Not here: columns of them. Invariant: a logged metric hides a derived one of its name, also where the number
//! asked for is missing in it.

use trialbook_model::derived::unqualified;
use trialbook_model::filter::{Aggregate, Key};
use trialbook_model::record::Goal;
use trialbook_model::state::SeriesSummary;

/// The numbers of a series that a filter can name. NaN in `min`, `max` and `mean` says that no value was
/// finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbers {
    /// The last value; NaN is data.
    pub last: f64,
    /// The smallest finite value.
    pub min: f64,
    /// The greatest finite value.
    pub max: f64,
    /// The mean of the finite values.
    pub mean: f64,
    /// How many values.
    pub count: f64,
    /// How many of them are NaN.
    pub nan: f64,
}

impl Numbers {
    /// Of a series.
    pub fn of(summary: &SeriesSummary) -> Self {
        Self {
            last: summary.last.value,
            min: summary.min().unwrap_or(f64::NAN),
            max: summary.max().unwrap_or(f64::NAN),
            mean: summary.mean().unwrap_or(f64::NAN),
            count: summary.count as f64,
            nan: summary.nan as f64,
        }
    }

    /// Of a series of this one value, as which derived metrics count.
    pub fn of_one(value: f64) -> Self {
        let finite = if value.is_finite() { value } else { f64::NAN };
        Self {
            last: value,
            min: finite + 0.0,
            max: finite + 0.0,
            mean: finite + 0.0,
            count: 1.0,
            nan: f64::from(u8::from(value.is_nan())),
        }
    }

    /// In the order in which columns keep them.
    pub(super) fn lanes(&self) -> [f64; 6] {
        [
            self.last, self.min, self.max, self.mean, self.count, self.nan,
        ]
    }

    /// The number that an aggregate names.
    pub(super) fn get(&self, lane: Lane) -> Option<f64> {
        let value = self.lanes()[lane as usize];
        (!lane.is_partial() || !value.is_nan()).then_some(value)
    }
}

/// The place of an aggregate in a column of [`Numbers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Last,
    Min,
    Max,
    Mean,
    Count,
    Nan,
}

impl Lane {
    /// All of them, in the order in which columns keep them.
    pub(super) const ALL: [Self; 6] = [
        Self::Last,
        Self::Min,
        Self::Max,
        Self::Mean,
        Self::Count,
        Self::Nan,
    ];

    /// The lane that an aggregate means for a metric of this goal.
    pub(super) const fn of(aggregate: Aggregate, goal: Goal) -> Self {
        match (aggregate, goal) {
            (Aggregate::Min, _) | (Aggregate::Best, Goal::Min) => Self::Min,
            (Aggregate::Max, _) | (Aggregate::Best, Goal::Max) => Self::Max,
            (Aggregate::Mean, _) => Self::Mean,
            (Aggregate::Count, _) => Self::Count,
            (Aggregate::Nan, _) => Self::Nan,
            (Aggregate::Last, _) | (Aggregate::Best, Goal::None) => Self::Last,
        }
    }

    /// Whether NaN means that there is no value.
    pub(super) const fn is_partial(self) -> bool {
        match self {
            Self::Min | Self::Max | Self::Mean => true,
            Self::Last | Self::Count | Self::Nan => false,
        }
    }
}

/// Where a metric's values are looked for: the name, and whether the derived one is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MetricPlace<'a> {
    /// Logged, else derived.
    Logged(&'a str, Option<&'a str>),
    /// Derived under the second name, else logged under the first.
    Derived(&'a str, &'a str),
}

/// Where a key's metric is looked for.
pub(super) fn metric_place(key: &Key) -> MetricPlace<'_> {
    match unqualified(&key.name) {
        Some(derived) if key.context.is_empty() => MetricPlace::Derived(&key.name, derived),
        Some(_) | None => {
            let derived = key.context.is_empty().then_some(key.name.as_str());
            MetricPlace::Logged(&key.name, derived)
        }
    }
}
