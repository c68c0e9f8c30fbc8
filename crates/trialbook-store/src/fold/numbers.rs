//! `run-NNN`: numbers of runs inside their experiments, given when a start becomes known.

use trialbook_model::id::{ExperimentNo, RunNo, RunUid};

use super::Fold;
use crate::error::BookError;

/// Rows looked at in one go for the greatest number that still holds.
const AT_A_TIME: usize = 16;

impl Fold<'_> {
    /// Gives numbers to runs whose start has become known, in the order given.
    pub(super) fn number_runs(&mut self, runs: &[RunUid]) -> Result<(), BookError> {
        for uid in runs {
            let no = self.run_at(*uid)?;
            let row = &self.run(no).row;
            let Some(start) = row.state.start() else {
                continue;
            };
            let moved = row.state.moved_to();
            // A moved run leaves its number behind.
            let wish = start.number.filter(|_| moved.is_none());
            let uid = moved.unwrap_or(start.experiment);
            let experiment = self.experiment_no(uid)?;
            let row = &self.run(no).row;
            let (before, number) = (row.experiment, row.number);
            if number.is_some() && before == experiment {
                continue;
            }
            let free = self.free_number(experiment, wish)?;
            if let Some(number) = number {
                self.taken.entry(before).or_default().remove(&number);
                self.highest.remove(&before);
            }
            self.taken.entry(experiment).or_default().insert(free);
            let row = &mut self
                .runs
                .get_mut(&no)
                .expect("a run that was just found")
                .row;
            row.experiment = experiment;
            row.number = Some(free);
        }
        Ok(())
    }

    fn run(&self, no: RunNo) -> &super::FoldedRun {
        self.runs.get(&no).expect("a run that was just found")
    }

    /// The number wished for if it is free, else the highest and one.
    fn free_number(
        &mut self,
        experiment: ExperimentNo,
        wish: Option<u64>,
    ) -> Result<u64, BookError> {
        if let Some(wish) = wish
            && !self.is_taken(experiment, wish)?
        {
            return Ok(wish);
        }
        let sealed = if let Some(highest) = self.highest.get(&experiment) {
            *highest
        } else {
            let highest = self.highest_sealed(experiment)?;
            self.highest.insert(experiment, highest);
            highest
        };
        let folded = self
            .taken
            .get(&experiment)
            .and_then(|taken| taken.last().copied());
        Ok(sealed
            .max(folded)
            .map_or(1, |highest| highest.saturating_add(1)))
    }

    fn is_taken(&self, experiment: ExperimentNo, number: u64) -> Result<bool, BookError> {
        if self
            .taken
            .get(&experiment)
            .is_some_and(|taken| taken.contains(&number))
        {
            return Ok(true);
        }
        let sealed = self.sealed.look().numbered(experiment, number, 1)?;
        let mut same = sealed.into_iter().filter(|(sealed, _)| *sealed == number);
        Ok(same.any(|(_, run)| self.is_untouched(run)))
    }

    fn highest_sealed(&self, experiment: ExperimentNo) -> Result<Option<u64>, BookError> {
        let mut from = u64::MAX;
        loop {
            let sealed = self.sealed.look().numbered(experiment, from, AT_A_TIME)?;
            let Some((last, _)) = sealed.last().copied() else {
                return Ok(None);
            };
            let found = sealed.iter().find(|(_, run)| self.is_untouched(*run));
            if let Some((number, _)) = found {
                return Ok(Some(*number));
            }
            let Some(next) = last.checked_sub(1) else {
                return Ok(None);
            };
            from = next;
        }
    }

    /// Whether the sealed row of a run still holds.
    fn is_untouched(&self, run: RunNo) -> bool {
        !self.runs.contains_key(&run) && !self.removed.contains_key(&run)
    }
}
