//! MLflow's words for the state of a run, its stage of life and which of them a search looks at.
//!
//! Invariant: every state of ours has one word, and that word reads back as the state.

use serde::Serialize;
use trialbook_model::state::Annotations;
use trialbook_model::status::RunStatus;
use trialbook_store::query::Shown;

use super::wire::{WireError, Word};

/// MLflow's word for a state.
pub(in crate::mlflow) const fn word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "SCHEDULED",
        RunStatus::Running => "RUNNING",
        RunStatus::Completed => "FINISHED",
        RunStatus::Failed => "FAILED",
        RunStatus::Cancelled => "KILLED",
    }
}

/// The state that MLflow's word or number means.
pub(in crate::mlflow) fn read(given: &Word) -> Result<RunStatus, WireError> {
    Ok(match given.0.as_str() {
        "RUNNING" | "1" => RunStatus::Running,
        "SCHEDULED" | "2" => RunStatus::Queued,
        "FINISHED" | "3" => RunStatus::Completed,
        "FAILED" | "4" => RunStatus::Failed,
        "KILLED" | "5" => RunStatus::Cancelled,
        _ => {
            let known = "It is one of RUNNING, SCHEDULED, FINISHED, FAILED, KILLED.";
            return Err(WireError::invalid(
                "status",
                &given.0.as_str().into(),
                known,
            ));
        }
    })
}

/// Which of the nouns a search looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mlflow) enum View {
    /// Those that are not deleted.
    Active,
    /// Those that are.
    Deleted,
    /// All.
    All,
}

impl View {
    /// The view that a field names; the active ones where it is absent.
    pub(in crate::mlflow) fn read(
        field: &'static str,
        given: Option<&Word>,
    ) -> Result<Self, WireError> {
        Ok(match given.map(|word| word.0.as_str()) {
            None | Some("ACTIVE_ONLY" | "1") => Self::Active,
            Some("DELETED_ONLY" | "2") => Self::Deleted,
            Some("ALL" | "3") => Self::All,
            Some(other) => {
                let known = "It is one of ACTIVE_ONLY, DELETED_ONLY, ALL.";
                return Err(WireError::invalid(field, &other.into(), known));
            }
        })
    }

    /// Whether it shows something.
    pub(in crate::mlflow) const fn shows(self, stage: Stage) -> bool {
        match (self, stage) {
            (Self::All, Stage::Active | Stage::Deleted)
            | (Self::Active, Stage::Active)
            | (Self::Deleted, Stage::Deleted) => true,
            (Self::Active, Stage::Deleted) | (Self::Deleted, Stage::Active) => false,
        }
    }

    /// The same of a search in the book. MLflow has no archive, so what is archived is active.
    pub(in crate::mlflow) const fn shown(self) -> Shown {
        match self {
            Self::Active => Shown::WithArchived,
            Self::Deleted => Shown::Bin,
            Self::All => Shown::All,
        }
    }
}

/// A noun's stage of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::mlflow) enum Stage {
    /// It is used.
    Active,
    /// It lies in the bin.
    Deleted,
}

impl Stage {
    /// What some tags, fields and notes say of it.
    pub(in crate::mlflow) fn of(annotations: &Annotations) -> Self {
        if annotations.flag("deleted") {
            Self::Deleted
        } else {
            Self::Active
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for status in RunStatus::ALL {
            assert_eq!(read(&Word(word(status).to_owned())).unwrap(), status);
        }
        for odd in ["", "finished", "0", "6", "QUEUED"] {
            assert!(read(&Word(odd.to_owned())).is_err(), "{odd}");
        }
        let view = View::read("run_view_type", Some(&Word("3".to_owned()))).unwrap();
        assert_eq!(view, View::All);
    }
}
