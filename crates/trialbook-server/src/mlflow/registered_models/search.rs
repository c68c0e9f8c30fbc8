//! `registered-models/search`. Prompts are hidden unless the filter asks for them.
//!
//! Invariant: the order is total, so that pages neither repeat nor miss a model.

use std::cmp::Ordering;

use axum::extract::State;
use serde::Serialize;
use trialbook_model::filter::CompareOp;
use trialbook_model::record::EntryKind;
use trialbook_model::state::DEFAULT_PROJECT;
use trialbook_store::nouns::{EntryRow, Owner};
use trialbook_store::query::Entries;
use trialbook_store::reading::Reading as _;

use super::answer::{self, RegisteredModel, tags};
use crate::app::App;
use crate::desk::Look;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::registry::{IS_PROMPT, all_versions};
use crate::mlflow::search::clause::{Comparator, Form};
use crate::mlflow::search::order::Term;
use crate::mlflow::search::{Attribute, Clause, Entity, Fact, Grammar, Page, max_results};
use crate::mlflow::wire::{List, Whole, message};

/// Models in one answer at most.
const MOST: usize = 1000;

/// Models in one answer where nobody says how many.
const USUAL: i64 = 100;

message! {
    /// Which models are wanted.
    pub(super) struct Search {
        filter: Option<String>,
        max_results / "maxResults": Option<Whole>,
        order_by / "orderBy": List<String>,
        page_token / "pageToken": Option<String>,
    }
}

#[derive(Serialize)]
struct Found<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    registered_models: Vec<RegisteredModel<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

const GRAMMAR: Grammar = Grammar {
    attributes: &[Attribute {
        name: "name",
        form: Form::Text,
        operators: Comparator::TEXT_OR_IN,
    }],
    entities: &[Entity::Tag],
    texts: Comparator::TEXT,
    sorted_by: &["name", "timestamp", "last_updated_timestamp"],
};

/// Whether a filter asks for prompts.
pub(in crate::mlflow) fn asks_for_prompts(clauses: &[Clause]) -> bool {
    let mut of_prompts = clauses.iter().filter(|clause| is_of_prompts(clause));
    of_prompts.next().is_some_and(|clause| {
        let value = clause.texts().first();
        let is = |word: &str| value.is_some_and(|value| value.eq_ignore_ascii_case(word));
        clause.comparator == Comparator::Sign(CompareOp::Equal) && is("true")
            || clause.comparator == Comparator::Sign(CompareOp::NotEqual) && is("false")
    })
}

/// Whether a condition is about being a prompt.
pub(in crate::mlflow) fn is_of_prompts(clause: &Clause) -> bool {
    clause.entity == Entity::Tag && clause.key == IS_PROMPT
}

/// The collections that MLflow's clients see.
pub(in crate::mlflow) fn models(look: &Look<'_>) -> Result<Vec<EntryRow>, Refusal> {
    let mut rows = look.entries(&Entries::Kind(EntryKind::Collection))?;
    let here = Owner::Project(DEFAULT_PROJECT.to_owned());
    rows.retain(|row| row.of.as_ref() == Some(&here) && row.state.findable().is_some());
    Ok(rows)
}

pub(super) async fn search(State(app): State<App>, Ask(asked): Ask<Search>) -> Answered {
    let limit = max_results(asked.max_results.map_or(USUAL, |given| given.0), MOST)?;
    let page = Page::read(asked.page_token.as_deref(), limit)?;
    let mut clauses = GRAMMAR.parse(asked.filter.as_deref().unwrap_or_default())?;
    let order = GRAMMAR.parse_order(&asked.order_by)?;
    let shows_prompts = asks_for_prompts(&clauses);
    if !shows_prompts {
        clauses.retain(|clause| !is_of_prompts(clause));
    }
    let read = app.desk().read(move |look| {
        let mut rows = models(look)?;
        rows.retain(|row| {
            (shows_prompts || !row.state.is_prompt())
                && clauses.iter().all(|clause| holds(clause, row))
        });
        let by_time = order.iter().any(|term| term.key != "name");
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let versions = if by_time {
                all_versions(look, &row)?
            } else {
                Vec::new()
            };
            let updated = answer::updated(&row, &versions);
            found.push((row, updated));
        }
        found.sort_by(|left, right| compare(left, right, &order));
        let (found, next_page_token) = page.of(&found);
        let mut with_versions = Vec::with_capacity(found.len());
        for (row, _) in found {
            with_versions.push((row, all_versions(look, row)?));
        }
        let registered_models = with_versions
            .iter()
            .map(|(row, versions)| RegisteredModel::of(row, versions))
            .collect();
        Ok::<_, Refusal>(Answer::of(&Found {
            registered_models,
            next_page_token,
        }))
    });
    read.await
}

fn holds(clause: &Clause, row: &EntryRow) -> bool {
    clause.holds(match clause.entity {
        Entity::Attribute => row.state.name().map(Fact::Text),
        Entity::Tag => {
            let tag = tags(row).find(|tag| tag.key == clause.key);
            tag.map(|tag| Fact::Text(tag.value))
        }
        Entity::Param | Entity::Metric => None,
    })
}

fn compare(left: &(EntryRow, i64), right: &(EntryRow, i64), order: &[Term]) -> Ordering {
    let by_name = || left.0.state.name().cmp(&right.0.state.name());
    let terms = order.iter().map(|term| {
        term.directed(match term.key {
            "name" => by_name(),
            _ => left.1.cmp(&right.1),
        })
    });
    terms
        .fold(Ordering::Equal, Ordering::then)
        .then_with(by_name)
}
