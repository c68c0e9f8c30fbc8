//! `run-NNN`: numbers of runs inside their experiments, given when a start becomes known.

use trialbook_model::id::{ExperimentNo, ExperimentUid, RunNo, RunUid};
use trialbook_model::record::{Op, Signed, Subject};
use trialbook_model::state::Stamp;

use super::Fold;
use crate::error::BookError;
use crate::nouns::RunRow;

/// Rows looked at in one go for the greatest number that still holds.
const AT_A_TIME: usize = 16;

/// Where a batch says something that a run's number may follow from, in the order of stamps: so that numbers
/// stay as they are when the batch grows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mention {
    /// The batch speaks of the run for the first time.
    Seen(RunUid),
    /// The run is moved to another experiment.
    Moved(RunUid, Stamp),
    /// All is said.
    Settled(RunUid),
}

impl Mention {
    /// Of an operation that moves a run.
    pub(crate) fn of_move(signed: &Signed) -> Option<Self> {
        let Op::SetField(set) = &signed.op else {
            return None;
        };
        match set.subject {
            Subject::Run(uid) if set.field == EXPERIMENT => {
                Some(Self::Moved(uid, Stamp::from(signed)))
            }
            Subject::Run(_) | Subject::Experiment(_) | Subject::Project(_) | Subject::Entry(_) => {
                None
            }
        }
    }

    /// All of a batch, and that all is said, in their order.
    pub(crate) fn with_ends(mentions: &[Self]) -> impl Iterator<Item = Self> {
        let ends = mentions.iter().filter_map(|mention| match mention {
            Self::Seen(uid) => Some(Self::Settled(*uid)),
            Self::Moved(..) | Self::Settled(_) => None,
        });
        mentions.iter().copied().chain(ends)
    }

    /// The run.
    pub(crate) const fn run(self) -> RunUid {
        match self {
            Self::Seen(uid) | Self::Moved(uid, _) | Self::Settled(uid) => uid,
        }
    }

    /// The experiment that the run belongs to from here on, and the number that it wishes for there.
    pub(crate) fn place(self, row: &RunRow) -> Option<(ExperimentUid, Option<u64>)> {
        let start = row.state.start()?;
        let moved = row.state.moved_to();
        let started = (start.experiment, start.number);
        match self {
            // What a moved run was before is told only once.
            Self::Seen(_) if row.number.is_some() && moved.is_some() => None,
            Self::Seen(_) => Some(started),
            Self::Moved(_, stamp) => {
                let held = row.state.annotations.fields.get(EXPERIMENT)?;
                // A moved run leaves its number behind.
                moved
                    .filter(|_| held.stamp == stamp)
                    .map(|experiment| (experiment, None))
            }
            Self::Settled(_) => Some(moved.map_or(started, |experiment| (experiment, None))),
        }
    }
}

/// The field of a run that names the experiment that it is moved to.
const EXPERIMENT: &str = "experiment";

impl Fold<'_> {
    /// Gives numbers to runs whose start has become known or that were moved, in the order given.
    pub(super) fn number_runs(&mut self, mentions: &[Mention]) -> Result<(), BookError> {
        for mention in Mention::with_ends(mentions) {
            let no = self.run_at(mention.run())?;
            let Some((uid, wish)) = mention.place(&self.run(no).row) else {
                continue;
            };
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
            let run = self.runs.get_mut(&no).expect("a run that was just found");
            let row = &mut run.row;
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
