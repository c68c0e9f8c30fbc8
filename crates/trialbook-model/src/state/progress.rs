//! Work done as a run tells it: the last reports, and when it may be finished (S-66, S-67).
//!
//! Not here: what the units are. Invariant: the same reports in any order, any number of times, give an
//! equal history; it is bounded.

use serde::{Deserialize, Serialize};

use super::register::{Latest, Stamp};
use crate::record::Progress;
use crate::time::Timestamp;

/// Reports that are kept, and looked at for the rate.
pub const MOST_REPORTS: usize = 10;

/// The last reports of a run, oldest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProgressHistory {
    reports: Vec<Latest<Progress>>,
}

impl ProgressHistory {
    /// Takes a report in; of more than [`MOST_REPORTS`] the oldest is dropped.
    pub fn offer(&mut self, stamp: Stamp, progress: Progress) {
        if let Err(at) = self
            .reports
            .binary_search_by_key(&stamp, |report| report.stamp)
        {
            self.reports.insert(at, Latest::new(stamp, progress));
        }
        if self.reports.len() > MOST_REPORTS {
            self.reports.remove(0);
        }
    }

    /// All that are kept, oldest first.
    pub fn reports(&self) -> &[Latest<Progress>] {
        &self.reports
    }

    /// The present report.
    pub fn last(&self) -> Option<&Progress> {
        self.reports.last().map(|report| &report.value)
    }

    /// The share of the work that is done, 0 to 1, where it is known how much there is.
    pub fn share(&self) -> Option<f64> {
        share(self.last()?)
    }

    /// When the work will be done if it goes on as in the last reports; `None` before there are two of them,
    /// and without forward movement.
    pub fn finish(&self, now: Timestamp) -> Option<Timestamp> {
        let known = |report: &Latest<Progress>| Some((report.stamp.time, share(&report.value)?));
        let (since, first) = self.reports.iter().find_map(known)?;
        let (until, last) = self.reports.iter().rev().find_map(known)?;
        let (moved, took) = (last - first, until.0.saturating_sub(since.0) as f64);
        if moved <= 0.0 || took <= 0.0 {
            return None;
        }
        let left = (1.0 - last) * took / moved;
        Some(Timestamp(now.0.saturating_add(left as i64)))
    }
}

/// Of a report without a total, a broken number below 1 is the share itself. More than all of it is all of it.
fn share(progress: &Progress) -> Option<f64> {
    let is_broken = 0.0 < progress.done && progress.done < 1.0;
    let total = progress.total.or(is_broken.then_some(1.0));
    let share = progress.done / total.filter(|total| *total > 0.0)?;
    (!share.is_nan()).then(|| share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::RunUid;

    fn report(seconds: i64, done: f64, total: Option<f64>) -> (Stamp, Progress) {
        let stamp = Stamp {
            time: Timestamp(seconds * 1_000_000),
            ..Stamp::default()
        };
        let progress = Progress {
            run: RunUid::default(),
            done,
            total,
            stage: None,
        };
        (stamp, progress)
    }

    fn history(reports: &[(i64, f64)]) -> ProgressHistory {
        let mut history = ProgressHistory::default();
        for (seconds, done) in reports {
            let (stamp, progress) = report(*seconds, *done, Some(100.0));
            history.offer(stamp, progress);
        }
        history
    }

    #[test]
    fn the_finish_follows_from_the_last_reports() {
        let now = Timestamp(200_000_000);
        assert_eq!(history(&[]).finish(now), None);
        assert_eq!(history(&[(0, 10.0)]).finish(now), None);
        assert_eq!(history(&[(0, 10.0), (100, 10.0)]).finish(now), None);
        assert_eq!(history(&[(0, 20.0), (100, 10.0)]).finish(now), None);
        // 40 % in 100 s: the 50 % that are left take 125 s.
        let finish = history(&[(0, 10.0), (100, 50.0)]).finish(now);
        assert_eq!(finish, Some(Timestamp(325_000_000)));
        // More than all of it is all of it.
        assert_eq!(history(&[(0, 1.0), (9, 150.0)]).finish(now), Some(now));
        assert_eq!(history(&[(0, 150.0)]).share(), Some(1.0));
        let mut broken = history(&[]);
        let (stamp, half) = report(1, 0.5, None);
        broken.offer(stamp, half);
        assert_eq!(broken.share(), Some(0.5));
        let (stamp, unknown) = report(1, 5.0, None);
        let mut history = history(&[]);
        history.offer(stamp, unknown);
        assert_eq!((history.share(), history.finish(now)), (None, None));
    }

    #[test]
    fn only_the_last_reports_count_for_the_rate() {
        // Slow at first, then 1 % a second.
        let mut reports = vec![(0, 0.0)];
        reports.extend((0..10).map(|at| (1000 + at, 10.0 + at as f64)));
        let history = history(&reports);
        assert_eq!(history.reports().len(), MOST_REPORTS);
        let finish = history.finish(Timestamp(0)).unwrap();
        assert_eq!(finish.0 / 1_000_000, 81);
    }

    proptest! {
        #[test]
        fn any_order_of_reports_gives_an_equal_history(
            (reports, shuffled) in proptest::collection::btree_map(0_i64..40, 0.0..100.0_f64, 0..30)
                .prop_map(|map| map.into_iter().collect::<Vec<_>>())
                .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        ) {
            prop_assert_eq!(history(&reports), history(&shuffled));
        }
    }
}
