//! Webhooks: `webhooks/…`, and telling them what happens in the registry.
//!
//! Invariant: a secret is never answered; what is sent to a webhook that has one is signed with it.

mod answer;
mod change;
mod event;
mod read;
mod send;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::{get, post};
use trialbook_model::id::EntryUid;
use trialbook_model::record::EntryKind;
use trialbook_store::nouns::EntryRow;
use trialbook_store::reading::Reading as _;

use super::error::{Code, Refusal};
use crate::app::App;
use crate::desk::Look;
use crate::http::post::PostError;

pub(in crate::mlflow) use event::Event;
pub(in crate::mlflow) use send::deliver;
pub use send::{Tested, test_webhook};

/// The routes of webhooks, without their prefix.
pub(in crate::mlflow) fn router() -> Router<App> {
    Router::new()
        .route("/webhooks", post(change::create).get(read::list))
        .route(
            "/webhooks/{id}",
            get(read::get).patch(change::update).delete(change::delete),
        )
        .route("/webhooks/{id}/test", post(read::test))
}

/// Why something cannot be done with a webhook.
#[derive(Debug, thiserror::Error)]
pub(in crate::mlflow) enum WebhookError {
    /// There is none.
    #[error("Webhook with ID {id} not found.")]
    Unknown {
        /// The id as given.
        id: String,
    },
    /// Not a name.
    #[error(
        "Webhook name '{name}' is invalid. It must start and end with a letter or digit, be less than 63 characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-)."
    )]
    Name {
        /// The name.
        name: String,
    },
    /// An event that there is not.
    #[error("Invalid action '{action}' for entity '{entity}'. Valid actions are: [{known}]")]
    Event {
        /// To what.
        entity: String,
        /// What.
        action: String,
        /// What there is.
        known: String,
    },
    /// It is to be told nothing.
    #[error("Webhook events must be a non-empty list of WebhookEvent objects: [].")]
    NoEvents,
    /// An address to which nothing is sent.
    #[error(transparent)]
    Address(#[from] PostError),
}

impl WebhookError {
    /// MLflow's code.
    pub(in crate::mlflow) const fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => Code::ResourceDoesNotExist,
            Self::Name { .. } | Self::Event { .. } | Self::NoEvents | Self::Address(_) => {
                Code::InvalidParameterValue
            }
        }
    }
}

/// The id of a webhook, as MLflow writes such ids: `8-4-4-4-12` hex digits.
pub(in crate::mlflow) fn id(uid: EntryUid) -> String {
    let digits = uid.to_string();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| digits[part].to_owned());
    parts.join("-")
}

/// The webhook of an id.
pub(in crate::mlflow) fn find(look: &Look<'_>, id: &str) -> Result<EntryRow, Refusal> {
    let unknown = || WebhookError::Unknown { id: id.to_owned() };
    let uid: EntryUid = id.replace('-', "").parse().map_err(|_odd| unknown())?;
    let row = match look.entry_no(uid)? {
        Some(no) => look.entry(no)?,
        None => None,
    };
    let there =
        row.filter(|row| row.state.kind() == Some(EntryKind::Webhook) && !row.state.is_deleted());
    Ok(there.ok_or_else(unknown)?)
}
