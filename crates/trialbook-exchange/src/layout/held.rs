//! What a folder holds already: whose it is, and which runs are to be in it.
//!
//! `experiment.jsonl` begins with the experiment that the folder is of, and ends with a line for each run that was
//! written to it, so that a run that is lost as a whole is missed, and one with the sums of its records, so that a lost
//! record is. Not here: the records between them. Invariant: a line of a run is taken away by people alone; whoever
//! writes the folder again keeps those of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trialbook_model::config::{self, Config};
use trialbook_model::id::{ExperimentUid, RunUid};
use trialbook_model::record::{Op, Subject};

use super::text::{each_line, record_of};
use super::{CONFIG, EXPERIMENT, FORMAT, RUNS, VERSION};
use crate::error::{ImportError, Place, Problem};
use crate::record::{Record, Said};

/// A run that is to be in the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The folder that it was written to, below `runs`.
    pub(super) folder: String,
    pub(super) run: RunUid,
}

/// The sums of the records that were written to the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sums {
    pub(super) records: BTreeSet<String>,
}

/// A line of `experiment.jsonl` that is not its first.
pub(super) enum Line {
    Record(Box<Record>),
    Entry(Entry),
    Sums(Sums),
}

impl Line {
    pub(super) fn parse(place: &Place, text: &str) -> Result<Self, ImportError> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Own {
            Entry(Entry),
            Sums(Sums),
        }
        match serde_json::from_str(text) {
            Ok(Own::Entry(entry)) => Ok(Self::Entry(entry)),
            Ok(Own::Sums(sums)) => Ok(Self::Sums(sums)),
            Err(_other) => record_of(place, text).map(|it| Self::Record(Box::new(it))),
        }
    }
}

/// What `experiment.jsonl` says of its folder.
pub(super) struct Held {
    pub(super) experiment: ExperimentUid,
    entries: BTreeMap<RunUid, String>,
    /// The config's document, as it was written last.
    document: Option<Value>,
}

impl Held {
    /// Reads it; `None` where the folder holds no experiment that was written here.
    pub(super) fn of(folder: &Path) -> Result<Option<Self>, ImportError> {
        let path = folder.join(EXPERIMENT);
        if !path.is_file() {
            return Ok(None);
        }
        let mut experiment = None;
        let mut spoken_of = None;
        let mut entries = BTreeMap::new();
        let mut document = None;
        let mut is_first = true;
        each_line(&path, &path, &mut |place, text| {
            if std::mem::take(&mut is_first) {
                experiment = head(place, text)?;
                return Ok(());
            }
            match Line::parse(place, text)? {
                Line::Entry(entry) => {
                    entries.insert(entry.run, entry.folder);
                }
                Line::Sums(_) => {}
                Line::Record(record) => {
                    let Record::Said(Said { op, .. }) = *record else {
                        return Ok(());
                    };
                    if let Some(Subject::Experiment(uid)) = op.subject() {
                        spoken_of.get_or_insert(uid);
                    }
                    if let Op::CreateExperiment(create) = op
                        && !create.document.is_null()
                    {
                        document = Some(create.document);
                    }
                }
            }
            Ok(())
        })?;
        Ok(Some(Self {
            // Of the default experiment a book may have nothing to say.
            experiment: experiment.or(spoken_of).unwrap_or_default(),
            entries,
            document,
        }))
    }

    /// The lines of the runs: those of others as they are, those that are written now where they go.
    pub(super) fn entries<'a>(
        held: Option<&Self>,
        written: impl Iterator<Item = (RunUid, &'a str)>,
    ) -> Vec<Entry> {
        let mut all = held.map(|held| held.entries.clone()).unwrap_or_default();
        all.extend(written.map(|(run, folder)| (run, folder.to_owned())));
        let entries = all.into_iter().map(|(run, folder)| Entry { folder, run });
        let mut entries: Vec<Entry> = entries.collect();
        entries.sort();
        entries
    }

    /// Whether a text is that of the config which was written last.
    pub(super) fn wrote(&self, text: &str) -> bool {
        let config = self.document.clone().map(serde_json::from_value::<Config>);
        let mut config = config.and_then(Result::ok).into_iter();
        config.any(|config| config.file() == text)
    }
}

/// Whether a document is a config, which every export writes to its file.
pub(super) fn is_config(document: &Value) -> bool {
    serde_json::from_value::<Config>(document.clone()).is_ok()
}

/// Whether the text of a config says what a document says, whatever its order and comments.
pub(super) fn says(text: &str, document: &Value) -> bool {
    let parsed = config::parse(text, CONFIG);
    parsed.is_ok_and(|it| it.config.clean_document() == *document)
}

/// The first line.
pub(super) fn first_line(experiment: ExperimentUid) -> String {
    json!({"format": FORMAT, "version": VERSION, "experiment": experiment}).to_string()
}

/// Reads the first line: the experiment, where it says one.
pub(super) fn head(place: &Place, text: &str) -> Result<Option<ExperimentUid>, ImportError> {
    let head: Value = serde_json::from_str(text).unwrap_or_default();
    let version = head["version"].as_u64();
    match version.filter(|_| head["format"] == FORMAT) {
        Some(version) if version > VERSION => {
            let problem = Problem::Newer {
                format: FORMAT,
                version,
                known: VERSION,
            };
            Err(ImportError::at(place, problem))
        }
        Some(1) => Ok(None),
        Some(_) => {
            let experiment = ExperimentUid::deserialize(&head["experiment"]);
            experiment.map(Some).map_err(|_no_id| {
                let key = "experiment".to_owned();
                let expected = "the id of the experiment, 32 hex digits";
                ImportError::at(place, Problem::Value { key, expected })
            })
        }
        None => {
            let expected = "the beginning of an experiment written by Trialbook";
            Err(ImportError::at(place, Problem::Foreign { expected }))
        }
    }
}

/// What of the runs that are to be there is not: each with its line.
pub(super) fn missing(
    entries: &[(Place, Entry)],
    is_there: &dyn Fn(RunUid) -> bool,
) -> Result<(), ImportError> {
    match entries.iter().find(|(_, entry)| !is_there(entry.run)) {
        None => Ok(()),
        Some((place, Entry { folder, run })) => {
            let (run, folder) = (run.to_string(), format!("{RUNS}/{folder}"));
            Err(ImportError::at(place, Problem::RunMissing { run, folder }))
        }
    }
}

/// Refuses a file that lacks records which were written to it. Where two sides wrote and their lines were merged, each
/// says what it wrote: a record that both wrote was taken away by neither.
pub(super) fn lost(sums: &[(Place, Sums)], found: &BTreeSet<String>) -> Result<(), ImportError> {
    let Some((place, first)) = sums.first() else {
        return Ok(());
    };
    let is_of_all = |sum: &&String| sums.iter().all(|(_, sums)| sums.records.contains(*sum));
    let wanted: BTreeSet<&String> = first.records.iter().filter(is_of_all).collect();
    let lost = wanted.iter().filter(|sum| !found.contains(**sum)).count();
    if lost == 0 {
        return Ok(());
    }
    let (lost, of) = (lost as u64, wanted.len() as u64);
    Err(ImportError::at(place, Problem::Lost { lost, of }))
}
