//! Params, tags, the end and the deletion of logged models.

use axum::extract::{Path, State};
use trialbook_model::record::{Op, SetTags};
use trialbook_model::state::ENTRY_PARAM;

use super::{ModelError, find, find_any};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::registry::{Tag, checked_tags, say_field, subject};
use crate::mlflow::wire::{List, WireError, Word, given, message};

message! {
    /// Params that are to be logged.
    pub(super) struct LogParams {
        params: List<Tag>,
    }

    /// How it ended.
    pub(super) struct Finalize {
        status: Option<Word>,
    }

    /// Tags that are to be set.
    pub(super) struct SetTagsOf {
        tags: List<Tag>,
    }

    /// Nothing.
    pub(super) struct Nothing {}
}

pub(super) async fn log_params(
    State(app): State<App>,
    Path(id): Path<String>,
    Caller(actor): Caller,
    Ask(asked): Ask<LogParams>,
) -> Answered {
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find(look, &id)?;
        for param in asked.params.0 {
            let key = param.key.unwrap_or_default();
            let value = param.value.unwrap_or_default();
            let held = row.state.params().find(|(known, _)| *known == key);
            match held {
                Some((_, old)) if old == value => {}
                Some((_, old)) => {
                    let (old, new) = (old.to_owned(), value);
                    let changed = ModelError::ParamChanged { key, old, new, id };
                    return Err(Refusal::from(changed));
                }
                None => say_field(draft, &row, &format!("{ENTRY_PARAM}{key}"), value),
            }
        }
        Ok(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

fn status(given: &Word) -> Result<&'static str, WireError> {
    Ok(match given.0.as_str() {
        "LOGGED_MODEL_STATUS_UNSPECIFIED" | "0" => "LOGGED_MODEL_STATUS_UNSPECIFIED",
        "LOGGED_MODEL_PENDING" | "1" => "LOGGED_MODEL_PENDING",
        "LOGGED_MODEL_READY" | "2" => "LOGGED_MODEL_READY",
        "LOGGED_MODEL_UPLOAD_FAILED" | "3" => "LOGGED_MODEL_UPLOAD_FAILED",
        _ => {
            let known = "It is one of LOGGED_MODEL_PENDING, LOGGED_MODEL_READY, LOGGED_MODEL_UPLOAD_FAILED.";
            return Err(WireError::invalid(
                "status",
                &given.0.as_str().into(),
                known,
            ));
        }
    })
}

pub(super) async fn finalize(
    State(app): State<App>,
    Path(id): Path<String>,
    Caller(actor): Caller,
    Ask(asked): Ask<Finalize>,
) -> Answered {
    let status = status(&given("status", asked.status)?)?;
    let wanted = id.clone();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find(look, &wanted)?;
        say_field(draft, &row, "status", status);
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    super::read::told(&app, id).await
}

pub(super) async fn delete(
    State(app): State<App>,
    Path(id): Path<String>,
    Caller(actor): Caller,
    Ask(_asked): Ask<Nothing>,
) -> Answered {
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_any(look, &id)?;
        if !row.state.is_deleted() {
            say_field(draft, &row, "deleted", true);
        }
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

pub(super) async fn set_tags(
    State(app): State<App>,
    Path(id): Path<String>,
    Caller(actor): Caller,
    Ask(asked): Ask<SetTagsOf>,
) -> Answered {
    let tags = checked_tags(asked.tags.0)?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find(look, &id)?;
        let tags = tags.into_iter().map(|(key, value)| (key, Some(value)));
        draft.say(Op::SetTags(SetTags {
            subject: subject(&row),
            tags: tags.collect(),
        }));
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

pub(super) async fn delete_tag(
    State(app): State<App>,
    Path((id, key)): Path<(String, String)>,
    Caller(actor): Caller,
    Ask(_asked): Ask<Nothing>,
) -> Answered {
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find(look, &id)?;
        let mut tags = row.state.annotations.tags();
        if !tags.any(|(known, _)| known == key) {
            return Err(Refusal::from(ModelError::UnknownTag { key, id }));
        }
        draft.say(Op::SetTags(SetTags {
            subject: subject(&row),
            tags: vec![(key, None)],
        }));
        Ok(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}
