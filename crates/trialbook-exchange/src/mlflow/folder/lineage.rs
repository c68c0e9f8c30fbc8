//! Datasets and models that a run of a folder used or made.
//!
//! Invariant: a dataset that a run speaks of and that is not there is damage of the run.

use std::collections::BTreeMap;

use serde_json::Value;
use trialbook_model::record::{Dataset, ModelRole};

use super::super::store::{Link, Use};
use super::super::words;
use super::{Meta, Spot};
use crate::error::ImportError;

/// The datasets that a run used, which stand beside the runs.
pub(super) fn datasets(run: &Spot) -> Result<Vec<Use>, ImportError> {
    let mut uses = Vec::new();
    for folder in run.join("inputs").folders()? {
        let meta = Meta::read(&folder)?;
        if meta.text("source_type").as_deref() != Some("DATASET") {
            continue;
        }
        let id = meta
            .text("source_id")
            .ok_or_else(|| meta.wrong("source_id", "an id"))?;
        let dataset = Meta::read(&run.join("../datasets").join(id))?;
        let text = |key: &str| dataset.text(key).unwrap_or_default();
        uses.push(Use {
            dataset: Dataset {
                name: text("name"),
                digest: text("digest"),
                source_type: text("source_type"),
                source: text("source"),
                schema: dataset.text("schema"),
                profile: dataset.text("profile"),
            },
            tags: words::use_tags(pairs(meta.map.get("tags"))),
        });
    }
    Ok(uses)
}

/// The models that a run used or made.
pub(super) fn models(run: &Spot) -> Result<Vec<Link>, ImportError> {
    let mut links = Vec::new();
    for (folder, role) in [("inputs", ModelRole::Input), ("outputs", ModelRole::Output)] {
        for folder in run.join(folder).folders()? {
            let meta = Meta::read(&folder)?;
            let is_model =
                role == ModelRole::Output || meta.text("source_type").as_deref() == Some("MODEL");
            let model = meta.text("destination_id").filter(|_| is_model);
            if let Some(model) = model {
                let step = meta.number("step")?.filter(|_| role == ModelRole::Output);
                links.push(Link { role, model, step });
            }
        }
    }
    Ok(links)
}

fn pairs(value: Option<&Value>) -> BTreeMap<String, String> {
    let map = value.and_then(Value::as_object);
    let texts = map.into_iter().flatten().map(|(key, value)| {
        let text = value.as_str().unwrap_or_default();
        (key.clone(), text.to_owned())
    });
    texts.collect()
}
