//! Experiments as MLflow has them: an id that is a number, one name in the whole book, tags, a place for files.
//!
//! An experiment of another project than the default one is called `project/name`. A name with a slash that
//! MLflow made stays whole in the default project, and wins over that reading.
//! Invariant: names in the bin stay taken.

mod answer;
mod change;
mod create;
mod read;
mod search;
mod tags;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use trialbook_model::id::{ExperimentNo, ExperimentUid};
use trialbook_model::record::Subject;
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading as _;

use super::error::{Code, Refusal};
use super::status::Stage;
use crate::app::App;
use crate::desk::Look;

pub(in crate::mlflow) use answer::{location, tag};

/// The routes of experiments, without their prefix.
pub(in crate::mlflow) fn router() -> Router<App> {
    Router::new()
        .route("/experiments/create", post(create::create))
        .route("/experiments/get", get(read::get))
        .route("/experiments/get-by-name", get(read::get_by_name))
        .route(
            "/experiments/search",
            post(search::search).get(search::search),
        )
        .route("/experiments/list", get(search::list))
        .route("/experiments/delete", post(change::delete))
        .route("/experiments/restore", post(change::restore))
        .route("/experiments/update", post(change::update))
        .route("/experiments/set-experiment-tag", post(tags::set))
        .route("/experiments/delete-experiment-tag", post(tags::delete))
}

/// Why something cannot be done with an experiment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::mlflow) enum ExperimentError {
    /// Not a number.
    #[error("Invalid experiment ID '{id}'. Experiment ID must be a valid integer.")]
    Id {
        /// The id as given.
        id: String,
    },
    /// There is none.
    #[error("No Experiment with id={id} exists")]
    Unknown {
        /// The id as given.
        id: String,
    },
    /// There is none of that name.
    #[error("Could not find experiment with name '{name}'")]
    UnknownName {
        /// The name.
        name: String,
    },
    /// The name is taken.
    #[error("Experiment(name={name}) already exists.{}", in_bin(*.stage))]
    Taken {
        /// The name.
        name: String,
        /// Of the one that has it.
        stage: Stage,
    },
    /// It is in the bin.
    #[error("The experiment {id} must be in the 'active' state. Current state is deleted.")]
    Deleted {
        /// Its id.
        id: String,
    },
    /// It is in the bin and is to be renamed.
    #[error("Cannot rename a non-active experiment.")]
    RenameDeleted,
    /// It has no such tag.
    #[error("No tag with name: {key} in experiment with id {id}")]
    UnknownTag {
        /// The tag.
        key: String,
        /// The experiment.
        id: String,
    },
    /// Its files cannot be there.
    #[error("Artifact location cannot be a runs:/ URI. Given: '{location}'")]
    Location {
        /// The location.
        location: String,
    },
    /// A location with a fragment or params.
    #[error("'artifact_location' URL can't include fragments or params.")]
    LocationParts,
}

fn in_bin(stage: Stage) -> &'static str {
    match stage {
        Stage::Active => "",
        Stage::Deleted => " It is deleted; restore it, or remove it for good to free its name.",
    }
}

impl ExperimentError {
    /// MLflow's code.
    pub(in crate::mlflow) const fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } | Self::UnknownName { .. } | Self::UnknownTag { .. } => {
                Code::ResourceDoesNotExist
            }
            Self::Taken { .. } => Code::ResourceAlreadyExists,
            Self::RenameDeleted => Code::InvalidState,
            Self::Id { .. }
            | Self::Deleted { .. }
            | Self::Location { .. }
            | Self::LocationParts => Code::InvalidParameterValue,
        }
    }
}

/// The number that an id means; the default experiment's where it is empty.
pub(in crate::mlflow) fn number(id: &str) -> Result<Option<ExperimentNo>, ExperimentError> {
    if id.is_empty() {
        return Ok(Some(ExperimentNo(0)));
    }
    let digits = id.trim().trim_start_matches('+');
    let is_number = digits
        .strip_prefix('-')
        .unwrap_or(digits)
        .bytes()
        .all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || digits == "-" || !is_number {
        return Err(ExperimentError::Id { id: id.to_owned() });
    }
    Ok(digits.parse().ok().map(ExperimentNo))
}

/// The experiment of an id, in the bin or not. Ids of another tracker that it was brought from mean it too.
pub(in crate::mlflow) fn find(look: &Look<'_>, id: &str) -> Result<Arc<ExperimentRow>, Refusal> {
    let no = number(id)?;
    if let Some(no) = no
        && let Some(row) = look.experiment_of(no)?
    {
        return Ok(row);
    }
    match aliased(look, id.trim())? {
        Some(row) => Ok(Arc::new(row)),
        None => Err(ExperimentError::Unknown { id: id.to_owned() }.into()),
    }
}

/// The experiment that an alias stands for.
fn aliased(look: &Look<'_>, alias: &str) -> Result<Option<ExperimentRow>, Refusal> {
    let place = ("alias".to_owned(), alias.to_owned());
    for project in look.projects()? {
        let state = look.project(&project)?;
        let held = state.pointers.get(&place);
        let uid = held.and_then(|held| held.value.as_str()?.parse::<ExperimentUid>().ok());
        if let Some(uid) = uid {
            let rows = look.experiments()?;
            return Ok(rows.into_iter().find(|row| row.state.uids.contains(&uid)));
        }
    }
    Ok(None)
}

/// As [`find`], and refuses one that is in the bin.
pub(in crate::mlflow) fn find_active(
    look: &Look<'_>,
    id: &str,
) -> Result<Arc<ExperimentRow>, Refusal> {
    let row = find(look, id)?;
    if stage(&row) == Stage::Deleted {
        let id = row.no.to_string();
        return Err(ExperimentError::Deleted { id }.into());
    }
    Ok(row)
}

/// The experiment that bears a name, in the bin or not.
pub(in crate::mlflow) fn named(
    look: &Look<'_>,
    name: &str,
) -> Result<Option<Arc<ExperimentRow>>, Refusal> {
    let slashes = name.match_indices('/').map(|(at, _)| at);
    let readings = slashes.map(|at| (&name[..at], &name[at + 1..]));
    for (project, name) in std::iter::once((DEFAULT_PROJECT, name)).chain(readings) {
        if project == DEFAULT_PROJECT || !name.is_empty() {
            let found = look.experiment_named(project, name)?;
            if let Some(no) = found {
                return Ok(look.experiment_of(no)?);
            }
        }
    }
    Ok(None)
}

/// The name that MLflow's clients see.
pub(in crate::mlflow) fn name_of(row: &ExperimentRow) -> Cow<'_, str> {
    let name = row.state.name().unwrap_or_default();
    match row.state.project() {
        DEFAULT_PROJECT => Cow::Borrowed(name),
        project => Cow::Owned(format!("{project}/{name}")),
    }
}

/// Its stage of life.
pub(in crate::mlflow) fn stage(row: &ExperimentRow) -> Stage {
    Stage::of(&row.state.annotations)
}

/// The uid by which operations speak of it.
pub(in crate::mlflow) fn uid_of(row: &ExperimentRow) -> ExperimentUid {
    row.state.uids.first().copied().unwrap_or_default()
}

/// What operations speak of.
fn subject(row: &ExperimentRow) -> Subject {
    Subject::Experiment(uid_of(row))
}
