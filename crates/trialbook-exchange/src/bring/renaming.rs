//! Records under other ids and names.
//!
//! Not here: what is renamed. Invariant: whatever speaks of a renamed run or experiment speaks of it by its new
//! id: subjects, links, pointers.

use std::collections::BTreeMap;

use serde_json::Value;
use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{Op, StartRun, Subject};

use crate::record::Record;

/// Which ids become which.
#[derive(Debug, Default)]
pub(super) struct Renaming {
    runs: BTreeMap<RunUid, RunUid>,
    experiments: BTreeMap<ExperimentUid, (ExperimentUid, String)>,
}

impl Renaming {
    /// A run gets another id.
    pub(super) fn run(&mut self, old: RunUid, new: RunUid) {
        self.runs.insert(old, new);
    }

    /// An experiment gets another id and name.
    pub(super) fn experiment(&mut self, old: ExperimentUid, new: ExperimentUid, name: String) {
        self.experiments.insert(old, (new, name));
    }

    /// Whether an experiment is renamed.
    pub(super) fn knows(&self, uid: ExperimentUid) -> bool {
        self.experiments.contains_key(&uid)
    }

    /// Whether a run comes in beside the one of the same plan that it differs from: then it is none of the
    /// attempts at what was planned. In an experiment that comes in beside, it is what it was.
    pub(super) fn is_beside(&self, start: &StartRun) -> bool {
        self.runs.contains_key(&start.run) && !self.knows(start.experiment)
    }

    /// Renames what a record speaks of.
    pub(super) fn apply(&self, record: &mut Record) {
        if self.runs.is_empty() && self.experiments.is_empty() {
            return;
        }
        match record {
            Record::Points(block) => self.subject(&mut block.of),
            Record::Said(said) => self.op(&mut said.op),
        }
    }

    fn op(&self, op: &mut Op) {
        match op {
            Op::Points(op) => self.subject(&mut op.subject),
            Op::CreateExperiment(op) => {
                if let Some((new, name)) = self.experiments.get(&op.experiment) {
                    op.experiment = *new;
                    op.name.clone_from(name);
                }
            }
            Op::StartRun(op) => {
                let is_beside = self.is_beside(op);
                op.experiment = self.of_experiment(op.experiment);
                if let Some(new) = self.runs.get(&op.run) {
                    op.run = *new;
                    // Its number is the other one's; the book gives the next.
                    op.number = None;
                    op.name = op.name.take().map(|name| format!("{name}-2"));
                    if is_beside {
                        op.run_key = None;
                        op.attempt = None;
                    }
                }
                for (_, run) in &mut op.links {
                    *run = self.of_run(*run);
                }
            }
            Op::SetStatus(op) => op.run = self.of_run(op.run),
            Op::SetParams(op) => op.run = self.of_run(op.run),
            Op::SetTags(op) => self.subject(&mut op.subject),
            Op::SetField(op) => {
                self.subject(&mut op.subject);
                // Where a run was moved to.
                self.value(&mut op.value);
            }
            Op::PutNote(op) => self.subject(&mut op.subject),
            Op::SetPointer(op) => self.value(&mut op.value),
            Op::DefineMetric(op) => self.subject(&mut op.subject),
            Op::Event(op) => self.subject(&mut op.subject),
            Op::Log(op) => op.run = self.of_run(op.run),
            Op::Item(op) => op.run = self.of_run(op.run),
            Op::Assess(op) => op.run = self.of_run(op.run),
            Op::PutArtifact(op) => self.subject(&mut op.subject),
            Op::LinkSnapshot(op) => op.run = self.of_run(op.run),
            Op::Progress(op) => op.run = self.of_run(op.run),
            Op::Heartbeat(op) => op.run = self.of_run(op.run),
            Op::Purge(op) => self.subject(&mut op.subject),
            Op::CreateEntry(op) => {
                self.subject(&mut op.of);
                // The run that it comes from.
                op.fields.values_mut().for_each(|value| self.value(value));
            }
            Op::UseDataset(op) => op.run = self.of_run(op.run),
            Op::LinkModel(op) => op.run = self.of_run(op.run),
            Op::Span(op) => self.subject(&mut op.subject),
            Op::SetSecret(_) | Op::Unknown { .. } => {}
        }
    }

    fn of_run(&self, uid: RunUid) -> RunUid {
        self.runs.get(&uid).copied().unwrap_or(uid)
    }

    fn of_experiment(&self, uid: ExperimentUid) -> ExperimentUid {
        self.experiments.get(&uid).map_or(uid, |(new, _)| *new)
    }

    fn subject(&self, subject: &mut Subject) {
        match subject {
            Subject::Run(uid) => *uid = self.of_run(*uid),
            Subject::Experiment(uid) => *uid = self.of_experiment(*uid),
            Subject::Project(_) | Subject::Entry(_) => {}
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Ok(uid) = text.parse::<Uid>() {
                    let run = self.of_run(RunUid(uid)).0;
                    let new = if run == uid {
                        self.of_experiment(ExperimentUid(uid)).0
                    } else {
                        run
                    };
                    *text = new.to_string();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.value(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
