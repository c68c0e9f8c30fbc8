//! Runs: found and read in windows of columns, and one whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use serde_json::Value;
use trialbook_api::runs::{self, Run, Shown, UnknownKey, Window, WindowQuery};
use trialbook_model::code::ErrorCode;
use trialbook_model::filter::{self, Dialect, Expr, FilterError, Key, KeyKind, OrderTerm};
use trialbook_model::goal;
use trialbook_model::id::{ExperimentNo, RunNo};
use trialbook_model::record::Goal;
use trialbook_report::keyed::Unknown;
use trialbook_report::{documents, keyed};
use trialbook_store::index::ExperimentFacts;
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::query::{self, Query};
use trialbook_store::reading::Reading as _;

use super::{Windows, at, naming, rows};
use crate::app::App;
use crate::desk::Look;
use crate::http::asking::{Asked, Json};
use crate::http::error::Problem;

pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(at(&runs::LIST, list))
        .merge(at(&runs::GET, get))
}

/// A search as it was understood.
struct Search {
    filter: Expr,
    order: Vec<OrderTerm>,
    columns: Vec<(String, Key)>,
    asked: WindowQuery,
}

impl Search {
    fn read(asked: WindowQuery) -> Result<Self, Problem> {
        let text = asked.filter.as_deref().unwrap_or_default();
        let filter = filter::parse(text, Dialect::Native);
        let text = asked.sort.as_deref().unwrap_or_default();
        let order = filter::parse_order(text, Dialect::Native);
        let mut columns = Vec::new();
        for column in &asked.cols {
            let term = filter::parse_order_term(column, Dialect::Native);
            let term = term.map_err(|error| misread("cols", &error))?;
            columns.push((column.clone(), term.key));
        }
        Ok(Self {
            filter: filter.map_err(|error| misread("filter", &error))?,
            order: order.map_err(|error| misread("sort", &error))?,
            columns,
            asked,
        })
    }

    /// What tells searches apart whose windows may follow each other.
    fn text(&self) -> String {
        let asked = &self.asked;
        let parts = (&asked.filter, &asked.sort, &asked.experiment, asked.shown);
        format!("{parts:?}")
    }

    fn run(&self, look: &Look<'_>) -> Result<Arc<[RunNo]>, Problem> {
        let mut experiments: Vec<ExperimentNo> = Vec::new();
        for text in &self.asked.experiment {
            let row = naming::experiment(look, text);
            experiments.push(row.map_err(|problem| problem.at("experiment"))?.no);
        }
        let hits = look.search(&Query {
            filter: self.filter.clone(),
            experiments: (!experiments.is_empty()).then_some(experiments),
            shown: shown(self.asked.shown),
            order: self.order.clone(),
            ..Query::all()
        })?;
        Ok(hits.runs.into())
    }
}

const fn shown(of: Shown) -> query::Shown {
    match of {
        Shown::Active => query::Shown::Active,
        Shown::WithArchived => query::Shown::WithArchived,
        Shown::Bin => query::Shown::Bin,
        Shown::All => query::Shown::All,
    }
}

fn misread(field: &str, error: &FilterError) -> Problem {
    let mut problem = Problem::new(ErrorCode::FilterInvalid, error.to_string()).at(field);
    problem.position = Some(error.place.byte as u64);
    problem
}

async fn list(
    State(app): State<App>,
    Asked(asked): Asked<WindowQuery>,
) -> Result<Json<Window>, Problem> {
    let search = Search::read(asked)?;
    let now = app.now();
    let inner = app.clone();
    let read = move |look: &Look<'_>| {
        let (runs, version) = pinned(inner.windows(), look, &search)?;
        let skipped = runs.len().min(search.asked.offset as usize);
        let end = (skipped + rows(search.asked.limit)).min(runs.len());
        let found = look.shared_runs(&runs[skipped..end])?;
        let experiments = experiments_of(look, &found)?;
        let mut window = Window {
            total: runs.len() as u64,
            version,
            offset: skipped as u64,
            ids: found.iter().map(|run| run.uid.to_string()).collect(),
            data: BTreeMap::new(),
            unknown: unknown(look, &search, &found)?,
        };
        let heads = found.iter().map(|run| {
            let of = experiments.get(&run.experiment);
            documents::run_head(run, of.map(|(row, _)| row), now)
        });
        let heads = heads.map(|head| serde_json::to_value(head).unwrap_or_default());
        let heads: Vec<Value> = heads.collect();
        for (column, key) in &search.columns {
            let cells = found.iter().zip(&heads);
            let cells = cells.map(|(run, head)| {
                let of = experiments.get(&run.experiment);
                let goal = match of {
                    Some((_, facts)) => facts.goal_of(&key.name),
                    None => goal::assumed(&key.name).goal,
                };
                cell((run, head), key, goal)
            });
            window.data.insert(column.clone(), cells.collect());
        }
        Ok(Json(window))
    };
    app.desk().read(read).await
}

/// The experiments of runs, with what decides which of their values are the best.
fn experiments_of(
    look: &Look<'_>,
    runs: &[Arc<RunRow>],
) -> Result<BTreeMap<ExperimentNo, (ExperimentRow, ExperimentFacts)>, Problem> {
    let mut experiments = BTreeMap::new();
    for run in runs {
        if !experiments.contains_key(&run.experiment)
            && let Some(row) = look.experiment(run.experiment)?
        {
            let project = look.project(row.state.project())?;
            let facts = ExperimentFacts::of(&row, &project);
            experiments.insert(run.experiment, (row, facts));
        }
    }
    Ok(experiments)
}

/// What was found at the version that was asked for, or now.
fn pinned(
    windows: &Windows,
    look: &Look<'_>,
    search: &Search,
) -> Result<(Arc<[RunNo]>, u64), Problem> {
    let text = search.text();
    if let Some(version) = search.asked.at
        && let Some(runs) = windows.find(&text, version)
    {
        return Ok((runs, version));
    }
    let runs = search.run(look)?;
    let version = windows.hold(&text, Arc::clone(&runs));
    match search.asked.at {
        None => Ok((runs, version)),
        Some(gone) => {
            let message = format!("version {gone} of this search is not held any more");
            let mut problem = Problem::new(ErrorCode::Expired, message).at("at");
            problem.version = Some(version);
            Err(problem.with_hint("begin again at the version that is told"))
        }
    }
}

/// What a run has under a key.
fn cell((run, head): (&RunRow, &Value), key: &Key, goal: Goal) -> Value {
    match key.kind {
        KeyKind::Attribute => match key.name.as_str() {
            "experiment_id" => run.experiment.to_string().into(),
            name => head.get(name).cloned().unwrap_or_default(),
        },
        KeyKind::Metric | KeyKind::Param | KeyKind::Tag | KeyKind::Dataset | KeyKind::Bare => {
            keyed::json_value(run, key, goal)
        }
    }
}

/// The columns that no run of the book has. One that a run of the window has is not looked up.
fn unknown(
    look: &Look<'_>,
    search: &Search,
    found: &[Arc<RunRow>],
) -> Result<Vec<UnknownKey>, Problem> {
    let mut unknown = Vec::new();
    for (column, key) in &search.columns {
        let mut runs = found.iter();
        if runs.any(|run| !keyed::json_value(run, key, Goal::None).is_null()) {
            continue;
        }
        if let Some(Unknown { nearest }) = keyed::unknown(&**look, key)? {
            let key = column.clone();
            unknown.push(UnknownKey { key, nearest });
        }
    }
    Ok(unknown)
}

async fn get(State(app): State<App>, Path(text): Path<String>) -> Result<Json<Run>, Problem> {
    read(&app, text).await
}

/// Everything of a run but its long records.
pub(super) async fn read(app: &App, text: String) -> Result<Json<Run>, Problem> {
    let now = app.now();
    let read = move |look: &Look<'_>| {
        let run = naming::run(look, &text)?;
        let experiment = look.experiment(run.experiment)?;
        let document = documents::whole_run(&run, experiment.as_ref(), now);
        Ok(Json(document))
    };
    app.desk().read(read).await
}

#[cfg(test)]
mod tests;
