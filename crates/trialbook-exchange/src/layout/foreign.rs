//! Folders that others wrote: a config, and for each run a summary and lines of metrics.
//!
//! Ids follow from the experiment's own id and the folders' names, so that the same folder brought in twice is
//! the same. Not here: lines of metrics, which the task protocol reads. Invariant: nothing of a file is passed
//! over in silence; secrets do not get into the book.

use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use trialbook_model::config;
use trialbook_model::handle::parse_run_label;
use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{CreateExperiment, Op, Points, SeriesKey, StartRun, Subject};
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_runner::protocol::Reader;
use trialbook_runner::protocol::line as protocol;

use super::read::run_folders;
use super::text::each_line;
use super::told::Summary;
use super::{CONFIG, METRICS, SUMMARY};
use crate::bring::Arrival;
use crate::error::{ImportError, Place};
use crate::gather::whole::Whole;
use crate::record::{Record, Said};

/// An experiment of others that has come in.
pub(super) struct Foreign {
    uid: ExperimentUid,
    /// What its ids follow from.
    own: String,
    /// Lines of all its runs that were not understood.
    pub(super) not_understood: u64,
}

/// When a run began and ended.
struct Times {
    begin: Timestamp,
    ended: Option<Timestamp>,
    /// Whether the summary says when it began, or ended.
    are_told: bool,
}

impl Times {
    /// As the summary says; where it says nothing, the run is as old as the file.
    fn of(summary: &mut Summary<'_>, path: &Path, told: &Path) -> Result<Self, ImportError> {
        let started = summary.time("started_at")?;
        let duration = summary.take("duration_ms").as_ref().and_then(Value::as_f64);
        let ended = summary.time("ended_at")?.or_else(|| {
            let micros = duration? * 1000.0;
            Some(Timestamp(started?.0.saturating_add(micros as i64)))
        });
        let begin = match started.or(ended) {
            Some(begin) => begin,
            None => changed(path).map_err(ImportError::read(told))?,
        };
        let are_told = started.or(ended).is_some();
        Ok(Self {
            begin,
            ended,
            are_told,
        })
    }
}

/// When a file was written last.
fn changed(path: &Path) -> io::Result<Timestamp> {
    let at = fs::metadata(path)?.modified()?;
    let micros = at
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_micros();
    Ok(Timestamp(i64::try_from(micros).unwrap_or(i64::MAX)))
}

/// A uid that follows from names.
fn uid_of(parts: &[&str]) -> Uid {
    let mut hash = Sha256::new();
    for part in ["trialbook text layout"].iter().chain(parts) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut uid = [0; 16];
    uid.copy_from_slice(&hash.finalize()[..16]);
    Uid(uid)
}

impl Foreign {
    /// Brings the experiment in.
    pub(super) fn new(
        folder: &Path,
        name: &Path,
        arrival: &mut Arrival<'_>,
    ) -> Result<Self, ImportError> {
        let path = folder.join(CONFIG);
        let told = name.join(CONFIG);
        let mut create = CreateExperiment {
            experiment: ExperimentUid::default(),
            project: DEFAULT_PROJECT.to_owned(),
            name: folder_name(folder),
            handle: None,
            document: Value::Null,
            config_hash: None,
        };
        let mut created = None;
        if path.is_file() {
            let text = fs::read_to_string(&path).map_err(ImportError::read(&told))?;
            let parsed = config::parse(&text, &told.display().to_string());
            let config = parsed.map_err(ImportError::Config)?.config;
            let experiment = &config.experiment;
            created = experiment.created.as_deref().and_then(day);
            create.name.clone_from(&experiment.name);
            create.handle.clone_from(&experiment.id);
            if let Some(project) = &experiment.project {
                create.project.clone_from(project);
            }
            create.config_hash = Some(config.hash());
            create.document = config.clean_document();
        }
        let own = create.handle.clone().unwrap_or_else(|| create.name.clone());
        let uid = ExperimentUid(uid_of(&[&create.project, &own]));
        create.experiment = uid;
        let time = match created {
            Some(created) => created,
            None => age(folder).map_err(ImportError::read(&told))?,
        };
        let said = Said {
            time,
            actor: None,
            op: Op::CreateExperiment(create),
        };
        arrival.take(&Place::file(&told), Record::Said(said))?;
        Ok(Self {
            uid,
            own,
            not_understood: 0,
        })
    }

    /// Brings a run in; gives what is worth a note.
    pub(super) fn run(
        &mut self,
        folder: &Path,
        told: &Path,
        arrival: &mut Arrival<'_>,
    ) -> Result<Vec<String>, ImportError> {
        let name = folder_name(folder);
        let place = Place::file(&told.join(SUMMARY));
        let text =
            fs::read_to_string(folder.join(SUMMARY)).map_err(ImportError::read(&place.file))?;
        let mut summary = Summary::parse(&text, &place)?;
        let run = RunUid(uid_of(&[&self.own, &name]));
        let times = Times::of(&mut summary, &folder.join(SUMMARY), &place.file)?;
        let (begin, ended) = (times.begin, times.ended);
        let mut ops = vec![(
            begin,
            Op::StartRun(StartRun {
                experiment: self.uid,
                number: parse_run_label(&name),
                variation: summary.text("variation")?,
                trial: summary.whole("trial")?,
                seed: summary.whole("seed")?,
                source: "import".to_owned(),
                started: begin,
                status: RunStatus::Running,
                ..StartRun::of(run)
            }),
        )];
        ops.extend(summary.params(run)?.map(|op| (begin, op)));
        ops.extend(summary.environment(run).map(|op| (begin, op)));
        let end = ended.unwrap_or(begin);
        ops.extend(summary.status(run, ended)?.map(|op| (end, op)));
        let metrics = summary.metrics()?;
        summary.take("experiment_id");
        summary.take("run_id");
        if !summary.is_empty() {
            ops.push((end, summary.rest(run)));
        }
        let mut whole = Whole::new(run);
        for (time, op) in ops {
            whole.say(time, op);
        }
        let lines = told.join(METRICS);
        let odd = read_lines(&mut whole, run, (&folder.join(METRICS), &lines), begin)?;
        finals(metrics, &mut whole, run, end);
        whole.give(&mut |record| arrival.take(&place, record))?;
        self.not_understood += odd;
        let mut notes = Vec::new();
        if !times.are_told {
            let summary = place.file.display();
            notes.push(format!(
                "`{summary}` says no time: the run is taken to be as old as that file"
            ));
        }
        if odd > 0 {
            notes.push(format!(
                "`{}`: {odd} lines were not understood; they are kept as events of kind `not_understood`",
                lines.display()
            ));
        }
        Ok(notes)
    }
}

/// How old an experiment is of which nobody says it: as old as its config, else as the first summary of a run.
fn age(folder: &Path) -> io::Result<Timestamp> {
    let mut files = vec![folder.join(CONFIG)];
    for run in run_folders(folder)? {
        files.push(run.join(SUMMARY));
    }
    let oldest = files.iter().find(|file| file.is_file());
    changed(oldest.map_or(folder, |file| file))
}

fn folder_name(folder: &Path) -> String {
    let name = folder.file_name().or_else(|| folder.parent()?.file_name());
    name.map_or_else(
        || "imported".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// A day or an instant.
fn day(text: &str) -> Option<Timestamp> {
    let instant = Timestamp::parse(text);
    instant
        .or_else(|_| Timestamp::parse(&format!("{text}T00:00:00Z")))
        .ok()
}

/// Lines of metrics, as a task's are read; how many were not understood.
fn read_lines(
    whole: &mut Whole,
    run: RunUid,
    (path, told): (&Path, &Path),
    begin: Timestamp,
) -> Result<u64, ImportError> {
    let mut reader = Reader::new(run);
    if !path.is_file() {
        return Ok(0);
    }
    let name = told.display().to_string();
    each_line(path, told, &mut |place, text| {
        let at = protocol::Place {
            file: &name,
            line: place.line,
        };
        for (time, op) in reader.line(at, text, begin) {
            whole.say(time, op);
        }
        Ok(())
    })?;
    Ok(reader.not_understood())
}

/// The metrics of the summary that the lines did not end with: the summary has the last word.
fn finals(metrics: Vec<(String, f64)>, whole: &mut Whole, run: RunUid, time: Timestamp) {
    for (key, value) in metrics {
        let key = SeriesKey::plain(key);
        let last = whole.last(&key);
        if last.is_some_and(|last| last.value.to_bits() == value.to_bits()) {
            continue;
        }
        let points = Points {
            subject: Subject::Run(run),
            step: last.map_or(0, |last| last.step.saturating_add(1)),
            time,
            set: false,
            values: vec![(key, value)],
        };
        whole.say(time, Op::Points(points));
    }
}
