//! A book as a folder `mlruns` that MLflow reads.
//!
//! What came from MLflow goes back as it was: ids, times, names. Not here: what of a book is wanted. Invariant: what
//! MLflow's folders have no place for is told.

mod file;
mod register;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trialbook_model::id::{ExperimentNo, RunNo};
use trialbook_model::record::EntryKind;
use trialbook_model::state::{Annotations, DEFAULT_EXPERIMENT};
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{ExperimentRow, Owner};
use trialbook_store::query::Entries;
use trialbook_store::reading::Reading;
use trialbook_store::{Artifacts, BookError};

use super::artifacts::address;
use super::said::IMPORTED;
use super::words;
use crate::error::ExportError;
use file::{Folder, yaml};

/// Runs read at once.
const RUNS: usize = 256;

/// What is written.
pub struct Given<'a, V> {
    /// The book.
    pub view: &'a V,
    /// Its files, where their bytes are wanted.
    pub artifacts: Option<&'a Artifacts>,
    /// Experiments, each with the runs that are wanted of it.
    pub wanted: &'a BTreeMap<ExperimentNo, Vec<RunNo>>,
}

/// What was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Experiments.
    pub experiments: u64,
    /// Runs.
    pub runs: u64,
    /// Points.
    pub points: u64,
    /// Files whose bytes were written.
    pub artifacts: u64,
    /// SHA-256 of bytes that the book has lost.
    pub missing: BTreeSet<String>,
    /// What has no place in MLflow's folders, and how often.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Names that had to be changed.
    pub notes: Vec<String>,
}

impl Told {
    fn leave_out(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            *self.left_out.entry(what).or_default() += count;
        }
    }
}

/// A folder on its way.
struct Giving<'a, V> {
    given: &'a Given<'a, V>,
    /// Where it will stand, for the addresses in it.
    stands: &'a Path,
    told: Told,
}

/// Where the files of an experiment go.
struct Home {
    id: String,
    folder: Folder,
    /// Where it will stand.
    stands: PathBuf,
}

/// Writes a folder, which will stand at a place.
pub fn give<V: Reading<Error = BookError>>(
    given: &Given<'_, V>,
    folder: &Path,
    stands: &Path,
) -> Result<Told, ExportError> {
    let mut giving = Giving {
        given,
        stands,
        told: Told::default(),
    };
    let root = Folder::make(folder)?;
    let trash = root.folder(".trash")?;
    let mut rows = Vec::new();
    for no in given.wanted.keys() {
        rows.extend(given.view.experiment(*no)?);
    }
    let mut ids = BTreeSet::new();
    for row in &rows {
        let id = experiment_id(row, &mut ids);
        let is_deleted = row.state.annotations.flag("deleted");
        let above = if is_deleted { &trash } else { &root };
        let home = Home {
            folder: above.folder(&id)?,
            stands: stands.join(&id),
            id,
        };
        giving.experiment(row, &home)?;
    }
    if ids.insert("0".to_owned()) {
        // MLflow takes for granted that it is there.
        let text = giving.experiment_meta(
            "0",
            DEFAULT_EXPERIMENT,
            &Annotations::default(),
            Timestamp(0),
        );
        root.folder("0")?.text("meta.yaml", &text)?;
    }
    giving.collections(&root)?;
    Ok(giving.told)
}

/// The id of an experiment in the folder: as it was in MLflow, else its number, else one that follows from its uid.
fn experiment_id(row: &ExperimentRow, taken: &mut BTreeSet<String>) -> String {
    let imported = row.state.annotations.field(IMPORTED);
    let told = imported.and_then(|it| it.get("experiment_id")?.as_str());
    let told = told.filter(|id| !id.is_empty() && id.bytes().all(|it| it.is_ascii_digit()));
    let uid = row.state.uids.first().copied().unwrap_or_default();
    let digits = u64::from_be_bytes(uid.0.0[..8].try_into().unwrap_or_default());
    let own = if told.is_none() {
        Some(row.no.to_string())
    } else {
        None
    };
    let far = (0_u64..).map(|step| {
        (100_000_000_000_000_000 + (digits.wrapping_add(step)) % 800_000_000_000_000_000)
            .to_string()
    });
    let mut ids = told.map(str::to_owned).into_iter().chain(own).chain(far);
    ids.find(|id| taken.insert(id.clone())).unwrap_or_default()
}

/// Milliseconds since 1970.
fn millis(time: Timestamp) -> i64 {
    time.0.div_euclid(1000)
}

/// The tags of something, with its main note.
fn tags(held: &Annotations) -> BTreeMap<String, String> {
    let note = held.main_note().map(|text| (words::NOTE, text));
    let all = held.tags().chain(note);
    all.map(|(key, text)| (key.to_owned(), text.to_owned()))
        .collect()
}

/// A time that MLflow said, as long as it said it of this.
fn imported_time(held: &Annotations, key: &str) -> Option<i64> {
    held.field(IMPORTED)?.get(key)?.as_i64()
}

impl<V: Reading<Error = BookError>> Giving<'_, V> {
    fn experiment_meta(
        &self,
        id: &str,
        name: &str,
        held: &Annotations,
        created: Timestamp,
    ) -> String {
        let stage = if held.flag("deleted") {
            "deleted"
        } else {
            "active"
        };
        let created = imported_time(held, "creation_time").unwrap_or_else(|| millis(created));
        let updated = imported_time(held, "last_update_time");
        let updated = updated
            .or_else(|| held.changed().map(millis))
            .unwrap_or(created);
        yaml(&[
            ("artifact_location", json!(address(&self.stands.join(id)))),
            ("creation_time", json!(created)),
            ("experiment_id", json!(id)),
            ("last_update_time", json!(updated)),
            ("lifecycle_stage", json!(stage)),
            ("name", json!(name)),
        ])
    }

    fn experiment(&mut self, row: &ExperimentRow, home: &Home) -> Result<(), ExportError> {
        let held = &row.state.annotations;
        let name = row.state.name().unwrap_or_default();
        let created = row.state.created().unwrap_or_default();
        let meta = self.experiment_meta(&home.id, name, held, created);
        home.folder.text("meta.yaml", &meta)?;
        self.texts(&home.folder, ("tags", "tag"), &tags(held))?;
        self.told.experiments += 1;
        self.told.leave_out(
            "configs of experiments",
            u64::from(row.state.config().is_some()),
        );
        let view = self.given.view;
        let numbers = self
            .given
            .wanted
            .get(&row.no)
            .map_or(&[][..], Vec::as_slice);
        for some in numbers.chunks(RUNS) {
            for run in view.runs(some)? {
                self.run(&run, home)?;
            }
        }
        let models = Entries::Of(EntryKind::LoggedModel, Owner::Experiment(row.no));
        for model in view.entries(&models)? {
            self.logged_model(&model, home)?;
        }
        Ok(())
    }

    /// Texts as files by their keys.
    fn texts(
        &mut self,
        folder: &Folder,
        (below, noun): (&str, &str),
        texts: &BTreeMap<String, String>,
    ) -> Result<(), ExportError> {
        if texts.is_empty() {
            return Ok(());
        }
        let below = folder.folder(below)?;
        for (key, text) in texts {
            self.named(&below, (noun, key), text)?;
        }
        Ok(())
    }

    /// A text as the file of a key, under a name that MLflow takes.
    fn named(
        &mut self,
        folder: &Folder,
        (noun, key): (&str, &str),
        text: &str,
    ) -> Result<(), ExportError> {
        let name = file::name(key);
        if name != *key {
            self.told
                .notes
                .push(format!("{noun} `{key}` is called `{name}` there"));
        }
        if !folder.is_free(&name) {
            let what = "values whose name is a folder of another";
            self.told.leave_out(what, 1);
            return Ok(());
        }
        folder.text(&name, text)
    }

    /// Says of a value that MLflow has no field for it.
    fn field(held: &Annotations, field: &str) -> Value {
        held.text(field).map_or(Value::Null, Value::from)
    }
}
