//! A run of a store on its way into a book.
//!
//! Not here: its files. Invariant: whatever of a run is new comes in together.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use trialbook_model::id::{ExperimentUid, RunUid};
use trialbook_model::record::{Op, Points, SeriesKey, Subject};
use trialbook_model::state::{DEFAULT_PROJECT, Point};
use trialbook_model::time::Timestamp;
use trialbook_spool::{KeyIndex, LogCall, Repeat};
use trialbook_store::nouns::{Owner, RunRow};
use trialbook_store::reading::Reading as _;

use super::super::difference::{self, News, next, once, summary};
use super::super::said::{self, IMPORTED, Life};
use super::super::store::{Experiment, Run};
use super::super::words;
use super::files::Files;
use super::{Became, Joining};
use crate::error::ImportError;

impl Joining<'_> {
    /// Takes a run in, or its news.
    pub(in crate::mlflow) fn run(
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
}
