//! The way of what a store says into a book that may have some of it.
//!
//! What is not in the book comes in. Of what is, only what the store says otherwise than at its last import is taken
//! over: so a run that went on brings its news, and what was changed in the book holds. Not here: reading stores.
//! Invariant: a store that says nothing new changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use trialbook_model::id::{ExperimentNo, ExperimentUid, RunUid};
use trialbook_model::record::{Op, Points, PutArtifact, SeriesKey, SetPointer, Subject};
use trialbook_model::state::{DEFAULT_PROJECT, Point};
use trialbook_model::time::Timestamp;
use trialbook_spool::{KeyIndex, LogCall, Repeat};
use trialbook_store::nouns::{ExperimentRow, Owner, RunRow};
use trialbook_store::reading::Reading as _;
use trialbook_store::{Artifacts, Book, BookError, BookView, Draft, Effort};

use super::artifacts::{Found, Manner, address};
use super::difference::{self, Changed, News, next, once, summary};
use super::said::{self, IMPORTED, Life};
use super::store::{Experiment, Run};
use super::words;
use crate::error::ImportError;

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    New,
    Continued,
    Same,
}

/// A part of a store on its way into a book.
pub(super) struct Joining<'a> {
    pub(super) view: BookView<'a>,
    pub(super) draft: Draft,
    pub(super) now: Timestamp,
    experiments: Experiments,
    /// Experiments that this draft has named.
    named: BTreeSet<ExperimentUid>,
    /// Points that came in.
    pub(super) points: u64,
    /// Operations that came in.
    pub(super) records: u64,
}

/// The experiments of the book.
#[derive(Default)]
struct Experiments {
    by_uid: BTreeMap<ExperimentUid, ExperimentNo>,
    names: BTreeSet<(String, String)>,
}

impl Experiments {
    fn of(view: &BookView<'_>) -> Result<Self, ImportError> {
        let mut experiments = Self::default();
        for row in view.experiments()? {
            let name = row.state.name().unwrap_or_default().to_owned();
            let place = (row.state.project().to_owned(), name);
            experiments.names.insert(place);
            let uids = row.state.uids.iter().map(|uid| (*uid, row.no));
            experiments.by_uid.extend(uids);
        }
        Ok(experiments)
    }
}

impl<'a> Joining<'a> {
    /// Begins.
    pub(super) fn new(book: &'a Book, now: Timestamp) -> Result<Self, ImportError> {
        book.seal(Effort::All)?;
        let view = book.view()?;
        Ok(Self {
            experiments: Experiments::of(&view)?,
            view,
            draft: book.draft(now)?,
            now,
            named: BTreeSet::new(),
            points: 0,
            records: 0,
        })
    }

    /// Puts into the book what there is, and begins anew.
    pub(super) fn restart(&mut self, book: &'a Book) -> Result<(), ImportError> {
        std::mem::replace(&mut self.draft, book.draft(self.now)?).commit()?;
        *self = Self::new(book, self.now)?;
        Ok(())
    }

    /// Puts everything into the book.
    pub(super) fn finish(self) -> Result<(), ImportError> {
        Ok(self.draft.commit()?)
    }

    pub(super) fn say(&mut self, time: Timestamp, op: &Op) -> Result<(), BookError> {
        self.say_by(time, None, op)
    }

    fn say_by(&mut self, time: Timestamp, actor: Option<&str>, op: &Op) -> Result<(), BookError> {
        self.records += 1;
        self.draft.say(time, actor, op)
    }

    /// Names an experiment, and says of it what is new; gives its uid and whether the book has it from now on.
    pub(super) fn experiment(
        &mut self,
        experiment: &Experiment,
        project: Option<&str>,
    ) -> Result<(ExperimentUid, Became), ImportError> {
        let uid = words::experiment_uid(experiment);
        let project = match project {
            Some(project) => project,
            None if experiment.workspace == words::DEFAULT_WORKSPACE => DEFAULT_PROJECT,
            None => &experiment.workspace,
        };
        if self.named.contains(&uid) {
            return Ok((uid, Became::Same));
        }
        self.named.insert(uid);
        let held = match self.experiments.by_uid.get(&uid) {
            Some(no) => self.view.experiment(*no)?,
            None => None,
        };
        let time = said::created(experiment);
        let before = self.records;
        match &held {
            Some(row) => self.continue_experiment(experiment, uid, row)?,
            None => {
                self.say(time, &said::create(experiment, uid, project))?;
                let subject = Subject::Experiment(uid);
                let (tags, note) = said::tags_and_note(&experiment.tags);
                let tags = tags.into_iter().map(|(key, text)| (key, Some(text)));
                let note = note.map(|text| said::note(subject.clone(), Some(text)));
                let tags = said::tags(subject.clone(), tags.collect());
                for op in tags.into_iter().chain(note) {
                    self.say(time, &op)?;
                }
                let imported = said::imported_experiment(experiment);
                self.say(time, &said::field(subject.clone(), IMPORTED, imported))?;
                if experiment.is_deleted {
                    self.say(self.now, &said::field(subject, "deleted", true.into()))?;
                }
                if words::is_telling(&experiment.id) {
                    self.alias(project, &experiment.id, uid.to_string())?;
                }
            }
        }
        let became = match held {
            Some(_) if self.records == before => Became::Same,
            Some(_) => Became::Continued,
            None => Became::New,
        };
        Ok((uid, became))
    }

    /// Whether an experiment that comes in anew meets one of its name.
    pub(super) fn meets(&self, experiment: &Experiment, project: Option<&str>) -> bool {
        let project = project.unwrap_or(match experiment.workspace.as_str() {
            words::DEFAULT_WORKSPACE => DEFAULT_PROJECT,
            workspace => workspace,
        });
        let name = (project.to_owned(), experiment.name.clone());
        let uid = words::experiment_uid(experiment);
        !self.experiments.by_uid.contains_key(&uid) && self.experiments.names.contains(&name)
    }

    fn alias(&mut self, project: &str, name: &str, value: String) -> Result<(), ImportError> {
        let op = Op::SetPointer(SetPointer {
            project: project.to_owned(),
            kind: "alias".to_owned(),
            name: name.to_owned(),
            value: value.into(),
        });
        Ok(self.say(self.now, &op)?)
    }

    /// What the store says otherwise of an experiment than last time.
    fn continue_experiment(
        &mut self,
        experiment: &Experiment,
        uid: ExperimentUid,
        row: &ExperimentRow,
    ) -> Result<(), ImportError> {
        let held = &row.state.annotations;
        let subject = Subject::Experiment(uid);
        let imported = said::imported_experiment(experiment);
        let news = News::of(held, &imported);
        if news.is_about("name") && row.state.name() != Some(&experiment.name) {
            let name = experiment.name.clone().into();
            self.say(self.now, &said::field(subject.clone(), "name", name))?;
        }
        // Every book has the default experiment, and keeps it.
        let is_default = uid == ExperimentUid::default();
        if news.is_about("lifecycle_stage")
            && held.flag("deleted") != experiment.is_deleted
            && !is_default
        {
            let value = experiment.is_deleted.into();
            self.say(self.now, &said::field(subject.clone(), "deleted", value))?;
        }
        let time = said::created(experiment);
        let (tags, note) = said::tags_and_note(&experiment.tags);
        if let Some(time) = difference::note(held, note.as_ref(), time) {
            self.say(time, &said::note(subject.clone(), note))?;
        }
        let tags = difference::tags(held, &tags, time);
        self.say_tags(&subject, tags)?;
        if news.is_any() {
            let time = next(
                held.fields.get(IMPORTED).map(|field| field.stamp.time),
                time,
            );
            self.say(time, &said::field(subject, IMPORTED, imported))?;
        }
        Ok(())
    }

    fn say_tags(
        &mut self,
        subject: &Subject,
        tags: Changed<Option<String>>,
    ) -> Result<(), ImportError> {
        for (time, tags) in tags {
            if let Some(op) = said::tags(subject.clone(), tags) {
                self.say(time, &op)?;
            }
        }
        Ok(())
    }

    /// Takes a run in, or its news.
    pub(super) fn run(
        &mut self,
        run: &mut Run,
        (of, experiment): (&Experiment, ExperimentUid),
        files: &Files,
    ) -> Result<Became, ImportError> {
        let uid = words::run_uid(&run.id);
        for points in run.metrics.values_mut() {
            once(points);
        }
        let life = Life::of(run, of);
        let (records, points) = (self.records, self.points);
        let held = self
            .view
            .run_by_uid(uid)?
            .filter(|row| row.state.start().is_some());
        match &held {
            Some(row) => self.continue_run(run, (uid, life), row, files)?,
            None => self.new_run(run, (uid, life), experiment, files)?,
        }
        let is_same = (self.records, self.points) == (records, points);
        Ok(match held {
            Some(_) if is_same => Became::Same,
            Some(_) => Became::Continued,
            None => Became::New,
        })
    }

    fn new_run(
        &mut self,
        run: &Run,
        (uid, life): (RunUid, Life),
        experiment: ExperimentUid,
        files: &Files,
    ) -> Result<(), ImportError> {
        let subject = Subject::Run(uid);
        let user = run.user.as_deref().filter(|user| !user.is_empty());
        self.say_by(life.begin, user, &said::start(run, uid, experiment, life))?;
        let (tags, note) = said::tags_and_note(&run.tags);
        let tags = tags.into_iter().map(|(key, text)| (key, Some(text)));
        let field = |name: &str, text: &str| said::field(subject.clone(), name, text.into());
        let uri = files.elsewhere.as_deref();
        let ops = [
            said::params(uid, run.params.iter()),
            said::tags(subject.clone(), tags.collect()),
            note.map(|text| said::note(subject.clone(), Some(text))),
            user.map(|user| field("user", user)),
            uri.map(|uri| field("artifact_uri", uri)),
            Some(said::field(
                subject.clone(),
                IMPORTED,
                said::imported_run(run),
            )),
        ];
        let lineage = run.datasets.iter().map(|one| said::dataset(uid, one));
        let lineage = lineage.chain(run.models.iter().map(|link| said::model_link(uid, link)));
        for op in ops.into_iter().flatten().chain(lineage) {
            self.say(life.begin, &op)?;
        }
        self.say_points(&subject, life, &run.metrics)?;
        for file in &files.kept {
            self.say(file.time, &file.op(subject.clone()))?;
        }
        if run.status.is_final() {
            self.say(life.end, &said::state(run, uid))?;
        }
        if run.is_deleted {
            self.say(
                self.now,
                &said::field(subject.clone(), "deleted", true.into()),
            )?;
        }
        if run.id != uid.to_string() {
            self.alias(DEFAULT_PROJECT, &run.id, uid.to_string())?;
        }
        Ok(())
    }

    fn continue_run(
        &mut self,
        run: &Run,
        (uid, life): (RunUid, Life),
        row: &RunRow,
        files: &Files,
    ) -> Result<(), ImportError> {
        let (state, held) = (&row.state, &row.state.annotations);
        let subject = Subject::Run(uid);
        let imported = said::imported_run(run);
        let news = News::of(held, &imported);
        if news.is_about("run_name")
            && let Some(name) = &run.name
            && state.name() != Some(name)
        {
            self.say(
                self.now,
                &said::field(subject.clone(), "name", name.clone().into()),
            )?;
        }
        let is_other = state.status() != run.status || state.ended() != run.ended.map(words::time);
        if (news.is_about("status") || news.is_about("end_time")) && is_other {
            let changed = state.changed.as_ref().map(|held| held.stamp.time);
            self.say(next(changed, life.end), &said::state(run, uid))?;
        }
        if news.is_about("lifecycle_stage") && held.flag("deleted") != run.is_deleted {
            self.say(
                self.now,
                &said::field(subject.clone(), "deleted", run.is_deleted.into()),
            )?;
        }
        let fresh = run.params.iter().filter(|(key, text)| {
            let param = words::param(text);
            state.params.get(*key).is_none_or(|held| {
                let others = held.conflicts().iter().map(|(_, other)| other);
                !others.chain([held.param()]).any(|known| known.same(&param))
            })
        });
        if let Some(op) = said::params(uid, fresh) {
            self.say(life.begin, &op)?;
        }
        let (tags, note) = said::tags_and_note(&run.tags);
        if let Some(time) = difference::note(held, note.as_ref(), life.begin) {
            self.say(time, &said::note(subject.clone(), note))?;
        }
        self.say_tags(&subject, difference::tags(held, &tags, life.begin))?;
        self.continue_lineage(run, uid, (row, life))?;
        let metrics = self.new_points(run, row)?;
        self.say_points(&subject, life, &metrics)?;
        for file in files.kept.iter().filter(|file| file.is_news(row)) {
            self.say(file.time, &file.op(subject.clone()))?;
        }
        if news.is_any() {
            let time = next(
                held.fields.get(IMPORTED).map(|field| field.stamp.time),
                life.begin,
            );
            self.say(time, &said::field(subject, IMPORTED, imported))?;
        }
        Ok(())
    }

    /// Datasets and models that the book does not know of.
    fn continue_lineage(
        &mut self,
        run: &Run,
        uid: RunUid,
        (row, life): (&RunRow, Life),
    ) -> Result<(), ImportError> {
        let known = &row.state.lineage;
        for one in &run.datasets {
            let place = (one.dataset.name.clone(), one.dataset.digest.clone());
            if !known.datasets.contains_key(&place) {
                self.say(life.begin, &said::dataset(uid, one))?;
            }
        }
        for link in &run.models {
            if !known
                .models
                .contains_key(&(link.role, words::model_uid(&link.model)))
            {
                self.say(life.begin, &said::model_link(uid, link))?;
            }
        }
        Ok(())
    }

    /// The points that the book does not have.
    fn new_points(
        &self,
        run: &Run,
        row: &RunRow,
    ) -> Result<BTreeMap<String, Vec<Point>>, ImportError> {
        let mut metrics = BTreeMap::new();
        for (name, points) in &run.metrics {
            let key = SeriesKey::plain(name.as_str());
            let held = row.state.records.series.get(&key);
            if held.is_some() && held == summary(points).as_ref() {
                continue;
            }
            let series = self.view.series(&Owner::Run(row.no), &key)?;
            let fresh = difference::fresh(points, &series);
            if !fresh.is_empty() {
                metrics.insert(name.clone(), fresh);
            }
        }
        Ok(metrics)
    }

    /// Points of one step and time stand together, as they were logged.
    fn say_points(
        &mut self,
        subject: &Subject,
        life: Life,
        metrics: &BTreeMap<String, Vec<Point>>,
    ) -> Result<(), ImportError> {
        let mut all: Vec<(i64, Timestamp, &str, f64)> = Vec::new();
        for (name, points) in metrics {
            all.extend(
                points
                    .iter()
                    .map(|point| (point.step, point.time, name.as_str(), point.value)),
            );
        }
        all.sort_by_key(|(step, time, name, _)| (*time, *step, *name));
        let index = self.draft.subject(subject);
        let mut keys: FxHashMap<&str, (SeriesKey, KeyIndex)> = FxHashMap::default();
        for name in metrics.keys() {
            let key = SeriesKey::plain(name.as_str());
            let at = self.draft.key(&key);
            keys.insert(name.as_str(), (key, at));
        }
        // Two values of one metric at one step and time are two calls.
        let calls =
            all.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1) && one.2 != other.2);
        for call in calls {
            let (step, time) = (call[0].0, call[0].1);
            let said = time.clamp(life.begin, life.end);
            self.points += call.len() as u64;
            if said == time {
                let pairs: Vec<_> = call
                    .iter()
                    .map(|(.., name, value)| (keys[name].1, *value))
                    .collect();
                let call = LogCall {
                    subject: index,
                    step,
                    time,
                    repeat: Repeat::Set,
                };
                self.draft.log(call, &pairs)?;
                continue;
            }
            // Said at another time, the run would be older or younger than it was.
            let values = call
                .iter()
                .map(|(.., name, value)| (keys[name].0.clone(), *value));
            let points = Points {
                subject: subject.clone(),
                step,
                time,
                set: true,
                values: values.collect(),
            };
            self.draft.say(said, None, &Op::Points(points))?;
        }
        Ok(())
    }

    /// Decides what becomes of the files of a run, and puts bytes that are to be kept.
    pub(super) fn keep(
        &self,
        run: &Run,
        of: &Experiment,
        files: Vec<Found>,
        (manner, artifacts): (Manner, &Artifacts),
    ) -> Result<Vec<Kept>, ImportError> {
        let life = Life::of(run, of);
        let row = self.view.run_by_uid(words::run_uid(&run.id))?;
        let mut kept = Vec::new();
        for file in files {
            let time = file.changed.clamp(life.begin, life.end);
            let held = row.as_ref().and_then(|row| {
                let versions = row.state.records.artifacts.get(&file.path)?;
                versions.last()
            });
            // One that was written when the book's was, and has its size, is not read again.
            let is_read = held.is_some_and(|held| {
                let same_size = held.value.size == Some(file.size);
                same_size && held.stamp.time == file.changed && time == file.changed
            });
            let (sha256, uri) = match manner {
                Manner::Copy if is_read => held.map_or((None, None), |held| {
                    (held.value.sha256.clone(), held.value.uri.clone())
                }),
                Manner::Copy => (Some(artifacts.put_file(&file.file)?.sha256), None),
                Manner::Reference => (None, Some(address(&file.file))),
                Manner::Leave => continue,
            };
            kept.push(Kept {
                path: file.path,
                size: file.size,
                sha256,
                uri,
                time,
            });
        }
        Ok(kept)
    }
}

/// The files of a run.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) kept: Vec<Kept>,
    /// Where they are, if they are not read here.
    pub(super) elsewhere: Option<String>,
}

/// A file of a run as the book gets to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    path: String,
    size: u64,
    pub(super) sha256: Option<String>,
    uri: Option<String>,
    time: Timestamp,
}

impl Kept {
    fn op(&self, subject: Subject) -> Op {
        Op::PutArtifact(PutArtifact {
            subject,
            path: self.path.clone(),
            sha256: self.sha256.clone(),
            size: Some(self.size),
            uri: self.uri.clone(),
            r#type: None,
            role: None,
            step: None,
            description: None,
            removed: false,
        })
    }

    /// Whether no version in the book is this one.
    fn is_news(&self, row: &RunRow) -> bool {
        let versions = row.state.records.artifacts.get(&self.path);
        let mut versions = versions.into_iter().flatten();
        !versions.any(|held| held.value.sha256 == self.sha256 && held.value.uri == self.uri)
    }
}
