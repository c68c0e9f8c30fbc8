//! Reading the folder of an experiment, as it was written here or by others.
//!
//! Not here: what lines of others mean. Invariant: a run that has `records.jsonl` is read to the last bit; an
//! error names the file and the line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trialbook_model::id::RunUid;
use trialbook_model::record::{Op, SeriesKey, Subject};
use trialbook_model::state::Point;

use super::foreign::Foreign;
use super::held::{self, Entry, Sums};
use super::line::{self, Line};
use super::text::{each_line, record_of};
use super::whole::{self, Lines, Told};
use super::{ARTIFACTS, CONFIG, EXPERIMENT, METRICS, RECORDS, RUNS, SNAPSHOTS, SUMMARY};
use crate::bring::Arrival;
use crate::error::{ImportError, Place, Problem};
use crate::gather::points::Grouping;
use crate::gather::whole::columns;
use crate::record::{Record, Said};
use crate::source::Found;

/// Whether a folder is that of an experiment.
pub fn is_layout(folder: &Path) -> bool {
    is_ours(folder)
        || folder.join(CONFIG).is_file()
        || run_folders(folder).is_ok_and(|runs| runs.iter().any(|run| is_run(run)))
}

/// Whether a folder holds an experiment that was written here.
pub fn is_ours(folder: &Path) -> bool {
    folder.join(EXPERIMENT).is_file()
}

fn is_run(folder: &Path) -> bool {
    folder.join(RECORDS).is_file() || folder.join(SUMMARY).is_file()
}

/// Reads a folder; `name` is what it is called in errors.
pub fn read(folder: &Path, name: &Path, arrival: &mut Arrival<'_>) -> Result<Found, ImportError> {
    let mut reading = Reading {
        folder,
        name,
        snapshots: BTreeMap::new(),
        late: Vec::new(),
        entries: Vec::new(),
        found: BTreeMap::new(),
        notes: Vec::new(),
    };
    let is_ours = is_ours(folder);
    let mut foreign = None;
    if is_ours {
        reading.experiment(arrival)?;
    }
    for run in run_folders(folder).map_err(ImportError::read(name))? {
        let told = reading.told(&run);
        if let Some(said) = whole::told(&run, &told)? {
            if !is_ours {
                let place = Place::file(&reading.told(&folder.join(EXPERIMENT)));
                return Err(ImportError::at(&place, Problem::Missing));
            }
            reading.run(&run, &said, arrival)?;
        } else if run.join(SUMMARY).is_file() {
            if foreign.is_none() {
                foreign = Some(Foreign::new(folder, name, arrival)?);
            }
            if let Some(foreign) = &mut foreign {
                let notes = foreign.run(&run, &told, arrival)?;
                reading.notes.extend(notes);
            }
        } else {
            let note = format!("`{}` has no {SUMMARY}: passed over", told.display());
            reading.notes.push(note);
        }
    }
    held::missing(&reading.entries, &|run| reading.found.contains_key(&run))?;
    if !is_ours && foreign.is_none() {
        // An experiment without runs is one, too.
        Foreign::new(folder, name, arrival)?;
    }
    for (place, record) in std::mem::take(&mut reading.late) {
        arrival.take(&place, record)?;
    }
    Ok(Found {
        not_understood: foreign.map_or(0, |foreign| foreign.not_understood),
        notes: reading.notes,
        bytes: vec![folder.join(ARTIFACTS)],
    })
}

/// The folders of runs in the order of their names: `run-001` and `runs/run-001`.
pub(super) fn run_folders(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut runs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_run = |path: &Path| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().starts_with("run-") && path.is_dir()
        };
        if is_run(&path) {
            runs.push(path);
        }
    }
    let below = folder.join(RUNS);
    if below.is_dir() {
        for entry in fs::read_dir(below)? {
            let path = entry?.path();
            if path.is_dir() {
                runs.push(path);
            }
        }
    }
    runs.sort();
    Ok(runs)
}

struct Reading<'a> {
    folder: &'a Path,
    name: &'a Path,
    /// Documents that were read, and whether they were given on.
    snapshots: BTreeMap<String, bool>,
    /// What the project says, which comes when the runs are there.
    late: Vec<(Place, Record)>,
    /// The runs that are to be there, each with its line.
    entries: Vec<(Place, Entry)>,
    /// The runs that are there, each with its folder.
    found: BTreeMap<RunUid, PathBuf>,
    notes: Vec<String>,
}

impl Reading<'_> {
    /// A path below the folder as it is told.
    fn told(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(self.folder) {
            Ok(rest) => self.name.join(rest),
            Err(_elsewhere) => path.to_owned(),
        }
    }

    fn experiment(&mut self, arrival: &mut Arrival<'_>) -> Result<(), ImportError> {
        let path = self.folder.join(EXPERIMENT);
        let mut document = None;
        let mut is_first = true;
        let mut late = Vec::new();
        let mut entries = Vec::new();
        let mut sums: Vec<(Place, Sums)> = Vec::new();
        let mut found = BTreeSet::new();
        each_line(&path, &self.told(&path), &mut |place, text| {
            if std::mem::take(&mut is_first) {
                return held::head(place, text).map(|_| ());
            }
            let record = match held::Line::parse(place, text)? {
                held::Line::Record(record) => *record,
                held::Line::Entry(entry) => {
                    entries.push((place.clone(), entry));
                    return Ok(());
                }
                held::Line::Sums(told) => {
                    sums.push((place.clone(), told));
                    return Ok(());
                }
            };
            found.insert(whole::sum(text));
            if let Record::Said(Said {
                op: Op::CreateExperiment(create),
                ..
            }) = &record
                && !create.document.is_null()
            {
                document = Some(create.document.clone());
            }
            let is_project = match &record {
                Record::Points(block) => matches!(block.of, Subject::Project(_)),
                Record::Said(said) => matches!(said.op.subject(), Some(Subject::Project(_))),
            };
            if is_project {
                late.push((place.clone(), record));
                return Ok(());
            }
            arrival.take(place, record)
        })?;
        self.late.extend(late);
        self.entries.extend(entries);
        held::lost(&sums, &found)?;
        document.map_or(Ok(()), |document| self.config(&document))
    }

    /// Whether the config's file is there, and as it was written.
    fn config(&mut self, document: &Value) -> Result<(), ImportError> {
        let path = self.folder.join(CONFIG);
        let told = self.told(&path);
        if !path.is_file() && held::is_config(document) {
            return Err(ImportError::at(&Place::file(&told), Problem::Missing));
        }
        let there = fs::read_to_string(&path);
        if there.is_ok_and(|there| !held::says(&there, document)) {
            self.notes.push(format!(
                "`{}` was changed since the export: the config of {EXPERIMENT} comes in",
                told.display()
            ));
        }
        Ok(())
    }

    fn run(
        &mut self,
        folder: &Path,
        said: &Told,
        arrival: &mut Arrival<'_>,
    ) -> Result<(), ImportError> {
        let path = folder.join(RECORDS);
        let told = self.told(&path);
        let mut uid: Option<RunUid> = None;
        let found = each_line(&path, &told, &mut |place, text| {
            let mut record = record_of(place, text)?;
            let subject = match &record {
                Record::Said(said) => said.op.subject(),
                Record::Points(_) => None,
            };
            match (subject, uid) {
                (Some(Subject::Run(of)), None) => {
                    self.stands_once(of, folder, place)?;
                    uid = Some(of);
                }
                (Some(Subject::Run(of)), Some(known)) if of == known => {}
                _ => {
                    let problem = Problem::Malformed {
                        expected: "a record of this run",
                        reason: "it speaks of something else".to_owned(),
                    };
                    return Err(ImportError::at(place, problem));
                }
            }
            if let Record::Said(Said {
                op: Op::LinkSnapshot(link),
                ..
            }) = &mut record
            {
                link.document = self.snapshot(&link.sha256, said)?;
            }
            arrival.take(place, record)
        })?;
        whole::check(&told, &said.records, &found)?;
        let Some(uid) = uid else {
            let problem = Problem::Cut {
                what: "its records",
            };
            return Err(ImportError::at(&Place::file(&told), problem));
        };
        if said.is_changed {
            let told = self.told(&folder.join(SUMMARY));
            self.notes.push(format!(
                "`{}` was changed since the export: what {RECORDS} and {METRICS} say comes in",
                told.display()
            ));
        }
        let path = folder.join(METRICS);
        let told = self.told(&path);
        let found = metrics(&path, &told, uid, arrival)?;
        whole::check(&told, &said.metrics, &found)
    }

    /// A folder that was copied would double what its run has.
    fn stands_once(
        &mut self,
        run: RunUid,
        folder: &Path,
        place: &Place,
    ) -> Result<(), ImportError> {
        match self.found.insert(run, folder.to_owned()) {
            None => Ok(()),
            Some(other) => {
                let run = run.to_string();
                let folder = self.told(&other).display().to_string();
                Err(ImportError::at(place, Problem::RunTwice { run, folder }))
            }
        }
    }

    /// The document of a snapshot, the first time that it is asked for.
    fn snapshot(&mut self, sha256: &str, said: &Told) -> Result<Option<Value>, ImportError> {
        if !crate::blobs::is_sum(sha256) || self.snapshots.contains_key(sha256) {
            return Ok(None);
        }
        self.snapshots.insert(sha256.to_owned(), true);
        let path = self.folder.join(SNAPSHOTS).join(format!("{sha256}.json"));
        let text = match fs::read(&path) {
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound
                    && said.snapshots.contains(sha256) =>
            {
                let place = Place::file(&self.told(&path));
                return Err(ImportError::at(&place, Problem::Missing));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Nor need the book have had it that wrote the folder.
                let told = self.told(&path);
                let note = format!("`{}` is not there, and runs point to it", told.display());
                self.notes.push(note);
                return Ok(None);
            }
            read => read.map_err(ImportError::read(&self.told(&path)))?,
        };
        let document = serde_json::from_slice(&text);
        document.map(Some).map_err(|error| {
            let place = Place {
                line: error.line() as u64,
                column: error.column() as u64,
                ..Place::file(&self.told(&path))
            };
            let reason = error.to_string();
            let expected = "a snapshot";
            ImportError::at(&place, Problem::Malformed { expected, reason })
        })
    }
}

/// Points and events of a run that was written here.
fn metrics(
    path: &Path,
    told: &Path,
    uid: RunUid,
    arrival: &mut Arrival<'_>,
) -> Result<Lines, ImportError> {
    let subject = Subject::Run(uid);
    let mut series: BTreeMap<SeriesKey, Vec<Point>> = BTreeMap::new();
    if !path.is_file() {
        return Err(ImportError::at(&Place::file(told), Problem::Missing));
    }
    let found = each_line(
        path,
        told,
        &mut |place, text| match line::parse(text, &subject) {
            Ok(Line::Event(time, event)) => {
                let said = Said {
                    time,
                    actor: None,
                    op: Op::Event(event),
                };
                arrival.take(place, Record::Said(said))
            }
            Ok(Line::Point(key, point)) => {
                series.entry(key).or_default().push(point);
                Ok(())
            }
            Err(reason) => {
                let expected = "a line of metrics";
                Err(ImportError::at(
                    place,
                    Problem::Malformed { expected, reason },
                ))
            }
        },
    )?;
    let place = Place::file(told);
    let mut sink = |record| arrival.take(&place, record);
    let mut grouping = Grouping::default();
    for (key, points) in series {
        grouping.make_room(points.len() as u64, &subject, &mut sink)?;
        grouping.add(&key, columns(points));
    }
    grouping.finish(&subject, &mut sink)?;
    Ok(found)
}
