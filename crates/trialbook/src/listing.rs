//! Tables of runs, as `list`, `search` and the overview show them.
//!
//! Invariant: the short ids of one table are unique among its rows.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use trialbook_analysis::ExperimentStatus;
use trialbook_model::id::{ExperimentNo, RunNo};
use trialbook_model::stale::stale_since;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading;

use crate::book::View;
use crate::context::Context;
use crate::documents::{RunHead, duration};
use crate::figures::count;
use crate::printer::{Column, Style, Table};
use crate::{titles, when};

/// Runs with the experiments that they belong to.
pub(crate) struct Listing {
    /// The runs, in the order of the table.
    pub(crate) runs: Vec<RunRow>,
    experiments: BTreeMap<ExperimentNo, ExperimentRow>,
}

impl Listing {
    /// Reads runs by their numbers.
    pub(crate) fn read<V: Reading>(view: &V, numbers: &[RunNo]) -> Result<Self> {
        let runs = view.runs(numbers)?;
        let mut experiments = BTreeMap::new();
        for run in &runs {
            if !experiments.contains_key(&run.experiment)
                && let Some(row) = view.experiment(run.experiment)?
            {
                experiments.insert(run.experiment, row);
            }
        }
        Ok(Self { runs, experiments })
    }

    /// The experiment of a run.
    pub(crate) fn experiment_of(&self, run: &RunRow) -> Option<&ExperimentRow> {
        self.experiments.get(&run.experiment)
    }

    /// The heads of the runs.
    pub(crate) fn heads(&self, now: Timestamp) -> Vec<RunHead> {
        let head = |run| RunHead::of(run, self.experiment_of(run), now);
        self.runs.iter().map(head).collect()
    }

    /// What several of the experiments are called, being of different projects.
    fn namesakes(&self) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let paths = self.experiments.values().map(titles::path);
        paths.filter(|path| !seen.insert(*path)).collect()
    }

    /// The table, with further columns.
    pub(crate) fn table(&self, now: Timestamp, more: &[More<'_>]) -> Table {
        let mut columns = vec![
            Column::whole("ID"),
            Column::text("RUN"),
            Column::text("NAME"),
            Column::whole("STATUS"),
            Column::whole("STARTED"),
            Column::number("AGE"),
            Column::number("TOOK"),
        ];
        columns.extend(more.iter().map(|more| Column::number(more.title)));
        let mut table = Table::new(columns);
        let ids = titles::short_ids(self.runs.iter().map(|run| run.uid.0));
        let namesakes = self.namesakes();
        for run in &self.runs {
            let experiment = self.experiment_of(run);
            let title = match experiment {
                Some(row) if namesakes.contains(titles::path(row)) => {
                    titles::placed(run, experiment)
                }
                Some(_) | None => titles::run(run, experiment),
            };
            let started = run.state.started();
            let (style, status) = status(run, now);
            let mut cells = vec![
                (
                    Style::Yellow,
                    ids.get(&run.uid.0).cloned().unwrap_or_default(),
                ),
                (Style::Plain, title),
                (
                    Style::Plain,
                    run.state.name().unwrap_or_default().to_owned(),
                ),
                (style, status),
                (Style::Plain, started.map(when::local).unwrap_or_default()),
                (
                    Style::Dim,
                    started.map(|time| when::age(time, now)).unwrap_or_default(),
                ),
                (Style::Plain, took(run, now)),
            ];
            cells.extend(more.iter().map(|more| (Style::Plain, (more.cell)(run))));
            table.styled_row(cells);
        }
        table
    }
}

/// Says of runs that cannot be read that they are left out; gives how many.
pub(crate) fn tell_unreadable(view: &View<'_>, cx: &Context) -> Result<u64> {
    let unreadable = view.damaged()?.len() as u64;
    if unreadable > 0 && !cx.printer.json_wanted() {
        let runs = count(unreadable, "run");
        cx.printer.warn(&format!(
            "{runs} could not be read: the records are damaged; `trialbook doctor` names what is lost"
        ));
    }
    Ok(unreadable)
}

/// A further column.
pub(crate) struct More<'a> {
    /// Its title.
    pub(crate) title: &'a str,
    /// Its cell of a run.
    pub(crate) cell: Box<dyn Fn(&RunRow) -> String + 'a>,
}

/// The state of a run as it is shown: `stale` for a running one that is silent for too long.
pub(crate) fn status(run: &RunRow, now: Timestamp) -> (Style, String) {
    let status = run.state.status();
    if stale_since(&run.state, now).is_some() {
        return (Style::Yellow, "stale".to_owned());
    }
    let style = match status {
        RunStatus::Queued => Style::Dim,
        RunStatus::Running => Style::Cyan,
        RunStatus::Completed => Style::Green,
        RunStatus::Failed => Style::Red,
        RunStatus::Cancelled => Style::Yellow,
    };
    (style, status.word().to_owned())
}

/// The word for the state of an experiment.
pub(crate) const fn experiment_status(of: ExperimentStatus) -> (Style, &'static str) {
    let style = match of {
        ExperimentStatus::Planned | ExperimentStatus::Queued => Style::Dim,
        ExperimentStatus::Running => Style::Cyan,
        ExperimentStatus::Completed => Style::Green,
        ExperimentStatus::Failed => Style::Red,
        ExperimentStatus::Cancelled => Style::Yellow,
    };
    (style, of.word())
}

/// How long it took, or has been running.
pub(crate) fn took(run: &RunRow, now: Timestamp) -> String {
    if let Some(micros) = duration(run) {
        return when::span(micros);
    }
    match (run.state.status(), run.state.started()) {
        (RunStatus::Running, Some(started)) if stale_since(&run.state, now).is_none() => {
            format!("{} …", when::span(now.0.saturating_sub(started.0)))
        }
        (
            RunStatus::Running
            | RunStatus::Queued
            | RunStatus::Completed
            | RunStatus::Failed
            | RunStatus::Cancelled,
            Some(_) | None,
        ) => String::new(),
    }
}
