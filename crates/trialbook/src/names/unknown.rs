//! What could be meant by a name that means nothing: names that resemble it, and the newest there are.
//!
//! Only for those who have mistyped, so that it may look at more than finding a name does. Invariant: what is
//! proposed can be typed, and means one thing.

use anyhow::Result;
use trialbook_model::handle::{self, Resolution};
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading;

use super::{Choice, Names, RECENT, Wanted};
use crate::failure::Failure;
use crate::titles;

/// How many of each are proposed.
const SOME: usize = 3;

/// What could be meant.
#[derive(Debug, Default)]
struct Proposals {
    /// What resembles the text, the most alike first.
    nearest: Vec<String>,
    /// The experiment whose newest runs are told, where its name is known.
    of: Option<String>,
    /// The newest runs, or experiments.
    last: Vec<String>,
}

impl<V: Reading> Names<'_, V> {
    /// The failure that tells of a name that means nothing.
    pub(super) fn unknown(&self, text: &str, wanted: Wanted) -> Result<Failure> {
        let (noun, found) = match wanted {
            Wanted::Experiment => ("experiment", self.experiments_like(text)?),
            Wanted::Run => ("run", self.runs_like(text.trim())?),
        };
        let Proposals { nearest, of, last } = found;
        Ok(Failure::UnknownName {
            noun,
            text: text.to_owned(),
            last: last
                .into_iter()
                .filter(|it| !nearest.contains(it))
                .collect(),
            nearest,
            of,
        })
    }

    fn experiments_like(&self, text: &str) -> Result<Proposals> {
        let choice = Choice {
            experiments: self.view.experiments()?,
            ..Choice::default()
        };
        let mut rows: Vec<&ExperimentRow> = choice
            .experiments
            .iter()
            .filter(|row| !row.state.annotations.flag("deleted"))
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.no));
        let last = rows.into_iter().take(SOME);
        Ok(Proposals {
            last: last.map(|row| titles::path(row).to_owned()).collect(),
            nearest: nearest(&choice, text),
            of: None,
        })
    }

    fn runs_like(&self, text: &str) -> Result<Proposals> {
        let mut all = self.choice(&self.newest(None, RECENT)?)?;
        all.experiments = self.view.experiments()?;
        let experiments = Choice {
            experiments: all.experiments.clone(),
            ..Choice::default()
        };
        // Both names may hold slashes: the longest path that is known counts.
        let cuts: Vec<(&str, &str)> = text
            .match_indices('/')
            .map(|(at, _)| (&text[..at], &text[at + 1..]))
            .collect();
        for (path, rest) in cuts.iter().rev() {
            if let Resolution::One(at) = experiments.resolution(path) {
                return self.runs_of_known((path, rest), &experiments.experiments[at]);
            }
        }
        let mut proposals = Proposals {
            nearest: nearest(&all, text),
            ..Proposals::default()
        };
        for (path, rest) in cuts.iter().rev() {
            for alike in nearest(&experiments, path) {
                let whole = format!("{alike}/{rest}");
                let is_there = matches!(
                    self.narrowed(&whole)?.resolution(&whole),
                    Resolution::One(_)
                );
                let proposed = if is_there { whole } else { alike };
                proposals.nearest.retain(|it| *it != proposed);
                proposals.nearest.insert(0, proposed);
            }
        }
        proposals.nearest.truncate(SOME);
        proposals.last = newest_of(&all.runs, |run| {
            titles::run(run, all.of_runs.get(&run.experiment))
        });
        Ok(proposals)
    }

    /// Runs of an experiment that is there, of which one is named that is not.
    fn runs_of_known(&self, (path, rest): (&str, &str), of: &ExperimentRow) -> Result<Proposals> {
        let runs = self.choice(&self.newest(Some(of.no), RECENT)?)?;
        let title = |run: &RunRow| titles::run(run, Some(of));
        let nearest = match handle::parse_run_label(rest) {
            Some(wanted) => {
                let numbered = runs.runs.iter().filter_map(|run| Some((run.number?, run)));
                let mut apart: Vec<_> = numbered
                    .map(|(number, run)| (number.abs_diff(wanted), run))
                    .collect();
                apart.sort_by_key(|(apart, run)| (*apart, run.no));
                let alike = apart.into_iter().take(1);
                alike.map(|(_, run)| title(run)).collect()
            }
            None => nearest(&runs, rest)
                .into_iter()
                .filter(|name| runs.runs.iter().any(|run| run.state.name() == Some(name)))
                .map(|name| format!("{path}/{name}"))
                .collect(),
        };
        Ok(Proposals {
            nearest,
            of: Some(path.to_owned()),
            last: newest_of(&runs.runs, title),
        })
    }
}

fn nearest(choice: &Choice, text: &str) -> Vec<String> {
    match choice.resolution(text) {
        Resolution::None { nearest } => nearest,
        Resolution::One(_) | Resolution::Many(_) => Vec::new(),
    }
}

fn newest_of(runs: &[RunRow], title: impl Fn(&RunRow) -> String) -> Vec<String> {
    let mut runs: Vec<&RunRow> = runs.iter().collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.no));
    runs.into_iter().take(SOME).map(title).collect()
}
