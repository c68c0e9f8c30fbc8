//! Runs as MLflow has them: an id of 32 hex digits, states without an order, params that are written once.
//!
//! Any state may follow any other, and what is logged after the end is kept; a scheduled run is queued nowhere.
//! Invariant: a run in the bin, its own or its experiment's, takes no writes.

mod answer;
mod batch;
mod change;
mod create;
mod inputs;
mod params;
mod read;
mod search;
mod tags;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use trialbook_model::record::Subject;
use trialbook_store::nouns::RunRow;

use super::error::{Code, Refusal};
use super::experiments;
use super::status::Stage;
use crate::app::App;
use crate::desk::Look;

pub(in crate::mlflow) use answer::{Facts, Metric, location, series_of};
pub(in crate::mlflow) use inputs::context;
pub(in crate::mlflow) use inputs::{model_id, model_uid};
pub(in crate::mlflow) use read::id_of;

/// The routes of runs, without their prefix.
pub(in crate::mlflow) fn router() -> Router<App> {
    Router::new()
        .route("/runs/create", post(create::create))
        .route("/runs/get", get(read::get))
        .route("/runs/search", post(search::search))
        .route("/runs/update", post(change::update))
        .route("/runs/delete", post(change::delete))
        .route("/runs/restore", post(change::restore))
        .route("/runs/log-parameter", post(params::log))
        .route("/runs/log-batch", post(batch::log))
        .route("/runs/log-inputs", post(inputs::log))
        .route("/runs/outputs", post(inputs::log_outputs))
        .route("/runs/log-model", post(tags::log_model))
        .route("/runs/set-tag", post(tags::set))
        .route("/runs/delete-tag", post(tags::delete))
}

/// Why something cannot be done with a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::mlflow) enum RunError {
    /// There is none.
    #[error("Run with id={id} not found")]
    Unknown {
        /// The id as given.
        id: String,
    },
    /// It is in the bin.
    #[error("The run {id} must be in the 'active' state. Current state is deleted.")]
    Deleted {
        /// Its id.
        id: String,
    },
    /// It is given two names.
    #[error(
        "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='{name}', mlflow.runName='{tag}')."
    )]
    TwoNames {
        /// The one.
        name: String,
        /// The other.
        tag: String,
    },
    /// A param has another value.
    #[error(
        "Changing param values is not allowed. Param with key='{key}' was already logged with value='{old}' for run ID='{id}'. Attempted logging new value '{new}'."
    )]
    ParamChanged {
        /// The param.
        key: String,
        /// The value that it has.
        old: String,
        /// The value that it was to get.
        new: String,
        /// The run.
        id: String,
    },
    /// Params of a batch have other values.
    #[error(
        "Changing param values is not allowed. Params were already logged='[{params}]' for run ID='{id}'."
    )]
    ParamsChanged {
        /// Each param with both values.
        params: String,
        /// The run.
        id: String,
    },
    /// It has no such tag.
    #[error("No tag with name: {key} in run with id {id}")]
    UnknownTag {
        /// The tag.
        key: String,
        /// The run.
        id: String,
    },
    /// Not the id of a logged model.
    #[error("Logged model with ID '{id}' not found.")]
    ModelId {
        /// The id as given.
        id: String,
    },
    /// What is to tell of a model is no JSON map.
    #[error("Malformed model info. \n {json} \n is not a valid JSON.")]
    ModelJson {
        /// What was given, cut.
        json: String,
    },
    /// What is to tell of a model lacks something.
    #[error("Model json is missing mandatory fields: {{{fields}}}")]
    ModelFields {
        /// What it lacks.
        fields: String,
    },
}

impl RunError {
    /// MLflow's code.
    pub(in crate::mlflow) const fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } | Self::UnknownTag { .. } | Self::ModelId { .. } => {
                Code::ResourceDoesNotExist
            }
            Self::Deleted { .. }
            | Self::TwoNames { .. }
            | Self::ParamChanged { .. }
            | Self::ParamsChanged { .. }
            | Self::ModelJson { .. }
            | Self::ModelFields { .. } => Code::InvalidParameterValue,
        }
    }
}

/// The run of an id, in the bin or not.
pub(in crate::mlflow) fn find(look: &Look<'_>, id: &str) -> Result<Arc<RunRow>, Refusal> {
    let row = match id.parse() {
        Ok(uid) => look.run_of(uid)?,
        Err(_no_uid) => None,
    };
    let unknown = || RunError::Unknown { id: id.to_owned() };
    row.ok_or_else(|| unknown().into())
}

/// As [`find`], and refuses one that is in the bin.
pub(in crate::mlflow) fn find_active(look: &Look<'_>, id: &str) -> Result<Arc<RunRow>, Refusal> {
    let row = find(look, id)?;
    if is_deleted(look, &row)? {
        let id = id.to_owned();
        return Err(RunError::Deleted { id }.into());
    }
    Ok(row)
}

/// Whether it is in the bin, itself or with its experiment.
pub(in crate::mlflow) fn is_deleted(look: &Look<'_>, row: &RunRow) -> Result<bool, Refusal> {
    if Stage::of(&row.state.annotations) == Stage::Deleted {
        return Ok(true);
    }
    let experiment = look.experiment_of(row.experiment)?;
    Ok(experiment.is_some_and(|row| experiments::stage(&row) == Stage::Deleted))
}

/// What operations speak of.
pub(in crate::mlflow) fn subject(row: &RunRow) -> Subject {
    Subject::Run(row.uid)
}
