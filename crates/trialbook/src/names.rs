//! From what people type to runs and experiments of a book.
//!
//! The book's index narrows the runs down, the model's rules (`trialbook_model::handle`) decide among them.
//! Not here: those rules. Invariant: narrowing never drops a run that the rules could choose.

mod aliases;
mod choice;
mod globs;
mod narrow;
mod unknown;

pub(crate) use aliases::ALIAS;
use choice::Choice;

use std::collections::BTreeMap;

use anyhow::Result;
use trialbook_model::filter::Expr;
use trialbook_model::handle::{self, Resolution};
use trialbook_model::id::{ExperimentNo, RunNo, RunUid, Uid};
use trialbook_model::state::Annotations;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading;

use crate::failure::Failure;
use crate::{target, titles};

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

impl Found {
    /// Whether it lies in the bin itself.
    pub(crate) fn is_deleted(&self) -> bool {
        self.annotations().flag("deleted")
    }

    /// Its tags, fields and notes.
    pub(crate) fn annotations(&self) -> &Annotations {
        match self {
            Self::Run(run) => &run.state.annotations,
            Self::Experiment(row) => &row.state.annotations,
        }
    }
}

/// What a text is to mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Run,
    Experiment,
}

/// Which of several of one name is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Preferred {
    /// Those that are not in the bin.
    Kept,
    /// Those in the bin.
    Deleted,
}

/// The names of a book.
pub(crate) struct Names<'a, V> {
    view: &'a V,
    preferred: Preferred,
}

impl<'a, V: Reading> Names<'a, V> {
    /// The names of a view.
    pub(crate) const fn new(view: &'a V) -> Self {
        let preferred = Preferred::Kept;
        Self { view, preferred }
    }

    /// The names of a view, where a name means what is in the bin rather than what is not.
    pub(crate) const fn of_bin(view: &'a V) -> Self {
        let preferred = Preferred::Deleted;
        Self { view, preferred }
    }

    /// The run that a text means. The alias of an experiment means its running run, else its only run.
    pub(crate) fn run(&self, text: &str) -> Result<RunRow> {
        let choice = self.narrowed(text)?;
        let found = choice.resolve(text, self.preferred)?;
        match self.or_alias(text, found, Wanted::Run)? {
            Found::Run(run) => Ok(*run),
            Found::Experiment(row) => match self.run_of(&row, text)? {
                Some(run) => Ok(run),
                None => Err(Failure::NoRunYet {
                    experiment: text.to_owned(),
                }
                .into()),
            },
        }
    }

    /// The running run of an experiment, else its only run; `None` where it has none.
    pub(crate) fn run_of(&self, row: &ExperimentRow, text: &str) -> Result<Option<RunRow>> {
        /// More than one is as ambiguous as ten thousand.
        const SOME: usize = 20;
        let of = |filter, limit| Query {
            filter,
            experiments: Some(vec![row.no]),
            limit,
            ..Query::all()
        };
        let running = self.view.search(&of(target::running(), SOME))?.runs;
        let mut found = self.view.runs(&running)?;
        if found.is_empty() {
            let all = self.view.search(&of(Expr::all(), SOME))?.runs;
            found = self.view.runs(&all)?;
        }
        if found.len() < 2 {
            return Ok(found.pop());
        }
        Err(Failure::Ambiguous {
            noun: "run",
            text: text.to_owned(),
            candidates: found
                .iter()
                .map(|run| titles::told(run, Some(row)))
                .collect(),
        }
        .into())
    }

    /// The experiment that a text means.
    pub(crate) fn experiment(&self, text: &str) -> Result<ExperimentRow> {
        let choice = Choice {
            experiments: self.view.experiments()?,
            ..Choice::default()
        };
        let found = choice.resolve(text, self.preferred)?;
        match self.or_alias(text, found, Wanted::Experiment)? {
            Found::Experiment(row) => Ok(*row),
            Found::Run(_) => Err(self.unknown(text, Wanted::Experiment)?.into()),
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
        let found = choice.resolve(text, self.preferred)?;
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
        if let (None, Some(uid)) = (found, self.alias(name)?) {
            let mut all = all.into_iter();
            return Ok(all.find(|row| row.state.uids.iter().any(|it| it.0 == uid)));
        }
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
        if text.len() >= handle::LEAST_PREFIX {
            numbers.extend(self.view.runs_beginning(text, RECENT)?);
        }
        numbers.sort();
        numbers.dedup();
        Ok(numbers)
    }

    /// What was found, else what an alias given by others stands for, else the failure with resembling names.
    fn or_alias(&self, text: &str, found: Option<Found>, wanted: Wanted) -> Result<Found> {
        if let Some(found) = found {
            return Ok(found);
        }
        if let Some(uid) = self.alias(text.trim())? {
            return self.by_uid(text, uid);
        }
        Err(self.unknown(text, wanted)?.into())
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
            None => Err(self.unknown(text, Wanted::Run)?.into()),
        }
    }
}

/// Refuses an experiment that lies in the bin as the place of something new.
pub(crate) fn refuse_bin(row: &ExperimentRow) -> Result<(), Failure> {
    if row.state.annotations.flag("deleted") {
        return Err(Failure::InBin {
            what: format!("experiment {}", titles::experiment(row)),
        });
    }
    Ok(())
}
