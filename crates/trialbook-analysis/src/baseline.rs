//! Which of several the others are compared with: the one asked for, else a marked one.
//!
//! Marks count in this order: those of experiments, those of tasks by name, the variation that a config marks. A mark
//! of a run means the run, else the arm that holds it. Invariant: nothing else decides it, so that every comparison of
//! the same runs has the same baseline.

use std::collections::BTreeSet;

use trialbook_model::id::{ExperimentNo, Uid};
use trialbook_model::state::Baseline as Mark;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading;

use crate::finding::Because;
use crate::variations::config_of;

/// One of those that are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place<'a> {
    /// What it is called.
    pub title: &'a str,
    /// The arm; `None` for a single run.
    pub arm: Option<&'a str>,
    /// Its experiment.
    pub experiment: ExperimentNo,
    /// Its runs.
    pub runs: &'a [RunRow],
}

/// The one that the others are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its place.
    pub at: usize,
    /// Why it is this one.
    pub because: Because,
    /// The name that led to it: the one asked for, or that of a task's mark.
    pub name: Option<String>,
}

/// Finds it. `None` where the one asked for is not among the places, or none is marked.
///
/// # Errors
/// What the reading says.
pub fn choose<R: Reading>(
    reading: &R,
    experiments: &[&ExperimentRow],
    places: &[Place<'_>],
    asked: Option<&str>,
) -> Result<Option<Chosen>, R::Error> {
    let marks = marks(reading, experiments)?;
    let among = Among {
        experiments,
        places,
    };
    if let Some(asked) = asked {
        let by_mark = || {
            let mut named = marks.iter();
            let (_, mark) = named.find(|(name, _)| name.as_deref() == Some(asked))?;
            among.marked(mark)
        };
        return Ok(among.called(asked).or_else(by_mark).map(|at| Chosen {
            at,
            because: Because::Asked,
            name: Some(asked.to_owned()),
        }));
    }
    let mut marks = marks.into_iter();
    let found = marks.find_map(|(name, mark)| Some((among.marked(&mark)?, name)));
    let found = found.or_else(|| among.configured().map(|at| (at, None)));
    Ok(found.map(|(at, name)| Chosen {
        at,
        because: Because::Marked,
        name,
    }))
}

/// The marks of the projects: those of experiments, which have no name, come first, then tasks by name.
fn marks<R: Reading>(
    reading: &R,
    experiments: &[&ExperimentRow],
) -> Result<Vec<(Option<String>, Mark)>, R::Error> {
    let mut marks = Vec::new();
    let mut projects: BTreeSet<&str> = BTreeSet::new();
    for row in experiments {
        projects.insert(row.state.project());
        let project = reading.project(row.state.project())?;
        marks.extend(project.baseline_of(&row.state).map(|mark| (None, mark)));
    }
    // The mark of an experiment bears its uid, which names no task.
    let is_own = |name: &str| name.parse::<Uid>().is_ok();
    for project in projects {
        let state = reading.project(project)?;
        let tasks = state.baselines().filter(|(name, _)| !is_own(name));
        marks.extend(tasks.map(|(name, mark)| (Some(name.to_owned()), mark)));
    }
    Ok(marks)
}

struct Among<'a> {
    experiments: &'a [&'a ExperimentRow],
    places: &'a [Place<'a>],
}

impl Among<'_> {
    fn position(&self, is_it: impl Fn(&Place<'_>) -> bool) -> Option<usize> {
        self.places.iter().position(is_it)
    }

    /// By title, by the beginning of the only run's id.
    fn called(&self, name: &str) -> Option<usize> {
        let by_id = |place: &Place<'_>| {
            let run = place.runs.first().filter(|_| place.arm.is_none());
            run.is_some_and(|run| run.uid.to_string().starts_with(name))
        };
        self.position(|place| place.title == name)
            .or_else(|| self.position(by_id))
    }

    fn marked(&self, mark: &Mark) -> Option<usize> {
        match mark {
            Mark::Run(run) => {
                let holds = |place: &Place<'_>| place.runs.iter().any(|it| it.uid == *run);
                self.position(|place| place.arm.is_none() && holds(place))
                    .or_else(|| self.position(holds))
            }
            Mark::Variation { experiment, name } => {
                let mut rows = self.experiments.iter();
                let row = rows.find(|row| row.state.uids.contains(experiment))?;
                self.arm(row, name)
            }
        }
    }

    fn arm(&self, of: &ExperimentRow, name: &str) -> Option<usize> {
        self.position(|place| place.experiment == of.no && place.arm == Some(name))
    }

    /// The variation that a config marks.
    fn configured(&self) -> Option<usize> {
        self.experiments.iter().find_map(|row| {
            let config = config_of(row)?;
            let marked = config.variations.iter().find(|it| it.baseline)?;
            self.arm(row, &marked.name)
        })
    }
}
