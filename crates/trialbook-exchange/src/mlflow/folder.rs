//! The folder `mlruns`: one file a tag, param and metric, and `meta.yaml` beside them.
//!
//! Not here: what the values mean. Invariant: a file that cannot be read is named with its line, and the run that it
//! belongs to does not come in; every version's folders are read, with whatever of their keys is missing.

mod lineage;
mod register;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use trialbook_model::state::Point;
use trialbook_model::status::RunStatus;

use super::artifacts::{self, Bytes};
use super::store::{Collection, Experiment, Listed, Listing, LoggedModel, NotBrought, Run, Store};
use super::{words, yaml};
use crate::error::{ImportError, Place, Problem};

const META: &str = "meta.yaml";
const TRASH: &str = ".trash";
/// The folder of registered models among those of experiments, and of logged models among those of runs.
const MODELS: &str = "models";
const TRACES: &str = "traces";
/// Folders of an experiment that are no runs.
const NO_RUNS: [&str; 4] = ["tags", "datasets", TRACES, MODELS];

const KNOWN: &str = "a folder `mlruns` of MLflow: experiments, each with its `meta.yaml`";

/// A folder that is read.
pub(super) struct Folder {
    root: PathBuf,
    /// What it is called in errors.
    name: PathBuf,
}

/// A file or folder with what it is called in errors.
#[derive(Clone)]
struct Spot {
    path: PathBuf,
    name: PathBuf,
}

impl Spot {
    fn join(&self, part: impl AsRef<Path>) -> Self {
        Self {
            path: self.path.join(part.as_ref()),
            name: self.name.join(part.as_ref()),
        }
    }

    fn place(&self) -> Place {
        Place::file(&self.name)
    }

    /// The folders in it, by name; none where it is not there.
    fn folders(&self) -> Result<Vec<Self>, ImportError> {
        let reading = || ImportError::read(&self.name);
        let mut found = Vec::new();
        if !self.path.exists() {
            return Ok(found);
        }
        for entry in fs::read_dir(&self.path).map_err(reading())? {
            let entry = entry.map_err(reading())?;
            if entry.path().is_dir() {
                found.push(self.join(entry.file_name()));
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    fn file_name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    fn is_in(&self, folder: &str) -> bool {
        let above = self.path.parent().and_then(Path::file_name);
        above.is_some_and(|name| name == folder)
    }

    fn text(&self) -> Result<String, ImportError> {
        let bytes = fs::read(&self.path).map_err(ImportError::read(&self.name))?;
        String::from_utf8(bytes).map_err(|error| {
            let reason = error.utf8_error().to_string();
            let expected = "text in UTF-8";
            ImportError::at(&self.place(), Problem::Malformed { expected, reason })
        })
    }

    /// Texts by the names of their files, where a `/` of a name is a folder. No folder holds no text.
    fn texts(&self) -> Result<BTreeMap<String, String>, ImportError> {
        let mut texts = BTreeMap::new();
        for (name, spot) in self.files()? {
            texts.insert(name, spot.text()?);
        }
        Ok(texts)
    }

    /// All files below, by path.
    fn files(&self) -> Result<Vec<(String, Self)>, ImportError> {
        if !self.path.is_dir() {
            return Ok(Vec::new());
        }
        let (found, odd) = artifacts::files(&self.path).map_err(ImportError::read(&self.name))?;
        if let Some(odd) = odd.first() {
            let below = odd.strip_prefix(&self.path).unwrap_or(odd);
            let key = below.display().to_string();
            let expected = "a file whose name is text";
            return Err(ImportError::at(
                &self.place(),
                Problem::Value { key, expected },
            ));
        }
        let spots = found.into_iter().map(|file| {
            let spot = self.join(&file.path);
            (file.path, spot)
        });
        Ok(spots.collect())
    }
}

/// The keys of a `meta.yaml`.
struct Meta {
    map: Map<String, Value>,
    place: Place,
}

impl Meta {
    fn read(folder: &Spot) -> Result<Self, ImportError> {
        let file = folder.join(META);
        if !file.path.is_file() {
            return Err(ImportError::at(&file.place(), Problem::Missing));
        }
        let place = file.place();
        let map = yaml::read(&file.text()?, &place)?;
        Ok(Self { map, place })
    }

    fn text(&self, key: &str) -> Option<String> {
        let text = self.map.get(key)?.as_str()?;
        Some(text.to_owned())
    }

    fn wrong(&self, key: &str, expected: &'static str) -> ImportError {
        let key = key.to_owned();
        ImportError::at(&self.place, Problem::Value { key, expected })
    }

    fn number(&self, key: &str) -> Result<Option<i64>, ImportError> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        let number = text
            .parse()
            .map_err(|_odd| self.wrong(key, "a whole number"))?;
        Ok(Some(number))
    }

    fn is_deleted(&self) -> bool {
        self.text("lifecycle_stage")
            .is_some_and(|stage| stage == "deleted")
    }
}

impl Folder {
    /// Opens a folder.
    pub(super) fn open(root: &Path, name: &Path) -> Result<Self, ImportError> {
        let folder = Self {
            root: root.to_owned(),
            name: name.to_owned(),
        };
        let is_known = |spot: &Spot| spot.join(META).path.is_file();
        let spot = folder.spot();
        fs::metadata(root).map_err(ImportError::read(name))?;
        let trash = spot.join(TRASH);
        let is_any = spot.folders()?.iter().any(is_known) || trash.path.is_dir();
        if !is_any {
            let place = spot.place();
            return Err(ImportError::at(
                &place,
                Problem::Foreign { expected: KNOWN },
            ));
        }
        Ok(folder)
    }

    fn spot(&self) -> Spot {
        Spot {
            path: self.root.clone(),
            name: self.name.clone(),
        }
    }

    /// The folders of experiments, deleted ones last.
    fn experiment_folders(&self) -> Result<Vec<Spot>, ImportError> {
        let root = self.spot();
        let mut folders = root.folders()?;
        folders.retain(|spot| ![TRASH, MODELS].contains(&spot.file_name().as_str()));
        let trash = root.join(TRASH);
        if trash.path.is_dir() {
            folders.extend(trash.folders()?);
        }
        Ok(folders)
    }

    /// The folder that an experiment was read from.
    fn folder_of(&self, experiment: &Experiment) -> Spot {
        let name = experiment
            .place
            .file
            .parent()
            .unwrap_or(&experiment.place.file);
        let below = name.strip_prefix(&self.name).unwrap_or(name);
        self.spot().join(below)
    }
}

fn experiment(folder: &Spot) -> Result<Experiment, ImportError> {
    let meta = Meta::read(folder)?;
    let id = meta
        .text("experiment_id")
        .unwrap_or_else(|| folder.file_name());
    let named = meta
        .text("name")
        .ok_or_else(|| meta.wrong("name", "a name"))?;
    Ok(Experiment {
        id,
        name: named,
        workspace: meta
            .text("workspace")
            .unwrap_or_else(|| words::DEFAULT_WORKSPACE.to_owned()),
        artifact_location: meta.text("artifact_location"),
        // Old versions say it by the place alone.
        is_deleted: meta.is_deleted() || folder.is_in(TRASH),
        created: meta.number("creation_time")?,
        updated: meta.number("last_update_time")?,
        tags: folder.join("tags").texts()?,
        place: meta.place,
    })
}

impl Store for Folder {
    fn experiments(&mut self) -> Result<Listing<Experiment>, ImportError> {
        let mut listing = Listing::default();
        for folder in self.experiment_folders()? {
            let meta = folder.join(META);
            // Those who keep other things here do not have experiments without their first file.
            if !meta.path.is_file() && folder.folders()?.is_empty() {
                let name = folder.name.display();
                listing
                    .notes
                    .push(format!("`{name}` is no experiment: it has no `{META}`"));
                continue;
            }
            match experiment(&folder) {
                Ok(experiment) => listing.found.push(experiment),
                Err(error) => listing.damaged.push(error),
            }
        }
        Ok(listing)
    }

    fn runs(&mut self, experiment: &Experiment) -> Result<Vec<Listed>, ImportError> {
        let folder = self.folder_of(experiment);
        let folders = folder.folders()?.into_iter();
        let runs = folders.filter(|spot| !NO_RUNS.contains(&spot.file_name().as_str()));
        let listed = runs.map(|spot| Listed {
            id: spot.file_name(),
            place: spot.place(),
        });
        Ok(listed.collect())
    }

    fn run(&mut self, experiment: &Experiment, listed: &Listed) -> Result<Run, ImportError> {
        let folder = self.folder_of(experiment).join(&listed.id);
        let meta = Meta::read(&folder)?;
        let id = meta.text("run_id").or_else(|| meta.text("run_uuid"));
        let status = match meta.text("status") {
            Some(text) => {
                let expected = "a state of MLflow, from 1 to 5";
                words::status(&text).ok_or_else(|| meta.wrong("status", expected))?
            }
            // As MLflow reads a run of which nothing is said.
            None => RunStatus::Running,
        };
        let tags = folder.join("tags").texts()?;
        let name = [
            meta.text("run_name"),
            meta.text("name"),
            tags.get(words::RUN_NAME).cloned(),
        ];
        let mut metrics = BTreeMap::new();
        for (key, file) in folder.join("metrics").files()? {
            metrics.insert(key, points(&file)?);
        }
        Ok(Run {
            id: id.unwrap_or_else(|| listed.id.clone()),
            name: name.into_iter().flatten().find(|name| !name.is_empty()),
            status,
            started: meta.number("start_time")?,
            ended: meta.number("end_time")?,
            is_deleted: meta.is_deleted(),
            deleted_at: meta.number("deleted_time")?,
            user: meta.text("user_id"),
            artifact_uri: meta.text("artifact_uri"),
            params: folder.join("params").texts()?,
            tags,
            metrics,
            datasets: lineage::datasets(&folder)?,
            models: lineage::models(&folder)?,
        })
    }

    fn models(&mut self, experiment: &Experiment) -> Result<Listing<LoggedModel>, ImportError> {
        register::models(&self.folder_of(experiment).join(MODELS))
    }

    fn collections(&mut self) -> Result<Listing<Collection>, ImportError> {
        register::collections(&self.spot().join(MODELS))
    }

    fn bytes(&self, experiment: &Experiment, run: &Run) -> Bytes {
        let own = self
            .folder_of(experiment)
            .join(&run.id)
            .join("artifacts")
            .path;
        let uri = run.artifact_uri.as_deref();
        let path = uri.and_then(artifacts::file_path);
        let usual = format!("{}/{}/artifacts", experiment.id, run.id);
        // Where the folder was moved or copied, the address still leads to where it came from.
        if own.is_dir() && path.is_none_or(|path| path.ends_with(&usual)) && !is_away(uri) {
            return Bytes::Folder(own);
        }
        artifacts::locate(uri, &[], &[own])
    }

    fn not_brought(&mut self) -> Result<NotBrought, ImportError> {
        let mut traces = 0;
        for folder in self.experiment_folders()? {
            traces += folder.join(TRACES).folders()?.len() as u64;
        }
        Ok([("traces", traces)]
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect())
    }
}

/// Whether an address leads to another machine.
fn is_away(uri: Option<&str>) -> bool {
    uri.is_some_and(|uri| !uri.is_empty() && artifacts::file_path(uri).is_none())
}

/// The points of a metric: `timestamp value step`, in old folders without a step, in new ones with a dataset behind.
fn points(file: &Spot) -> Result<Vec<Point>, ImportError> {
    let text = file.text()?;
    let read = |(at, line): (usize, &str)| {
        let place = file.place().line(at as u64 + 1);
        point(line, &place).map(|(point, _)| point)
    };
    text.lines().enumerate().map(read).collect()
}

/// A point, and the words behind it.
fn point<'a>(line: &'a str, place: &Place) -> Result<(Point, Vec<&'a str>), ImportError> {
    let wrong = |key: &str, expected| {
        let key = key.to_owned();
        ImportError::at(place, Problem::Value { key, expected })
    };
    let mut parts = line.split(' ');
    let (time, value, step) = (parts.next(), parts.next(), parts.next());
    let time = time.and_then(|time| time.parse().ok());
    let value = value.and_then(|value| value.parse().ok());
    let step = match step {
        Some(step) => step.parse().map_err(|_odd| wrong(step, "a step"))?,
        None => 0,
    };
    let (Some(time), Some(value)) = (time, value) else {
        return Err(wrong(line, "a line `timestamp value step`"));
    };
    let time = words::time(time);
    Ok((Point { step, time, value }, parts.collect()))
}
