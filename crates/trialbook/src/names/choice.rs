//! Runs and experiments among which one is chosen by what people type.
//!
//! Not here: which ones could be meant. Invariant: what is in the bin is chosen only where nothing else bears the
//! name, unless the bin is meant.

use std::collections::BTreeMap;

use anyhow::Result;
use trialbook_model::handle::{self, Candidate, Resolution, RunPart};
use trialbook_model::id::ExperimentNo;
use trialbook_store::nouns::{ExperimentRow, RunRow};

use super::{Found, Preferred};
use crate::failure::Failure;
use crate::titles;

/// Runs and experiments among which one is chosen.
#[derive(Default)]
pub(super) struct Choice {
    pub(super) runs: Vec<RunRow>,
    pub(super) experiments: Vec<ExperimentRow>,
    /// Experiments of the runs.
    pub(super) of_runs: BTreeMap<ExperimentNo, ExperimentRow>,
}

impl Choice {
    pub(super) fn resolution(&self, text: &str) -> Resolution {
        self.among(|candidates| handle::resolve(text, candidates))
    }

    /// The places of those that a text means otherwise than as a glob.
    pub(super) fn verbatim(&self, text: &str) -> Vec<usize> {
        self.among(|candidates| handle::verbatim(text, candidates))
    }

    fn among<T>(&self, ask: impl FnOnce(&[Candidate<'_>]) -> T) -> T {
        let mut uids: Vec<Vec<String>> = Vec::new();
        let mut candidates: Vec<Candidate<'_>> = Vec::new();
        for run in &self.runs {
            candidates.push(run_candidate(run, self.of_runs.get(&run.experiment)));
        }
        for row in &self.experiments {
            uids.push(
                row.state
                    .uids
                    .iter()
                    .skip(1)
                    .map(ToString::to_string)
                    .collect(),
            );
        }
        for (row, aliases) in self.experiments.iter().zip(&uids) {
            candidates.push(experiment_candidate(row, aliases));
        }
        ask(&candidates)
    }

    /// All that a glob matches.
    pub(super) fn matching(&self, text: &str) -> Vec<Found> {
        match self.resolution(text) {
            Resolution::One(at) => vec![self.at(at)],
            Resolution::Many(found) => found.into_iter().map(|at| self.at(at)).collect(),
            Resolution::None { .. } => Vec::new(),
        }
    }

    /// The one that a text means; `None` where there is none.
    pub(super) fn resolve(&self, text: &str, preferred: Preferred) -> Result<Option<Found>> {
        let mut many = match self.resolution(text) {
            Resolution::One(at) => return Ok(Some(self.at(at))),
            Resolution::None { .. } => return Ok(None),
            Resolution::Many(many) => many,
        };
        let wants_bin = preferred == Preferred::Deleted;
        if many.iter().any(|at| self.at(*at).is_deleted() == wants_bin) {
            many.retain(|at| self.at(*at).is_deleted() == wants_bin);
        }
        self.leave_out_namesakes(&mut many);
        if let [only] = many[..] {
            return Ok(Some(self.at(only)));
        }
        let noun = match (self.runs.is_empty(), self.experiments.is_empty()) {
            (false, false) => "run or experiment",
            (false, true) => "run",
            (true, _) => "experiment",
        };
        Err(Failure::Ambiguous {
            noun,
            text: text.to_owned(),
            candidates: many.into_iter().map(|at| self.told(at)).collect(),
        }
        .into())
    }

    /// A run that bears the name of its own experiment gives way to it.
    fn leave_out_namesakes(&self, many: &mut Vec<usize>) {
        let experiments: Vec<ExperimentNo> = many
            .iter()
            .filter_map(|at| self.experiments.get(at.checked_sub(self.runs.len())?))
            .map(|row| row.no)
            .collect();
        many.retain(|at| {
            let of = self.runs.get(*at).map(|run| run.experiment);
            of.is_none_or(|of| !experiments.contains(&of))
        });
    }

    fn at(&self, at: usize) -> Found {
        match at.checked_sub(self.runs.len()) {
            None => Found::Run(Box::new(self.runs[at].clone())),
            Some(at) => Found::Experiment(Box::new(self.experiments[at].clone())),
        }
    }

    fn told(&self, at: usize) -> String {
        match self.at(at) {
            Found::Run(run) => {
                let title = titles::placed(&run, self.of_runs.get(&run.experiment));
                let name = run.state.name().unwrap_or_default();
                format!("run {}  {title}  {name}  {}", run.uid, run.state.status())
            }
            Found::Experiment(row) => {
                let uid = titles::experiment_uid(&row);
                format!("experiment {uid}  {}", titles::experiment(&row))
            }
        }
    }
}

fn run_candidate<'a>(run: &'a RunRow, experiment: Option<&'a ExperimentRow>) -> Candidate<'a> {
    Candidate {
        uid: run.uid.0,
        no: run.no.0,
        project: experiment.map_or("default", |row| row.state.project()),
        handle: experiment.and_then(|row| row.state.handle()),
        experiment: experiment
            .and_then(|row| row.state.name())
            .unwrap_or_default(),
        run: Some(RunPart {
            number: run.number,
            name: run.state.name().unwrap_or_default(),
        }),
        aliases: &[],
    }
}

/// An experiment as it may be named.
pub(super) fn experiment_candidate<'a>(
    row: &'a ExperimentRow,
    aliases: &'a [String],
) -> Candidate<'a> {
    Candidate {
        uid: titles::experiment_uid(row).0,
        no: row.no.0,
        project: row.state.project(),
        handle: row.state.handle(),
        experiment: row.state.name().unwrap_or_default(),
        run: None,
        aliases,
    }
}
