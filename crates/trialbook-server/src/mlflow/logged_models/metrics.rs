//! Metrics of logged models: points that a run logs and that speak of a model, perhaps on a dataset.
//!
//! They are series of the model whose context names the run, unless it is the one that made the model, and the
//! dataset. Invariant: the run's own series has the point, too; here it is told to the model.

use std::collections::BTreeMap;

use trialbook_model::id::RunUid;
use trialbook_model::record::{Op, Points, SeriesKey};
use trialbook_model::time::Timestamp;

use super::find;
use crate::desk::{Draft, Look};
use crate::mlflow::error::Refusal;
use crate::mlflow::metrics::points::Said;
use crate::mlflow::registry::subject;

/// What names the run in a context.
pub(in crate::mlflow) const RUN: &str = "run";

/// Contexts of series of models.
pub(in crate::mlflow) struct Context;

impl Context {
    /// What a context holds.
    pub(in crate::mlflow) fn read(text: &str) -> BTreeMap<String, String> {
        serde_json::from_str(text).unwrap_or_default()
    }

    fn written(map: &BTreeMap<&str, &str>) -> String {
        if map.is_empty() {
            return String::new();
        }
        serde_json::to_string(map).expect("texts can be written as JSON")
    }
}

/// Of what model, and of what dataset, a point speaks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::mlflow) struct About {
    /// The model's id.
    pub model: String,
    /// The dataset's name.
    pub dataset_name: Option<String>,
    /// The dataset's digest.
    pub dataset_digest: Option<String>,
}

impl About {
    /// What a request says; `None` where it names no model.
    pub(in crate::mlflow) fn of(
        model: Option<String>,
        dataset_name: Option<String>,
        dataset_digest: Option<String>,
    ) -> Option<Self> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Some(Self {
            model: given(model)?,
            dataset_name: given(dataset_name),
            dataset_digest: given(dataset_digest),
        })
    }
}

/// Tells models of points that a run logged.
pub(in crate::mlflow) fn say(
    look: &Look<'_>,
    draft: &mut Draft,
    run: RunUid,
    points: &[(About, Said)],
) -> Result<(), Refusal> {
    let run = run.to_string();
    for (about, said) in points {
        let row = find(look, &about.model)?;
        let mut context: BTreeMap<&str, &str> = BTreeMap::new();
        if row.state.text("run") != Some(run.as_str()) {
            context.insert(RUN, &run);
        }
        let name = about.dataset_name.as_deref();
        context.extend(name.map(|name| ("dataset_name", name)));
        let digest = about.dataset_digest.as_deref();
        context.extend(digest.map(|digest| ("dataset_digest", digest)));
        let key = SeriesKey {
            key: said.key.clone(),
            context: Context::written(&context),
        };
        draft.say(Op::Points(Points {
            subject: subject(&row),
            step: said.step,
            time: Timestamp::from_millis(said.timestamp),
            set: true,
            values: vec![(key, said.value)],
        }));
    }
    Ok(())
}
