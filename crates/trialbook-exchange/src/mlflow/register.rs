//! The way of logged models and registered models into a book.
//!
//! Not here: reading them. Invariant: as with runs: what is new comes in, what was changed in the book holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trialbook_model::canonical;
use trialbook_model::id::{EntryUid, ExperimentUid};
use trialbook_model::record::{CreateEntry, EntryKind, Op, Points, SeriesKey, Subject};
use trialbook_model::state::{ALIAS, DEFAULT_PROJECT, ENTRY_PARAM, Point};
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::Owner;
use trialbook_store::reading::Reading as _;

use super::artifacts::{self, file_path};
use super::difference::{self, once};
use super::join::{Became, Joining};
use super::said;
use super::store::{Collection, LoggedModel, ModelPoint, Version};
use super::words;
use crate::error::ImportError;

/// An entry as a store has it.
struct Entry<'e> {
    create: CreateEntry,
    created: Timestamp,
    is_deleted: bool,
    metrics: &'e [ModelPoint],
}

impl Joining<'_> {
    /// Takes a logged model in, or its news.
    pub(super) fn logged_model(
        &mut self,
        model: &LoggedModel,
        experiment: ExperimentUid,
    ) -> Result<Became, ImportError> {
        let uid = words::model_uid(&model.id);
        let of = Subject::Experiment(experiment);
        let mut create = CreateEntry::of(uid, EntryKind::LoggedModel, of);
        create.name.clone_from(&model.name);
        create.tags.clone_from(&model.tags);
        let away = model
            .artifact_location
            .clone()
            .filter(|uri| file_path(uri).is_none());
        let away = away.filter(|uri| !uri.starts_with(artifacts::PROXIED));
        let told = [
            ("run", model.run.clone()),
            ("type", model.kind.clone()),
            ("status", model.status.clone()),
            ("status_message", model.status_message.clone()),
            ("location", away),
        ];
        for (field, text) in told {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                create.fields.insert(field.to_owned(), text.into());
            }
        }
        let params = model.params.iter();
        let params = params.map(|(key, text)| (format!("{ENTRY_PARAM}{key}"), json!(text)));
        create.fields.extend(params);
        self.entry(Entry {
            create,
            created: made(model.created),
            is_deleted: model.is_deleted,
            metrics: &model.metrics,
        })
    }

    /// Takes a registered model in with its versions, or their news; gives what became of it and of each version.
    pub(super) fn collection(
        &mut self,
        collection: &Collection,
        project: Option<&str>,
    ) -> Result<Vec<Became>, ImportError> {
        let project = match project {
            Some(project) => project,
            None if collection.workspace == words::DEFAULT_WORKSPACE => DEFAULT_PROJECT,
            None => &collection.workspace,
        };
        let uid = words::collection_uid(collection);
        let of = Subject::Project(project.to_owned());
        let mut create = CreateEntry::of(uid, EntryKind::Collection, of);
        create.name = Some(collection.name.clone());
        create.tags.clone_from(&collection.tags);
        let kind = words::collection_kind(&collection.tags);
        create.fields.insert("kind".to_owned(), kind.into());
        if let Some(text) = collection
            .description
            .clone()
            .filter(|text| !text.is_empty())
        {
            create.fields.insert("description".to_owned(), text.into());
        }
        for (alias, number) in &collection.aliases {
            let version = words::version_uid(uid, *number).to_string();
            create
                .fields
                .insert(format!("{ALIAS}{alias}"), version.into());
        }
        let became = self.entry(Entry {
            create,
            created: made(collection.created),
            is_deleted: false,
            metrics: &[],
        })?;
        let mut all = vec![became];
        for version in &collection.versions {
            all.push(self.version(version, uid)?);
        }
        Ok(all)
    }

    fn version(&mut self, version: &Version, of: EntryUid) -> Result<Became, ImportError> {
        let uid = words::version_uid(of, version.number);
        let mut create = CreateEntry::of(uid, EntryKind::Version, Subject::Entry(of));
        create.number = Some(version.number);
        create.tags.clone_from(&version.tags);
        let fields = version.fields.iter();
        create.fields = fields
            .map(|(field, text)| ((*field).to_owned(), json!(text)))
            .collect();
        let source = version.fields.get("source");
        let model = version.fields.get("model").or(source);
        let model = model.map(|text| text.trim_start_matches("models:/"));
        create.fields.remove("model");
        if let Some(id) = model.filter(|id| id.starts_with("m-") && !id.contains('/')) {
            let uid = words::model_uid(id).to_string();
            create.fields.insert("model".to_owned(), uid.into());
        }
        self.entry(Entry {
            create,
            created: made(version.created),
            is_deleted: false,
            metrics: &[],
        })
    }

    fn entry(&mut self, entry: Entry<'_>) -> Result<Became, ImportError> {
        let uid = entry.create.entry;
        let subject = Subject::Entry(uid);
        let no = self.view.entry_no(uid)?;
        let held = match no {
            Some(no) => self.view.entry(no)?.filter(|row| row.state.place.is_some()),
            None => None,
        };
        let before = (self.records, self.points);
        match &held {
            None => self.say(entry.created, &Op::CreateEntry(Box::new(entry.create)))?,
            Some(row) => {
                let held = &row.state.annotations;
                for (time, fields) in difference::fields(held, &entry.create.fields, entry.created)
                {
                    for (field, value) in fields {
                        self.say(time, &said::field(subject.clone(), &field, value))?;
                    }
                }
                for (time, tags) in difference::tags(held, &entry.create.tags, entry.created) {
                    if let Some(op) = said::tags(subject.clone(), tags) {
                        self.say(time, &op)?;
                    }
                }
            }
        }
        let is_known = held
            .as_ref()
            .is_some_and(|row| row.state.annotations.fields.contains_key("deleted"));
        if entry.is_deleted && !is_known {
            let deleted: Value = true.into();
            self.say(self.now, &said::field(subject.clone(), "deleted", deleted))?;
        }
        for (key, mut points) in by_series(entry.metrics) {
            once(&mut points);
            if let (Some(_), Some(no)) = (&held, no) {
                let series = self.view.series(&Owner::Entry(no), &key)?;
                points = difference::fresh(&points, &series);
            }
            self.points += points.len() as u64;
            for Point { step, time, value } in points {
                let op = Op::Points(Points {
                    subject: subject.clone(),
                    step,
                    time,
                    set: true,
                    values: vec![(key.clone(), value)],
                });
                self.draft.say(time, None, &op)?;
            }
        }
        Ok(match held {
            None => Became::New,
            Some(_) if before == (self.records, self.points) => Became::Same,
            Some(_) => Became::Continued,
        })
    }
}

fn made(millis: Option<i64>) -> Timestamp {
    millis.map_or(Timestamp(0), words::time)
}

/// Points by their series: dataset and run are its context.
fn by_series(points: &[ModelPoint]) -> BTreeMap<SeriesKey, Vec<Point>> {
    let mut series: BTreeMap<SeriesKey, Vec<Point>> = BTreeMap::new();
    for one in points {
        let mut context = serde_json::Map::new();
        if let Some((name, digest)) = &one.dataset {
            context.insert("dataset".to_owned(), json!(name));
            context.insert("digest".to_owned(), json!(digest));
        }
        if let Some(run) = &one.run {
            context.insert("run".to_owned(), json!(run));
        }
        let context = if context.is_empty() {
            String::new()
        } else {
            canonical::to_string(&Value::Object(context))
        };
        let key = SeriesKey {
            key: one.key.clone(),
            context,
        };
        series.entry(key).or_default().push(one.point);
    }
    series
}
