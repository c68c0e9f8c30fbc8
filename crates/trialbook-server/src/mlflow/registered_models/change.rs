//! Making, renaming, describing, deleting registered models; their tags and aliases.
//!
//! Invariant: a decision and what it rests on are one: nobody takes a name meanwhile.

use axum::extract::State;
use serde::Serialize;
use trialbook_model::id::EntryUid;
use trialbook_model::record::{CreateEntry, EntryKind, Op, SetTags, Subject};
use trialbook_model::state::{ALIAS, DEFAULT_PROJECT};
use trialbook_store::reading::Reading as _;

use super::answer::RegisteredModel;
use crate::app::App;
use crate::desk::{Actor, Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::registry::{
    IS_PROMPT, IsPrompt, RegistryError, Tag, all_versions, check_alias, check_alias_is_free,
    check_model_name, check_tag, checked_tags, find_model, find_version, kind, say_field, subject,
    uid_of,
};
use crate::mlflow::webhooks::{self, Event};
use crate::mlflow::wire::{List, message, required};

message! {
    /// A model that is to be made.
    pub(super) struct Create {
        name: Option<String>,
        tags: List<Tag>,
        description: Option<String>,
    }

    /// A new name.
    pub(super) struct Rename {
        name: Option<String>,
        new_name / "newName": Option<String>,
    }

    /// A new description.
    pub(super) struct Update {
        name: Option<String>,
        description: Option<String>,
    }

    /// A model by its name.
    pub(super) struct Named {
        name: Option<String>,
    }

    /// A tag that is to be set or removed.
    pub(super) struct TagOf {
        name: Option<String>,
        key: Option<String>,
        value: Option<String>,
    }

    /// An alias that is to be set or removed.
    pub(super) struct AliasOf {
        name: Option<String>,
        alias: Option<String>,
        version: Option<String>,
    }
}

#[derive(Serialize)]
struct Told<'a> {
    registered_model: RegisteredModel<'a>,
}

/// The model of a name, as it is now.
pub(super) async fn told(app: &App, name: String) -> Answered {
    let read = app.desk().read(move |look| {
        let row = find_model(look, &name)?;
        let versions = all_versions(look, &row)?;
        Ok::<_, Refusal>(Answer::of(&Told {
            registered_model: RegisteredModel::of(&row, &versions),
        }))
    });
    read.await
}

pub(super) async fn create(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Create>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    check_model_name("name", &name)?;
    let tags = checked_tags(asked.tags.0)?;
    let description = asked.description;
    let event = Event::model_created(&name, &tags, description.as_deref());
    let wanted = name.clone();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let is_prompt = IsPrompt::by(&tags);
        if let Some(no) = look.collection(DEFAULT_PROJECT, &wanted)? {
            let held = look.entry(no)?;
            let held = held.map_or(IsPrompt::No, |row| IsPrompt::of(&row.state));
            return Err(Refusal::from(taken(wanted, is_prompt, held)));
        }
        let of = Subject::Project(DEFAULT_PROJECT.to_owned());
        let mut create = CreateEntry::of(EntryUid(draft.mint()), EntryKind::Collection, of);
        create.name = Some(wanted);
        create
            .fields
            .insert("kind".to_owned(), kind(is_prompt).into());
        if let Some(text) = description {
            create.fields.insert("description".to_owned(), text.into());
        }
        let tags = tags.into_iter();
        create.tags = match is_prompt {
            IsPrompt::Yes => tags.filter(|(key, _)| key != IS_PROMPT).collect(),
            IsPrompt::No => tags.collect(),
        };
        draft.say(Op::CreateEntry(Box::new(create)));
        Ok(())
    };
    app.desk().write(&actor, decide).await?;
    webhooks::deliver(&app, event);
    told(&app, name).await
}

fn taken(name: String, wanted: IsPrompt, held: IsPrompt) -> RegistryError {
    let (upper, lower) = (
        |it: IsPrompt| match it {
            IsPrompt::Yes => "Prompt",
            IsPrompt::No => "Registered Model",
        },
        |it: IsPrompt| match it {
            IsPrompt::Yes => "prompt",
            IsPrompt::No => "registered model",
        },
    );
    if wanted == held {
        let kind = upper(wanted);
        RegistryError::Taken { kind, name }
    } else {
        RegistryError::TakenByOther {
            wanted: lower(wanted),
            held: lower(held),
            name,
        }
    }
}

pub(super) async fn rename(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Rename>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let new = required("new_name", asked.new_name.as_ref())?.to_owned();
    check_model_name("new_name", &new)?;
    let wanted = new.clone();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_model(look, &name)?;
        if look.collection(DEFAULT_PROJECT, &wanted)?.is_some() {
            let kind = "Registered Model";
            return Err(Refusal::from(RegistryError::Taken { kind, name: wanted }));
        }
        say_field(draft, &row, "name", wanted);
        Ok(())
    };
    app.desk().write(&actor, decide).await?;
    told(&app, new).await
}

pub(super) async fn update(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Update>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let text = asked.description.unwrap_or_default();
    let wanted = name.clone();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_model(look, &wanted)?;
        say_field(draft, &row, "description", text);
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    told(&app, name).await
}

pub(super) async fn delete(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Named>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_model(look, &name)?;
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
    let name = required("name", asked.name.as_ref())?.to_owned();
    let key = required("key", asked.key.as_ref())?.to_owned();
    let value = asked.value.unwrap_or_default();
    check_model_name("name", &name)?;
    check_tag(&key, &value)?;
    say_tag(&app, &actor, (name, key), Some(value)).await
}

pub(super) async fn delete_tag(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<TagOf>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let key = required("key", asked.key.as_ref())?.to_owned();
    check_model_name("name", &name)?;
    check_tag(&key, "")?;
    say_tag(&app, &actor, (name, key), None).await
}

/// Sets or removes a tag; the one that tells prompts is the kind of the collection.
async fn say_tag(
    app: &App,
    actor: &Actor,
    (name, key): (String, String),
    value: Option<String>,
) -> Answered {
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_model(look, &name)?;
        let is_prompt = row.state.is_prompt();
        let says_prompt = value
            .as_ref()
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if key == IS_PROMPT && (says_prompt || is_prompt) {
            let is_prompt = if says_prompt {
                IsPrompt::Yes
            } else {
                IsPrompt::No
            };
            say_field(draft, &row, "kind", kind(is_prompt));
        }
        let event = is_prompt.then(|| Event::prompt_tag(&name, &key, value.as_deref()));
        if key != IS_PROMPT || !says_prompt {
            draft.say(Op::SetTags(SetTags {
                subject: subject(&row),
                tags: vec![(key, value)],
            }));
        }
        Ok::<_, Refusal>(event)
    };
    if let Some(event) = app.desk().write(actor, decide).await? {
        webhooks::deliver(app, event);
    }
    Ok(Answer::empty())
}

pub(super) async fn set_alias(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<AliasOf>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let alias = required("alias", asked.alias.as_ref())?.to_owned();
    let version = required("version", asked.version.as_ref())?.to_owned();
    check_model_name("name", &name)?;
    check_alias(&alias)?;
    check_alias_is_free(&alias)?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let (model, row) = find_version(look, &name, &version)?;
        let uid = uid_of(&row).to_string();
        say_field(draft, &model, &format!("{ALIAS}{alias}"), uid);
        let is_prompt = IsPrompt::of(&model.state);
        Ok::<_, Refusal>(Event::alias(is_prompt, &name, &alias, Some(&version)))
    };
    let event = app.desk().write(&actor, decide).await?;
    webhooks::deliver(&app, event);
    Ok(Answer::empty())
}

pub(super) async fn delete_alias(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<AliasOf>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let alias = required("alias", asked.alias.as_ref())?.to_owned();
    check_model_name("name", &name)?;
    check_alias(&alias)?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let model = find_model(look, &name)?;
        if model.state.alias(&alias).is_some() {
            let field = format!("{ALIAS}{alias}");
            say_field(draft, &model, &field, serde_json::Value::Null);
        }
        let is_prompt = IsPrompt::of(&model.state);
        Ok::<_, Refusal>(Event::alias(is_prompt, &name, &alias, None))
    };
    let event = app.desk().write(&actor, decide).await?;
    webhooks::deliver(&app, event);
    Ok(Answer::empty())
}
