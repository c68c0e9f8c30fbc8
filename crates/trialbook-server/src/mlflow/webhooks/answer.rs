//! A webhook as it is answered: without its secret.

use serde::Serialize;
use trialbook_store::nouns::EntryRow;

use super::id;
use crate::mlflow::registry::{made_at, set_at, uid_of};

/// A webhook.
#[derive(Serialize)]
pub(super) struct Webhook<'a> {
    webhook_id: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    url: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<EventTold>,
    status: &'static str,
    creation_timestamp: i64,
    last_updated_timestamp: i64,
}

#[derive(Serialize)]
struct EventTold {
    entity: String,
    action: String,
}

impl<'a> Webhook<'a> {
    pub(super) fn of(row: &'a EntryRow) -> Self {
        let state = &row.state;
        let events = state.words("events").into_iter();
        let events = events.filter_map(|word| word.split_once('.'));
        let changed = ["name", "url", "events", "description", "status"];
        let changed = set_at(state, &changed);
        let hidden = state.secret.as_ref().map(|held| held.stamp.time.millis());
        Self {
            webhook_id: id(uid_of(row)),
            name: state.name().unwrap_or_default(),
            description: state.text("description").filter(|text| !text.is_empty()),
            url: state.text("url").unwrap_or_default(),
            events: events
                .map(|(entity, action)| EventTold {
                    entity: entity.to_ascii_uppercase(),
                    action: action.to_ascii_uppercase(),
                })
                .collect(),
            status: if is_active(row) { "ACTIVE" } else { "DISABLED" },
            creation_timestamp: made_at(state),
            last_updated_timestamp: changed.max(hidden).unwrap_or(0).max(made_at(state)),
        }
    }
}

/// Whether it is told anything.
pub(super) fn is_active(row: &EntryRow) -> bool {
    row.state.text("status") != Some("disabled")
}
