//! `logged-models/search`.
//!
//! A model satisfies a condition on a metric when one of its points does, on one of the datasets if some are named.
//! Invariant: the order is total, so that pages neither repeat nor miss a model; a token goes with the question.

use std::cmp::Ordering;

use axum::extract::State;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use trialbook_model::record::EntryKind;
use trialbook_store::nouns::{EntryRow, Owner};
use trialbook_store::query::Entries;
use trialbook_store::reading::Reading as _;

use super::answer::{LoggedModel, Metric, metrics, updated};
use super::{ModelError, id};
use crate::app::App;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::experiments;
use crate::mlflow::registry::{made_at, uid_of};
use crate::mlflow::search::clause::{Comparator, Form};
use crate::mlflow::search::{Attribute, Clause, Entity, Fact, Grammar, Page, max_results};
use crate::mlflow::wire::{List, Whole, WireError, message};

/// Models in one answer at most.
const MOST: usize = 50_000;

/// Models in one answer where nobody says how many.
const USUAL: i64 = 100;

message! {
    /// A dataset on which metrics are looked at.
    pub(super) struct DatasetOf {
        dataset_name / "datasetName": Option<String>,
        dataset_digest / "datasetDigest": Option<String>,
    }

    /// A sort key.
    pub(super) struct OrderBy {
        field_name / "fieldName": Option<String>,
        ascending: Option<bool>,
        dataset_name / "datasetName": Option<String>,
        dataset_digest / "datasetDigest": Option<String>,
    }

    /// Which models are wanted.
    pub(super) struct Search {
        experiment_ids / "experimentIds": List<String>,
        filter: Option<String>,
        datasets: List<DatasetOf>,
        max_results / "maxResults": Option<Whole>,
        order_by / "orderBy": List<OrderBy>,
        page_token / "pageToken": Option<String>,
    }
}

#[derive(Serialize)]
struct Found<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models: Vec<LoggedModel<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

const fn text(name: &'static str) -> Attribute {
    Attribute {
        name,
        form: Form::Text,
        operators: Comparator::TEXT_OR_IN,
    }
}

const fn time(name: &'static str) -> Attribute {
    Attribute {
        name,
        form: Form::Number,
        operators: Comparator::NUMERIC,
    }
}

const GRAMMAR: Grammar = Grammar {
    attributes: &[
        text("name"),
        text("model_id"),
        text("model_type"),
        text("status"),
        text("source_run_id"),
        text("status_message"),
        text("artifact_location"),
        time("creation_timestamp"),
        time("creation_timestamp_ms"),
        time("creation_time"),
        time("last_updated_timestamp"),
        time("last_updated_timestamp_ms"),
    ],
    entities: &[Entity::Tag, Entity::Param, Entity::Metric],
    texts: Comparator::TEXT_OR_IN,
    sorted_by: &[],
};

/// A dataset by its name, and by its digest where one is given.
#[derive(Debug, Clone)]
struct On {
    name: Option<String>,
    digest: Option<String>,
}

impl On {
    fn is_of(&self, metric: &Metric) -> bool {
        let is = |wanted: &Option<String>, held: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| held == Some(wanted))
        };
        is(&self.name, metric.dataset_name()) && is(&self.digest, metric.dataset_digest())
    }
}

/// A sort key, read.
struct Term {
    key: Key,
    is_descending: bool,
}

enum Key {
    Attribute(&'static str),
    Metric(String, On),
}

/// A model and all points of its metrics.
struct Candidate {
    row: EntryRow,
    metrics: Vec<Metric>,
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn datasets(asked: Vec<DatasetOf>) -> Result<Vec<On>, ModelError> {
    let read = asked.into_iter().map(|dataset| {
        let name = given(dataset.dataset_name).ok_or(ModelError::DatasetName)?;
        let digest = given(dataset.dataset_digest);
        let name = Some(name);
        Ok(On { name, digest })
    });
    read.collect()
}

fn terms(asked: Vec<OrderBy>) -> Result<Vec<Term>, ModelError> {
    let read = asked.into_iter().map(|term| {
        let field = term.field_name.unwrap_or_default();
        let is_descending = !term.ascending.unwrap_or(true);
        let on = On {
            name: given(term.dataset_name),
            digest: given(term.dataset_digest),
        };
        let refused = |field: String, hint| ModelError::OrderField { field, hint };
        let key = match field.split_once('.') {
            Some(("metrics", name)) => Key::Metric(name.trim_matches('`').to_owned(), on),
            Some(_) => return Err(refused(field, ". Only metrics are supported.")),
            None => {
                let mut known = GRAMMAR.attributes.iter().map(|attribute| attribute.name);
                let key = known.find(|name| *name == field);
                Key::Attribute(key.ok_or_else(|| refused(field, ""))?)
            }
        };
        Ok(Term { key, is_descending })
    });
    read.collect()
}

pub(super) async fn search(State(app): State<App>, Ask(asked): Ask<Search>) -> Answered {
    if asked.experiment_ids.is_empty() {
        return Err(WireError::missing("experiment_ids").into());
    }
    let question = question(&asked);
    let max = asked.max_results.map_or(USUAL, |given| given.0);
    let limit = max_results(if max == 0 { USUAL } else { max }, MOST)?;
    let token = asked
        .page_token
        .as_deref()
        .filter(|token| !token.is_empty());
    let page = Page::read_for(token, limit, &question)?;
    let clauses = GRAMMAR.parse(asked.filter.as_deref().unwrap_or_default())?;
    let datasets = datasets(asked.datasets.0)?;
    let order = terms(asked.order_by.0)?;
    let ids = asked.experiment_ids.0;
    let read = app.desk().read(move |look| {
        let mut found = Vec::new();
        for id in ids {
            // An experiment that is not there has no models.
            let Ok(experiment) = experiments::find(look, &id) else {
                continue;
            };
            let of = Entries::Of(EntryKind::LoggedModel, Owner::Experiment(experiment.no));
            for row in look.entries(&of)? {
                if row.state.is_deleted() {
                    continue;
                }
                let metrics = metrics(look, &row)?;
                let candidate = Candidate { row, metrics };
                if candidate.satisfies(&clauses, &datasets) {
                    found.push(candidate);
                }
            }
        }
        found.sort_by(|left, right| compare(left, right, &order));
        let (found, next_page_token) = page.of_for(&found, &question);
        let models = found.iter();
        let models = models.map(|it| LoggedModel::of(&it.row, it.metrics.clone()));
        Ok::<_, Refusal>(Answer::of(&Found {
            models: models.collect(),
            next_page_token,
        }))
    });
    read.await
}

/// What a token is bound to: experiments, filter, order.
fn question(asked: &Search) -> String {
    let mut sum = Sha256::new();
    for id in &asked.experiment_ids.0 {
        sum.update(id.as_bytes());
        sum.update([0]);
    }
    sum.update([1]);
    sum.update(asked.filter.as_deref().unwrap_or_default().as_bytes());
    for term in &asked.order_by.0 {
        sum.update([2]);
        sum.update(term.field_name.as_deref().unwrap_or_default().as_bytes());
        sum.update([u8::from(term.ascending.unwrap_or(true))]);
        sum.update(term.dataset_name.as_deref().unwrap_or_default().as_bytes());
        sum.update(
            term.dataset_digest
                .as_deref()
                .unwrap_or_default()
                .as_bytes(),
        );
    }
    let sum = sum.finalize();
    let digits = sum[..8].iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

impl Candidate {
    fn satisfies(&self, clauses: &[Clause], datasets: &[On]) -> bool {
        let is_on = |metric: &Metric| datasets.iter().any(|on| on.is_of(metric));
        let asks_for_metrics = clauses.iter().any(|clause| clause.entity == Entity::Metric);
        let is_known = datasets.is_empty() || asks_for_metrics || self.metrics.iter().any(is_on);
        is_known
            && clauses.iter().all(|clause| match clause.entity {
                Entity::Metric => self.metrics.iter().any(|metric| {
                    let is_meant = metric.key == clause.key;
                    let is_there = datasets.is_empty() || is_on(metric);
                    is_meant && is_there && clause.holds(Some(Fact::Number(metric.value.0)))
                }),
                Entity::Attribute | Entity::Tag | Entity::Param => self.holds(clause),
            })
    }

    fn holds(&self, clause: &Clause) -> bool {
        let state = &self.row.state;
        match clause.entity {
            Entity::Attribute if clause.key == "model_id" => {
                clause.holds(Some(Fact::Text(&id(uid_of(&self.row)))))
            }
            Entity::Attribute => clause.holds(match self.time(&clause.key) {
                Some(time) => Some(Fact::Whole(time)),
                None => self.text(&clause.key).map(Fact::Text),
            }),
            Entity::Tag => {
                let tag = state.annotations.tags().find(|(key, _)| *key == clause.key);
                clause.holds(tag.map(|(_, value)| Fact::Text(value)))
            }
            Entity::Param => {
                let param = state.params().find(|(key, _)| *key == clause.key);
                clause.holds(param.map(|(_, value)| Fact::Text(value)))
            }
            Entity::Metric => false,
        }
    }

    fn time(&self, key: &str) -> Option<i64> {
        match key {
            "creation_timestamp" | "creation_timestamp_ms" | "creation_time" => {
                Some(made_at(&self.row.state))
            }
            "last_updated_timestamp" | "last_updated_timestamp_ms" => Some(updated(&self.row)),
            _ => None,
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        let state = &self.row.state;
        match key {
            "name" => state.name(),
            "model_type" => Some(state.text("type").unwrap_or_default()),
            "source_run_id" => Some(state.text("run").unwrap_or_default()),
            // The database that MLflow compares holds no such words, but these are what its clients show.
            "status" => state.text("status").map(status_word),
            "artifact_location" => state.text("location"),
            other => state.text(other),
        }
    }

    /// The latest value of a metric, on a dataset if one is named.
    fn latest(&self, name: &str, on: &On) -> Option<f64> {
        let metrics = self.metrics.iter();
        let there = metrics.filter(|metric| metric.key == name && on.is_of(metric));
        let last = there.max_by_key(|metric| (metric.timestamp, metric.step));
        last.map(|metric| metric.value.0)
    }
}

/// A status as it is written in filters: `READY`.
fn status_word(status: &str) -> &str {
    status.strip_prefix("LOGGED_MODEL_").unwrap_or(status)
}

fn compare(left: &Candidate, right: &Candidate, order: &[Term]) -> Ordering {
    let terms = order.iter().map(|term| {
        let directed = |order: Ordering| match term.is_descending {
            true => order.reverse(),
            false => order,
        };
        match &term.key {
            Key::Attribute(key) => match (left.time(key), right.time(key)) {
                (Some(one), Some(other)) => directed(one.cmp(&other)),
                _ if *key == "model_id" => directed(uid_of(&left.row).cmp(&uid_of(&right.row))),
                _ => directed(left.text(key).cmp(&right.text(key))),
            },
            Key::Metric(name, on) => match (left.latest(name, on), right.latest(name, on)) {
                (Some(one), Some(other)) => directed(one.total_cmp(&other)),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            },
        }
    });
    let ordered = terms.fold(Ordering::Equal, Ordering::then);
    let newest = || made_at(&right.row.state).cmp(&made_at(&left.row.state));
    let by_id = || uid_of(&left.row).cmp(&uid_of(&right.row));
    ordered.then_with(newest).then_with(by_id)
}
