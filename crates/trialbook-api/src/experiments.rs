//! Experiments: groups of runs to be compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::route::Route;

/// Reads [`Experiments`].
pub const LIST: Route = Route::get("/api/v1/experiments", "list_experiments")
    .about("Experiments, the newest first")
    .query::<ExperimentsQuery>()
    .gives::<Experiments>();

/// Reads an [`ExperimentHead`].
pub const GET: Route = Route::get("/api/v1/experiments/{experiment}", "get_experiment")
    .about("One experiment: by its number, its id, its name or `project/name`")
    .gives::<ExperimentHead>();

/// Makes an experiment.
pub const CREATE: Route = Route::post("/api/v1/experiments", "create_experiment")
    .about("Make an experiment; a name that is taken gets a number behind it")
    .takes::<NewExperiment>()
    .gives::<ExperimentHead>();

/// Puts an experiment into the bin.
pub const DELETE: Route = Route::delete("/api/v1/experiments/{experiment}", "delete_experiment")
    .about("Put an experiment with its runs into the bin, where it stays for 30 days");

/// Takes an experiment out of the bin.
pub const RESTORE: Route = Route::post(
    "/api/v1/experiments/{experiment}/restore",
    "restore_experiment",
)
.about("Take an experiment out of the bin")
.gives::<ExperimentHead>();

/// The routes of the resource.
pub const ROUTES: &[&Route] = &[&LIST, &GET, &CREATE, &DELETE, &RESTORE];

/// An experiment to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExperiment {
    /// Its name.
    pub name: String,
    /// Its project; `default` where nothing is said.
    pub project: Option<String>,
    /// Refuses a name that is taken.
    #[serde(default)]
    pub unique: bool,
}

/// Which experiments are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperimentsQuery {
    /// Only those of a project.
    pub project: Option<String>,
    /// Those that are archived too.
    #[serde(default)]
    pub archived: bool,
    /// So many passed over.
    #[serde(default)]
    pub offset: u64,
    /// So many at most, up to the server's limit; 100 by default.
    pub limit: Option<u64>,
}

/// Some of the experiments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Experiments {
    /// How many there are in all.
    pub total: u64,
    /// Those asked for.
    pub experiments: Vec<ExperimentHead>,
}

/// What every list of experiments says of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExperimentHead {
    /// 32 hex digits.
    pub id: String,
    /// The number in the book; 0 is `Default`.
    pub no: u64,
    /// Its own id, such as `EXP-001`.
    pub handle: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its project.
    pub project: String,
    /// `planned`, `queued`, `running`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// When it was created; the one that every book has was not.
    pub created: Option<String>,
    /// Runs that are not in the bin.
    pub runs: u64,
    /// Hidden from lists.
    pub archived: bool,
}
