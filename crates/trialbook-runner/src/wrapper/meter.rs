//! Samples of what a run's process tree uses, as metrics of the run.
//!
//! Not here: reading `/proc`. Invariant: what could not be measured has no point; samples are taken at the
//! asked interval, the first after a second at the latest.

use std::time::{Duration, Instant};

use trialbook_capture::resources::Tree;
use trialbook_model::id::RunUid;
use trialbook_model::record::{Op, Points, SeriesKey, Subject};
use trialbook_model::system;
use trialbook_model::time::Timestamp;

/// The first sample, so that runs of some seconds have one too.
const FIRST: Duration = Duration::from_secs(1);

/// What measures one run.
pub(super) struct Meter {
    run: RunUid,
    tree: Tree,
    every: Duration,
    next: Instant,
    step: i64,
    /// The sample before.
    before: (Instant, f64),
}

impl Meter {
    /// Measures a process group from now on.
    pub(super) fn new(run: RunUid, group: i32, every: Duration) -> Self {
        let now = Instant::now();
        Self {
            run,
            tree: Tree::of_group(group),
            every,
            next: now + every.min(FIRST),
            step: 0,
            before: (now, 0.0),
        }
    }

    /// When the next sample is due.
    pub(super) const fn next(&self) -> Instant {
        self.next
    }

    /// The points of a sample that is due.
    pub(super) fn sample(&mut self, now: Instant, time: Timestamp) -> Option<Op> {
        if now < self.next {
            return None;
        }
        // Samples that could not be taken in time are not taken up for.
        self.next = now + self.every;
        let sample = self.tree.sample()?;
        let mut values = vec![
            (system::MEMORY_BYTES, sample.memory_bytes as f64),
            (system::PROCESSES, sample.processes as f64),
        ];
        let (then, cpu) = std::mem::replace(&mut self.before, (now, sample.cpu_seconds));
        let seconds = now.saturating_duration_since(then).as_secs_f64();
        if seconds > 0.0 {
            let percent = (sample.cpu_seconds - cpu).max(0.0) / seconds * 100.0;
            values.push((system::CPU_PERCENT, percent));
        }
        Some(self.points(time, &values))
    }

    /// The totals, once the first process has ended and before it is waited for.
    pub(super) fn totals(&mut self, time: Timestamp) -> Option<Op> {
        let cpu = self.tree.total_cpu_seconds();
        let peak = self.tree.peak_memory_bytes().map(|bytes| bytes as f64);
        let totals = [
            (system::CPU_SECONDS, cpu),
            (system::PEAK_MEMORY_BYTES, peak),
        ];
        let known = totals.into_iter();
        let values: Vec<(&str, f64)> = known.filter_map(|(key, it)| Some((key, it?))).collect();
        (!values.is_empty()).then(|| self.points(time, &values))
    }

    fn points(&mut self, time: Timestamp, values: &[(&str, f64)]) -> Op {
        let step = self.step;
        self.step += 1;
        Op::Points(Points {
            subject: Subject::Run(self.run),
            step,
            time,
            set: false,
            values: values
                .iter()
                .map(|(key, value)| (SeriesKey::plain(*key), *value))
                .collect(),
        })
    }
}
