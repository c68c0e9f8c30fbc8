//! What a text in a path or a query means: an experiment, a run.
//!
//! Not here: the rules, which the model has. Invariant: what is refused is told with the names that resemble it.

use std::sync::Arc;

use trialbook_model::code::ErrorCode;
use trialbook_model::filter::Expr;
use trialbook_model::handle::{self, Candidate, Resolution};
use trialbook_model::id::{ExperimentNo, RunUid};
use trialbook_report::titles;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::{Query, Shown};
use trialbook_store::reading::Reading as _;

use crate::desk::Look;
use crate::http::error::Problem;

/// Candidates that a refusal tells.
const MOST_TOLD: usize = 5;

/// The experiment of a number, an id, a name, or `project/name`.
pub(super) fn experiment(look: &Look<'_>, text: &str) -> Result<ExperimentRow, Problem> {
    if let Ok(no) = text.parse()
        && let Some(row) = look.experiment(ExperimentNo(no))?
    {
        return Ok(row);
    }
    let rows = look.experiments()?;
    let candidates: Vec<Candidate<'_>> = rows.iter().map(candidate).collect();
    match handle::resolve(text, &candidates) {
        Resolution::One(at) => Ok(rows[at].clone()),
        Resolution::None { nearest } => Err(none("experiment", text, &nearest)),
        Resolution::Many(places) => {
            let told = places.iter().map(|at| titles::experiment(&rows[*at]));
            Err(several("experiment", text, told.collect()))
        }
    }
}

fn candidate(row: &ExperimentRow) -> Candidate<'_> {
    Candidate {
        uid: titles::experiment_uid(row).0,
        no: row.no.0,
        project: row.state.project(),
        handle: row.state.handle(),
        experiment: row.state.name().unwrap_or_default(),
        run: None,
        aliases: &[],
    }
}

/// The run of an id, the first digits of one, a handle such as `EXP-001/run-014`, or `latest`.
pub(super) fn run(look: &Look<'_>, text: &str) -> Result<Arc<RunRow>, Problem> {
    if let Ok(uid) = text.parse::<RunUid>()
        && let Some(row) = look.run_of(uid)?
    {
        return Ok(row);
    }
    if text == "latest" {
        return latest(look, None)?.ok_or_else(|| none("run", text, &[]));
    }
    if let Some((path, label)) = text.rsplit_once('/') {
        let row = experiment(look, path)?;
        return of_experiment(look, &row, label)?.ok_or_else(|| none("run", text, &[]));
    }
    if text.len() < handle::LEAST_PREFIX {
        return Err(none("run", text, &[]));
    }
    let numbers = look.runs_beginning(text, MOST_TOLD + 1)?;
    let mut rows = look.shared_runs(&numbers)?;
    match rows.len() {
        0 => Err(none("run", text, &[])),
        1 => Ok(rows.remove(0)),
        _ => {
            let told = rows.iter().map(|row| row.uid.to_string());
            Err(several("run", text, told.collect()))
        }
    }
}

fn of_experiment(
    look: &Look<'_>,
    row: &ExperimentRow,
    label: &str,
) -> Result<Option<Arc<RunRow>>, Problem> {
    if label == "latest" {
        return latest(look, Some(row.no));
    }
    let digits = label.strip_prefix("run-").unwrap_or(label);
    let Ok(number) = digits.parse::<u64>() else {
        return Ok(None);
    };
    let filter = trialbook_model::filter::parse(
        &format!("number = {number}"),
        trialbook_model::filter::Dialect::Native,
    );
    let Ok(filter) = filter else { return Ok(None) };
    first(look, filter, Some(row.no), Shown::All)
}

fn latest(look: &Look<'_>, of: Option<ExperimentNo>) -> Result<Option<Arc<RunRow>>, Problem> {
    first(look, Expr::all(), of, Shown::Active)
}

fn first(
    look: &Look<'_>,
    filter: Expr,
    of: Option<ExperimentNo>,
    shown: Shown,
) -> Result<Option<Arc<RunRow>>, Problem> {
    let hits = look.search(&Query {
        filter,
        experiments: of.map(|no| vec![no]),
        shown,
        limit: 1,
        ..Query::all()
    })?;
    Ok(look.shared_runs(&hits.runs)?.pop())
}

fn none(noun: &str, text: &str, nearest: &[String]) -> Problem {
    let problem = Problem::new(ErrorCode::NotFound, format!("there is no {noun} `{text}`"));
    match nearest {
        [] => problem,
        nearest => problem.with_hint(format!("nearest: `{}`", nearest.join("`, `"))),
    }
}

fn several(noun: &str, text: &str, mut told: Vec<String>) -> Problem {
    let more = told.len().saturating_sub(MOST_TOLD);
    told.truncate(MOST_TOLD);
    let mut hint = format!("it may be `{}`", told.join("`, `"));
    if more > 0 {
        hint.push_str(" or others");
    }
    let message = format!("`{text}` is more than one {noun}");
    Problem::new(ErrorCode::Ambiguous, message).with_hint(hint)
}
