//! Writing the folder of an experiment.
//!
//! Not here: which experiments and runs. Invariant: a file whose text has not changed is not touched, so that a
//! second export is no change for git.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trialbook_model::config::Config;
use trialbook_model::handle::parse_run_label;
use trialbook_model::record::Op;
use trialbook_model::state::Point;
use trialbook_model::time::Timestamp;
use trialbook_store::BookError;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading;

use super::names::Names;
use super::{
    CONFIG, EXPERIMENT, FORMAT, LINES, METRICS, RECORDS, RUNS, SNAPSHOTS, SUMMARY, VERSION, line,
    summary,
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
}

/// Writes the folder of an experiment; gives each record that stands in it to `seen`.
pub fn write<V: Reading<Error = BookError>>(
    view: &V,
    what: &Experiment<'_>,
    folder: &Path,
    seen: &mut dyn FnMut(&Record),
) -> Result<(), ExportError> {
    let gather = Gather::new(view);
    let folder = Folder { path: folder };
    let mut head = json!({"format": FORMAT, "version": VERSION}).to_string();
    head.push('\n');
    let mut records = head.into_bytes();
    let mut sink = |record: Record| {
        seen(&record);
        push(&mut records, &record)
    };
    gather.experiment(what.row, &mut sink)?;
    let runs = what.runs.iter().map(|run| run.uid.0);
    let there: BTreeSet<_> = runs.chain([uid_of(what.row).0]).collect();
    for model in gather.models(what.row.no, &there)? {
        gather.entry(&model, &mut sink)?;
    }
    gather.pointers(what.row.state.project(), &there, &mut sink)?;
    folder.put(&[EXPERIMENT], &records)?;
    let config = what.row.state.config();
    let config =
        config.and_then(|held| serde_json::from_value::<Config>(held.document.clone()).ok());
    if let Some(config) = config {
        folder.put(&[CONFIG], config.file().as_bytes())?;
    }
    let names = Names::of(what.runs, folder.path)?;
    for run in what.runs {
        let name = names.name(run);
        write_run(view, (&gather, &folder, name), (run, what.row), seen)?;
    }
    Ok(())
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
    summary[LINES] = json!({
        (METRICS): lines_of(metrics.as_bytes()),
        (RECORDS): lines_of(&text.records),
    });
    folder.put(&[RUNS, name, SUMMARY], &pretty(&summary)?)
}

fn lines_of(text: &[u8]) -> usize {
    // Every line ends with a line feed, the last one too.
    text.split(|letter| *letter == b'\n').count() - 1
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
