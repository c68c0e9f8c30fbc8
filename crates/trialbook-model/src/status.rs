//! The states of a run and the transitions between them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a run is in its life. `stale` is not a state: it is shown for a running run without a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Planned, not started.
    Queued,
    /// Started, not ended.
    Running,
    /// Ended as intended.
    Completed,
    /// Ended by an error.
    Failed,
    /// Ended on request.
    Cancelled,
}

/// Why a state may not follow another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {from} cannot become {to}")]
pub struct TransitionError {
    /// The present state.
    pub from: RunStatus,
    /// The state asked for.
    pub to: RunStatus,
}

impl RunStatus {
    /// All states, in the order of a run's life.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word used in every face.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the run has ended.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Completed | Self::Failed | Self::Cancelled => true,
        }
    }

    /// Reads our words and those of the five documents and of MLflow.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "queued" | "planned" | "scheduled" | "pending" => Self::Queued,
            "running" => Self::Running,
            "completed" | "finished" | "success" | "succeeded" => Self::Completed,
            "failed" | "failure" | "error" => Self::Failed,
            "cancelled" | "canceled" | "killed" => Self::Cancelled,
            _ => return None,
        })
    }

    /// The transition that a person or program may ask for natively: forward only. Data that arrives
    /// late is never refused for the state of its run; this guards commands, not records.
    pub fn to(self, next: Self) -> Result<Self, TransitionError> {
        let allowed = match self {
            Self::Queued => next != Self::Queued,
            Self::Running => next.is_final(),
            Self::Completed | Self::Failed | Self::Cancelled => false,
        };
        if allowed {
            Ok(next)
        } else {
            Err(TransitionError {
                from: self,
                to: next,
            })
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_runs_refuse_to_move() {
        for from in RunStatus::ALL {
            for next in RunStatus::ALL {
                let allowed = from.to(next).is_ok();
                assert_eq!(allowed, !from.is_final() && next > from, "{from} to {next}");
            }
        }
    }

    #[test]
    fn words_of_all_documents_are_read() {
        assert_eq!(RunStatus::parse("FINISHED"), Some(RunStatus::Completed));
        assert_eq!(RunStatus::parse("success"), Some(RunStatus::Completed));
        assert_eq!(RunStatus::parse("KILLED"), Some(RunStatus::Cancelled));
        assert_eq!(RunStatus::parse("odd"), None);
    }
}
