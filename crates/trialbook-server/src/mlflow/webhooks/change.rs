//! Making, changing and deleting webhooks.

use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use trialbook_model::id::EntryUid;
use trialbook_model::record::{CreateEntry, EntryKind, Hidden, Op, SetSecret, Subject};
use trialbook_model::state::DEFAULT_PROJECT;

use super::answer::Webhook;
use super::event::KNOWN;
use super::{WebhookError, find, id};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::http::post::Target;
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::registry::{say_field, uid_of};
use crate::mlflow::wire::{List, WireError, Word, message, required};

message! {
    /// An event.
    pub(in crate::mlflow) struct EventGiven {
        entity: Option<Word>,
        action: Option<Word>,
    }

    /// What a webhook is to be.
    pub(super) struct Given {
        name: Option<String>,
        description: Option<String>,
        url: Option<String>,
        events: List<EventGiven>,
        secret: Option<String>,
        status: Option<Word>,
    }

    /// Nothing.
    pub(super) struct Nothing {}
}

#[derive(Serialize)]
struct Told<'a> {
    webhook: Webhook<'a>,
}

/// A webhook, as it is now.
pub(super) async fn told(app: &App, id: String) -> Answered {
    let read = app.desk().read(move |look| {
        let row = find(look, &id)?;
        let webhook = Webhook::of(&row);
        Ok::<_, Refusal>(Answer::of(&Told { webhook }))
    });
    read.await
}

fn check_name(name: &str) -> Result<(), WebhookError> {
    let bytes = name.as_bytes();
    let is_taken = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let is_long = bytes.len() > 63;
    if is_long || !is_end(bytes.first()) || !is_end(bytes.last()) || !bytes.iter().all(is_taken) {
        let name = name.to_owned();
        return Err(WebhookError::Name { name });
    }
    Ok(())
}

/// An event as it is kept: `entity.action`.
pub(super) fn event(given: &EventGiven) -> Result<String, WebhookError> {
    let word = |word: Option<&Word>| word.map_or_else(String::new, |it| it.0.to_ascii_lowercase());
    let entity = word(given.entity.as_ref());
    let action = word(given.action.as_ref());
    let numbered = entity
        .parse::<usize>()
        .ok()
        .and_then(|at| at.checked_sub(1));
    let found = match numbered {
        Some(at) => KNOWN.get(at),
        None => KNOWN.iter().find(|(known, _)| *known == entity),
    };
    let known = found.map_or(&[][..], |(_, actions)| actions);
    let numbered = match action.as_str() {
        "1" => "created",
        "2" => "updated",
        "3" => "deleted",
        "4" => "set",
        "5" => "exceeded",
        word => word,
    };
    match found {
        Some((entity, _)) if known.contains(&numbered) => Ok(format!("{entity}.{numbered}")),
        Some(_) | None => Err(WebhookError::Event {
            entity,
            action,
            known: known.join(", "),
        }),
    }
}

fn events(given: &[EventGiven]) -> Result<Value, WebhookError> {
    let mut words = Vec::with_capacity(given.len());
    for one in given {
        let word = Value::from(event(one)?);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if words.is_empty() {
        return Err(WebhookError::NoEvents);
    }
    Ok(words.into())
}

fn status(given: &Word) -> Result<&'static str, WireError> {
    match given.0.as_str() {
        "ACTIVE" | "1" => Ok("active"),
        "DISABLED" | "2" => Ok("disabled"),
        other => {
            let known = "It is one of ACTIVE, DISABLED.";
            Err(WireError::invalid("status", &other.into(), known))
        }
    }
}

async fn check_url(app: &App, url: &str) -> Result<(), WebhookError> {
    let hosts = app.settings().webhook_hosts;
    Target::read(url, hosts)?.resolve(hosts).await?;
    Ok(())
}

pub(super) async fn create(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Given>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let url = required("url", asked.url.as_ref())?.to_owned();
    if asked.events.is_empty() {
        return Err(WireError::missing("events").into());
    }
    check_name(&name)?;
    let events = events(&asked.events)?;
    let status = asked.status.as_ref().map_or(Ok("active"), status)?;
    check_url(&app, &url).await?;
    let secret = asked.secret.filter(|secret| !secret.is_empty());
    let decide = move |_: &Look<'_>, draft: &mut Draft| {
        let entry = EntryUid(draft.mint());
        let of = Subject::Project(DEFAULT_PROJECT.to_owned());
        let mut create = CreateEntry::of(entry, EntryKind::Webhook, of);
        create.name = Some(name);
        let mut put = |field: &str, value: Value| create.fields.insert(field.to_owned(), value);
        put("url", url.into());
        put("events", events);
        put("status", status.into());
        if let Some(text) = asked.description.filter(|text| !text.is_empty()) {
            put("description", text.into());
        }
        draft.say(Op::CreateEntry(Box::new(create)));
        if let Some(secret) = secret {
            let secret = Some(Hidden::new(secret));
            draft.say(Op::SetSecret(SetSecret { entry, secret }));
        }
        Ok::<_, Refusal>(entry)
    };
    let uid = app.desk().write(&actor, decide).await?;
    told(&app, id(uid)).await
}

pub(super) async fn update(
    State(app): State<App>,
    Path(of): Path<String>,
    Caller(actor): Caller,
    Ask(asked): Ask<Given>,
) -> Answered {
    let name = asked.name.filter(|name| !name.is_empty());
    let url = asked.url.filter(|url| !url.is_empty());
    name.as_deref().map_or(Ok(()), check_name)?;
    let words = match asked.events.is_empty() {
        true => None,
        false => Some(events(&asked.events)?),
    };
    let status = asked.status.as_ref().map(status).transpose()?;
    if let Some(url) = &url {
        check_url(&app, url).await?;
    }
    let wanted = of.clone();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find(look, &wanted)?;
        let fields = [
            ("name", name.map(Value::from)),
            ("url", url.map(Value::from)),
            ("events", words),
            ("description", asked.description.map(Value::from)),
            ("status", status.map(Value::from)),
        ];
        for (field, value) in fields {
            if let Some(value) = value {
                say_field(draft, &row, field, value);
            }
        }
        if let Some(secret) = asked.secret {
            let entry = uid_of(&row);
            let secret = Some(secret)
                .filter(|text| !text.is_empty())
                .map(Hidden::new);
            draft.say(Op::SetSecret(SetSecret { entry, secret }));
        }
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    told(&app, of).await
}

pub(super) async fn delete(
    State(app): State<App>,
    Path(of): Path<String>,
    Caller(actor): Caller,
    Ask(_asked): Ask<Nothing>,
) -> Answered {
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find(look, &of)?;
        say_field(draft, &row, "deleted", true);
        // It is told nothing any more, so nobody needs its secret.
        let (entry, secret) = (uid_of(&row), None);
        draft.say(Op::SetSecret(SetSecret { entry, secret }));
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}
