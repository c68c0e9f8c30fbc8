//! Experiments: listed, and one.

use axum::Router;
use axum::extract::{Path, State};
use trialbook_analysis::ExperimentStatus;
use trialbook_api::experiments::{self, ExperimentHead, Experiments, ExperimentsQuery};
use trialbook_report::documents;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading as _;

use super::{at, naming, rows};
use crate::app::App;
use crate::desk::Look;
use crate::http::asking::{Asked, Json};
use crate::http::error::Problem;

pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(at(&experiments::LIST, list))
        .merge(at(&experiments::GET, get))
}

async fn list(
    State(app): State<App>,
    Asked(asked): Asked<ExperimentsQuery>,
) -> Result<Json<Experiments>, Problem> {
    app.desk()
        .read(move |look| window(look, &asked).map(Json))
        .await
}

fn window(look: &Look<'_>, asked: &ExperimentsQuery) -> Result<Experiments, Problem> {
    let is_asked = |row: &ExperimentRow| {
        let annotations = &row.state.annotations;
        let mut project = asked.project.iter();
        project.all(|project| project == row.state.project())
            && !annotations.flag("deleted")
            && (asked.archived || !annotations.flag("archived"))
    };
    let mut found = look.experiments()?;
    found.retain(is_asked);
    let counts = look.count_runs()?;
    let newest = found.iter().rev().skip(asked.offset as usize);
    let mut heads = Vec::new();
    for row in newest.take(rows(asked.limit)) {
        // The state is looked up for what is shown alone: it asks the runs.
        let status = ExperimentStatus::of(&**look, row)?;
        let runs = counts.get(&row.no).copied().unwrap_or_default();
        heads.push(documents::experiment_head(row, status.word(), runs));
    }
    Ok(Experiments {
        total: found.len() as u64,
        experiments: heads,
    })
}

async fn get(
    State(app): State<App>,
    Path(text): Path<String>,
) -> Result<Json<ExperimentHead>, Problem> {
    read(&app, text).await
}

/// The head of an experiment.
pub(super) async fn read(app: &App, text: String) -> Result<Json<ExperimentHead>, Problem> {
    let read = move |look: &Look<'_>| {
        let row = naming::experiment(look, &text)?;
        let status = ExperimentStatus::of(&**look, &row)?;
        let runs = look.count_runs()?.get(&row.no).copied();
        let runs = runs.unwrap_or_default();
        Ok(Json(documents::experiment_head(&row, status.word(), runs)))
    };
    app.desk().read(read).await
}
