//! How an experiment stands as a whole, told from its trials (S-3).
//!
//! Not here: how far it is. Invariant: nothing is recorded of it, so it never contradicts the trials.

use serde::Serialize;
use trialbook_model::filter::{CompareOp, Expr, Key, KeyKind, Literal};
use trialbook_model::status::RunStatus;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::query::Query;
use trialbook_store::reading::Reading;

use crate::variations::{Statuses, config_of, trials};

/// The state of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExperimentStatus {
    /// Nothing of it was begun or queued.
    Planned,
    /// Nothing runs, and some of what it asks for is still to be done.
    Queued,
    /// At least one trial runs.
    Running,
    /// All is done as intended.
    Completed,
    /// Nothing is left to do, and at least one trial failed.
    Failed,
    /// Nothing is left to do, none failed, and at least one trial was cancelled.
    Cancelled,
}

impl ExperimentStatus {
    /// All states, in the order of an experiment's life.
    pub const ALL: [Self; 6] = [
        Self::Planned,
        Self::Queued,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word used in every face.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads our words, and those that are read as the state of a run.
    pub fn parse(word: &str) -> Option<Self> {
        if word.eq_ignore_ascii_case("planned") {
            return Some(Self::Planned);
        }
        RunStatus::parse(word).map(|status| match status {
            RunStatus::Queued => Self::Queued,
            RunStatus::Running => Self::Running,
            RunStatus::Completed => Self::Completed,
            RunStatus::Failed => Self::Failed,
            RunStatus::Cancelled => Self::Cancelled,
        })
    }

    /// Of trials by state, of which so many are asked for; 0 where nobody said how many.
    pub fn of_trials(trials: &Statuses, asked: u64) -> Self {
        if trials.running > 0 {
            Self::Running
        } else if trials.total() == 0 {
            Self::Planned
        } else if trials.queued > 0 || trials.ended() < asked {
            Self::Queued
        } else if trials.failed > 0 {
            Self::Failed
        } else if trials.cancelled > 0 {
            Self::Cancelled
        } else {
            Self::Completed
        }
    }

    /// Of an experiment. Runs are read only where a config says which of them are attempts at one trial; without one
    /// their number in each state is enough.
    ///
    /// # Errors
    /// What the reading says.
    pub fn of<R: Reading>(reading: &R, experiment: &ExperimentRow) -> Result<Self, R::Error> {
        let mut counted = Statuses::default();
        let Some(config) = config_of(experiment) else {
            for status in RunStatus::ALL {
                *counted.slot(status) = number(reading, experiment, status)?;
            }
            return Ok(Self::of_trials(&counted, 0));
        };
        for group in trials(reading, experiment.no, Some(&config))?.groups {
            for run in &group.runs {
                counted.count(run.state.status());
            }
        }
        Ok(Self::of_trials(&counted, config.runs()))
    }
}

fn number<R: Reading>(
    reading: &R,
    experiment: &ExperimentRow,
    status: RunStatus,
) -> Result<u64, R::Error> {
    let query = Query {
        filter: Expr::Compare {
            key: Key::new(KeyKind::Attribute, "status"),
            op: CompareOp::Equal,
            value: Literal::Text(status.word().to_owned()),
        },
        experiments: Some(vec![experiment.no]),
        limit: 0,
        ..Query::all()
    };
    Ok(reading.search(&query)?.total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_only_where_nothing_is_left() {
        use RunStatus::{Cancelled, Completed, Failed, Queued, Running};
        let of = |statuses: &[RunStatus], asked| {
            let mut counted = Statuses::default();
            for status in statuses {
                counted.count(*status);
            }
            ExperimentStatus::of_trials(&counted, asked)
        };
        assert_eq!(of(&[], 0), ExperimentStatus::Planned);
        assert_eq!(of(&[], 3), ExperimentStatus::Planned);
        assert_eq!(of(&[Queued], 1), ExperimentStatus::Queued);
        assert_eq!(of(&[Failed, Running], 2), ExperimentStatus::Running);
        assert_eq!(of(&[Failed, Queued], 2), ExperimentStatus::Queued);
        assert_eq!(of(&[Failed, Completed], 3), ExperimentStatus::Queued);
        assert_eq!(
            of(&[Failed, Completed, Cancelled], 3),
            ExperimentStatus::Failed
        );
        assert_eq!(of(&[Completed, Cancelled], 0), ExperimentStatus::Cancelled);
        assert_eq!(of(&[Completed, Completed], 2), ExperimentStatus::Completed);
    }

    #[test]
    fn words_are_read_again() {
        for status in ExperimentStatus::ALL {
            assert_eq!(ExperimentStatus::parse(status.word()), Some(status));
        }
        assert_eq!(
            ExperimentStatus::parse("finished"),
            Some(ExperimentStatus::Completed)
        );
        assert_eq!(ExperimentStatus::parse("odd"), None);
    }
}
