//! Baselines as they are told: what is marked for an experiment or a task.
//!
//! Not here: marking. Invariant: a mark of what is gone is told as gone, not left out.

use anyhow::Result;
use serde::Serialize;
use trialbook_model::state::Baseline;
use trialbook_store::reading::Reading;

use crate::titles;

/// A baseline as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Document {
    /// The run's id.
    run: Option<String>,
    /// The run, or the experiment of the variation, as it is called.
    title: Option<String>,
    variation: Option<String>,
}

impl Document {
    /// As people read it.
    pub(crate) fn told(&self) -> String {
        match (&self.title, &self.run, &self.variation) {
            (Some(title), Some(_), _) => format!("run {title}"),
            (Some(title), None, Some(variation)) => format!("variation {variation} of {title}"),
            (None, Some(run), _) => format!("run {run}, which is gone"),
            (_, None, _) => "gone".to_owned(),
        }
    }
}

/// A baseline as JSON.
pub(crate) fn document<V: Reading>(view: &V, baseline: &Baseline) -> Result<Document> {
    Ok(match baseline {
        Baseline::Run(uid) => {
            let no = view.run_no(*uid)?;
            let run = view.runs(&no.into_iter().collect::<Vec<_>>())?.pop();
            let title = match &run {
                Some(run) => {
                    let experiment = view.experiment(run.experiment)?;
                    Some(titles::run(run, experiment.as_ref()))
                }
                None => None,
            };
            Document {
                run: Some(uid.to_string()),
                title,
                variation: None,
            }
        }
        Baseline::Variation { experiment, name } => {
            let all = view.experiments()?;
            let row = all.iter().find(|row| row.state.uids.contains(experiment));
            Document {
                run: None,
                title: row.map(titles::experiment),
                variation: Some(name.clone()),
            }
        }
    })
}
