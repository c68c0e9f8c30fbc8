//! Tags of runs.

use axum::Router;
use axum::extract::{Path, State};
use trialbook_api::tags::{self, TagChange, Tags};
use trialbook_model::id::RunUid;
use trialbook_model::record::{Op, SetTags, Subject};
use trialbook_model::secret;
use trialbook_report::documents;

use super::{at, naming};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::http::asking::{Caller, Json};
use crate::http::error::Problem;

pub(super) fn router() -> Router<App> {
    at(&tags::OF_RUN, of_run)
}

async fn of_run(
    State(app): State<App>,
    Path(text): Path<String>,
    Caller(actor): Caller,
    Json(change): Json<TagChange>,
) -> Result<Json<Tags>, Problem> {
    let named = text.clone();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let run = naming::run(look, &named)?;
        say(draft, run.uid, change.tags);
        Ok::<_, Problem>(run.uid)
    };
    let uid = app.desk().write(&actor, decide).await?;
    let read = move |look: &Look<'_>| {
        let run = naming::run(look, &uid.to_string())?;
        let tags = documents::tags(&run.state.annotations);
        Ok(Json(Tags { tags }))
    };
    app.desk().read(read).await
}

/// Says tags of a run, without secrets; `None` removes one.
pub(super) fn say(
    draft: &mut Draft,
    run: RunUid,
    tags: impl IntoIterator<Item = (String, Option<String>)>,
) {
    let tags = tags.into_iter().map(|(name, value)| {
        let value = value.map(|value| secret::named(&name, &value).into_owned());
        (name, value)
    });
    let tags: Vec<_> = tags.collect();
    if tags.is_empty() {
        return;
    }
    let subject = Subject::Run(run);
    draft.say(Op::SetTags(SetTags { subject, tags }));
}
