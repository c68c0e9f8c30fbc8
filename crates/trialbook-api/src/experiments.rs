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

/// The routes of the resource.
pub const ROUTES: &[&Route] = &[&LIST, &GET];

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
