//! Webhooks as lists, one by one, and trying one out.

use axum::extract::{Path, State};
use serde::Serialize;
use trialbook_model::record::EntryKind;
use trialbook_store::query::Entries;
use trialbook_store::reading::Reading as _;

use super::answer::Webhook;
use super::change::{EventGiven, Nothing, event, told};
use super::find;
use super::send::{self, Tested};
use crate::app::App;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::registry::made_at;
use crate::mlflow::search::{Page, max_results};
use crate::mlflow::wire::{Whole, message};

/// Webhooks in one answer at most.
const MOST: usize = 1000;

/// Webhooks in one answer where nobody says how many.
const USUAL: i64 = 100;

message! {
    /// Which webhooks are wanted.
    pub(super) struct List {
        max_results / "maxResults": Option<Whole>,
        page_token / "pageToken": Option<String>,
    }

    /// What a webhook is to be told.
    pub(super) struct Test {
        event: Option<EventGiven>,
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    webhooks: Vec<Webhook<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

#[derive(Serialize)]
struct Outcome {
    result: Tested,
}

pub(super) async fn list(State(app): State<App>, Ask(asked): Ask<List>) -> Answered {
    let limit = max_results(asked.max_results.map_or(USUAL, |given| given.0), MOST)?;
    let page = Page::read(asked.page_token.as_deref(), limit)?;
    let read = app.desk().read(move |look| {
        let mut rows = look.entries(&Entries::Kind(EntryKind::Webhook))?;
        rows.retain(|row| !row.state.is_deleted());
        rows.sort_by_key(|row| std::cmp::Reverse((made_at(&row.state), row.no)));
        let (rows, next_page_token) = page.of(&rows);
        let webhooks = rows.iter().map(Webhook::of).collect();
        Ok::<_, Refusal>(Answer::of(&Listed {
            webhooks,
            next_page_token,
        }))
    });
    read.await
}

pub(super) async fn get(
    State(app): State<App>,
    Path(id): Path<String>,
    Ask(_asked): Ask<Nothing>,
) -> Answered {
    told(&app, id).await
}

pub(super) async fn test(
    State(app): State<App>,
    Path(id): Path<String>,
    Ask(asked): Ask<Test>,
) -> Answered {
    let wanted = asked.event.as_ref().map(event).transpose()?;
    let read = app.desk().read(move |look| find(look, &id));
    let row = read.await?;
    let hosts = app.settings().webhook_hosts;
    let result = send::test(&row, wanted.as_deref(), hosts).await;
    Ok(Answer::of(&Outcome { result }))
}
