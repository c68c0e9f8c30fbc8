//! `runs/search`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use trialbook_model::filter::{CompareOp, Direction, Expr, Key, KeyKind, Literal, OrderTerm};
use trialbook_model::id::ExperimentNo;
use trialbook_model::status::RunStatus;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::query::{Hits, Query};
use trialbook_store::reading::Reading as _;

use super::answer::{Facts, Run};
use crate::app::App;
use crate::desk::Look;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::experiments::{self, ExperimentError};
use crate::mlflow::search::{Page, max_results, runs};
use crate::mlflow::status::{self, View};
use crate::mlflow::wire::{List, Whole, WireError, Word, message};

/// Runs in one answer at most.
const MOST: usize = 50_000;
/// Runs in one answer where no number is given.
const USUAL: i64 = 1000;

message! {
    /// Which runs are wanted.
    pub(super) struct Search {
        experiment_ids / "experimentIds": List<String>,
        filter: Option<String>,
        run_view_type / "runViewType": Option<Word>,
        max_results / "maxResults": Option<Whole>,
        order_by / "orderBy": List<String>,
        page_token / "pageToken": Option<String>,
    }
}

#[derive(Serialize)]
struct Found<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs: Vec<Run<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// A search that can be made.
struct Wanted {
    experiments: Vec<String>,
    filter: Expr,
    order: Vec<OrderTerm>,
    view: View,
    page: Page,
}

impl Wanted {
    fn of(asked: Search) -> Result<Self, Refusal> {
        let limit = asked.max_results.map_or(USUAL, |given| given.0);
        if limit > MOST as i64 {
            let hint = format!(" It must be at most {MOST}.");
            return Err(WireError::invalid("max_results", &limit.into(), hint).into());
        }
        let limit = max_results(limit, MOST)?;
        for id in &asked.experiment_ids.0 {
            experiments::number(id)?;
        }
        Ok(Self {
            view: View::read("run_view_type", asked.run_view_type.as_ref())?,
            page: Page::read(asked.page_token.as_deref(), limit)?,
            filter: runs::filter(asked.filter.as_deref().unwrap_or_default())?,
            order: runs::order(&asked.order_by)?,
            experiments: asked.experiment_ids.0,
        })
    }
}

pub(super) async fn search(State(app): State<App>, Ask(asked): Ask<Search>) -> Answered {
    let wanted = Wanted::of(asked)?;
    let root = app.settings().default_artifact_root.clone();
    let read = app.desk().read(move |look| found(look, wanted, &root));
    read.await
}

fn found(look: &Look<'_>, wanted: Wanted, root: &str) -> Answered {
    let experiments = known(look, &wanted.experiments)?;
    if experiments.is_empty() {
        return Ok(Answer::empty());
    }
    let page = wanted.page;
    let hits = hits(
        look,
        Query {
            filter: wanted.filter,
            experiments: Some(experiments.keys().copied().collect()),
            shown: wanted.view.shown(),
            order: wanted.order,
            offset: page.offset,
            limit: page.limit,
        },
    )?;
    let rows = look.shared_runs(&hits.runs)?;
    let runs = rows.iter().filter_map(|run| {
        let experiment = experiments.get(&run.experiment)?;
        Some(Run::of(Facts {
            run,
            experiment,
            root,
        }))
    });
    let total = usize::try_from(hits.total).unwrap_or(usize::MAX);
    Ok(Answer::of(&Found {
        runs: runs.collect(),
        next_page_token: page.next(total),
    }))
}

/// The runs of a query. Where they are sorted by their state first, MLflow's words sort otherwise than ours: then
/// state after state is asked for.
fn hits(look: &Look<'_>, mut query: Query) -> Result<Hits, Refusal> {
    let is_by_state = |term: &OrderTerm| term.key == Key::new(KeyKind::Attribute, "status");
    if !query.order.first().is_some_and(is_by_state) {
        return Ok(look.search(&query)?);
    }
    let by_state = query.order.remove(0);
    let mut states = RunStatus::ALL;
    states.sort_by_key(|state| status::word(*state));
    if by_state.direction == Some(Direction::Descending) {
        states.reverse();
    }
    let (mut offset, limit) = (query.offset, query.limit);
    let mut found = Hits::default();
    for state in states {
        let is_so = Expr::Compare {
            key: by_state.key.clone(),
            op: CompareOp::Equal,
            value: Literal::Text(state.word().to_owned()),
        };
        let part = look.search(&Query {
            filter: Expr::And(vec![query.filter.clone(), is_so]),
            offset,
            limit: limit - found.runs.len(),
            ..query.clone()
        })?;
        let behind = usize::try_from(part.total).unwrap_or(usize::MAX);
        offset = offset.saturating_sub(behind);
        found.total += part.total;
        found.runs.extend(part.runs);
    }
    Ok(found)
}

/// The experiments of the ids that mean one.
fn known(
    look: &Look<'_>,
    ids: &[String],
) -> Result<BTreeMap<ExperimentNo, Arc<ExperimentRow>>, Refusal> {
    let mut known = BTreeMap::new();
    for id in ids {
        match experiments::find(look, id) {
            Ok(row) => {
                known.insert(row.no, row);
            }
            Err(Refusal::Experiment(ExperimentError::Unknown { .. })) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(known)
}
