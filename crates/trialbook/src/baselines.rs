//! Baselines as they are told: what is marked for an experiment or a task.
//!
//! Not here: marking. Invariant: a mark of what is gone is told as gone, not left out.

use anyhow::Result;
use serde::Serialize;
use trialbook_model::state::Baseline;
use trialbook_store::nouns::{ExperimentRow, RunRow};
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

impl Document {
    /// As people read it where its experiment has been named.
    pub(crate) fn told_within(&self) -> String {
        match (&self.run, &self.variation) {
            (None, Some(variation)) => format!("variation {variation}"),
            (Some(_), _) | (None, None) => self.told(),
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

/// The experiments, by project and name, and the tasks whose baseline a run is, alone or as one of its variation.
pub(crate) fn of_run<V: Reading>(
    view: &V,
    run: &RunRow,
    experiment: &ExperimentRow,
) -> Result<Vec<String>> {
    let project = view.project(experiment.state.project())?;
    let variation = run.state.start().and_then(|start| start.variation.as_ref());
    let is_it = |baseline: &Baseline| match baseline {
        Baseline::Run(uid) => *uid == run.uid,
        Baseline::Variation {
            experiment: of,
            name,
        } => experiment.state.uids.contains(of) && variation == Some(name),
    };
    let mut all = Vec::new();
    if project
        .baseline_of(&experiment.state)
        .as_ref()
        .is_some_and(is_it)
    {
        all.push(titles::experiment(experiment));
    }
    let uids: Vec<String> = experiment
        .state
        .uids
        .iter()
        .map(ToString::to_string)
        .collect();
    let tasks = project.baselines();
    let tasks = tasks.filter(|(name, _)| !uids.iter().any(|uid| uid == name));
    all.extend(
        tasks
            .filter(|(_, baseline)| is_it(baseline))
            .map(|(name, _)| name.to_owned()),
    );
    Ok(all)
}
