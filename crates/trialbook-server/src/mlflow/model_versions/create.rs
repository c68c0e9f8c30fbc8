//! `model-versions/create`.
//!
//! Invariant: the number is decided where the state is the newest, so that the answer has the one that the book has.

use axum::extract::State;
use trialbook_model::id::EntryUid;
use trialbook_model::record::{CreateEntry, EntryKind, Op, SetTags, Subject};
use trialbook_store::nouns::EntryRow;

use super::source::{self, Origin};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::{Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::logged_models;
use crate::mlflow::registry::{
    IS_PROMPT, PROMPT_TEXT, RegistryError, TEXT, Tag, all_versions, check_model_name, checked_tags,
    find_model, say_prompt, uid_of,
};
use crate::mlflow::webhooks::{self, Event};
use crate::mlflow::wire::{List, message, required};

message! {
    /// A version that is to be made.
    pub(super) struct Create {
        name: Option<String>,
        source: Option<String>,
        run_id / "runId": Option<String>,
        tags: List<Tag>,
        run_link / "runLink": Option<String>,
        description: Option<String>,
        model_id / "modelId": Option<String>,
    }
}

/// The tag of a logged model that names the versions made of it.
const MODEL_VERSIONS: &str = "mlflow.modelVersions";

/// What a prompt has in the place of a source.
const PROMPT_SOURCES: [&str; 2] = ["prompt-template", "dummy-source"];

/// What is to be made, checked.
struct Wanted {
    name: String,
    origin: Origin,
    tags: Vec<(String, String)>,
    run_link: String,
    description: Option<String>,
    root: String,
}

pub(super) async fn create(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Create>,
) -> Answered {
    let name = required("name", asked.name.as_ref())?.to_owned();
    let from = required("source", asked.source.as_ref())?.to_owned();
    check_model_name("name", &name)?;
    let tags = checked_tags(asked.tags.0)?;
    if say_prompt(&tags) && !PROMPT_SOURCES.contains(&from.as_str()) {
        return Err(RegistryError::PromptSource { from }.into());
    }
    let wanted = Wanted {
        name: name.clone(),
        origin: Origin {
            source: from,
            run: asked.run_id,
            model: asked.model_id,
        },
        tags,
        run_link: asked.run_link.unwrap_or_default(),
        description: asked.description,
        root: app.settings().default_artifact_root.clone(),
    };
    let decide = move |look: &Look<'_>, draft: &mut Draft| decide(look, draft, wanted);
    let (number, event) = app.desk().write(&actor, decide).await?;
    webhooks::deliver(&app, event);
    super::read::told(&app, name, number.to_string()).await
}

fn decide(look: &Look<'_>, draft: &mut Draft, wanted: Wanted) -> Result<(u64, Event), Refusal> {
    let model = find_model(look, &wanted.name)?;
    let is_prompt = say_prompt(&wanted.tags);
    let place = if is_prompt {
        source::Place::of_prompt(wanted.origin)
    } else {
        source::resolve(look, &wanted.root, wanted.origin)?
    };
    let versions = all_versions(look, &model)?;
    let last = versions.iter().filter_map(|row| row.number).max();
    let number = last.unwrap_or(0).saturating_add(1);
    let of = Subject::Entry(uid_of(&model));
    let mut create = CreateEntry::of(EntryUid(draft.mint()), EntryKind::Version, of);
    create.number = Some(number);
    let mut put = |field: &str, value: &str| {
        create.fields.insert(field.to_owned(), value.into());
    };
    put("source", &place.source);
    if place.location != place.source {
        put("location", &place.location);
    }
    for (field, value) in [("run", &place.run), ("run_link", &wanted.run_link)] {
        if !value.is_empty() {
            put(field, value);
        }
    }
    if let Some(uid) = place.model {
        put("model", &uid.to_string());
    }
    if let Some(text) = &wanted.description {
        put("description", text);
    }
    let event = Event::version_created(&wanted.name, number, &place, &wanted.tags, {
        wanted.description.as_deref()
    });
    for (key, value) in wanted.tags {
        if is_prompt && key == PROMPT_TEXT {
            create.fields.insert(TEXT.to_owned(), value.into());
        } else if !(is_prompt && key == IS_PROMPT && model.state.is_prompt()) {
            create.tags.insert(key, value);
        }
    }
    draft.say(Op::CreateEntry(Box::new(create)));
    if let Some(uid) = place.model.filter(|_| !is_prompt) {
        let row = logged_models::find(look, &logged_models::id(uid))?;
        draft.say(note_version(&row, &wanted.name, number));
    }
    Ok((number, event))
}

/// Tells a logged model of a version that was made of it.
fn note_version(row: &EntryRow, name: &str, number: u64) -> Op {
    let known = row.state.annotations.tags.get(MODEL_VERSIONS);
    let known = known.and_then(|held| held.value.as_deref());
    let known = known.and_then(|text| serde_json::from_str::<Vec<serde_json::Value>>(text).ok());
    let mut versions = known.unwrap_or_default();
    let version = serde_json::json!({ "name": name, "version": number });
    if !versions.contains(&version) {
        versions.push(version);
    }
    let value = serde_json::Value::from(versions).to_string();
    Op::SetTags(SetTags {
        subject: Subject::Entry(uid_of(row)),
        tags: vec![(MODEL_VERSIONS.to_owned(), Some(value))],
    })
}
