//! Searching runs in the plainest way: judge every run, sort all, cut.

use trialbook_model::filter::{compare_rows, holds};
use trialbook_model::state::ProjectState;

use super::Reference;
use crate::index::{ExperimentFacts, RunFacts, RunView};
use crate::query::{Hits, Query};

impl Reference {
    pub(super) fn find(&self, query: &Query) -> Hits {
        let experiments = self.experiment_facts();
        let runs: Vec<RunFacts<'_>> = self.runs.iter().flatten().map(RunFacts::of).collect();
        let views = runs.iter().map(|run| RunView {
            run,
            experiment: &experiments[run.experiment.0 as usize],
        });
        judged(views, query)
    }

    /// What a search knows of the experiments, by number.
    fn experiment_facts(&self) -> Vec<ExperimentFacts> {
        let nothing = ProjectState::default();
        self.experiments
            .iter()
            .map(|row| {
                let project = self.projects.get(row.state.project());
                ExperimentFacts::of(row, project.unwrap_or(&nothing))
            })
            .collect()
    }
}

/// Whether a query looks at a run at all.
fn is_asked(view: &RunView<'_>, query: &Query) -> bool {
    let asked = query
        .experiments
        .as_ref()
        .is_none_or(|experiments| experiments.contains(&view.run.experiment));
    asked && view.is_shown(query.shown)
}

/// Judges every run, sorts all that satisfy, cuts.
pub(crate) fn judged<'a>(views: impl Iterator<Item = RunView<'a>>, query: &Query) -> Hits {
    let mut found: Vec<RunView<'_>> = views
        .filter(|view| is_asked(view, query) && holds(&query.filter, view))
        .collect();
    found.sort_by(|a, b| compare_rows(&query.order, a, b).then(b.run.no.cmp(&a.run.no)));
    Hits {
        total: found.len() as u64,
        runs: found
            .into_iter()
            .skip(query.offset)
            .take(query.limit)
            .map(|view| view.run.no)
            .collect(),
    }
}
