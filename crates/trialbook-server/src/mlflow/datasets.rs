//! `experiments/search-datasets`: which datasets the runs of experiments used.
//!
//! Invariant: each (experiment, name, digest, context) is told once, at most [`MOST`] of them.

use std::collections::BTreeSet;

use axum::extract::State;
use serde::Serialize;
use trialbook_model::filter::{Expr, Key, KeyKind};
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading as _;

use super::endpoint::{Answer, Answered, Ask};
use super::error::{Code, Refusal};
use super::experiments::{self, ExperimentError};
use super::runs;
use super::wire::{List, message};
use crate::app::App;
use crate::desk::Look;

/// Summaries in one answer at most.
const MOST: usize = 1000;
/// Experiments in one question at most.
const MOST_EXPERIMENTS: usize = 20;

message! {
    /// Of which experiments.
    pub(super) struct Search {
        experiment_ids / "experimentIds": List<String>,
    }
}

/// Why datasets cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::mlflow) enum DatasetError {
    /// No experiment is named.
    #[error("SearchDatasets request must specify at least one experiment_id.")]
    NoExperiments,
    /// Too many are named.
    #[error(
        "SearchDatasets request cannot specify more than {MOST_EXPERIMENTS} experiment_ids. Received {found} experiment_ids."
    )]
    TooMany {
        /// How many.
        found: usize,
    },
}

impl DatasetError {
    /// MLflow's code.
    pub(in crate::mlflow) const fn code(&self) -> Code {
        match self {
            Self::NoExperiments | Self::TooMany { .. } => Code::InvalidParameterValue,
        }
    }
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Summary {
    experiment_id: String,
    name: String,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
}

#[derive(Serialize)]
struct Found {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    dataset_summaries: BTreeSet<Summary>,
}

pub(super) async fn search(State(app): State<App>, Ask(asked): Ask<Search>) -> Answered {
    let ids = asked.experiment_ids.0;
    if ids.is_empty() {
        return Err(DatasetError::NoExperiments.into());
    }
    if ids.len() > MOST_EXPERIMENTS {
        return Err(DatasetError::TooMany { found: ids.len() }.into());
    }
    app.desk().read(move |look| found(look, &ids)).await
}

fn found(look: &Look<'_>, ids: &[String]) -> Answered {
    let mut dataset_summaries = BTreeSet::new();
    for id in ids {
        let row = match experiments::find(look, id) {
            Ok(row) => row,
            Err(Refusal::Experiment(ExperimentError::Unknown { .. })) => continue,
            Err(other) => return Err(other),
        };
        let hits = look.search(&Query {
            filter: Expr::IsNull {
                key: Key::new(KeyKind::Dataset, "name"),
                negated: true,
            },
            experiments: Some(vec![row.no]),
            shown: Shown::All,
            ..Query::all()
        })?;
        for some in hits.runs.chunks(256) {
            for run in look.shared_runs(some)? {
                let uses = run.state.lineage.datasets().into_iter();
                dataset_summaries.extend(uses.map(|mention| Summary {
                    experiment_id: row.no.to_string(),
                    name: mention.dataset.name.clone(),
                    digest: mention.dataset.digest.clone(),
                    context: runs::context(mention).map(str::to_owned),
                }));
            }
            while dataset_summaries.len() > MOST {
                dataset_summaries.pop_last();
            }
        }
    }
    Ok(Answer::of(&Found { dataset_summaries }))
}
