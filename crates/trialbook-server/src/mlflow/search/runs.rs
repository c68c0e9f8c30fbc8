//! Searching runs: MLflow's filter and sort keys as a query of the column index.
//!
//! The grammar is the model's; here its refusals get the words that MLflow's users look for.
//! Invariant: the order is total: ties are broken by start, latest first, and those that are left by the book's
//! number, newest first; MLflow takes the id there, which is random.

use trialbook_model::filter::{
    Attribute, Collation, Dialect, Direction, Expr, Fault, FilterError, Key, KeyKind, OrderTerm,
    ValueForm, parse, parse_order_term,
};

use super::SearchError;
use crate::mlflow::names::{NOTE, RUN_NAME};

/// Reads a filter.
pub(in crate::mlflow) fn filter(text: &str) -> Result<Expr, SearchError> {
    let expr = parse(text, Dialect::Mlflow).map_err(|error| refusal(&error, text))?;
    Ok(placed(expr))
}

/// A condition whose keys are where the book keeps them: what is a tag in MLflow and a field here.
fn placed(expr: Expr) -> Expr {
    match expr {
        Expr::And(parts) => Expr::And(parts.into_iter().map(placed).collect()),
        Expr::Or(parts) => Expr::Or(parts.into_iter().map(placed).collect()),
        Expr::Not(inner) => Expr::Not(Box::new(placed(*inner))),
        Expr::Compare { key, op, value } => Expr::Compare {
            key: placed_key(key),
            op,
            value,
        },
        Expr::Like {
            key,
            pattern,
            case,
            negated,
        } => Expr::Like {
            key: placed_key(key),
            pattern,
            case,
            negated,
        },
        Expr::In {
            key,
            values,
            negated,
        } => Expr::In {
            key: placed_key(key),
            values,
            negated,
        },
        Expr::IsNull { key, negated } => Expr::IsNull {
            key: placed_key(key),
            negated,
        },
    }
}

fn placed_key(key: Key) -> Key {
    match (key.kind, key.name.as_str()) {
        (KeyKind::Tag, RUN_NAME) => Key::new(KeyKind::Attribute, Attribute::Name.name()),
        (KeyKind::Tag, NOTE) => Key::new(KeyKind::Attribute, Attribute::Notes.name()),
        (
            KeyKind::Attribute
            | KeyKind::Metric
            | KeyKind::Param
            | KeyKind::Tag
            | KeyKind::Dataset
            | KeyKind::Bare,
            _,
        ) => key,
    }
}

/// Reads sort keys, each in a text of its own, and adds what breaks ties.
pub(in crate::mlflow) fn order(texts: &[String]) -> Result<Vec<OrderTerm>, SearchError> {
    let mut terms: Vec<OrderTerm> = Vec::with_capacity(texts.len() + 1);
    for text in texts {
        let term = parse_order_term(text, Dialect::Mlflow);
        let term = term.map_err(|error| order_refusal(&error, text))?;
        let key = placed_key(term.key);
        let term = OrderTerm { key, ..term };
        if terms.iter().any(|known| known.key == term.key) {
            let found = term.key.to_string();
            return Err(SearchError::OrderTwice { found });
        }
        terms.push(term);
    }
    let key = Key::new(KeyKind::Attribute, Attribute::Started.name());
    if !terms.iter().any(|known| known.key == key) {
        terms.push(OrderTerm {
            key,
            direction: Some(Direction::Descending),
            collation: Collation::Text,
        });
    }
    Ok(terms)
}

/// A refusal with what would help.
fn said(error: &FilterError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

fn refusal(error: &FilterError, text: &str) -> SearchError {
    match &error.fault {
        Fault::UnknownMlflowAttribute { name } => match name.split_once('.') {
            Some((prefix, _)) => SearchError::EntityType {
                found: prefix.to_owned(),
                known: "['metric', 'parameter', 'tag', 'attribute', 'dataset']".to_owned(),
            },
            None => SearchError::AttributeKey {
                found: name.clone(),
                known: format!("those of runs ({})", said(error)),
            },
        },
        Fault::UnknownDatasetField { name } => SearchError::AttributeKey {
            found: name.clone(),
            known: format!(
                "['name', 'digest', 'context'] (Invalid dataset key: {})",
                said(error)
            ),
        },
        Fault::Operator {
            key,
            operator,
            allowed,
        } => SearchError::Comparator {
            found: (*operator).to_owned(),
            key: key.clone(),
            known: format!("'{allowed}'"),
        },
        Fault::Value { key, wanted, found } => misfit(key, *wanted, found),
        Fault::TooLong { .. }
        | Fault::TooDeep { .. }
        | Fault::Expected { .. }
        | Fault::Unclosed { .. }
        | Fault::UnknownAttribute { .. }
        | Fault::UnknownStatus { .. }
        | Fault::UnknownAggregate { .. }
        | Fault::UnknownOperator { .. }
        | Fault::Unquoted { .. }
        | Fault::MetricsOnly { .. }
        | Fault::Context
        | Fault::NotInMlflow { .. }
        | Fault::UnquotedName { .. }
        | Fault::Unsortable { .. }
        | Fault::Repeated { .. } => SearchError::Clause {
            found: text
                .get(error.place.byte..)
                .unwrap_or_default()
                .chars()
                .take(60)
                .collect(),
            reason: said(error),
        },
    }
}

/// A value that its key does not take.
fn misfit(key: &str, wanted: ValueForm, found: &str) -> SearchError {
    let found = found.to_owned();
    match wanted {
        ValueForm::Text => SearchError::Quoted {
            key: key.to_owned(),
            found,
        },
        ValueForm::Number
        | ValueForm::OrderedNumber
        | ValueForm::Time
        | ValueForm::Flag
        | ValueForm::Milliseconds => SearchError::Number {
            key: format!("{}: {key}", numeric_kind(key)),
            found,
        },
    }
}

fn numeric_kind(key: &str) -> &'static str {
    if key.starts_with("metric") {
        "metric"
    } else {
        "numeric attribute"
    }
}

fn order_refusal(error: &FilterError, text: &str) -> SearchError {
    match refusal(error, text) {
        SearchError::Clause { reason, .. } => SearchError::OrderClause {
            found: text.to_owned(),
            reason,
        },
        other @ (SearchError::EntityType { .. }
        | SearchError::AttributeKey { .. }
        | SearchError::Comparator { .. }
        | SearchError::Number { .. }
        | SearchError::Quoted { .. }
        | SearchError::OrderClause { .. }
        | SearchError::OrderKey { .. }
        | SearchError::OrderEntity { .. }
        | SearchError::OrderTwice { .. }
        | SearchError::PageToken { .. }
        | SearchError::MaxResults { .. }) => other,
    }
}
