//! How far a run is, and when it will be done (S-66, S-67).
//!
//! Not here: reading clocks. Invariant: the latest records by stamp are kept, whatever the order in which they
//! come; without forward movement there is no time of arrival.

use serde::{Deserialize, Serialize};

use crate::derived::Order;
use crate::record::Progress;
use crate::time::Timestamp;

/// How many records are looked at.
const WINDOW: usize = 10;

/// The latest progress records of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Track {
    /// When and by whom it was told, and the share done, oldest first.
    points: Vec<(Order, f64)>,
}

/// Done of all, from 0 to 1; `None` where the total is not known.
pub fn share(progress: &Progress) -> Option<f64> {
    let share = progress.done / progress.total?;
    share.is_finite().then(|| share.clamp(0.0, 1.0))
}

impl Track {
    /// Takes in a record.
    pub fn offer(&mut self, order: Order, progress: &Progress) {
        if let Some(share) = share(progress) {
            self.put(order, share);
        }
    }

    /// Takes in what another track of the run holds.
    pub fn merge(&mut self, other: &Self) {
        for (order, share) in &other.points {
            self.put(*order, *share);
        }
    }

    fn put(&mut self, order: Order, share: f64) {
        let place = self
            .points
            .binary_search_by_key(&order, |(known, _)| *known);
        if let Err(at) = place {
            self.points.insert(at, (order, share));
        }
        if self.points.len() > WINDOW {
            self.points.remove(0);
        }
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The share done, as last told.
    pub fn share(&self) -> Option<f64> {
        self.points.last().map(|(_, share)| *share)
    }

    /// When it will be done at the pace of the latest records, counted from `now`.
    pub fn arrival(&self, now: Timestamp) -> Option<Timestamp> {
        let (first, last) = (self.points.first()?, self.points.last()?);
        let forward = last.1 - first.1;
        let micros = last.0.0.0.saturating_sub(first.0.0.0);
        if forward <= 0.0 || micros <= 0 {
            return None;
        }
        let left = (1.0 - last.1) / forward * micros as f64;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a time beyond all calendars is cut to the last one"
        )]
        let left = left.round() as i64;
        Some(Timestamp(now.0.saturating_add(left)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::{RunUid, WriterUid};

    fn stamp(time: i64) -> Order {
        (Timestamp(time), WriterUid::default(), 1)
    }

    fn progress(done: f64, total: Option<f64>) -> Progress {
        Progress {
            run: RunUid::default(),
            done,
            total,
            stage: None,
        }
    }

    #[test]
    fn the_time_of_arrival_follows_the_latest_pace() {
        let mut track = Track::default();
        track.offer(stamp(1), &progress(5.0, None));
        assert!(track.is_empty() && track.share().is_none());
        track.offer(stamp(100), &progress(1.0, Some(10.0)));
        assert_eq!(
            (track.share(), track.arrival(Timestamp(100))),
            (Some(0.1), None)
        );
        track.offer(stamp(300), &progress(3.0, Some(10.0)));
        assert_eq!(track.arrival(Timestamp(1000)), Some(Timestamp(1700)));
        track.offer(stamp(400), &progress(1.0, Some(10.0)));
        assert_eq!(track.arrival(Timestamp(1000)), None, "no forward movement");
        track.offer(stamp(500), &progress(99.0, Some(10.0)));
        assert_eq!(track.share(), Some(1.0));
        assert_eq!(track.arrival(Timestamp(600)), Some(Timestamp(600)));
    }

    proptest! {
        #[test]
        fn the_order_of_records_does_not_matter(
            mut records in prop::collection::vec((0_i64..40, 0.0..9.0_f64), 0..30),
        ) {
            records.sort_by_key(|record| record.0);
            records.dedup_by_key(|record| record.0);
            let track = |records: &mut dyn Iterator<Item = &(i64, f64)>| {
                let mut track = Track::default();
                for (time, done) in records {
                    track.offer(stamp(*time), &progress(*done, Some(9.0)));
                }
                track
            };
            let forth = track(&mut records.iter());
            let mut merged = track(&mut records.iter().skip(records.len() / 2));
            merged.merge(&track(&mut records.iter().take(records.len() / 2)));
            prop_assert_eq!(&forth, &merged);
            prop_assert_eq!(&forth, &track(&mut records.iter().rev()));
            prop_assert!(forth.points.len() <= WINDOW);
        }
    }
}
