//! Everything of a book, or of some experiments and runs of it, as a stream of records.
//!
//! First experiments by their creation, then runs by their first sign of life, each with its state, its logs,
//! items, judgements, events, then its points; then entries of the register by their creation, then projects, whose pointers lead to them; last what this
//! version does not know. The order follows from what is recorded, never from the numbers that a book gives.
//! Runs whose rows are damaged are left out; the view knows them. Not here: files.
//! Invariant: taking the stream into an empty book gives a book that gives the same stream; no more than one
//! run's records of one kind, and some millions of points, are in memory.

pub(crate) mod points;
mod states;
pub(crate) mod whole;

use std::cell::RefCell;
use std::collections::BTreeSet;

use trialbook_model::id::{EntryUid, ExperimentNo, ExperimentUid, RunNo, RunUid, Uid};
use trialbook_model::record::{EntryKind, Op, Subject};
use trialbook_model::state::{ProjectState, Records, Stamp};
use trialbook_model::time::Timestamp;
use trialbook_store::BookError;
use trialbook_store::nouns::{EntryRow, ExperimentRow, Owner, Recorded, RunRow};
use trialbook_store::query::{Entries, Query, Shown};
use trialbook_store::reading::Reading;

use crate::record::{Record, Said};
use states::Told;

/// Rows read at once.
const ROWS: usize = 256;

/// What is wanted of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Everything, the bin and what this version does not know too.
    All,
    /// Some experiments with all their runs, and some runs with what is known of their experiments.
    Some {
        /// Experiments with all their runs.
        experiments: BTreeSet<ExperimentNo>,
        /// Single runs.
        runs: BTreeSet<RunNo>,
    },
}

/// Where a stream goes.
pub type Sink<'s, E> = &'s mut dyn FnMut(Record) -> Result<(), E>;

/// Makes the stream of a book.
pub struct Gather<'a, V> {
    view: &'a V,
    /// Snapshots whose documents were given.
    given: RefCell<BTreeSet<String>>,
}

impl<'a, V: Reading<Error = BookError>> Gather<'a, V> {
    /// The stream of a view.
    pub fn new(view: &'a V) -> Self {
        Self {
            view,
            given: RefCell::default(),
        }
    }

    /// Gives all records of what is wanted.
    pub fn records<E: From<BookError>>(
        &self,
        wanted: &Selection,
        sink: Sink<'_, E>,
    ) -> Result<(), E> {
        let experiments = self.experiments(wanted)?;
        let runs = self.runs(wanted)?;
        let uids = runs.iter().map(|(_, uid, _)| uid.0);
        let of_experiments = experiments.iter().flat_map(|row| &row.state.uids);
        let there: BTreeSet<Uid> = uids.chain(of_experiments.map(|uid| uid.0)).collect();
        for row in &experiments {
            self.experiment(row, sink)?;
        }
        for some in runs.chunks(ROWS) {
            let numbers: Vec<RunNo> = some.iter().map(|(_, _, no)| *no).collect();
            for row in self.view.runs(&numbers)? {
                self.run(&row, sink)?;
            }
        }
        for row in self.entries(wanted, &experiments, &there)? {
            self.entry(&row, sink)?;
        }
        for name in self.projects(wanted, &experiments)? {
            match wanted {
                Selection::All => self.project(&name, &self.view.project(&name)?, sink)?,
                Selection::Some { .. } => self.pointers(&name, &there, sink)?,
            }
        }
        match wanted {
            Selection::All => self.unknown(sink),
            Selection::Some { .. } => Ok(()),
        }
    }

    /// Gives the records of a project.
    pub fn project<E: From<BookError>>(
        &self,
        name: &str,
        state: &ProjectState,
        sink: Sink<'_, E>,
    ) -> Result<(), E> {
        let subject = Subject::Project(name.to_owned());
        say(states::of_project(name, &subject, state), sink)?;
        let owner = Owner::Project(name.to_owned());
        self.recorded(&owner, &subject, &state.records, sink)
    }

    /// Gives what a project says of some experiments and runs: definitions of metrics, and pointers that lead
    /// to them.
    pub fn pointers<E: From<BookError>>(
        &self,
        project: &str,
        there: &BTreeSet<Uid>,
        sink: Sink<'_, E>,
    ) -> Result<(), E> {
        let state = points_to(self.view.project(project)?, there);
        self.project(project, &state, sink)
    }

    /// Gives the records of an experiment, without its runs.
    pub fn experiment<E: From<BookError>>(
        &self,
        row: &ExperimentRow,
        sink: Sink<'_, E>,
    ) -> Result<(), E> {
        let uid = row.state.uids.first().copied().unwrap_or_default();
        let subject = Subject::Experiment(uid);
        say(states::of_experiment(uid, &row.state), sink)?;
        let owner = Owner::Experiment(row.no);
        self.recorded(&owner, &subject, &row.state.records, sink)
    }

    /// Gives the records of an entry of the register, its secret apart.
    pub fn entry<E: From<BookError>>(&self, row: &EntryRow, sink: Sink<'_, E>) -> Result<(), E> {
        let uid = row.state.uids.first().copied().unwrap_or(row.uid);
        let subject = Subject::Entry(uid);
        say(states::of_entry(uid, row), sink)?;
        self.recorded(&Owner::Entry(row.no), &subject, &row.state.records, sink)
    }

    /// The logged models of an experiment that come from runs that are there, or from none.
    pub fn models(
        &self,
        experiment: ExperimentNo,
        there: &BTreeSet<Uid>,
    ) -> Result<Vec<EntryRow>, BookError> {
        let of = Entries::Of(EntryKind::LoggedModel, Owner::Experiment(experiment));
        let mut rows = self.view.entries(&of)?;
        rows.retain(|row| row.state.run().is_none_or(|run| there.contains(&run.0)));
        rows.sort_by_key(by_creation);
        Ok(rows)
    }

    /// The entries that are wanted: all, or the logged models of some experiments and runs.
    fn entries(
        &self,
        wanted: &Selection,
        experiments: &[ExperimentRow],
        there: &BTreeSet<Uid>,
    ) -> Result<Vec<EntryRow>, BookError> {
        let mut rows = Vec::new();
        match wanted {
            Selection::All => {
                rows = self.view.entries(&Entries::All)?;
                rows.sort_by_key(by_creation);
            }
            Selection::Some { .. } => {
                for row in experiments {
                    rows.extend(self.models(row.no, there)?);
                }
            }
        }
        Ok(rows)
    }

    /// Gives the records of a run.
    pub fn run<E: From<BookError>>(&self, row: &RunRow, sink: Sink<'_, E>) -> Result<(), E> {
        let mut told = states::of_run(row);
        for one in &mut told {
            if let Op::LinkSnapshot(link) = &mut one.op
                && self.given.borrow_mut().insert(link.sha256.clone())
            {
                link.document = self.view.snapshot(&link.sha256)?;
            }
        }
        say(told, sink)?;
        let subject = Subject::Run(row.uid);
        let owner = Owner::Run(row.no);
        self.logged(row, sink)?;
        self.recorded(&owner, &subject, &row.state.records, sink)
    }

    /// Console output, items and judgements, which only runs have.
    fn logged<E: From<BookError>>(&self, row: &RunRow, sink: Sink<'_, E>) -> Result<(), E> {
        let counts = &row.state.records.counts;
        if counts.log_bytes > 0 {
            repeat(self.view.logs(row.no)?, Op::Log, sink)?;
        }
        if counts.items > 0 {
            let items = self.view.items(row.no)?;
            repeat(items, |item| Op::Item(Box::new(item)), sink)?;
        }
        if counts.assessments > 0 {
            repeat(self.view.assessments(row.no)?, Op::Assess, sink)?;
        }
        Ok(())
    }

    /// Events, spans and points.
    fn recorded<E: From<BookError>>(
        &self,
        owner: &Owner,
        subject: &Subject,
        records: &Records,
        sink: Sink<'_, E>,
    ) -> Result<(), E> {
        if !records.counts.events.is_empty() {
            repeat(self.view.events(owner)?, Op::Event, sink)?;
        }
        if records.counts.spans > 0 {
            repeat(self.view.spans(owner)?, Op::Span, sink)?;
        }
        points::blocks(self.view, owner, subject, records, sink)
    }

    /// Gives the records of kinds that this version does not know.
    pub fn unknown<E: From<BookError>>(&self, sink: Sink<'_, E>) -> Result<(), E> {
        let mut all = self.view.unknown()?;
        let order = |op: &Op| {
            let Op::Unknown { kind, payload, .. } = op else {
                return None;
            };
            Some((*kind, payload.clone()))
        };
        all.sort_by_cached_key(|signed| (signed.time, order(&signed.op)));
        for signed in all {
            sink(Record::Said(Said {
                time: signed.time,
                actor: signed.actor,
                op: signed.op,
            }))?;
        }
        Ok(())
    }

    /// The experiments that are wanted or have a run that is, by creation.
    fn experiments(&self, wanted: &Selection) -> Result<Vec<ExperimentRow>, BookError> {
        let mut rows = self.view.experiments()?;
        if let Selection::Some { experiments, runs } = wanted {
            let numbers: Vec<RunNo> = runs.iter().copied().collect();
            let mut named = experiments.clone();
            for some in numbers.chunks(ROWS) {
                named.extend(self.view.runs(some)?.iter().map(|run| run.experiment));
            }
            rows.retain(|row| named.contains(&row.no));
        }
        let key = |row: &ExperimentRow| {
            let uid = row.state.uids.first().copied();
            (row.state.created(), uid)
        };
        rows.sort_by_key(key);
        Ok(rows)
    }

    /// The runs that are wanted, by their first sign of life.
    fn runs(
        &self,
        wanted: &Selection,
    ) -> Result<Vec<(Option<Timestamp>, RunUid, RunNo)>, BookError> {
        let all = |experiments: Option<Vec<ExperimentNo>>| {
            let query = Query {
                experiments,
                shown: Shown::All,
                ..Query::all()
            };
            Ok::<_, BookError>(self.view.search(&query)?.runs)
        };
        let mut numbers = match wanted {
            Selection::All => all(None)?,
            Selection::Some { experiments, runs } => {
                let mut numbers = if experiments.is_empty() {
                    Vec::new()
                } else {
                    all(Some(experiments.iter().copied().collect()))?
                };
                numbers.extend(runs);
                numbers
            }
        };
        numbers.sort();
        numbers.dedup();
        let mut runs = Vec::with_capacity(numbers.len());
        for some in numbers.chunks(ROWS) {
            let rows = self.view.runs(some)?;
            runs.extend(rows.iter().map(|run| (run.state.born, run.uid, run.no)));
        }
        runs.sort();
        Ok(runs)
    }

    fn projects(
        &self,
        wanted: &Selection,
        experiments: &[ExperimentRow],
    ) -> Result<Vec<String>, BookError> {
        match wanted {
            Selection::All => self.view.projects(),
            Selection::Some { .. } => {
                let names = experiments.iter().map(|row| row.state.project().to_owned());
                let names: BTreeSet<String> = names.collect();
                Ok(names.into_iter().collect())
            }
        }
    }
}

/// What a project says of some experiments and runs: definitions of metrics, and pointers that lead to them.
fn points_to(state: ProjectState, there: &BTreeSet<Uid>) -> ProjectState {
    let leads = |value: &serde_json::Value| {
        texts(value)
            .iter()
            .any(|text| text.parse().is_ok_and(|uid: Uid| there.contains(&uid)))
    };
    let pointers = state.pointers.into_iter();
    ProjectState {
        pointers: pointers.filter(|(_, held)| leads(&held.value)).collect(),
        metrics: state.metrics,
        ..ProjectState::default()
    }
}

/// All texts in a value.
pub(crate) fn texts(value: &serde_json::Value) -> Vec<&str> {
    use serde_json::Value;
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// What orders entries: by their making.
fn by_creation(row: &EntryRow) -> (Option<Timestamp>, Option<EntryUid>) {
    (row.state.created(), row.state.uids.first().copied())
}

fn say<E>(told: Vec<Told>, sink: Sink<'_, E>) -> Result<(), E> {
    for Told { at, actor, op } in told {
        let time = at.time;
        sink(Record::Said(Said { time, actor, op }))?;
    }
    Ok(())
}

fn repeat<T, E>(
    records: Vec<Recorded<T>>,
    op: impl Fn(T) -> Op,
    sink: Sink<'_, E>,
) -> Result<(), E> {
    for Recorded { stamp, record } in records {
        sink(Record::Said(Said {
            time: stamp.time,
            actor: None,
            op: op(record),
        }))?;
    }
    Ok(())
}

/// The uid by which a stream speaks of an experiment.
pub(crate) fn uid_of(row: &ExperimentRow) -> ExperimentUid {
    row.state.uids.first().copied().unwrap_or_default()
}

/// A stamp of a time alone.
pub(crate) fn stamp(time: Timestamp) -> Stamp {
    Stamp {
        time,
        ..Stamp::default()
    }
}
