//! Tags of experiments: `set-experiment-tag` and `delete-experiment-tag`.
//!
//! Invariant: the tag for the description is the main note, whoever wrote it.

use axum::extract::State;
use trialbook_model::record::Subject;

use super::{ExperimentError, find_active, subject};
use crate::app::App;
use crate::desk::Draft;
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::limits::{
    EXPERIMENT_TAG_LENGTH, KEY_LENGTH, LimitError, check_length, check_name,
};
use crate::mlflow::names::{self, NOTE};
use crate::mlflow::wire::{message, required};

message! {
    /// A tag.
    pub(in crate::mlflow) struct Tag {
        key: Option<String>,
        value: Option<String>,
    }

    /// A tag that is to be set.
    pub(super) struct SetTag {
        experiment_id / "experimentId": Option<String>,
        key: Option<String>,
        value: Option<String>,
    }

    /// A tag that is to be removed.
    pub(super) struct DeleteTag {
        experiment_id / "experimentId": Option<String>,
        key: Option<String>,
    }
}

/// Tags whose keys and values are taken; of one key the last value.
pub(super) fn checked(tags: Vec<Tag>) -> Result<Vec<(String, Option<String>)>, LimitError> {
    tags.into_iter()
        .map(|tag| {
            let (key, value) = (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
            check(&key, &value)?;
            Ok((key, Some(value)))
        })
        .collect()
}

fn check(key: &str, value: &str) -> Result<(), LimitError> {
    check_name("key", key)?;
    check_length("key", key, KEY_LENGTH)?;
    check_length("value", value, EXPERIMENT_TAG_LENGTH)
}

/// Says tags of an experiment, each at its place.
pub(super) fn say(draft: &mut Draft, subject: &Subject, tags: Vec<(String, Option<String>)>) {
    let (notes, tags): (Vec<_>, Vec<_>) = tags.into_iter().partition(|(key, _)| key == NOTE);
    for (_, text) in notes {
        draft.say(names::note(subject.clone(), text));
    }
    if let Some(op) = names::tags(subject.clone(), tags) {
        draft.say(op);
    }
}

pub(super) async fn set(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<SetTag>,
) -> Answered {
    let id = required("experiment_id", asked.experiment_id.as_ref())?.to_owned();
    let key = required("key", asked.key.as_ref())?.to_owned();
    let value = asked.value.unwrap_or_default();
    check(&key, &value)?;
    let decide = move |look: &crate::desk::Look<'_>, draft: &mut Draft| {
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
    Ask(asked): Ask<DeleteTag>,
) -> Answered {
    let id = required("experiment_id", asked.experiment_id.as_ref())?.to_owned();
    let key = required("key", asked.key.as_ref())?.to_owned();
    let decide = move |look: &crate::desk::Look<'_>, draft: &mut Draft| {
        let row = find_active(look, &id)?;
        if super::tag(&row, &key).is_none() {
            return Err(Refusal::from(ExperimentError::UnknownTag { key, id }));
        }
        say(draft, &subject(&row), vec![(key, None)]);
        Ok(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}
