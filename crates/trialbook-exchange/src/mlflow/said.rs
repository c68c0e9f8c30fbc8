//! What a book is told of an experiment and a run of a store.
//!
//! Things of which MLflow keeps no time are said at the beginning of their experiment or run, so that whatever is
//! changed in the book later holds. Not here: what the book has already.
//! Invariant: the same store says the same, at the same times.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trialbook_model::id::{ExperimentUid, RunUid};
use trialbook_model::record::{
    CreateExperiment, LinkKind, LinkModel, Op, PutNote, SetField, SetParams, SetStatus, SetTags,
    StartRun, Subject, UseDataset,
};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use super::store::{Experiment, Link, Run, Use};
use super::words;

/// The field that says what a store said of something when it was brought in last.
pub(super) const IMPORTED: &str = "imported";

/// The namespace of main notes.
pub(super) const NOTES: &str = "default";

/// The word of what is not deleted.
const ACTIVE: &str = "active";

/// The word of what is.
const DELETED: &str = "deleted";

/// The source of runs that MLflow's clients record.
const SOURCE: &str = "mlflow";

/// When a run began and ended, as far as its records tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) begin: Timestamp,
    pub(super) end: Timestamp,
}

impl Life {
    /// The life of a run; one that says nothing of it is as old as its first point, or as its experiment.
    pub(super) fn of(run: &Run, experiment: &Experiment) -> Self {
        let times = run.metrics.values().flatten().map(|point| point.time);
        let first = times.clone().min();
        let begin = run.started.map(words::time);
        let begin = begin.or(first).unwrap_or_else(|| created(experiment));
        let end = run.ended.map(words::time);
        let end = end.or_else(|| times.max()).unwrap_or(begin).max(begin);
        Self { begin, end }
    }
}

/// When an experiment was created; long ago where nobody says it.
pub(super) fn created(experiment: &Experiment) -> Timestamp {
    experiment.created.map_or(Timestamp(0), words::time)
}

/// The creation of an experiment.
pub(super) fn create(experiment: &Experiment, uid: ExperimentUid, project: &str) -> Op {
    Op::CreateExperiment(CreateExperiment {
        experiment: uid,
        project: project.to_owned(),
        name: experiment.name.clone(),
        handle: None,
        document: Value::Null,
        config_hash: None,
    })
}

/// What the store says of an experiment itself.
pub(super) fn imported_experiment(experiment: &Experiment) -> Value {
    json!({
        "from": "mlflow",
        "experiment_id": experiment.id,
        "name": experiment.name,
        "artifact_location": experiment.artifact_location,
        "lifecycle_stage": if experiment.is_deleted { DELETED } else { ACTIVE },
        "creation_time": experiment.created,
        "last_update_time": experiment.updated,
    })
}

/// What the store says of a run itself.
pub(super) fn imported_run(run: &Run) -> Value {
    json!({
        "from": "mlflow",
        "run_id": run.id,
        "run_name": run.name,
        "status": words::status_word(run.status),
        "start_time": run.started,
        "end_time": run.ended,
        "lifecycle_stage": if run.is_deleted { DELETED } else { ACTIVE },
        "deleted_time": run.deleted_at,
        "artifact_uri": run.artifact_uri,
    })
}

/// The start of a run.
pub(super) fn start(run: &Run, uid: RunUid, experiment: ExperimentUid, life: Life) -> Op {
    let parent = run.tags.get(words::PARENT);
    let parent = parent.map(|id| (LinkKind::Parent, words::run_uid(id)));
    let status = match run.status {
        RunStatus::Queued => RunStatus::Queued,
        RunStatus::Running | RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => {
            RunStatus::Running
        }
    };
    Op::StartRun(StartRun {
        experiment,
        name: run.name.clone(),
        links: parent.into_iter().collect(),
        source: SOURCE.to_owned(),
        started: life.begin,
        status,
        ..StartRun::of(uid)
    })
}

/// The state that a run is in.
pub(super) fn state(run: &Run, uid: RunUid) -> Op {
    let ended = run.ended.map(words::time);
    Op::SetStatus(SetStatus {
        run: uid,
        status: run.status,
        started: None,
        ended: ended.filter(|_| run.status.is_final()),
        error: None,
        exit_code: None,
    })
}

/// Params of a run.
pub(super) fn params<'a>(
    uid: RunUid,
    params: impl Iterator<Item = (&'a String, &'a String)>,
) -> Option<Op> {
    let params: Vec<_> = params
        .map(|(key, text)| (key.clone(), words::param(text)))
        .collect();
    (!params.is_empty()).then_some(Op::SetParams(SetParams { run: uid, params }))
}

/// Tags of something.
pub(super) fn tags(subject: Subject, tags: Vec<(String, Option<String>)>) -> Option<Op> {
    (!tags.is_empty()).then_some(Op::SetTags(SetTags { subject, tags }))
}

/// The tags that are tags here, and the main note; a run's name stands by itself.
pub(super) fn tags_and_note(
    tags: &BTreeMap<String, String>,
) -> (BTreeMap<String, String>, Option<String>) {
    let mut tags = tags.clone();
    tags.remove(words::RUN_NAME);
    let note = tags.remove(words::NOTE);
    (tags, note)
}

/// The main note of something.
pub(super) fn note(subject: Subject, text: Option<String>) -> Op {
    Op::PutNote(PutNote {
        subject,
        key: String::new(),
        namespace: NOTES.to_owned(),
        text,
        tags: Vec::new(),
        data: Value::Null,
    })
}

/// That a run used a dataset.
pub(super) fn dataset(run: RunUid, one: &Use) -> Op {
    Op::UseDataset(Box::new(UseDataset {
        run,
        dataset: one.dataset.clone(),
        tags: one.tags.clone(),
    }))
}

/// That a run used or made a model.
pub(super) fn model_link(run: RunUid, link: &Link) -> Op {
    Op::LinkModel(LinkModel {
        run,
        model: words::model_uid(&link.model),
        role: link.role,
        step: link.step,
    })
}

/// A field of something.
pub(super) fn field(subject: Subject, field: &str, value: Value) -> Op {
    let field = field.to_owned();
    Op::SetField(SetField {
        subject,
        field,
        value,
    })
}
