//! What a store of MLflow holds, whichever way it keeps it.
//!
//! Not here: files and tables. Invariant: what a store does not say is `None`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trialbook_model::record::{Dataset, ModelRole};
use trialbook_model::state::Point;
use trialbook_model::status::RunStatus;

use super::artifacts::Bytes;
use super::database::Database;
use super::folder::Folder;
use crate::error::{ImportError, Place};

/// An experiment. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Experiment {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) workspace: String,
    pub(super) artifact_location: Option<String>,
    pub(super) is_deleted: bool,
    pub(super) created: Option<i64>,
    pub(super) updated: Option<i64>,
    pub(super) tags: BTreeMap<String, String>,
    /// Where it stands, for errors.
    pub(super) place: Place,
}

/// A run, with all that was logged to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) status: RunStatus,
    pub(super) started: Option<i64>,
    pub(super) ended: Option<i64>,
    pub(super) is_deleted: bool,
    pub(super) deleted_at: Option<i64>,
    pub(super) user: Option<String>,
    pub(super) artifact_uri: Option<String>,
    pub(super) params: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    /// Points by metric, as they stand.
    pub(super) metrics: BTreeMap<String, Vec<Point>>,
    pub(super) datasets: Vec<Use>,
    pub(super) models: Vec<Link>,
}

/// A dataset that a run used.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Use {
    pub(super) dataset: Dataset,
    pub(super) tags: BTreeMap<String, String>,
}

/// A logged model that a run used or made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    pub(super) role: ModelRole,
    pub(super) model: String,
    pub(super) step: Option<i64>,
}

/// A model that a run logged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LoggedModel {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) artifact_location: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) updated: Option<i64>,
    pub(super) status: Option<String>,
    pub(super) status_message: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) run: Option<String>,
    pub(super) is_deleted: bool,
    pub(super) params: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) metrics: Vec<ModelPoint>,
}

/// A point of a logged model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ModelPoint {
    pub(super) key: String,
    pub(super) run: Option<String>,
    /// Name and digest.
    pub(super) dataset: Option<(String, String)>,
    pub(super) point: Point,
}

/// A registered model, or a prompt.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Collection {
    pub(super) name: String,
    pub(super) workspace: String,
    pub(super) description: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) updated: Option<i64>,
    pub(super) tags: BTreeMap<String, String>,
    /// Aliases with the numbers of versions.
    pub(super) aliases: BTreeMap<String, u64>,
    pub(super) versions: Vec<Version>,
}

/// A version of a registered model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) created: Option<i64>,
    pub(super) updated: Option<i64>,
    /// Description, source and the like by the names of fields; what is empty is not there.
    pub(super) fields: BTreeMap<&'static str, String>,
    pub(super) tags: BTreeMap<String, String>,
}

/// What is known of a run before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) id: String,
    /// Where it stands, for errors.
    pub(super) place: Place,
}

/// Things of a store that do not come in, by what they are called.
pub(super) type NotBrought = BTreeMap<&'static str, u64>;

/// A store that is read.
pub(super) trait Store {
    /// All experiments, deleted ones too. What cannot be read is told apart, with its place.
    fn experiments(&mut self) -> Result<Listing<Experiment>, ImportError>;

    /// The runs of an experiment.
    fn runs(&mut self, experiment: &Experiment) -> Result<Vec<Listed>, ImportError>;

    /// A run, whole.
    fn run(&mut self, experiment: &Experiment, listed: &Listed) -> Result<Run, ImportError>;

    /// Where the bytes of a run's artifacts are.
    fn bytes(&self, experiment: &Experiment, run: &Run) -> Bytes;

    /// The models that were logged in an experiment.
    fn models(&mut self, experiment: &Experiment) -> Result<Listing<LoggedModel>, ImportError>;

    /// Registered models and prompts.
    fn collections(&mut self) -> Result<Listing<Collection>, ImportError>;

    /// What else the store holds.
    fn not_brought(&mut self) -> Result<NotBrought, ImportError>;
}

/// What could be read, and why the rest could not.
#[derive(Debug)]
pub(super) struct Listing<T> {
    pub(super) found: Vec<T>,
    pub(super) damaged: Vec<ImportError>,
    pub(super) notes: Vec<String>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self {
            found: Vec::new(),
            damaged: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// An opened store.
pub struct Source {
    pub(super) store: Box<dyn Store>,
}

/// Opens a store: a folder, the file of a database, or its `sqlite:///…` address; `here` is what relative paths start
/// from.
pub fn open(address: &str, here: &Path, places: super::Places) -> Result<Source, ImportError> {
    let path = path_of(address);
    let (at, name) = (here.join(&path), path);
    let store: Box<dyn Store> = if at.is_dir() {
        Box::new(Folder::open(&at, &name)?)
    } else {
        Box::new(Database::open(&at, &name, places)?)
    };
    Ok(Source { store })
}

/// The path that an address means.
fn path_of(address: &str) -> PathBuf {
    // SQLAlchemy has three slashes before a relative path and four before an absolute one.
    let path = match address.strip_prefix("sqlite:///") {
        Some(path) => path.split('?').next().unwrap_or(path).to_owned(),
        None => super::artifacts::file_path(address).unwrap_or_else(|| address.to_owned()),
    };
    PathBuf::from(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_paths() {
        for (address, path) in [
            ("sqlite:///mlflow.db", "mlflow.db"),
            ("sqlite:////srv/mlflow.db?timeout=3", "/srv/mlflow.db"),
            ("file:///srv/my%20runs", "/srv/my runs"),
            ("./mlruns", "./mlruns"),
        ] {
            assert_eq!(path_of(address), Path::new(path), "{address}");
        }
    }
}
