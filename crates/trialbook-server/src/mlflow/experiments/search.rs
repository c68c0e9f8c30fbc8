//! `experiments/search`, and `experiments/list` of old clients.
//!
//! Invariant: the order is total, so that pages neither repeat nor miss an experiment.

use std::cmp::Ordering;

use axum::extract::State;
use serde::Serialize;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading as _;

use super::answer::{Experiment, created, updated};
use super::{ExperimentError, name_of, number, stage, tag};
use crate::app::App;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::search::grammar::{Comparator, Form};
use crate::mlflow::search::order::Term;
use crate::mlflow::search::{Attribute, Clause, Entity, Fact, Grammar, Page, max_results};
use crate::mlflow::status::View;
use crate::mlflow::wire::{List, Whole, Word, message};

/// Experiments in one answer at most.
const MOST: usize = 50_000;

message! {
    /// Which experiments are wanted.
    pub(super) struct Search {
        max_results / "maxResults": Option<Whole>,
        page_token / "pageToken": Option<String>,
        filter: Option<String>,
        order_by / "orderBy": List<String>,
        view_type / "viewType": Option<Word>,
    }
}

#[derive(Serialize)]
struct Found<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    experiments: Vec<Experiment<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

const GRAMMAR: Grammar = Grammar {
    attributes: &[
        text("name", Comparator::TEXT),
        text("experiment_id", Comparator::ID),
        time("creation_time"),
        time("last_update_time"),
    ],
    entities: &[Entity::Tag],
    texts: Comparator::TEXT_OR_NULL,
    sorted_by: &["name", "experiment_id", "creation_time", "last_update_time"],
};

const fn text(name: &'static str, operators: &'static [Comparator]) -> Attribute {
    Attribute {
        name,
        form: Form::Text,
        operators,
    }
}

const fn time(name: &'static str) -> Attribute {
    Attribute {
        name,
        form: Form::Number,
        operators: Comparator::NUMERIC,
    }
}

/// An old client asks for all of them.
pub(super) async fn list(app: State<App>, Ask(mut asked): Ask<Search>) -> Answered {
    asked.max_results = asked.max_results.or(Some(Whole(1000)));
    search(app, Ask(asked)).await
}

pub(super) async fn search(State(app): State<App>, Ask(asked): Ask<Search>) -> Answered {
    let view = View::read("view_type", asked.view_type.as_ref())?;
    let limit = max_results(asked.max_results.map_or(0, |given| given.0), MOST)?;
    let page = Page::read(asked.page_token.as_deref(), limit)?;
    let clauses = GRAMMAR.parse(asked.filter.as_deref().unwrap_or_default())?;
    check_ids(&clauses)?;
    let order = GRAMMAR.parse_order(&asked.order_by)?;
    let root = app.settings().default_artifact_root.clone();
    let read = app.desk().read(move |look| {
        let mut rows = look.experiments()?;
        rows.retain(|row| {
            view.shows(stage(row)) && clauses.iter().all(|clause| holds(clause, row))
        });
        rows.sort_by(|left, right| compare(left, right, &order));
        let (rows, next_page_token) = page.of(&rows);
        let experiments = rows.iter().map(|row| Experiment::of(row, &root)).collect();
        Ok::<_, Refusal>(Answer::of(&Found {
            experiments,
            next_page_token,
        }))
    });
    read.await
}

/// Ids are numbers, also those that none is compared with.
fn check_ids(clauses: &[Clause]) -> Result<(), ExperimentError> {
    let ids = clauses
        .iter()
        .filter(|clause| clause.key == "experiment_id");
    for id in ids.flat_map(Clause::texts) {
        number(id)?;
    }
    Ok(())
}

fn holds(clause: &Clause, row: &ExperimentRow) -> bool {
    let name = name_of(row);
    let id = row.no.to_string();
    clause.holds(match (clause.entity, clause.key.as_str()) {
        (Entity::Attribute, "name") => Some(Fact::Text(&name)),
        (Entity::Attribute, "experiment_id") => Some(Fact::Text(&id)),
        (Entity::Attribute, "creation_time") => created(row).map(Fact::Whole),
        (Entity::Attribute, _) => updated(row).map(Fact::Whole),
        (Entity::Tag, key) => tag(row, key).map(Fact::Text),
        (Entity::Param | Entity::Metric, _) => None,
    })
}

fn compare(left: &ExperimentRow, right: &ExperimentRow, order: &[Term]) -> Ordering {
    if order.is_empty() {
        let by_time = created(right).cmp(&created(left));
        return by_time.then(left.no.cmp(&right.no));
    }
    let terms = order.iter().map(|term| {
        term.directed(match term.key {
            "name" => name_of(left).cmp(&name_of(right)),
            "experiment_id" => left.no.cmp(&right.no),
            "creation_time" => created(left).cmp(&created(right)),
            _ => updated(left).cmp(&updated(right)),
        })
    });
    terms
        .fold(Ordering::Equal, Ordering::then)
        .then(right.no.cmp(&left.no))
}
