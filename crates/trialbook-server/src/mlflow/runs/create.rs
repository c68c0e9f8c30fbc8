//! `runs/create`.

use axum::Extension;
use axum::extract::State;
use trialbook_model::id::RunUid;
use trialbook_model::record::{LinkKind, Op, StartRun, Subject};
use trialbook_model::time::Timestamp;

use super::{RunError, inside, read, tags};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::loopback::Within;
use crate::mlflow::endpoint::{Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::experiments;
use crate::mlflow::names::{
    self, ARTIFACT_URI, PARENT, RUN_NAME, SOURCE, SOURCE_NAME, USER_FIELD, field,
};
use crate::mlflow::wire::{List, Whole, message};

message! {
    /// What is to be started.
    pub(super) struct Create {
        experiment_id / "experimentId": Option<String>,
        user_id / "userId": Option<String>,
        run_name / "runName": Option<String>,
        start_time / "startTime": Option<Whole>,
        tags: List<tags::Tag>,
    }
}

/// A run to be started, its name found.
pub(super) struct Wanted {
    pub(super) experiment: String,
    pub(super) user: Option<String>,
    pub(super) name: Option<String>,
    pub(super) started: Option<Timestamp>,
    pub(super) tags: Vec<(String, Option<String>)>,
}

impl Wanted {
    fn of(asked: Create) -> Result<Self, RunError> {
        let pairs = asked.tags.0.into_iter().map(tags::Tag::pair);
        let (names, tags): (Vec<_>, Vec<_>) = pairs.partition(|(key, _)| key == RUN_NAME);
        let tag = names.into_iter().filter_map(|(_, value)| value).next_back();
        let tag = tag.filter(|tag| !tag.is_empty());
        let name = asked.run_name.filter(|name| !name.is_empty());
        if let (Some(name), Some(tag)) = (&name, &tag)
            && name != tag
        {
            let (name, tag) = (name.clone(), tag.clone());
            return Err(RunError::TwoNames { name, tag });
        }
        Ok(Self {
            experiment: asked.experiment_id.unwrap_or_default(),
            user: asked.user_id.filter(|user| !user.is_empty()),
            name: name.or(tag),
            started: asked.start_time.map(|it| Timestamp::from_millis(it.0)),
            tags,
        })
    }

    pub(super) fn tag(&self, key: &str) -> Option<&str> {
        let mut tags = self.tags.iter().rev();
        let found = tags.find(|(known, _)| known == key);
        found.and_then(|(_, value)| value.as_deref())
    }
}

pub(super) async fn create(
    State(app): State<App>,
    Caller(actor): Caller,
    within: Option<Extension<Within>>,
    Ask(asked): Ask<Create>,
) -> Answered {
    let wanted = Wanted::of(asked)?;
    let within = within.map(|Extension(within)| within);
    let root = app.settings().default_artifact_root.clone();
    let place = root.clone();
    let decide = move |look: &Look<'_>, draft: &mut Draft| match within {
        Some(within) => inside::decide(look, draft, (wanted, within), &place),
        None => decide(look, draft, wanted, &place),
    };
    let run = app.desk().write(&actor, decide).await?;
    let id = run.to_string();
    let read = app.desk().read(move |look| read::created(look, &id, &root));
    read.await
}

pub(super) fn decide(
    look: &Look<'_>,
    draft: &mut Draft,
    wanted: Wanted,
    root: &str,
) -> Result<RunUid, Refusal> {
    let experiment = experiments::find_active(look, &wanted.experiment)?;
    let uid = draft.mint();
    let run = RunUid(uid);
    let subject = Subject::Run(run);
    let parent = wanted.tag(PARENT).and_then(|uid| uid.parse().ok());
    let source = wanted.tag(SOURCE_NAME).filter(|name| !name.is_empty());
    draft.say(Op::StartRun(StartRun {
        experiment: experiments::uid_of(&experiment),
        name: wanted
            .name
            .clone()
            .or_else(|| Some(names::readable(&uid.0))),
        links: parent
            .map(|run| (LinkKind::Parent, run))
            .into_iter()
            .collect(),
        command: source.map(str::to_owned).into_iter().collect(),
        source: SOURCE.to_owned(),
        started: wanted.started.unwrap_or(draft.now()),
        ..StartRun::of(run)
    }));
    if let Some(user) = wanted.user {
        draft.say(field(subject.clone(), USER_FIELD, user));
    }
    // Written down, so that it is searched and stays where the experiment's own place changes.
    let place = experiments::location(&experiment, root);
    let uri = format!("{}/{run}/artifacts", place.trim_end_matches('/'));
    draft.say(field(subject.clone(), ARTIFACT_URI, uri));
    tags::say(draft, &subject, wanted.tags);
    Ok(run)
}
