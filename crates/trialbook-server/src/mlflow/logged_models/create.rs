//! `logged-models`: making one.

use std::collections::BTreeMap;

use axum::extract::State;
use trialbook_model::id::EntryUid;
use trialbook_model::record::{CreateEntry, EntryKind, Op, Subject};
use trialbook_model::state::ENTRY_PARAM;

use super::{ModelError, id};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::{Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::experiments;
use crate::mlflow::names::readable;
use crate::mlflow::registry::{Tag, checked_tags};
use crate::mlflow::wire::{List, message, required};

message! {
    /// A model that is to be made.
    pub(super) struct Create {
        experiment_id / "experimentId": Option<String>,
        name: Option<String>,
        model_type / "modelType": Option<String>,
        source_run_id / "sourceRunId": Option<String>,
        params: List<Tag>,
        tags: List<Tag>,
    }
}

pub(super) async fn create(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<Create>,
) -> Answered {
    let experiment = required("experiment_id", asked.experiment_id.as_ref())?.to_owned();
    let name = asked.name.filter(|name| !name.is_empty());
    if let Some(name) = &name {
        check_name(name)?;
    }
    let tags: BTreeMap<String, String> = checked_tags(asked.tags.0)?.into_iter().collect();
    let mut fields = BTreeMap::new();
    for param in asked.params.0 {
        let field = format!("{ENTRY_PARAM}{}", param.key.unwrap_or_default());
        fields.insert(field, param.value.unwrap_or_default().into());
    }
    for (field, value) in [("type", asked.model_type), ("run", asked.source_run_id)] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            fields.insert(field.to_owned(), value.into());
        }
    }
    let root = app.settings().default_artifact_root.clone();
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let experiment = experiments::find_active(look, &experiment)?;
        let uid = EntryUid(draft.mint());
        let below = experiments::location(&experiment, &root);
        let below = below.trim_end_matches('/');
        let location = format!("{below}/models/{}/artifacts", id(uid));
        let of = Subject::Experiment(experiments::uid_of(&experiment));
        let mut create = CreateEntry::of(uid, EntryKind::LoggedModel, of);
        create.name = Some(name.unwrap_or_else(|| readable(&uid.0.0)));
        create.fields = fields;
        create.fields.insert("location".to_owned(), location.into());
        let status = "LOGGED_MODEL_PENDING";
        create.fields.insert("status".to_owned(), status.into());
        create.tags = tags;
        draft.say(Op::CreateEntry(Box::new(create)));
        Ok::<_, Refusal>(uid)
    };
    let uid = app.desk().write(&actor, decide).await?;
    super::read::told(&app, id(uid)).await
}

fn check_name(name: &str) -> Result<(), ModelError> {
    if name.contains(['/', ':', '.', '%', '"', '\'']) {
        let name = name.to_owned();
        return Err(ModelError::Name { name });
    }
    Ok(())
}
