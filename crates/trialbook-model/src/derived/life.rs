//! The folds over a run's life: when it ran, velocity, progress (M-12, M-13).
//!
//! Not here: events and items. Invariant: a run that has not ended is measured until its last sign of life.

use serde::{Deserialize, Serialize};

use super::Values;
use super::events::seconds_between;
use super::fold::{Latest, Merge, Order, is_default};
use crate::record::{Points, Progress, SetStatus, StartRun};
use crate::status::RunStatus;
use crate::time::Timestamp;

/// A last value: the maximum by step, time and value, NaN lowest (M-4).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct LastPoint {
    step: i64,
    time: Timestamp,
    /// Rank in total order, so that equality and every serialization keep NaN.
    rank: i64,
}

impl LastPoint {
    fn new(step: i64, time: Timestamp, value: f64) -> Self {
        let rank = if value.is_nan() {
            i64::MIN
        } else {
            let bits = value.to_bits() as i64;
            bits ^ (((bits >> 63) as u64) >> 1) as i64
        };
        Self { step, time, rank }
    }

    fn value(&self) -> f64 {
        if self.rank == i64::MIN {
            return f64::NAN;
        }
        f64::from_bits((self.rank ^ (((self.rank >> 63) as u64) >> 1) as i64) as u64)
    }
}

/// When the run lived and how far it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Life {
    #[serde(skip_serializing_if = "is_default")]
    started: Latest<Timestamp>,
    #[serde(skip_serializing_if = "is_default")]
    status: Latest<(RunStatus, Option<Timestamp>)>,
    #[serde(skip_serializing_if = "is_default")]
    first_sign: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_default")]
    last_sign: Option<Timestamp>,
    /// Percent, where the latest progress says a total.
    #[serde(skip_serializing_if = "is_default")]
    progress: Latest<Option<f64>>,
    #[serde(skip_serializing_if = "is_default")]
    total_tasks: Option<LastPoint>,
    #[serde(skip_serializing_if = "is_default")]
    completed_tasks: Option<LastPoint>,
}

impl Merge for Life {
    fn merge(&mut self, other: &Self) {
        self.started.merge(&other.started);
        self.status.merge(&other.status);
        for time in [other.first_sign, other.last_sign].into_iter().flatten() {
            self.sign(time);
        }
        self.progress.merge(&other.progress);
        let (total, completed) = (other.total_tasks.clone(), other.completed_tasks.clone());
        self.total_tasks = self.total_tasks.take().max(total);
        self.completed_tasks = self.completed_tasks.take().max(completed);
    }
}

impl Life {
    /// The run did something then.
    pub(super) fn sign(&mut self, time: Timestamp) {
        self.first_sign = Some(self.first_sign.map_or(time, |held| held.min(time)));
        self.last_sign = self.last_sign.max(Some(time));
    }

    pub(super) fn start(&mut self, order: Order, op: &StartRun) {
        self.status.set(order, (op.status, None));
        if op.status != RunStatus::Queued {
            self.started.set(order, op.started);
        }
    }

    pub(super) fn status(&mut self, order: Order, op: &SetStatus) {
        self.status.set(order, (op.status, op.ended));
        if let Some(started) = op.started {
            self.started.set(order, started);
        }
    }

    pub(super) fn progress(&mut self, order: Order, op: &Progress) {
        let percent = op.total.and_then(|total| percent(op.done, total));
        self.progress.set(order, percent);
    }

    pub(super) fn points(&mut self, points: &Points) {
        for (series, value) in &points.values {
            let held = match series.key.as_str() {
                "total_tasks" => &mut self.total_tasks,
                "completed_tasks" => &mut self.completed_tasks,
                _ => continue,
            };
            if series.context.is_empty() {
                let point = LastPoint::new(points.step, points.time, *value);
                *held = held.take().max(Some(point));
            }
        }
    }

    pub(super) fn values(&self, tasks_completed: Option<u64>, out: &mut Values) {
        let start = self.started.get().copied().or(self.first_sign);
        let end = match self.status.get() {
            Some((status, Some(ended))) if status.is_final() => Some(*ended),
            Some(_) | None => self.last_sign,
        };
        let hours = start
            .zip(end)
            .and_then(|(start, end)| seconds_between(start, end))
            .map(|seconds| seconds / 3600.0);
        let velocity = tasks_completed
            .zip(hours.filter(|hours| *hours > 0.0))
            .map(|(tasks, hours)| tasks as f64 / hours);
        out.put("velocity", velocity);
        let logged = self.completed_tasks.as_ref().zip(self.total_tasks.as_ref());
        let logged = logged.and_then(|(done, total)| percent(done.value(), total.value()));
        let told = self.progress.get().copied().flatten();
        out.put("progress_percent", told.or(logged));
    }
}

/// Done of total in percent, 0 when the total is 0 (M-13); `None` for what is not a number.
fn percent(done: f64, total: f64) -> Option<f64> {
    if total == 0.0 && !done.is_nan() {
        return Some(0.0);
    }
    Some(done / total * 100.0).filter(|percent| percent.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(value: f64) -> LastPoint {
        LastPoint::new(1, Timestamp(1), value)
    }

    #[test]
    fn nan_is_the_lowest_and_stays_nan() {
        assert!(at(f64::NAN) < at(f64::NEG_INFINITY));
        assert_eq!(at(-f64::NAN), at(f64::NAN));
        assert!(at(f64::NAN).value().is_nan());
        assert!(at(-0.0) < at(0.0));
        assert!(LastPoint::new(2, Timestamp(0), f64::NAN) > at(1.0));
    }

    proptest! {
        #[test]
        fn ranks_order_and_give_back_all_numbers(left in any::<f64>(), right in any::<f64>()) {
            prop_assert_eq!(at(left).cmp(&at(right)), left.total_cmp(&right));
            prop_assert_eq!(at(left).value().to_bits(), left.to_bits());
        }
    }
}
