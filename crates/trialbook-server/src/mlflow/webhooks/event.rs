//! What webhooks are told: MLflow's events and their payloads.
//!
//! Invariant: an event is known by `entity.action`, and only by pairs that MLflow knows.

use serde_json::{Map, Value, json};

use crate::mlflow::model_versions::Place;
use crate::mlflow::registry::{IS_PROMPT, IsPrompt, PROMPT_TEXT, say_prompt};

/// The pairs that there are.
pub(in crate::mlflow) const KNOWN: [(&str, &[&str]); 10] = [
    ("registered_model", &["created"]),
    ("model_version", &["created"]),
    ("model_version_tag", &["set", "deleted"]),
    ("model_version_alias", &["created", "deleted"]),
    ("prompt", &["created"]),
    ("prompt_version", &["created"]),
    ("prompt_tag", &["set", "deleted"]),
    ("prompt_version_tag", &["set", "deleted"]),
    ("prompt_alias", &["created", "deleted"]),
    ("budget_policy", &["exceeded"]),
];

/// Tags of prompts that are no tags of theirs.
const INTERNAL: [&str; 3] = [IS_PROMPT, "_mlflow_prompt_type", PROMPT_TEXT];

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::mlflow) struct Event {
    /// To what.
    pub entity: &'static str,
    /// What.
    pub action: &'static str,
    /// What there is to tell.
    pub data: Value,
}

fn of_kind(is_prompt: IsPrompt, model: &'static str, prompt: &'static str) -> &'static str {
    match is_prompt {
        IsPrompt::Yes => prompt,
        IsPrompt::No => model,
    }
}

fn map(tags: &[(String, String)], without: &[&str]) -> Value {
    let kept = tags
        .iter()
        .filter(|(key, _)| !without.contains(&key.as_str()));
    let kept = kept.map(|(key, value)| (key.clone(), Value::from(value.clone())));
    Value::Object(kept.collect::<Map<_, _>>())
}

impl Event {
    /// Its name, `entity.action`.
    pub(in crate::mlflow) fn name(&self) -> String {
        format!("{}.{}", self.entity, self.action)
    }

    /// A registered model or prompt was made.
    pub(in crate::mlflow) fn model_created(
        name: &str,
        tags: &[(String, String)],
        description: Option<&str>,
    ) -> Self {
        let is_prompt = IsPrompt::by(tags);
        let without = match is_prompt {
            IsPrompt::Yes => &INTERNAL[..2],
            IsPrompt::No => &[],
        };
        Self {
            entity: of_kind(is_prompt, "registered_model", "prompt"),
            action: "created",
            data: json!({
                "name": name,
                "tags": map(tags, without),
                "description": description.unwrap_or_default(),
            }),
        }
    }

    /// A version was made.
    pub(in crate::mlflow) fn version_created(
        name: &str,
        number: u64,
        place: &Place,
        tags: &[(String, String)],
        description: Option<&str>,
    ) -> Self {
        let description = description.filter(|text| !text.is_empty());
        let version = number.to_string();
        if say_prompt(tags) {
            let text = tags.iter().find(|(key, _)| key == PROMPT_TEXT);
            return Self {
                entity: "prompt_version",
                action: "created",
                data: json!({
                    "name": name,
                    "version": version,
                    "template": text.map(|(_, value)| value),
                    "tags": map(tags, &INTERNAL),
                    "description": description,
                }),
            };
        }
        Self {
            entity: "model_version",
            action: "created",
            data: json!({
                "name": name,
                "version": version,
                "source": place.source,
                "run_id": Some(&place.run).filter(|run| !run.is_empty()),
                "tags": map(tags, &[]),
                "description": description,
            }),
        }
    }

    /// A tag of a prompt was set or removed.
    pub(in crate::mlflow) fn prompt_tag(name: &str, key: &str, value: Option<&str>) -> Self {
        let mut data = json!({ "name": name, "key": key });
        if let Some(value) = value {
            data["value"] = value.into();
        }
        Self {
            entity: "prompt_tag",
            action: if value.is_some() { "set" } else { "deleted" },
            data,
        }
    }

    /// A tag of a version was set or removed.
    pub(in crate::mlflow) fn version_tag(
        is_prompt: IsPrompt,
        (name, version): (&str, &str),
        (key, value): (&str, Option<&str>),
    ) -> Self {
        let mut data = json!({ "name": name, "version": version, "key": key });
        if let Some(value) = value {
            data["value"] = value.into();
        }
        Self {
            entity: of_kind(is_prompt, "model_version_tag", "prompt_version_tag"),
            action: if value.is_some() { "set" } else { "deleted" },
            data,
        }
    }

    /// An alias was set or removed.
    pub(in crate::mlflow) fn alias(
        is_prompt: IsPrompt,
        name: &str,
        alias: &str,
        version: Option<&str>,
    ) -> Self {
        let mut data = json!({ "name": name, "alias": alias });
        if let Some(version) = version {
            data["version"] = version.into();
        }
        Self {
            entity: of_kind(is_prompt, "model_version_alias", "prompt_alias"),
            action: if version.is_some() {
                "created"
            } else {
                "deleted"
            },
            data,
        }
    }
}

/// An example of an event, by its name.
pub(super) fn example(name: &str) -> Option<Event> {
    let (entity, action) = name.split_once('.')?;
    let (entity, actions) = KNOWN.into_iter().find(|(known, _)| *known == entity)?;
    let action = actions.iter().find(|known| **known == action)?;
    let tags = json!({ "example_key": "example_value" });
    let data = match (entity, *action) {
        ("registered_model", _) => {
            json!({ "name": "example_model", "tags": tags, "description": "An example registered model" })
        }
        ("model_version", _) => json!({
            "name": "example_model", "version": "1", "source": "models:/123", "run_id": "abcd1234abcd5678",
            "tags": tags, "description": "An example model version",
        }),
        ("prompt", _) => {
            json!({ "name": "example_prompt", "tags": tags, "description": "An example prompt" })
        }
        ("prompt_version", _) => json!({
            "name": "example_prompt", "version": "1", "template": "Hello {{name}}!", "tags": tags,
            "description": "An example prompt version",
        }),
        ("budget_policy", _) => json!({ "budget_policy_id": "example" }),
        (entity, action) => {
            let mut data = json!({ "name": "example" });
            let parts: &[(&str, &str)] = match action {
                "set" => &[("key", "example_key"), ("value", "example_value")],
                "created" => &[("alias", "example_alias"), ("version", "1")],
                _ if entity.ends_with("_tag") => &[("key", "example_key")],
                _ => &[("alias", "example_alias")],
            };
            for (key, value) in parts {
                data[*key] = (*value).into();
            }
            if entity.ends_with("version_tag") {
                data["version"] = "1".into();
            }
            data
        }
    };
    Some(Event {
        entity,
        action,
        data,
    })
}
