//! The way of what a store says into a book that may have some of it.
//!
//! What is not in the book comes in. Of what is, only what the store says otherwise than at its last import is taken
//! over: so a run that went on brings its news, and what was changed in the book holds. Not here: reading stores.
//! Invariant: a store that says nothing new changes nothing.

mod files;
mod run;

use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::id::{ExperimentNo, ExperimentUid};
use trialbook_model::record::{Op, SetPointer, Subject};
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading as _;
use trialbook_store::{Book, BookError, BookView, Draft, Effort};

use super::difference::{self, Changed, News, next};
use super::said::{self, IMPORTED};
use super::store::Experiment;
use super::words;
use crate::error::ImportError;

pub(super) use files::Files;

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
        let before = self.records;
        if let Some(row) = &held {
            self.continue_experiment(experiment, uid, row)?;
        } else {
            self.new_experiment(experiment, uid, project)?;
        }
        let became = match held {
            Some(_) if self.records == before => Became::Same,
            Some(_) => Became::Continued,
            None => Became::New,
        };
        Ok((uid, became))
    }

    fn new_experiment(
        &mut self,
        experiment: &Experiment,
        uid: ExperimentUid,
        project: &str,
    ) -> Result<(), ImportError> {
        let time = said::created(experiment);
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
        Ok(())
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
}
