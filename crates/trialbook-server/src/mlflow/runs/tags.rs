//! Tags of runs: `set-tag`, `delete-tag`, and `log-model` of old clients, which writes one.
//!
//! Invariant: the tags for name and note are the run's name and main note, whoever wrote them.

use axum::extract::State;
use serde_json::{Map, Value};
use trialbook_model::record::Subject;

use super::{RunError, answer, find_active, read, subject};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::limits::{KEY_LENGTH, LimitError, check_length, check_name};
use crate::mlflow::names::{self, MODEL_HISTORY, NOTE, RUN_NAME, field};
use crate::mlflow::wire::{compact, message, required};

message! {
    /// A tag.
    pub(super) struct Tag {
        key: Option<String>,
        value: Option<String>,
    }

    /// A tag that is to be set.
    pub(super) struct SetTag {
        run_id / "runId": Option<String>,
        run_uuid / "runUuid": Option<String>,
        key: Option<String>,
        value: Option<String>,
    }

    /// A model that an old client has logged as files.
    pub(super) struct LogModel {
        run_id / "runId": Option<String>,
        model_json / "modelJson": Option<String>,
    }
}

impl Tag {
    /// Key and value.
    pub(super) fn pair(self) -> (String, Option<String>) {
        let value = self.value.unwrap_or_default();
        (self.key.unwrap_or_default(), Some(value))
    }
}

/// Checks a tag's key; `path` is where the tag stands in the request.
pub(super) fn check(path: &str, key: &str) -> Result<(), LimitError> {
    check_name(path, key)?;
    check_length(path, key, KEY_LENGTH)
}

/// Says tags of a run, each at its place. A name is not removed.
pub(super) fn say(draft: &mut Draft, subject: &Subject, tags: Vec<(String, Option<String>)>) {
    let mut plain = Vec::with_capacity(tags.len());
    for (key, value) in tags {
        match (key.as_str(), value) {
            (RUN_NAME, Some(name)) if !name.is_empty() => {
                draft.say(field(subject.clone(), "name", name));
            }
            (RUN_NAME, _) => {}
            (NOTE, text) => draft.say(names::note(subject.clone(), text)),
            (_, value) => plain.push((key, value)),
        }
    }
    if let Some(op) = names::tags(subject.clone(), plain) {
        draft.say(op);
    }
}

pub(super) async fn set(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<SetTag>,
) -> Answered {
    let id = read::id_of(asked.run_id, asked.run_uuid)?;
    let key = required("key", asked.key.as_ref())?.to_owned();
    check("key", &key)?;
    let value = asked.value.unwrap_or_default();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_active(look, &id)?;
        say(draft, &subject(&row), vec![(key, Some(value))]);
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

pub(super) async fn delete(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<SetTag>,
) -> Answered {
    let id = read::id_of(asked.run_id, asked.run_uuid)?;
    let key = required("key", asked.key.as_ref())?.to_owned();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_active(look, &id)?;
        if answer::tag(&row, &key).is_none() {
            return Err(Refusal::from(RunError::UnknownTag { key, id }));
        }
        say(draft, &subject(&row), vec![(key, None)]);
        Ok(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

pub(super) async fn log_model(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<LogModel>,
) -> Answered {
    let id = required("run_id", asked.run_id.as_ref())?.to_owned();
    let text = required("model_json", asked.model_json.as_ref())?;
    let model = model(text)?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_active(look, &id)?;
        let known = answer::tag(&row, MODEL_HISTORY);
        let known = known.and_then(|text| serde_json::from_str(&text).ok());
        let mut history: Vec<Value> = known.unwrap_or_default();
        history.push(model);
        let value = Value::Array(history).to_string();
        say(
            draft,
            &subject(&row),
            vec![(MODEL_HISTORY.to_owned(), Some(value))],
        );
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

/// What the tag keeps of a model: all but what belongs to its files alone.
fn model(text: &str) -> Result<Value, RunError> {
    let malformed = || RunError::ModelJson {
        json: compact(&Value::from(text)),
    };
    let mut map: Map<String, Value> = serde_json::from_str(text).map_err(|_reason| malformed())?;
    let wanted = ["artifact_path", "flavors", "utc_time_created", "run_id"];
    let missing: Vec<String> = wanted
        .iter()
        .filter(|field| !map.contains_key(**field))
        .map(|field| format!("'{field}'"))
        .collect();
    if !missing.is_empty() {
        let fields = missing.join(", ");
        return Err(RunError::ModelFields { fields });
    }
    // The configuration of flavours can be large; MLflow leaves it out here too.
    if let Some(Value::Object(flavors)) = map.get_mut("flavors") {
        for flavor in flavors.values_mut().filter_map(Value::as_object_mut) {
            flavor.remove("config");
        }
    }
    Ok(Value::Object(map))
}
