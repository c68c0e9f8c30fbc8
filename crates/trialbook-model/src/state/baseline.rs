//! What others are compared with: named pointers of a project to a run or to a variation (M-28, C-10, T-22).
//!
//! Not here: the comparison. Invariant: an experiment's own baseline stands under its uid, so that renaming
//! it changes nothing; a name that people give stands for a task of the project.

use serde_json::{Value, json};

use super::experiment::{ExperimentState, ProjectState};
use super::register::Latest;
use crate::id::{ExperimentUid, RunUid};
use crate::record::SetPointer;

/// The kind of pointers that are baselines.
pub const BASELINE: &str = "baseline";

/// What others are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// A run.
    Run(RunUid),
    /// All runs of a variation.
    Variation {
        /// The experiment.
        experiment: ExperimentUid,
        /// The variation's name.
        name: String,
    },
}

impl Baseline {
    /// What a pointer of a project holds of it.
    pub fn value(&self) -> Value {
        match self {
            Self::Run(run) => json!({ "run": run.to_string() }),
            Self::Variation { experiment, name } => {
                json!({ "experiment": experiment.to_string(), "variation": name })
            }
        }
    }

    /// Reads what a pointer holds; `None` for a removed one and for other forms.
    pub fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        if let Some(run) = text("run") {
            return run.parse().ok().map(Self::Run);
        }
        Some(Self::Variation {
            experiment: text("experiment")?.parse().ok()?,
            name: text("variation")?.to_owned(),
        })
    }

    /// The operation that marks it under a name in a project.
    pub fn mark(&self, project: &str, name: &str) -> SetPointer {
        SetPointer {
            project: project.to_owned(),
            kind: BASELINE.to_owned(),
            name: name.to_owned(),
            value: self.value(),
        }
    }
}

/// The operation that takes a mark away.
pub fn unmark(project: &str, name: &str) -> SetPointer {
    SetPointer {
        project: project.to_owned(),
        kind: BASELINE.to_owned(),
        name: name.to_owned(),
        value: Value::Null,
    }
}

impl ProjectState {
    /// The baselines that are marked, by name; those of experiments bear the experiment's uid.
    pub fn baselines(&self) -> impl Iterator<Item = (&str, Baseline)> {
        let pointers = self.pointers.iter();
        pointers
            .filter(|((kind, _), _)| kind == BASELINE)
            .filter_map(|((_, name), held)| Some((name.as_str(), Baseline::read(&held.value)?)))
    }

    /// The baseline that is marked for an experiment of this project.
    pub fn baseline_of(&self, experiment: &ExperimentState) -> Option<Baseline> {
        let marks = experiment.uids.iter().filter_map(|uid| {
            let place = (BASELINE.to_owned(), uid.to_string());
            self.pointers.get(&place)
        });
        // Writers who knew the experiment under different uids: the latest mark holds.
        let latest: Option<&Latest<Value>> = marks.max_by_key(|mark| mark.stamp);
        Baseline::read(&latest?.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Uid, WriterUid};
    use crate::record::{Op, Signed};
    use crate::time::Timestamp;

    fn uid(at: u8) -> ExperimentUid {
        ExperimentUid(Uid([at; 16]))
    }

    fn project(marks: &[(i64, SetPointer)]) -> ProjectState {
        let mut state = ProjectState::default();
        for (time, mark) in marks {
            state.apply(&Signed {
                time: Timestamp(*time),
                writer: WriterUid::default(),
                seq: 1,
                actor: None,
                operation: None,
                op: Op::SetPointer(mark.clone()),
            });
        }
        state
    }

    #[test]
    fn the_latest_mark_of_an_experiment_holds_under_whatever_uid() {
        let run = Baseline::Run(RunUid(Uid([7; 16])));
        let arm = Baseline::Variation {
            experiment: uid(2),
            name: "a".to_owned(),
        };
        for baseline in [&run, &arm] {
            assert_eq!(Baseline::read(&baseline.value()).as_ref(), Some(baseline));
        }
        let mut experiment = ExperimentState::default();
        experiment.uids.extend([uid(1), uid(2)]);
        let first = (1, run.mark("p", &uid(1).to_string()));
        let second = (2, arm.mark("p", &uid(2).to_string()));
        let state = project(&[first.clone(), second.clone()]);
        assert_eq!(state.baseline_of(&experiment), Some(arm.clone()));
        assert_eq!(state.baselines().count(), 2);
        let removed = (3, unmark("p", &uid(2).to_string()));
        let state = project(&[first, second, removed, (1, run.mark("p", "text"))]);
        assert_eq!(state.baseline_of(&experiment), None);
        let named: Vec<_> = state
            .baselines()
            .filter(|(name, _)| *name == "text")
            .collect();
        assert_eq!(named, [("text", run)]);
    }
}
