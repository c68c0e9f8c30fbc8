//! The state of a run: all that its operations say, but for the points, events, items and logs themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::annotations::Annotations;
use super::lineage::Lineage;
use super::progress::ProgressHistory;
use super::records::Records;
use super::register::{Earliest, Latest, Stamp, WriteOnce};

use crate::derived;
use crate::id::{ExperimentUid, WriterUid};
use crate::record::{Heartbeat, Op, Param, RunError, SeriesKey, SetStatus, Signed, StartRun};
use crate::status::RunStatus;
use crate::time::Timestamp;

/// What is known of one run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunState {
    /// How it started: the earliest start holds, later ones join it.
    pub start: Option<Earliest<StartRun>>,
    /// The latest change of its state.
    pub changed: Option<Latest<SetStatus>>,
    /// The earliest start time that a change of state gave.
    pub started: Option<Timestamp>,
    /// Params.
    pub params: BTreeMap<String, WriteOnce>,
    /// Tags, fields, notes.
    pub annotations: Annotations,
    /// Series, artifacts, and how much was recorded.
    pub records: Records,
    /// SHA-256 of the snapshot of each kind.
    pub snapshots: BTreeMap<String, Latest<String>>,
    /// Work done.
    pub progress: ProgressHistory,
    /// What each writer counted last.
    pub heartbeats: BTreeMap<WriterUid, Latest<Heartbeat>>,
    /// What derived metrics need of its events and items.
    pub derived: derived::State,
    /// The first sign of life.
    pub born: Option<Timestamp>,
    /// The latest sign of life.
    pub alive: Option<Timestamp>,
    /// Who wrote first, if operations are signed by name.
    pub actor: Option<Earliest<String>>,
    /// Datasets and models that went in and came out.
    pub lineage: Lineage,
}

impl RunState {
    /// Folds one operation that speaks of this run; operations on other nouns change nothing.
    pub fn apply(&mut self, signed: &Signed) {
        let stamp = Stamp::from(signed);
        self.sign_of_life(signed.time);
        self.derived
            .observe(signed.time, signed.order(), &signed.op);
        if let Some(actor) = &signed.actor {
            Earliest::offer(&mut self.actor, stamp, actor.clone());
        }
        match &signed.op {
            Op::Points(_)
            | Op::Event(_)
            | Op::Log(_)
            | Op::Item(_)
            | Op::Assess(_)
            | Op::PutArtifact(_)
            | Op::Span(_) => self.records.apply(signed),
            Op::StartRun(start) => Earliest::offer(&mut self.start, stamp, start.clone()),
            Op::SetStatus(change) => self.set_status(stamp, change),
            Op::SetParams(set) => {
                for (key, param) in &set.params {
                    self.set_param(stamp, key, param);
                }
            }
            Op::SetTags(_) | Op::SetField(_) | Op::PutNote(_) => {
                self.annotations.apply(stamp, &signed.op);
            }
            Op::LinkSnapshot(link) => {
                let (kind, sha256) = (link.kind.clone(), link.sha256.clone());
                Latest::offer_to(&mut self.snapshots, kind, stamp, sha256);
            }
            Op::Progress(progress) => self.progress.offer(stamp, progress.clone()),
            Op::Heartbeat(beat) => {
                Latest::offer_to(&mut self.heartbeats, signed.writer, stamp, beat.clone());
            }
            Op::UseDataset(mention) => self.lineage.use_dataset(stamp, mention),
            Op::LinkModel(link) => self.lineage.link_model(stamp, link),
            Op::CreateExperiment(_)
            | Op::SetPointer(_)
            | Op::DefineMetric(_)
            | Op::CreateEntry(_)
            | Op::SetSecret(_)
            | Op::Purge(_)
            | Op::Unknown { .. } => {}
        }
    }

    /// The run did something then.
    pub fn sign_of_life(&mut self, time: Timestamp) {
        self.born = Some(self.born.map_or(time, |known| known.min(time)));
        self.alive = self.alive.max(Some(time));
    }

    fn set_status(&mut self, stamp: Stamp, change: &SetStatus) {
        if let Some(started) = change.started {
            self.started = Some(self.started.map_or(started, |known| known.min(started)));
        }
        Latest::offer(&mut self.changed, stamp, change.clone());
    }

    fn set_param(&mut self, stamp: Stamp, key: &str, param: &Param) {
        if let Some(known) = self.params.get_mut(key) {
            known.offer(stamp, param.clone());
        } else {
            let value = WriteOnce::new(stamp, param.clone());
            self.params.insert(key.to_owned(), value);
        }
    }

    /// The change of state that holds, unless the start itself is later.
    fn change(&self) -> Option<&SetStatus> {
        let changed = self.changed.as_ref()?;
        let since_start = self
            .start
            .as_ref()
            .is_none_or(|start| start.stamp < changed.stamp);
        since_start.then_some(&changed.value)
    }

    /// Where the run is in its life. A run of which only records are known is running.
    pub fn status(&self) -> RunStatus {
        match (self.change(), &self.start) {
            (Some(change), _) => change.status,
            (None, Some(start)) => start.value.status,
            (None, None) => RunStatus::Running,
        }
    }

    /// When it started: as a change of state says, else as its start says. One that was cancelled while it
    /// waited never did: its start says when it was planned.
    pub fn started(&self) -> Option<Timestamp> {
        let planned = self.start.as_ref().map(|start| &start.value);
        let is_withdrawn = self.status() == RunStatus::Cancelled
            && planned.is_some_and(|start| start.status == RunStatus::Queued);
        let planned = planned.filter(|_| !is_withdrawn);
        self.started.or_else(|| planned.map(|start| start.started))
    }

    /// When it ended, if it did.
    pub fn ended(&self) -> Option<Timestamp> {
        self.change()
            .filter(|change| change.status.is_final())
            .and_then(|change| change.ended)
    }

    /// What went wrong, if something did.
    pub fn error(&self) -> Option<&RunError> {
        self.change().and_then(|change| change.error.as_ref())
    }

    /// The exit code of its process, if it is known.
    pub fn exit_code(&self) -> Option<i32> {
        self.change().and_then(|change| change.exit_code)
    }

    /// The start's data, if it is known.
    pub fn start(&self) -> Option<&StartRun> {
        self.start.as_ref().map(|start| &start.value)
    }

    /// The experiment that it was moved to after its start.
    pub fn moved_to(&self) -> Option<ExperimentUid> {
        let moved = self.annotations.text("experiment");
        moved.and_then(|uid| uid.parse().ok())
    }

    /// Its name: as set later, else as given at the start.
    pub fn name(&self) -> Option<&str> {
        self.annotations
            .text("name")
            .or_else(|| self.start().and_then(|start| start.name.as_deref()))
    }

    /// The last value of a metric without a context: the logged one of that name, else the derived one.
    pub fn metric(&self, key: &str) -> Option<f64> {
        self.logged(key).or_else(|| {
            let name = derived::unqualified(key).unwrap_or(key);
            let mut values = self.derived_values().into_iter();
            values.find_map(|(known, value)| (known == name).then_some(value))
        })
    }

    fn logged(&self, key: &str) -> Option<f64> {
        let series = self.records.series.get(&SeriesKey::plain(key))?;
        Some(series.last.value)
    }

    /// The derived metrics that have a value, by their plain names; each name once.
    pub fn derived_values(&self) -> Vec<(String, f64)> {
        let progress = self.progress.last();
        self.derived.values(&derived::Life {
            started: self.started().or(self.born),
            until: self.ended().or(self.alive),
            progress: progress.and_then(|progress| Some((progress.done, progress.total?))),
            tasks: self
                .logged("completed_tasks")
                .zip(self.logged("total_tasks")),
        })
    }

    /// Params that blind writers gave different values: key, the value that holds, the values that lost.
    pub fn conflicts(&self) -> impl Iterator<Item = (&str, &Param, &[(Stamp, Param)])> {
        self.params
            .iter()
            .filter(|(_, param)| !param.conflicts().is_empty())
            .map(|(key, param)| (key.as_str(), param.param(), param.conflicts()))
    }
}
