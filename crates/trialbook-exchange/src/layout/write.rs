//! Writing the folder of an experiment.
//!
//! Not here: which experiments and runs. Invariant: a file whose text has not changed is not touched, so that a
//! second export is no change for git.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use trialbook_model::config::Config;
use trialbook_model::handle::{parse_run_label, run_label};
use trialbook_model::id::{ExperimentUid, RunUid};
use trialbook_model::record::Op;
use trialbook_model::state::Point;
use trialbook_model::time::Timestamp;
use trialbook_store::BookError;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading;

use super::held::{Entry, Held, Sums, first_line, says};
use super::names::Names;
use super::{
    ATTRIBUTES, CONFIG, EXPERIMENT, METRICS, RECORDS, RUNS, SNAPSHOTS, SUMMARY, line, summary,
    whole,
};
use crate::error::ExportError;
use crate::gather::{Gather, uid_of};
use crate::record::{Record, Said};

/// What is written: an experiment, and some of its runs.
pub struct Experiment<'a> {
    /// The experiment.
    pub row: &'a ExperimentRow,
    /// The runs.
    pub runs: &'a [RunRow],
    /// What becomes of a `config.yaml` that people changed.
    pub changed_config: ChangedConfig,
}

/// What becomes of a `config.yaml` that is another than that of the book, and that no export wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangedConfig {
    /// It is an error.
    Refuse,
    /// It is replaced.
    Replace,
}

/// A run in the folder of another number than its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// The run.
    pub run: RunUid,
    /// What the book calls it.
    pub label: String,
    /// Where it stands.
    pub folder: String,
}

/// The experiment that a folder holds, where one was written to it.
pub fn experiment_in(folder: &Path) -> Result<Option<ExperimentUid>, ExportError> {
    Ok(held(folder)?.map(|held| held.experiment))
}

fn held(folder: &Path) -> Result<Option<Held>, ExportError> {
    Held::of(folder).map_err(|error| ExportError::Unreadable {
        folder: folder.to_owned(),
        source: Box::new(error),
    })
}

/// Writes the folder of an experiment; gives each record that stands in it to `seen`, and back the runs whose number
/// the files have given to another one.
///
/// # Errors
/// Where the folder holds another experiment, or a config that would be lost; then nothing is written.
pub fn write<V: Reading<Error = BookError>>(
    view: &V,
    what: &Experiment<'_>,
    folder: &Path,
    seen: &mut dyn FnMut(&Record),
) -> Result<Vec<Elsewhere>, ExportError> {
    let held = held(folder)?;
    let wanted = uid_of(what.row);
    if let Some(held) = &held
        && held.experiment != wanted
        && !what.row.state.uids.contains(&held.experiment)
    {
        return Err(ExportError::OtherExperiment {
            folder: folder.to_owned(),
            there: held.experiment,
            wanted,
        });
    }
    let config = config(what, (folder, held.as_ref()))?;
    let gather = Gather::new(view);
    let folder = Folder { path: folder };
    let names = Names::of(what.runs, folder.path)?;
    let written = what.runs.iter().map(|run| (run.uid, names.name(run)));
    let entries = Held::entries(held.as_ref(), written);
    let records = experiment_text((&gather, what), &entries, seen)?;
    folder.put(&[EXPERIMENT], &records)?;
    if let Some(text) = config {
        folder.put(&[CONFIG], text.as_bytes())?;
    }
    if !folder.path.join(ATTRIBUTES).exists() {
        let text = format!("{EXPERIMENT} merge=union\n");
        folder.put(&[ATTRIBUTES], text.as_bytes())?;
    }
    for run in what.runs {
        let name = names.name(run);
        write_run(view, (&gather, &folder, name), (run, what.row), seen)?;
    }
    let elsewhere = what.runs.iter().filter_map(|run| {
        let (label, name) = (run_label(run.number?), names.name(run));
        (label != name).then(|| Elsewhere {
            run: run.uid,
            label,
            folder: format!("{RUNS}/{name}"),
        })
    });
    Ok(elsewhere.collect())
}

/// The text of `experiment.jsonl`.
fn experiment_text<V: Reading<Error = BookError>>(
    (gather, what): (&Gather<'_, V>, &Experiment<'_>),
    entries: &[Entry],
    seen: &mut dyn FnMut(&Record),
) -> Result<Vec<u8>, ExportError> {
    let own = uid_of(what.row);
    let mut text = first_line(own).into_bytes();
    text.push(b'\n');
    let mut sums = BTreeSet::new();
    let mut sink = |record: Record| {
        seen(&record);
        let from = text.len();
        push(&mut text, &record)?;
        sums.insert(whole::sum(String::from_utf8_lossy(&text[from..]).trim()));
        Ok::<_, ExportError>(())
    };
    gather.experiment(what.row, &mut sink)?;
    let runs = what.runs.iter().map(|run| run.uid.0);
    let there: BTreeSet<_> = runs.chain([own.0]).collect();
    for model in gather.models(what.row.no, &there)? {
        gather.entry(&model, &mut sink)?;
    }
    gather.pointers(what.row.state.project(), &there, &mut sink)?;
    for entry in entries {
        serde_json::to_writer(&mut text, entry).map_err(ExportError::Json)?;
        text.push(b'\n');
    }
    serde_json::to_writer(&mut text, &Sums { records: sums }).map_err(ExportError::Json)?;
    text.push(b'\n');
    Ok(text)
}

/// The text of the config, unless it is there already. What people wrote, with their comments, stays where it says
/// the same.
fn config(
    what: &Experiment<'_>,
    (folder, held): (&Path, Option<&Held>),
) -> Result<Option<String>, ExportError> {
    let Some(kept) = what.row.state.config() else {
        return Ok(None);
    };
    let Ok(config) = serde_json::from_value::<Config>(kept.document.clone()) else {
        return Ok(None);
    };
    let text = config.file();
    let path = folder.join(CONFIG);
    let there = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(text)),
        there => there.map_err(|source| ExportError::Write {
            path: path.clone(),
            source,
        })?,
    };
    let there = String::from_utf8_lossy(&there);
    if there == text || held.is_some_and(|held| held.wrote(&there)) {
        return Ok(Some(text));
    }
    if says(&there, &kept.document) {
        return Ok(None);
    }
    match what.changed_config {
        ChangedConfig::Replace => Ok(Some(text)),
        ChangedConfig::Refuse => Err(ExportError::OtherConfig { path }),
    }
}

fn write_run<V: Reading<Error = BookError>>(
    view: &V,
    (gather, folder, name): (&Gather<'_, V>, &Folder<'_>, &str),
    (run, experiment): (&RunRow, &ExperimentRow),
    seen: &mut dyn FnMut(&Record),
) -> Result<(), ExportError> {
    let mut text = RunText::default();
    let number = parse_run_label(name);
    let mut sink = |mut record: Record| {
        seen(&record);
        // The number is the folder's: each book gives its own, and the text is everybody's.
        if let Record::Said(Said {
            op: Op::StartRun(start),
            ..
        }) = &mut record
        {
            start.number = number.or(start.number);
        }
        text.take(record)
    };
    gather.run(run, &mut sink)?;
    for (sha256, document) in &text.snapshots {
        let pretty = pretty(document)?;
        folder.put(&[SNAPSHOTS, &format!("{sha256}.json")], &pretty)?;
    }
    folder.put(&[RUNS, name, RECORDS], &text.records)?;
    let metrics = text.metrics();
    folder.put(&[RUNS, name, METRICS], metrics.as_bytes())?;
    let environment = match run.state.snapshots.get("environment") {
        Some(held) => view.snapshot(&held.value)?,
        None => None,
    };
    let mut summary = summary::of(run, experiment, environment.as_ref());
    let snapshots = text.snapshots.iter().map(|(sha256, _)| sha256);
    whole::tell(&mut summary, (&text.records, metrics.as_bytes()), snapshots);
    folder.put(&[RUNS, name, SUMMARY], &pretty(&summary)?)
}

fn pretty(value: &Value) -> Result<Vec<u8>, ExportError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(ExportError::Json)?;
    text.push(b'\n');
    Ok(text)
}

fn push(records: &mut Vec<u8>, record: &Record) -> Result<(), ExportError> {
    record.write_json(records).map_err(ExportError::Json)?;
    records.push(b'\n');
    Ok(())
}

/// The files of a run as they are made.
#[derive(Default)]
struct RunText {
    records: Vec<u8>,
    /// With their times.
    lines: Vec<(Timestamp, String)>,
    snapshots: Vec<(String, Value)>,
}

impl RunText {
    fn take(&mut self, record: Record) -> Result<(), ExportError> {
        match record {
            Record::Points(block) => {
                for (key, values) in block.series.iter().zip(&block.values) {
                    for ((step, time), value) in block.steps.iter().zip(&block.times).zip(values) {
                        let point = Point {
                            step: *step,
                            time: Timestamp(*time),
                            value: *value,
                        };
                        let text = line::of_point(key, point).map_err(ExportError::Json)?;
                        self.lines.push((point.time, text));
                    }
                }
                Ok(())
            }
            Record::Said(Said {
                time,
                op: Op::Event(event),
                ..
            }) => {
                self.lines.push((time, line::of_event(time, &event)));
                Ok(())
            }
            Record::Said(mut said) => {
                if let Op::LinkSnapshot(link) = &mut said.op
                    && let Some(document) = link.document.take()
                {
                    self.snapshots.push((link.sha256.clone(), document));
                }
                push(&mut self.records, &Record::Said(said))
            }
        }
    }

    fn metrics(&mut self) -> String {
        // What has one time stays in the order of the stream.
        self.lines.sort_by_key(|(time, _)| *time);
        let mut text = String::new();
        for (_, line) in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// Where files go.
struct Folder<'a> {
    path: &'a Path,
}

impl Folder<'_> {
    /// Writes a file, unless it has the text already.
    fn put(&self, path: &[&str], text: &[u8]) -> Result<(), ExportError> {
        let mut to = PathBuf::from(self.path);
        to.extend(path);
        let writing = |source: io::Error| ExportError::Write {
            path: to.clone(),
            source,
        };
        if fs::read(&to).is_ok_and(|there| there == text) {
            return Ok(());
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(writing)?;
        }
        let draft = to.with_extension("tmp");
        fs::write(&draft, text).map_err(writing)?;
        fs::rename(&draft, &to).map_err(writing)
    }
}
