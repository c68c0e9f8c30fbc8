//! Describing, moving, deleting versions; their tags.

use axum::extract::State;
use trialbook_model::record::{Op, SetTags};

use super::read::{Numbered, told};
use crate::app::App;
use crate::desk::{Actor, Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::registry::{
    ARCHIVED, IS_PROMPT, IsPrompt, NO_STAGE, PROMPT_TEXT, RegistryError, TEXT, all_versions,
    check_tag, find_version, say_field, stage, subject, uid_of,
};
use crate::mlflow::webhooks::{self, Event};
use crate::mlflow::wire::{message, required};
use trialbook_model::state::ALIAS;

message! {
    /// A new description.
    pub(super) struct Update {
        name: Option<String>,
        version: Option<String>,
        description: Option<String>,
    }

    /// A new stage.
    pub(super) struct Transition {
        name: Option<String>,
        version: Option<String>,
        stage: Option<String>,
        archive_existing_versions / "archiveExistingVersions": Option<bool>,
    }

    /// A tag that is to be set or removed.
    pub(super) struct TagOf {
        name: Option<String>,
        version: Option<String>,
        key: Option<String>,
        value: Option<String>,
    }
}

pub(super) async fn update(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Update>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let version = required("version", asked.version.as_ref())?.to_owned();
    let text = asked.description;
    let wanted = (name.clone(), version.clone());
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let (_, row) = find_version(look, &wanted.0, &wanted.1)?;
        say_field(draft, &row, "description", text);
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    told(&app, name, version).await
}

pub(super) async fn transition(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Transition>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let version = required("version", asked.version.as_ref())?.to_owned();
    let given = required("stage", asked.stage.as_ref())?.to_owned();
    let archives = asked.archive_existing_versions.unwrap_or_default();
    let to = stage(&given)?;
    if archives && matches!(to, NO_STAGE | ARCHIVED) {
        return Err(RegistryError::Archive { stage: given }.into());
    }
    let wanted = (name.clone(), version.clone());
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let (model, row) = find_version(look, &wanted.0, &wanted.1)?;
        if archives {
            let others = all_versions(look, &model)?;
            let there = others.iter().filter(|other| {
                let is_there = other.no != row.no && !other.state.is_deleted();
                is_there && other.state.text("stage") == Some(to)
            });
            for other in there {
                say_field(draft, other, "stage", ARCHIVED);
            }
        }
        say_field(draft, &row, "stage", to);
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    told(&app, name, version).await
}

pub(super) async fn delete(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Numbered>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let version = required("version", asked.version.as_ref())?.to_owned();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let (model, row) = find_version(look, &name, &version)?;
        let uid = uid_of(&row);
        let led = model.state.aliases().filter(|(_, to)| *to == uid);
        for (alias, _) in led {
            let field = format!("{ALIAS}{alias}");
            say_field(draft, &model, &field, serde_json::Value::Null);
        }
        say_field(draft, &row, "deleted", true);
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

pub(super) async fn set_tag(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<TagOf>,
) -> Answered {
    let value = asked.value.clone().unwrap_or_default();
    say_tag(&app, &actor, asked, Some(value)).await
}

pub(super) async fn delete_tag(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<TagOf>,
) -> Answered {
    say_tag(&app, &actor, asked, None).await
}

async fn say_tag(app: &App, actor: &Actor, asked: TagOf, value: Option<String>) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let version = required("version", asked.version.as_ref())?.to_owned();
    let key = required("key", asked.key.as_ref())?.to_owned();
    check_tag(&key, value.as_deref().unwrap_or_default())?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let (model, row) = find_version(look, &name, &version)?;
        let is_prompt = IsPrompt::of(&model.state);
        let of = (name.as_str(), version.as_str());
        let event = Event::version_tag(is_prompt, of, (&key, value.as_deref()));
        if key == PROMPT_TEXT && row.state.text(TEXT).is_some() {
            say_field(draft, &row, TEXT, value);
        } else if key != IS_PROMPT || row.state.text(TEXT).is_none() {
            draft.say(Op::SetTags(SetTags {
                subject: subject(&row),
                tags: vec![(key, value)],
            }));
        }
        Ok::<_, Refusal>(event)
    };
    let event = app.desk().write(actor, decide).await?;
    webhooks::deliver(app, event);
    Ok(Answer::empty())
}
