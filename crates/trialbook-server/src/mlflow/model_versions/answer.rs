//! A version as it is answered.

use serde::Serialize;
use trialbook_store::nouns::EntryRow;

use crate::mlflow::registered_models::{Pair, aliases};
use crate::mlflow::registry::{IS_PROMPT, NO_STAGE, PROMPT_TEXT, TEXT, made_at, set_at};

/// A version of a registered model.
#[derive(Serialize)]
pub(in crate::mlflow) struct ModelVersion<'a> {
    name: &'a str,
    version: String,
    creation_timestamp: i64,
    last_updated_timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    current_stage: &'a str,
    source: &'a str,
    run_id: &'a str,
    run_link: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<&'a str>,
}

impl<'a> ModelVersion<'a> {
    /// As lists tell it: without its aliases.
    pub(in crate::mlflow) fn of(row: &'a EntryRow, model: &'a EntryRow) -> Self {
        let state = &row.state;
        let text = |field: &str| state.text(field).unwrap_or_default();
        // One that was taken away by an update is absent, one that was never given is empty.
        let description = match state.annotations.fields.get("description") {
            Some(held) => held.value.as_str(),
            None => Some(""),
        };
        Self {
            name: model.state.name().unwrap_or_default(),
            version: row.number.unwrap_or_default().to_string(),
            creation_timestamp: made_at(state),
            last_updated_timestamp: updated(row, model),
            description,
            user_id: state.text("user"),
            current_stage: state.text("stage").unwrap_or(NO_STAGE),
            source: text("source"),
            run_id: text("run"),
            run_link: text("run_link"),
            status: state.text("status").unwrap_or("READY"),
            status_message: state.text("status_message"),
            tags: tags(row, model).collect(),
            aliases: Vec::new(),
        }
    }

    /// As it is told alone.
    pub(in crate::mlflow) fn with_aliases(
        row: &'a EntryRow,
        model: &'a EntryRow,
        versions: &[EntryRow],
    ) -> Self {
        let led = aliases(model, versions).into_iter();
        let led = led.filter(|(_, number)| Some(*number) == row.number);
        Self {
            aliases: led.map(|(alias, _)| alias).collect(),
            ..Self::of(row, model)
        }
    }
}

/// The tags of a version; a prompt's text is one.
pub(in crate::mlflow) fn tags<'a>(
    row: &'a EntryRow,
    model: &EntryRow,
) -> impl Iterator<Item = Pair<'a>> {
    let set = row.state.annotations.tags();
    let text = row.state.text(TEXT).map(|value| Pair {
        key: PROMPT_TEXT,
        value,
    });
    let prompt = (model.state.is_prompt() && text.is_some()).then_some(Pair {
        key: IS_PROMPT,
        value: "true",
    });
    let is_given = prompt.is_some();
    set.filter(move |(key, _)| *key != IS_PROMPT || !is_given)
        .map(|(key, value)| Pair { key, value })
        .chain(prompt)
        .chain(text)
}

/// When it was changed last, in milliseconds; its tags and aliases do not count.
pub(in crate::mlflow) fn updated(row: &EntryRow, model: &EntryRow) -> i64 {
    let own = set_at(&row.state, &["description", "stage", "status", "deleted"]);
    let renamed = set_at(&model.state, &["name"]);
    own.max(renamed).unwrap_or(0).max(made_at(&row.state))
}
