//! Which run a verb speaks of: `--run`, else `TRIALBOOK_RUN`, else the only running run of this shell.
//!
//! Invariant: nothing is written to a run that was only guessed among several.

use anyhow::{Context as _, Result};
use trialbook_model::filter::{CompareOp, Expr, Key, KeyKind, Literal};
use trialbook_model::id::RunUid;
use trialbook_model::status::RunStatus;
use trialbook_store::nouns::RunRow;
use trialbook_store::query::Query;
use trialbook_store::reading::Reading;

use crate::book::{self, Open};
use crate::context::Context;
use crate::failure::Failure;
use crate::names::{Found, Names};
use crate::titles;

/// The field of a run that says in which session of a shell it was started.
pub(crate) const SESSION: &str = "session";

/// What a run is started by when `trialbook start` starts it.
pub(crate) const SHELL: &str = "shell";
/// What a run is started by when `trialbook run` or an engine starts it.
pub(crate) const WRAPPER: &str = "wrapper";

/// The choice of a run on the command line.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RunChoice {
    /// The run: id, beginning of an id, name, `EXP-001/run-014`, `latest`. An experiment means its
    /// running run, else its only run. Default: TRIALBOOK_RUN, else the only running run that this
    /// shell started
    #[arg(long, aliases = ["experiment-id", "run-id"], value_name = "RUN")]
    pub(crate) run: Option<String>,
}

/// The run that was chosen.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// What is known of it.
    pub(crate) run: RunRow,
    /// What it is called.
    pub(crate) title: String,
    /// The experiment that was named in its place, as it was typed.
    through: Option<String>,
}

impl Target {
    /// Its uid.
    pub(crate) const fn uid(&self) -> RunUid {
        self.run.uid
    }

    /// What was written to, as it is told.
    pub(crate) fn told(&self) -> String {
        match &self.through {
            Some(experiment) => format!("experiment {experiment}"),
            None => self.title.clone(),
        }
    }
}

/// Opens the book that holds the run which is to be chosen; makes none.
pub(crate) fn open(cx: &Context, choice: &RunChoice) -> Result<Open> {
    let opened = book::changing(cx);
    let is_named = choice.run.is_some() || cx.run_variable().is_some();
    match opened {
        // Without a book nothing runs: who named no run has to start one.
        Err(error) if !is_named && matches!(error.downcast_ref(), Some(Failure::NoBook { .. })) => {
            let running = Vec::new();
            Err(Failure::NoRun { running }.into())
        }
        opened => opened,
    }
}

/// Chooses the run.
pub(crate) fn choose<V: Reading>(cx: &Context, view: &V, choice: &RunChoice) -> Result<Target> {
    let names = Names::new(view);
    let mut through = None;
    let run = match (&choice.run, cx.run_variable()) {
        (Some(text), _) => match names.any(text)? {
            Found::Run(run) => *run,
            Found::Experiment(row) => {
                // An alias is told as it was typed; its own name is told as the run's title.
                let is_alias = names.aliases_of(&row)?.contains(text);
                through = is_alias.then(|| text.clone());
                let found = names.run_of(&row, text)?;
                found.ok_or_else(|| Failure::NoRunYet {
                    experiment: text.clone(),
                })?
            }
        },
        (None, Some(text)) => names
            .run(text)
            .with_context(|| format!("TRIALBOOK_RUN is set to `{text}`"))?,
        (None, None) => of_this_shell(cx, view)?,
    };
    let experiment = view.experiment(run.experiment)?;
    let title = titles::run(&run, experiment.as_ref());
    Ok(Target {
        run,
        title,
        through,
    })
}

/// The only running run that was started in this session of the shell.
fn of_this_shell<V: Reading>(cx: &Context, view: &V) -> Result<RunRow> {
    let from_shells = Expr::And(vec![running(), attribute_is("source", SHELL)]);
    let query = Query {
        filter: from_shells,
        ..Query::all()
    };
    let mut all = view.runs(&view.search(&query)?.runs)?;
    let session = cx.session();
    let ours = |run: &&RunRow| {
        session.is_some() && run.state.annotations.text(SESSION) == session.as_deref()
    };
    let found: Vec<&RunRow> = all.iter().filter(ours).collect();
    if let [only] = found[..] {
        let only = only.clone();
        let experiment = view.experiment(only.experiment)?;
        let title = titles::run(&only, experiment.as_ref());
        cx.printer.note(format!(
            "run {title}: the only one that this shell has running"
        ));
        return Ok(only);
    }
    let mut running = Vec::new();
    for run in all.drain(..) {
        let experiment = view.experiment(run.experiment)?;
        running.push(titles::told(&run, experiment.as_ref()));
    }
    Err(Failure::NoRun { running }.into())
}

/// Whether the process that executes a run lives: the one that said that it is running.
pub(crate) fn is_executed(open: &Open, run: &RunRow) -> Result<bool> {
    let state = &run.state;
    let source = state.start().map_or("", |start| start.source.as_str());
    if source != WRAPPER || state.status() != RunStatus::Running {
        return Ok(false);
    }
    let changed = state.changed.as_ref().map(|changed| changed.stamp.writer);
    let started = state.start.as_ref().map(|start| start.stamp.writer);
    match changed.or(started) {
        Some(writer) => Ok(open.is_writing(writer, state.alive)?),
        None => Ok(false),
    }
}

/// The condition that a run is running.
pub(crate) fn running() -> Expr {
    attribute_is("status", RunStatus::Running.word())
}

/// The condition that an attribute is a text.
pub(crate) fn attribute_is(name: &str, text: &str) -> Expr {
    Expr::Compare {
        key: Key::new(KeyKind::Attribute, name),
        op: CompareOp::Equal,
        value: Literal::Text(text.to_owned()),
    }
}
