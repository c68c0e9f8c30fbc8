//! Logged models: `logged-models/…`.
//!
//! Invariant: a model in the bin is not there, unless it is asked for with the bin.

mod answer;
mod change;
mod create;
mod metrics;
mod read;
mod search;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::{delete, get, patch, post};
use trialbook_model::id::EntryUid;
use trialbook_model::record::EntryKind;
use trialbook_store::nouns::EntryRow;
use trialbook_store::reading::Reading as _;

use super::error::{Code, Refusal};
use super::runs::{self, RunError};
use crate::app::App;
use crate::desk::Look;

pub(in crate::mlflow) use metrics::{About, say};

/// The routes of logged models, without their prefix.
pub(in crate::mlflow) fn router() -> Router<App> {
    Router::new()
        .route("/logged-models", post(create::create))
        .route("/logged-models/search", post(search::search))
        .route("/logged-models/{id}/params", post(change::log_params))
        .route(
            "/logged-models/{id}",
            get(read::get)
                .patch(change::finalize)
                .delete(change::delete),
        )
        .route("/logged-models/{id}/tags", patch(change::set_tags))
        .route("/logged-models/{id}/tags/{key}", delete(change::delete_tag))
        .route(
            "/logged-models/{id}/artifacts/directories",
            get(read::artifacts),
        )
}

/// Why something cannot be done with a logged model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::mlflow) enum ModelError {
    /// There is none.
    #[error("Logged model with ID '{id}' not found.")]
    Unknown {
        /// The id as given.
        id: String,
    },
    /// It has no such tag.
    #[error("No tag with key '{key}' found for model with ID '{id}'.")]
    UnknownTag {
        /// The tag.
        key: String,
        /// The model.
        id: String,
    },
    /// Not a name.
    #[error(
        "Invalid model name ('{name}') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A param has another value.
    #[error(
        "Changing param values is not allowed. Param with key='{key}' was already logged with value='{old}' for model ID='{id}'. Attempted logging new value '{new}'."
    )]
    ParamChanged {
        /// The param.
        key: String,
        /// The value that it has.
        old: String,
        /// The value that it was to get.
        new: String,
        /// The model.
        id: String,
    },
    /// Datasets are told by their names.
    #[error("`dataset_name` in the `datasets` clause must be specified.")]
    DatasetName,
    /// A sort key that there is not.
    #[error("Invalid order by field name: {field}{hint}")]
    OrderField {
        /// The key.
        field: String,
        /// What is sorted by.
        hint: &'static str,
    },
}

impl ModelError {
    /// MLflow's code.
    pub(in crate::mlflow) const fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } | Self::UnknownTag { .. } => Code::ResourceDoesNotExist,
            Self::Name { .. }
            | Self::ParamChanged { .. }
            | Self::DatasetName
            | Self::OrderField { .. } => Code::InvalidParameterValue,
        }
    }
}

/// The uid in an id.
pub(in crate::mlflow) fn uid(id: &str) -> Result<EntryUid, RunError> {
    runs::model_uid(id)
}

/// The id of a uid.
pub(in crate::mlflow) fn id(uid: EntryUid) -> String {
    runs::model_id(uid)
}

/// The logged model of an id, in the bin or not.
pub(in crate::mlflow) fn find_any(look: &Look<'_>, id: &str) -> Result<EntryRow, Refusal> {
    let unknown = || ModelError::Unknown { id: id.to_owned() };
    let uid = uid(id).map_err(|_odd| unknown())?;
    let row = match look.entry_no(uid)? {
        Some(no) => look.entry(no)?,
        None => None,
    };
    let row = row.filter(|row| row.state.kind() == Some(EntryKind::LoggedModel));
    Ok(row.ok_or_else(unknown)?)
}

/// The logged model of an id.
pub(in crate::mlflow) fn find(look: &Look<'_>, id: &str) -> Result<EntryRow, Refusal> {
    let row = find_any(look, id)?;
    if row.state.is_deleted() {
        return Err(ModelError::Unknown { id: id.to_owned() }.into());
    }
    Ok(row)
}

/// Where its files are.
pub(in crate::mlflow) fn location(row: &EntryRow) -> &str {
    row.state.text("location").unwrap_or_default()
}
