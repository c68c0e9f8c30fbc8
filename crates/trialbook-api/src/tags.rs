//! Tags of runs, experiments and projects.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::route::Route;

/// Changes tags of a run.
pub const OF_RUN: Route = Route::patch("/api/v1/runs/{run}/tags", "change_run_tags")
    .about("Set tags of a run, or remove them")
    .takes::<TagChange>()
    .gives::<Tags>();

/// The routes of the resource.
pub const ROUTES: &[&Route] = &[&OF_RUN];

/// Which tags are to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagChange {
    /// New values by the tag's name; null removes the tag.
    pub tags: BTreeMap<String, Option<String>>,
}

/// The tags there are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Tags {
    /// Values by name.
    pub tags: BTreeMap<String, String>,
}
