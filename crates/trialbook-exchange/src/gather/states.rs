//! The state of a noun as the operations that make it.
//!
//! Registers give the value that holds, params and artifacts all that were given. Operations with one stamp
//! are said as one. Not here: events, items, spans, points, secrets. Invariant: the operations of a noun, folded in their
//! order, give its state, but for writers' identities.

use std::collections::BTreeMap;

use trialbook_model::id::{EntryUid, ExperimentUid, RunUid};
use trialbook_model::record::{
    CreateEntry, CreateExperiment, Heartbeat, LinkSnapshot, Op, SetField, SetParams, SetPointer,
    SetTags, StartRun, Subject,
};
use trialbook_model::state::{
    Annotations, ExperimentState, MetricDefinitions, ProjectState, Records, RunState, Stamp,
};
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{EntryRow, RunRow};

use super::stamp;

/// An operation with the stamp that orders it.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) at: Stamp,
    pub(super) actor: Option<String>,
    pub(super) op: Op,
}

#[derive(Default)]
struct Telling {
    told: Vec<Told>,
}

impl Telling {
    fn say(&mut self, at: Stamp, op: Op) {
        self.told.push(Told {
            at,
            actor: None,
            op,
        });
    }

    fn in_order(mut self) -> Vec<Told> {
        self.told.sort_by_key(|told| told.at);
        self.told
    }
}

/// The state of a project.
pub(super) fn of_project(name: &str, subject: &Subject, state: &ProjectState) -> Vec<Told> {
    let mut telling = Telling::default();
    for ((kind, pointer), held) in &state.pointers {
        let set = SetPointer {
            project: name.to_owned(),
            kind: kind.clone(),
            name: pointer.clone(),
            value: held.value.clone(),
        };
        telling.say(held.stamp, Op::SetPointer(set));
    }
    definitions(&mut telling, &state.metrics);
    annotations(&mut telling, subject, &state.annotations);
    artifacts(&mut telling, &state.records);
    telling.in_order()
}

/// The state of an experiment: what makes it comes first, for everything else speaks of it.
pub(super) fn of_experiment(uid: ExperimentUid, state: &ExperimentState) -> Vec<Told> {
    let mut making = Telling::default();
    create(&mut making, uid, state);
    let mut telling = Telling::default();
    definitions(&mut telling, &state.metrics);
    annotations(&mut telling, &Subject::Experiment(uid), &state.annotations);
    artifacts(&mut telling, &state.records);
    let mut told = making.in_order();
    told.extend(telling.in_order());
    told
}

fn create(making: &mut Telling, uid: ExperimentUid, state: &ExperimentState) {
    let Some(place) = &state.place else {
        return;
    };
    let of = |experiment: ExperimentUid| CreateExperiment {
        experiment,
        project: place.value.project.clone(),
        name: place.value.name.clone(),
        handle: None,
        document: serde_json::Value::Null,
        config_hash: None,
    };
    // By their stamps: what was said at once is said at once again.
    let mut said: BTreeMap<Stamp, CreateExperiment> = BTreeMap::new();
    // Every book has the default one.
    if uid != ExperimentUid::default() {
        said.insert(place.stamp, of(uid));
    }
    if let Some(handle) = &state.handle {
        let create = said.entry(handle.stamp).or_insert_with(|| of(uid));
        create.handle = Some(handle.value.clone());
    }
    if let Some(config) = &state.config {
        let create = said.entry(config.stamp).or_insert_with(|| of(uid));
        create.document = config.value.document.clone();
        create.config_hash.clone_from(&config.value.hash);
    }
    for (at, create) in said {
        making.say(at, Op::CreateExperiment(create));
    }
    for alias in state.uids.iter().skip(1) {
        making.say(place.stamp, Op::CreateExperiment(of(*alias)));
    }
}

/// The state of an entry of the register: what makes it comes first.
pub(super) fn of_entry(uid: EntryUid, row: &EntryRow) -> Vec<Told> {
    let state = &row.state;
    let mut making = Telling::default();
    if let Some(place) = &state.place {
        for uid in &state.uids {
            let mut create = CreateEntry::of(*uid, place.value.kind, place.value.of.clone());
            create.name.clone_from(&place.value.name);
            // The number that the book gave, so that the next one gives the same.
            create.number = row.number.or(place.value.number);
            making.say(place.stamp, Op::CreateEntry(Box::new(create)));
        }
    }
    let mut telling = Telling::default();
    annotations(&mut telling, &Subject::Entry(uid), &state.annotations);
    artifacts(&mut telling, &state.records);
    let mut told = making.in_order();
    told.extend(telling.in_order());
    told
}

/// The datasets and models of a run.
fn lineage(telling: &mut Telling, state: &RunState) {
    for held in state.lineage.datasets.values() {
        telling.say(held.stamp, Op::UseDataset(Box::new(held.value.clone())));
    }
    for held in state.lineage.models.values() {
        telling.say(held.stamp, Op::LinkModel(held.value.clone()));
    }
}

/// The state of a run.
pub(super) fn of_run(row: &RunRow) -> Vec<Told> {
    let state = &row.state;
    let mut telling = Telling::default();
    if let Some(start) = &state.start {
        let start_run = StartRun {
            // A moved run starts where it is now: there it has its number.
            experiment: state.moved_to().unwrap_or(start.value.experiment),
            // The number that the book gave, so that the next one gives the same.
            number: row.number,
            ..start.value.clone()
        };
        telling.say(start.stamp, Op::StartRun(start_run));
    }
    params(&mut telling, row.uid, state);
    if let Some(changed) = &state.changed {
        let mut change = changed.value.clone();
        // The earliest start that any change gave.
        change.started = state.started;
        telling.say(changed.stamp, Op::SetStatus(change));
    }
    annotations(&mut telling, &Subject::Run(row.uid), &state.annotations);
    artifacts(&mut telling, &state.records);
    for (kind, held) in &state.snapshots {
        let link = LinkSnapshot {
            run: row.uid,
            kind: kind.clone(),
            sha256: held.value.clone(),
            document: None,
        };
        telling.say(held.stamp, Op::LinkSnapshot(link));
    }
    for progress in state.progress.reports() {
        telling.say(progress.stamp, Op::Progress(progress.value.clone()));
    }
    lineage(&mut telling, state);
    heartbeat(&mut telling, row.uid, state);
    signs(&mut telling, row.uid, state);
    telling.in_order()
}

fn params(telling: &mut Telling, run: RunUid, state: &RunState) {
    let mut said: BTreeMap<Stamp, Vec<_>> = BTreeMap::new();
    for (key, held) in &state.params {
        let value = (key.clone(), held.param().clone());
        said.entry(held.stamp()).or_default().push(value);
        for (at, lost) in held.conflicts() {
            let value = (key.clone(), lost.clone());
            said.entry(*at).or_default().push(value);
        }
    }
    for (at, params) in said {
        telling.say(at, Op::SetParams(SetParams { run, params }));
    }
}

/// What all writers counted, as one.
fn heartbeat(telling: &mut Telling, run: RunUid, state: &RunState) {
    let Some(last) = state.heartbeats.values().map(|beat| beat.stamp).max() else {
        return;
    };
    let mut all = Heartbeat {
        run,
        accepted: 0,
        dropped: 0,
        cost_ns: 0,
    };
    for beat in state.heartbeats.values() {
        all.accepted = all.accepted.saturating_add(beat.value.accepted);
        all.dropped = all.dropped.saturating_add(beat.value.dropped);
        all.cost_ns = all.cost_ns.saturating_add(beat.value.cost_ns);
    }
    telling.say(last, Op::Heartbeat(all));
}

/// Who wrote first, and signs of life that nothing else of the state shows: as operations that change nothing.
fn signs(telling: &mut Telling, run: RunUid, state: &RunState) {
    let nothing = || {
        Op::SetTags(SetTags {
            subject: Subject::Run(run),
            tags: Vec::new(),
        })
    };
    if let Some(actor) = &state.actor {
        telling.told.push(Told {
            at: actor.stamp,
            actor: Some(actor.value.clone()),
            op: nothing(),
        });
    }
    let times =
        |told: &Telling| -> Vec<Timestamp> { told.told.iter().map(|it| it.at.time).collect() };
    let said = times(telling);
    if let Some(born) = state.born
        && said.iter().min().is_none_or(|first| born < *first)
    {
        telling.say(stamp(born), nothing());
    }
    if let Some(alive) = state.alive
        && said.iter().max().is_none_or(|last| alive > *last)
        && Some(alive) != state.born.filter(|_| said.is_empty())
    {
        telling.say(stamp(alive), nothing());
    }
}

fn definitions(telling: &mut Telling, metrics: &MetricDefinitions) {
    for held in metrics.values() {
        telling.say(held.stamp, Op::DefineMetric(held.value.clone()));
    }
}

fn annotations(telling: &mut Telling, subject: &Subject, held: &Annotations) {
    let mut tags: BTreeMap<Stamp, Vec<_>> = BTreeMap::new();
    for (tag, value) in &held.tags {
        let tag = (tag.clone(), value.value.clone());
        tags.entry(value.stamp).or_default().push(tag);
    }
    for (at, tags) in tags {
        let subject = subject.clone();
        telling.say(at, Op::SetTags(SetTags { subject, tags }));
    }
    for (field, value) in &held.fields {
        let set = SetField {
            subject: subject.clone(),
            field: field.clone(),
            value: value.value.clone(),
        };
        telling.say(value.stamp, Op::SetField(set));
    }
    for note in held.notes.values() {
        telling.say(note.stamp, Op::PutNote(note.value.clone()));
    }
}

fn artifacts(telling: &mut Telling, records: &Records) {
    for version in records.artifacts.values().flatten() {
        telling.say(version.stamp, Op::PutArtifact(version.value.clone()));
    }
}
