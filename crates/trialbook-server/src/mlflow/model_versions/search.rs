//! `model-versions/search`. Versions of prompts are hidden unless the filter asks for them.
//!
//! Invariant: the order is total, so that pages neither repeat nor miss a version.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use axum::extract::State;
use serde::Serialize;
use trialbook_model::id::EntryNo;
use trialbook_model::record::EntryKind;
use trialbook_store::nouns::{EntryRow, Owner};
use trialbook_store::query::Entries;
use trialbook_store::reading::Reading as _;

use super::answer::{ModelVersion, tags, updated};
use crate::app::App;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::registered_models::{asks_for_prompts, is_of_prompts, models};
use crate::mlflow::registry::{IS_PROMPT, made_at};
use crate::mlflow::search::clause::{Comparator, Form};
use crate::mlflow::search::order::Term;
use crate::mlflow::search::{Attribute, Clause, Entity, Fact, Grammar, Page, max_results};
use crate::mlflow::wire::{List, Whole, message};

/// Versions in one answer at most, and where nobody says how many.
const MOST: usize = 200_000;

message! {
    /// Which versions are wanted.
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
    model_versions: Vec<ModelVersion<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

const fn text(name: &'static str, operators: &'static [Comparator]) -> Attribute {
    Attribute {
        name,
        form: Form::Text,
        operators,
    }
}

const GRAMMAR: Grammar = Grammar {
    attributes: &[
        text("name", Comparator::TEXT_OR_IN),
        text("run_id", Comparator::TEXT_OR_IN),
        text("source_path", Comparator::TEXT),
        Attribute {
            name: "version_number",
            form: Form::Number,
            operators: Comparator::NUMERIC,
        },
    ],
    entities: &[Entity::Tag],
    texts: Comparator::TEXT,
    sorted_by: &[
        "name",
        "version_number",
        "creation_timestamp",
        "last_updated_timestamp",
    ],
};

type Pair = (EntryRow, EntryRow);

pub(super) async fn search(State(app): State<App>, Ask(asked): Ask<Search>) -> Answered {
    let limit = max_results(asked.max_results.map_or(MOST as i64, |given| given.0), MOST)?;
    let page = Page::read(asked.page_token.as_deref(), limit)?;
    let mut clauses = GRAMMAR.parse(asked.filter.as_deref().unwrap_or_default())?;
    let order = GRAMMAR.parse_order(&asked.order_by)?;
    let shows_prompts = asks_for_prompts(&clauses);
    if !shows_prompts {
        clauses.retain(|clause| !is_of_prompts(clause));
    }
    let read = app.desk().read(move |look| {
        let models = models(look)?.into_iter().map(|row| (row.no, row));
        let models: BTreeMap<EntryNo, EntryRow> = models.collect();
        let rows = look.entries(&Entries::Kind(EntryKind::Version))?;
        let there = rows.into_iter().filter(|row| !row.state.is_deleted());
        let mut pairs: Vec<Pair> = there
            .filter_map(|row| match row.of {
                Some(Owner::Entry(no)) => Some((row, models.get(&no)?.clone())),
                Some(Owner::Experiment(_) | Owner::Project(_) | Owner::Run(_)) | None => None,
            })
            .filter(|pair| shows_prompts || !is_prompt(pair))
            .filter(|pair| clauses.iter().all(|clause| holds(clause, pair)))
            .collect();
        pairs.sort_by(|left, right| compare(left, right, &order));
        let (pairs, next_page_token) = page.of(&pairs);
        let model_versions = pairs.iter();
        let model_versions = model_versions.map(|(row, model)| ModelVersion::of(row, model));
        Ok::<_, Refusal>(Answer::of(&Found {
            model_versions: model_versions.collect(),
            next_page_token,
        }))
    });
    read.await
}

fn is_prompt((row, model): &Pair) -> bool {
    let mut tags = tags(row, model);
    model.state.is_prompt() || tags.any(|tag| tag.key == IS_PROMPT && tag.value == "true")
}

fn holds(clause: &Clause, (row, model): &Pair) -> bool {
    let state = &row.state;
    clause.holds(match (clause.entity, clause.key.as_str()) {
        (Entity::Attribute, "name") => model.state.name().map(Fact::Text),
        (Entity::Attribute, "run_id") => Some(Fact::Text(state.text("run").unwrap_or_default())),
        (Entity::Attribute, "source_path") => state.text("source").map(Fact::Text),
        (Entity::Attribute, _) => {
            let number = row.number.and_then(|number| i64::try_from(number).ok());
            number.map(Fact::Whole)
        }
        (Entity::Tag, key) => {
            let tag = tags(row, model).find(|tag| tag.key == key);
            tag.map(|tag| Fact::Text(tag.value))
        }
        (Entity::Param | Entity::Metric, _) => None,
    })
}

fn compare(left: &Pair, right: &Pair, order: &[Term]) -> Ordering {
    let by_name = || left.1.state.name().cmp(&right.1.state.name());
    let by_number = || left.0.number.cmp(&right.0.number);
    let by_update = || updated(&left.0, &left.1).cmp(&updated(&right.0, &right.1));
    if order.is_empty() {
        let by_time = by_update().reverse();
        return by_time
            .then_with(by_name)
            .then_with(|| by_number().reverse());
    }
    let terms = order.iter().map(|term| {
        term.directed(match term.key {
            "name" => by_name(),
            "version_number" => by_number(),
            "creation_timestamp" => made_at(&left.0.state).cmp(&made_at(&right.0.state)),
            _ => by_update(),
        })
    });
    let ordered = terms.fold(Ordering::Equal, Ordering::then);
    ordered
        .then_with(by_name)
        .then_with(|| by_number().reverse())
}
