//! `runs/log-inputs` and `runs/outputs`: datasets and models that go into a run and come out of it.
//!
//! Invariant: what a run used is said once; the same dataset again changes nothing.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Serialize, Serializer};
use trialbook_model::id::{EntryUid, RunUid};
use trialbook_model::record::{Dataset, LinkModel, ModelRole, Op, UseDataset};
use trialbook_model::state::Lineage;

use super::{RunError, find_active};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::limits::{check_length, check_run_id};
use crate::mlflow::wire::{List, Whole, WireError, message, required};

/// What MLflow calls the context of a dataset's use.
const CONTEXT: &str = "mlflow.data.context";
/// What it is called here.
const OUR_CONTEXT: &str = "context";

message! {
    /// What went into a run.
    pub(super) struct LogInputs {
        run_id / "runId": Option<String>,
        datasets: List<DatasetInput>,
        models: List<ModelInput>,
    }

    /// The use of a dataset.
    pub(super) struct DatasetInput {
        tags: List<InputTag>,
        dataset: Option<DatasetGiven>,
    }

    /// A tag of a use.
    pub(super) struct InputTag {
        key: Option<String>,
        value: Option<String>,
    }

    /// A dataset.
    pub(super) struct DatasetGiven {
        name: Option<String>,
        digest: Option<String>,
        source_type / "sourceType": Option<String>,
        source: Option<String>,
        schema: Option<String>,
        profile: Option<String>,
    }

    /// A model that was used.
    pub(super) struct ModelInput {
        model_id / "modelId": Option<String>,
    }

    /// What came out of a run.
    pub(super) struct LogOutputs {
        run_id / "runId": Option<String>,
        models: List<ModelOutput>,
    }

    /// A model that was made.
    pub(super) struct ModelOutput {
        model_id / "modelId": Option<String>,
        step: Option<Whole>,
    }
}

/// The uid in the id of a logged model, `m-` and 32 hex digits.
pub(in crate::mlflow) fn model_uid(id: &str) -> Result<EntryUid, RunError> {
    let uid = id.strip_prefix("m-").and_then(|uid| uid.parse().ok());
    uid.ok_or_else(|| RunError::ModelId { id: id.to_owned() })
}

/// The id of a logged model.
pub(in crate::mlflow) fn model_id(uid: EntryUid) -> String {
    format!("m-{uid}")
}

fn dataset(given: DatasetGiven, at: usize) -> Result<Dataset, Refusal> {
    let place = |field: &str| format!("datasets[{at}].dataset.{field}");
    let needed = |field: &'static str, value: Option<String>| {
        let value = value.filter(|value| !value.is_empty());
        value.ok_or_else(|| WireError::missing(place(field)))
    };
    let dataset = Dataset {
        name: needed("name", given.name)?,
        digest: needed("digest", given.digest)?,
        source_type: given.source_type.unwrap_or_default(),
        source: given.source.unwrap_or_default(),
        schema: given.schema,
        profile: given.profile,
    };
    check_length("name", &dataset.name, 500)?;
    check_length("digest", &dataset.digest, 36)?;
    check_length("source", &dataset.source, 65_535)?;
    check_length(
        "schema",
        dataset.schema.as_deref().unwrap_or_default(),
        1_048_575,
    )?;
    check_length(
        "profile",
        dataset.profile.as_deref().unwrap_or_default(),
        16_777_215,
    )?;
    Ok(dataset)
}

type Used = (Dataset, BTreeMap<String, String>);

fn used(given: Vec<DatasetInput>) -> Result<Vec<Used>, Refusal> {
    let uses = given.into_iter().enumerate();
    uses.map(|(at, input)| {
        let given = input.dataset;
        let given = given.ok_or_else(|| WireError::missing(format!("datasets[{at}].dataset")))?;
        let dataset = dataset(given, at)?;
        let mut tags = BTreeMap::new();
        for tag in input.tags.0 {
            let key = tag.key.unwrap_or_default();
            let value = tag.value.unwrap_or_default();
            check_length("key", &key, 255)?;
            check_length("value", &value, 500)?;
            let key = if key == CONTEXT {
                OUR_CONTEXT.to_owned()
            } else {
                key
            };
            tags.insert(key, value);
        }
        Ok((dataset, tags))
    })
    .collect()
}

pub(super) async fn log(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<LogInputs>,
) -> Answered {
    let id = required("run_id", asked.run_id.as_ref())?.to_owned();
    check_run_id(&id)?;
    let used = used(asked.datasets.0)?;
    let models = asked.models.iter().enumerate().map(|(at, model)| {
        let id = model.model_id.as_deref();
        let id = id.ok_or_else(|| WireError::missing(format!("models[{at}].model_id")))?;
        Ok::<_, Refusal>((model_uid(id)?, None))
    });
    let models = models.collect::<Result<Vec<_>, _>>()?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_active(look, &id)?;
        for (dataset, tags) in used {
            let known = (dataset.name.clone(), dataset.digest.clone());
            if !row.state.lineage.datasets.contains_key(&known) {
                let run = row.uid;
                draft.say(Op::UseDataset(Box::new(UseDataset { run, dataset, tags })));
            }
        }
        say_models(
            draft,
            (row.uid, &row.state.lineage),
            (ModelRole::Input, models),
        );
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

fn say_models(
    draft: &mut Draft,
    (run, lineage): (RunUid, &Lineage),
    (role, models): (ModelRole, Vec<(EntryUid, Option<i64>)>),
) {
    for (model, step) in models {
        if !lineage.models.contains_key(&(role, model)) {
            draft.say(Op::LinkModel(LinkModel {
                run,
                model,
                role,
                step,
            }));
        }
    }
}

pub(super) async fn log_outputs(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<LogOutputs>,
) -> Answered {
    let id = required("run_id", asked.run_id.as_ref())?.to_owned();
    if asked.models.is_empty() {
        return Err(WireError::missing("models").into());
    }
    let models = asked.models.iter().enumerate().map(|(at, model)| {
        let id = model.model_id.as_deref();
        let id = id.ok_or_else(|| WireError::missing(format!("models[{at}].model_id")))?;
        let step = model.step.map(|step| step.0);
        Ok::<_, Refusal>((model_uid(id)?, step))
    });
    let models = models.collect::<Result<Vec<_>, _>>()?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_active(look, &id)?;
        say_models(
            draft,
            (row.uid, &row.state.lineage),
            (ModelRole::Output, models),
        );
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}

/// Inputs of a run as they are answered.
#[derive(Serialize)]
pub(super) struct Inputs<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dataset_inputs: Vec<UseTold<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_inputs: Vec<InputTold>,
}

/// Outputs of a run as they are answered.
#[derive(Serialize)]
pub(super) struct Outputs {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_outputs: Vec<OutputTold>,
}

#[derive(Serialize)]
struct UseTold<'a> {
    #[serde(skip_serializing_if = "TagsTold::is_empty")]
    tags: TagsTold<'a>,
    dataset: &'a Dataset,
}

#[derive(Serialize)]
struct InputTold {
    model_id: String,
}

#[derive(Serialize)]
struct OutputTold {
    model_id: String,
    step: i64,
}

struct TagsTold<'a>(&'a BTreeMap<String, String>);

impl TagsTold<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for TagsTold<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Pair<'a> {
            key: &'a str,
            value: &'a str,
        }
        let tags = self.0.iter();
        serializer.collect_seq(tags.map(|(key, value)| Pair {
            key: if key == OUR_CONTEXT { CONTEXT } else { key },
            value,
        }))
    }
}

impl<'a> Inputs<'a> {
    pub(super) fn of(lineage: &'a Lineage) -> Self {
        let uses = lineage.datasets().into_iter();
        let models = lineage.models(ModelRole::Input).into_iter();
        Self {
            dataset_inputs: uses
                .map(|mention| UseTold {
                    tags: TagsTold(&mention.tags),
                    dataset: &mention.dataset,
                })
                .collect(),
            model_inputs: models
                .map(|link| InputTold {
                    model_id: model_id(link.model),
                })
                .collect(),
        }
    }
}

impl Outputs {
    pub(super) fn of(lineage: &Lineage) -> Self {
        let models = lineage.models(ModelRole::Output).into_iter();
        let told = models.map(|link| OutputTold {
            model_id: model_id(link.model),
            step: link.step.unwrap_or_default(),
        });
        Self {
            model_outputs: told.collect(),
        }
    }
}

/// The context that a dataset was used in.
pub(in crate::mlflow) fn context(mention: &UseDataset) -> Option<&str> {
    mention.tags.get(OUR_CONTEXT).map(String::as_str)
}
