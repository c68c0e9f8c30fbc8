//! From what people type to runs and experiments of a book.
//!
//! The book's index narrows the runs down, the model's rules (`trialbook_model::handle`) decide among them.
//! Not here: those rules. Invariant: narrowing never drops a run that the rules could choose.

mod narrow;

use std::collections::BTreeMap;

use anyhow::Result;
use trialbook_model::handle::{self, Candidate, Resolution, RunPart};
use trialbook_model::id::{ExperimentNo, RunNo, RunUid, Uid};
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;

use crate::failure::Failure;
use crate::titles;

/// Runs whose names are looked at for one that resembles a name that was not found.
const RECENT: usize = 1_000;

/// What a text may mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    /// A run.
    Run(Box<RunRow>),
    /// An experiment.
    Experiment(Box<ExperimentRow>),
}

/// What a text is to mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Run,
    Experiment,
}

/// The names of a book.
pub(crate) struct Names<'a, V> {
    view: &'a V,
}

/// Runs and experiments among which one is chosen.
#[derive(Default)]
struct Choice {
    runs: Vec<RunRow>,
    experiments: Vec<ExperimentRow>,
    /// Experiments of the runs.
    of_runs: BTreeMap<ExperimentNo, ExperimentRow>,
}

impl<'a, V: Reading> Names<'a, V> {
    /// The names of a view.
    pub(crate) const fn new(view: &'a V) -> Self {
        Self { view }
    }

    /// The run that a text means.
    pub(crate) fn run(&self, text: &str) -> Result<RunRow> {
        let choice = self.narrowed(text)?;
        let found = choice.resolve(text)?;
        match self.or_alias(text, found, Wanted::Run)? {
            Found::Run(run) => Ok(*run),
            Found::Experiment(_) => Err(unknown("run", text, Vec::new())),
        }
    }

    /// All runs that a text means: one, those of a glob, or those of an experiment.
    pub(crate) fn runs(&self, text: &str) -> Result<Vec<RunRow>> {
        let choice = self.narrowed(text)?;
        match choice.resolution(text) {
            Resolution::Many(found) if handle::is_glob(text) => Ok(found
                .into_iter()
                .map(|at| choice.runs[at].clone())
                .collect()),
            Resolution::One(_) | Resolution::Many(_) | Resolution::None { .. } => {
                Ok(vec![self.run(text)?])
            }
        }
    }

    /// The experiment that a text means.
    pub(crate) fn experiment(&self, text: &str) -> Result<ExperimentRow> {
        let choice = Choice {
            experiments: self.view.experiments()?,
            ..Choice::default()
        };
        let found = choice.resolve(text)?;
        match self.or_alias(text, found, Wanted::Experiment)? {
            Found::Experiment(row) => Ok(*row),
            Found::Run(_) => Err(unknown("experiment", text, Vec::new())),
        }
    }

    /// The run or experiment that a text means.
    pub(crate) fn any(&self, text: &str) -> Result<Found> {
        let mut choice = self.narrowed(text)?;
        // `latest` and whole ids of runs mean runs alone: a loop that logs does not read all experiments.
        let is_whole = choice.runs.len() == 1 && text.trim().parse::<Uid>().is_ok();
        if text.trim() != "latest" && !is_whole {
            choice.experiments = self.view.experiments()?;
        }
        let found = choice.resolve(text)?;
        self.or_alias(text, found, Wanted::Run)
    }

    /// The experiment that is called exactly so in a project, by name or by its own id.
    pub(crate) fn experiment_called(
        &self,
        project: &str,
        name: &str,
    ) -> Result<Option<ExperimentRow>> {
        let by_name =
            |row: &ExperimentRow| row.state.project() == project && row.state.name() == Some(name);
        let by_id = |row: &ExperimentRow| {
            let own = row
                .state
                .handle()
                .is_some_and(|it| it.eq_ignore_ascii_case(name));
            own || row.state.uids.iter().any(|uid| uid.to_string() == name)
        };
        let all = self.view.experiments()?;
        let found = all
            .iter()
            .find(|row| by_name(row))
            .or_else(|| all.iter().find(|row| by_id(row)));
        Ok(found.cloned())
    }

    /// What the index finds for a text: every run that could be meant.
    fn narrowed(&self, text: &str) -> Result<Choice> {
        let text = text.trim();
        let numbers = if text == "latest" {
            self.newest(None, 1)?
        } else if let Ok(uid) = text.to_ascii_lowercase().parse::<Uid>() {
            self.view.run_no(RunUid(uid))?.into_iter().collect()
        } else {
            let mut numbers = self.matching(text)?;
            if let Some(path) = text.strip_suffix("/latest") {
                let of = Choice {
                    experiments: self.view.experiments()?,
                    ..Choice::default()
                };
                if let Resolution::One(at) = of.resolution(path) {
                    numbers.extend(self.newest(Some(of.experiments[at].no), 1)?);
                    numbers.sort();
                    numbers.dedup();
                }
            }
            numbers
        };
        self.choice(&numbers)
    }

    fn choice(&self, numbers: &[RunNo]) -> Result<Choice> {
        let runs = self.view.runs(numbers)?;
        let mut of_runs = BTreeMap::new();
        for run in &runs {
            if !of_runs.contains_key(&run.experiment)
                && let Some(row) = self.view.experiment(run.experiment)?
            {
                of_runs.insert(run.experiment, row);
            }
        }
        Ok(Choice {
            runs,
            of_runs,
            ..Choice::default()
        })
    }

    fn newest(&self, of: Option<ExperimentNo>, limit: usize) -> Result<Vec<RunNo>> {
        let query = Query {
            experiments: of.map(|no| vec![no]),
            shown: Shown::WithArchived,
            limit,
            ..Query::all()
        };
        Ok(self.view.search(&query)?.runs)
    }

    fn matching(&self, text: &str) -> Result<Vec<RunNo>> {
        let query = Query {
            filter: narrow::could_mean(text),
            shown: Shown::All,
            ..Query::all()
        };
        let mut numbers = self.view.search(&query)?.runs;
        numbers.sort();
        Ok(numbers)
    }

    /// What was found, else what an alias given by others stands for, else the failure with resembling names.
    fn or_alias(&self, text: &str, found: Option<Found>, wanted: Wanted) -> Result<Found> {
        if let Some(found) = found {
            return Ok(found);
        }
        let place = ("alias".to_owned(), text.trim().to_owned());
        for project in self.view.projects()? {
            let state = self.view.project(&project)?;
            let uid = state
                .pointers
                .get(&place)
                .and_then(|it| it.value.as_str()?.parse::<Uid>().ok());
            if let Some(uid) = uid {
                return self.by_uid(text, uid);
            }
        }
        let mut resembling = self.choice(&match wanted {
            Wanted::Experiment => Vec::new(),
            Wanted::Run => self.newest(None, RECENT)?,
        })?;
        resembling.experiments = self.view.experiments()?;
        let nearest = match resembling.resolution(text) {
            Resolution::None { nearest } => nearest,
            Resolution::One(_) | Resolution::Many(_) => Vec::new(),
        };
        let noun = match wanted {
            Wanted::Experiment => "experiment",
            Wanted::Run => "run",
        };
        Err(unknown(noun, text, nearest))
    }

    fn by_uid(&self, text: &str, uid: Uid) -> Result<Found> {
        if let Some(no) = self.view.run_no(RunUid(uid))?
            && let Some(run) = self.view.runs(&[no])?.pop()
        {
            return Ok(Found::Run(Box::new(run)));
        }
        let mut all = self.view.experiments()?.into_iter();
        match all.find(|row| row.state.uids.iter().any(|it| it.0 == uid)) {
            Some(row) => Ok(Found::Experiment(Box::new(row))),
            None => Err(unknown("run", text, Vec::new())),
        }
    }
}

fn unknown(noun: &'static str, text: &str, nearest: Vec<String>) -> anyhow::Error {
    Failure::Unknown {
        noun,
        text: text.to_owned(),
        nearest,
    }
    .into()
}

impl Choice {
    fn resolution(&self, text: &str) -> Resolution {
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
        handle::resolve(text, &candidates)
    }

    /// The one that a text means; `None` where there is none.
    fn resolve(&self, text: &str) -> Result<Option<Found>> {
        let many = match self.resolution(text) {
            Resolution::One(at) => return Ok(Some(self.at(at))),
            Resolution::None { .. } => return Ok(None),
            Resolution::Many(many) => many,
        };
        let noun = match (self.runs.is_empty(), self.experiments.is_empty()) {
            (false, false) => "noun",
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

    fn at(&self, at: usize) -> Found {
        match at.checked_sub(self.runs.len()) {
            None => Found::Run(Box::new(self.runs[at].clone())),
            Some(at) => Found::Experiment(Box::new(self.experiments[at].clone())),
        }
    }

    fn told(&self, at: usize) -> String {
        match self.at(at) {
            Found::Run(run) => {
                let title = titles::run(&run, self.of_runs.get(&run.experiment));
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

fn experiment_candidate<'a>(row: &'a ExperimentRow, aliases: &'a [String]) -> Candidate<'a> {
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
