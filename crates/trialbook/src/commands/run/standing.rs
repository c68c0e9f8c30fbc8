//! How far a run of many is, and how long it may still take: in words, from counts and times.
//!
//! Not here: clocks, terminals. Invariant: no time is told that was not measured: with few ended runs there is
//! none.

use std::time::Duration;

use crate::when;

/// Ended runs before a time left is told.
const ENOUGH: u32 = 3;

/// Counts and times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Runs that were to be done.
    pub(super) all: u32,
    /// Those that have ended.
    pub(super) done: u32,
    pub(super) running: u32,
    /// From the beginning until now.
    pub(super) elapsed: Duration,
    /// From the beginning to the end of the run that ended last.
    pub(super) last_end: Duration,
    pub(super) pace: Pace,
}

/// Whether further runs begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    GoingOn,
    Stopping,
}

impl Standing {
    /// `3 of 30 done, 2 running, about 40 s left`.
    pub(super) fn text(&self) -> String {
        let left = self.time_left().map_or_else(String::new, |left| {
            let micros = i64::try_from(left.as_micros()).unwrap_or(i64::MAX);
            format!(", about {} left", when::span(micros))
        });
        format!(
            "{} of {} done, {} running{left}",
            self.done, self.all, self.running
        )
    }

    /// From how long the runs so far took, one after another or side by side as they do.
    fn time_left(&self) -> Option<Duration> {
        if self.done < ENOUGH || self.pace == Pace::Stopping {
            return None;
        }
        let left = self.all.saturating_sub(self.done);
        let expected = (self.last_end / self.done).saturating_mul(left);
        Some(expected.saturating_sub(self.elapsed.saturating_sub(self.last_end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(done: u32, last_end: u64, elapsed: u64) -> Standing {
        Standing {
            all: 30,
            done,
            running: 2,
            elapsed: Duration::from_secs(elapsed),
            last_end: Duration::from_secs(last_end),
            pace: Pace::GoingOn,
        }
    }

    #[track_caller]
    fn says(standing: Standing, text: &str) {
        assert_eq!(standing.text(), text);
    }

    #[test]
    fn no_time_is_told_before_some_runs_have_ended() {
        says(standing(0, 0, 9), "0 of 30 done, 2 running");
        says(standing(2, 8, 9), "2 of 30 done, 2 running");
    }

    #[test]
    fn the_time_left_follows_from_the_pace_so_far() {
        // Three ended in 12 s, 4 s each: 27 more take 108 s.
        says(
            standing(3, 12, 12),
            "3 of 30 done, 2 running, about 1 min 48 s left",
        );
        // Some of it has passed since the last one ended.
        says(
            standing(3, 12, 20),
            "3 of 30 done, 2 running, about 1 min 40 s left",
        );
        says(
            standing(28, 56, 57),
            "28 of 30 done, 2 running, about 3 s left",
        );
    }

    #[test]
    fn a_run_that_takes_longer_than_all_before_leaves_no_time_below_zero() {
        says(
            standing(29, 58, 400),
            "29 of 30 done, 2 running, about 0 ms left",
        );
        let more_than_planned = Standing {
            all: 3,
            ..standing(4, 8, 8)
        };
        says(more_than_planned, "4 of 3 done, 2 running, about 0 ms left");
    }

    #[test]
    fn nothing_is_foretold_while_runs_are_stopped() {
        let stopping = Standing {
            pace: Pace::Stopping,
            ..standing(20, 40, 41)
        };
        says(stopping, "20 of 30 done, 2 running");
    }
}
