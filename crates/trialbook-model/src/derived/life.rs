//! What a run's own state says that derived metrics need: when it ran and how far it is (M-12, M-13).
//!
//! Not here: events and items. Invariant: a run that has not ended is measured until its last sign of life.

use super::Values;
use super::events::seconds_between;
use crate::time::Timestamp;

/// When a run lived and how far it is, as its state tells.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Life {
    /// When it started; where that is not known, its first sign of life.
    pub started: Option<Timestamp>,
    /// When it ended; where it has not, its last sign of life.
    pub until: Option<Timestamp>,
    /// Units of work done, and units in all, as its progress tells.
    pub progress: Option<(f64, f64)>,
    /// The last values of `completed_tasks` and `total_tasks`, where both are logged.
    pub tasks: Option<(f64, f64)>,
}

impl Life {
    pub(super) fn values(&self, tasks_completed: Option<u64>, out: &mut Values) {
        let hours = self
            .started
            .zip(self.until)
            .and_then(|(start, end)| seconds_between(start, end))
            .map(|seconds| seconds / 3600.0);
        let velocity = tasks_completed
            .zip(hours.filter(|hours| *hours > 0.0))
            .map(|(tasks, hours)| tasks as f64 / hours);
        out.put("velocity", velocity);
        let of = |pair: Option<(f64, f64)>| pair.and_then(|(done, total)| percent(done, total));
        out.put(
            "progress_percent",
            of(self.progress).or_else(|| of(self.tasks)),
        );
    }
}

/// Done of total in percent, 0 when the total is 0 (M-13); `None` for what is not a number.
fn percent(done: f64, total: f64) -> Option<f64> {
    if total == 0.0 && !done.is_nan() {
        return Some(0.0);
    }
    Some(done / total * 100.0).filter(|percent| percent.is_finite())
}
