//! The native dialect: what a key means, and which operators and values it takes.
//!
//! Not here: the grammar ([`mod@super::parse`]) and MLflow's rules ([`super::mlflow`]).
//! Invariant: a literal of a made condition has the type that its key is compared by.

use super::ast::{Aggregate, Expr, Key, KeyKind, Literal};
use super::attribute::{Attribute, AttributeType};
use super::error::{Slip, clipped};
use super::fault::{Fault, MetricPart, ValueForm};
use super::lex;
use super::written::{Condition, Predicate, Quotes, Value, WrittenKey};
use crate::status::RunStatus;
use crate::time::Timestamp;

/// The fields of a dataset that a key may name.
pub(super) const DATASET_FIELDS: [&str; 3] = ["name", "digest", "context"];

/// What a key takes on its right side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Number,
    Text,
    /// A param, a tag or a bare name: numbers and texts.
    NumberOrText,
    Time,
    Status,
    Flag,
}

/// The key that is meant by a written one.
pub(super) fn key(written: WrittenKey) -> Result<Key, Slip> {
    let is_series = written.aggregate.is_some() || !written.context.is_empty();
    let kind = match written.kind {
        Some(kind) => kind,
        None if Attribute::named(&written.name).is_some() => KeyKind::Attribute,
        None if is_series => KeyKind::Metric,
        None => KeyKind::Bare,
    };
    if is_series && kind != KeyKind::Metric {
        let part = if written.aggregate.is_some() {
            MetricPart::Aggregate
        } else {
            MetricPart::Context
        };
        let key = clipped(&written.name);
        return Err(Slip::new(written.at, Fault::MetricsOnly { part, key }));
    }
    let name = match kind {
        KeyKind::Attribute => {
            let attribute = Attribute::named(&written.name).ok_or_else(|| {
                let name = clipped(&written.name);
                Slip::new(written.at, Fault::UnknownAttribute { name })
            })?;
            attribute.name().to_owned()
        }
        KeyKind::Dataset => dataset_field(written.at, &written.name)?,
        KeyKind::Metric | KeyKind::Param | KeyKind::Tag | KeyKind::Bare => written.name,
    };
    Ok(Key {
        kind,
        name,
        context: written.context,
        aggregate: written.aggregate.unwrap_or(Aggregate::Last),
    })
}

/// The field of a dataset that has this name, whatever its case.
pub(super) fn dataset_field(at: usize, name: &str) -> Result<String, Slip> {
    DATASET_FIELDS
        .into_iter()
        .find(|field| field.eq_ignore_ascii_case(name))
        .map(str::to_owned)
        .ok_or_else(|| {
            let name = clipped(name);
            Slip::new(at, Fault::UnknownDatasetField { name })
        })
}

/// The condition that is meant by a written one.
pub(super) fn meaning(condition: Condition) -> Result<Expr, Slip> {
    let Condition {
        key: written,
        operator_at,
        predicate,
    } = condition;
    let text = written.text.clone();
    let key = key(written)?;
    let form = form(&key);
    if !takes(form, &predicate) {
        let fault = Fault::Operator {
            key: text,
            operator: predicate.operator(),
            allowed: taken(form),
        };
        return Err(Slip::new(operator_at, fault));
    }
    Ok(match predicate {
        Predicate::Null { negated } => Expr::IsNull { key, negated },
        Predicate::Like {
            case,
            negated,
            pattern,
        } => Expr::Like {
            key,
            pattern: quoted(&text, pattern)?,
            case,
            negated,
        },
        Predicate::In { negated, values } => Expr::In {
            key,
            values: values
                .into_iter()
                .map(|value| literal(form, &text, value))
                .collect::<Result<_, _>>()?,
            negated,
        },
        Predicate::Compare(op, value) => {
            let at = value.at;
            let value = literal(form, &text, value)?;
            match value {
                Literal::Text(found) if op.is_ordering() => {
                    return Err(misfit(at, &text, ValueForm::OrderedNumber, &found));
                }
                Literal::Number(..) | Literal::Time(..) | Literal::Text(_) => {
                    Expr::Compare { key, op, value }
                }
            }
        }
    })
}

fn form(key: &Key) -> Form {
    match key.kind {
        KeyKind::Metric => Form::Number,
        KeyKind::Param | KeyKind::Tag | KeyKind::Bare => Form::NumberOrText,
        KeyKind::Dataset => Form::Text,
        KeyKind::Attribute => match key.attribute().map(Attribute::value_type) {
            Some(AttributeType::Number) => Form::Number,
            Some(AttributeType::Time) => Form::Time,
            Some(AttributeType::Status) => Form::Status,
            Some(AttributeType::Flag) => Form::Flag,
            Some(AttributeType::Text) | None => Form::Text,
        },
    }
}

fn takes(form: Form, predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Null { .. } | Predicate::In { .. } => true,
        Predicate::Like { .. } => match form {
            Form::Text | Form::NumberOrText | Form::Status => true,
            Form::Number | Form::Time | Form::Flag => false,
        },
        Predicate::Compare(op, _) => match form {
            Form::Number | Form::NumberOrText | Form::Time => true,
            Form::Text | Form::Status | Form::Flag => !op.is_ordering(),
        },
    }
}

const fn taken(form: Form) -> &'static str {
    match form {
        Form::Number | Form::Time => "=, !=, <, <=, >, >=, IN, NOT IN, IS NULL, IS NOT NULL",
        Form::Text | Form::Status => "=, !=, LIKE, ILIKE, IN, IS NULL and their negations",
        Form::NumberOrText => "=, !=, <, <=, >, >=, LIKE, ILIKE, IN, IS NULL and their negations",
        Form::Flag => "=, !=, IN, NOT IN, IS NULL, IS NOT NULL",
    }
}

fn literal(form: Form, key: &str, value: Value) -> Result<Literal, Slip> {
    let unfit = |wanted| misfit(value.at, key, wanted, &value.text);
    let bare_number = || match value.quotes {
        Quotes::With => None,
        Quotes::Without => lex::number(&value.text),
    };
    match form {
        Form::Number => {
            let number = bare_number().ok_or_else(|| unfit(ValueForm::Number))?;
            Ok(Literal::Number(number, value.text))
        }
        Form::NumberOrText => match bare_number() {
            Some(number) => Ok(Literal::Number(number, value.text)),
            None => quoted(key, value).map(Literal::Text),
        },
        Form::Text => quoted(key, value).map(Literal::Text),
        Form::Time => {
            let millis = milliseconds(&value.text).ok_or_else(|| unfit(ValueForm::Time))?;
            Ok(Literal::Time(millis, value.text))
        }
        Form::Status => {
            let unknown = || {
                let word = clipped(&value.text);
                Slip::new(value.at, Fault::UnknownStatus { word })
            };
            let status = RunStatus::parse(&value.text).ok_or_else(unknown)?;
            Ok(Literal::Text(status.word().to_owned()))
        }
        Form::Flag => {
            let word = value.text.to_ascii_lowercase();
            if word == "true" || word == "false" {
                Ok(Literal::Text(word))
            } else {
                Err(unfit(ValueForm::Flag))
            }
        }
    }
}

/// The text of a value that must stand between quotes.
fn quoted(key: &str, value: Value) -> Result<String, Slip> {
    match value.quotes {
        Quotes::With => Ok(value.text),
        Quotes::Without if lex::number(&value.text).is_some() => {
            Err(misfit(value.at, key, ValueForm::Text, &value.text))
        }
        Quotes::Without => {
            let text = clipped(&value.text);
            Err(Slip::new(value.at, Fault::Unquoted { text }))
        }
    }
}

/// That the value does not go with the key.
pub(super) fn misfit(at: usize, key: &str, wanted: ValueForm, found: &str) -> Slip {
    let (key, found) = (key.to_owned(), clipped(found));
    Slip::new(at, Fault::Value { key, wanted, found })
}

/// The instant that a text names, in whole milliseconds since 1970: such a number, RFC 3339, or a date
/// or a date with a time, both UTC.
fn milliseconds(text: &str) -> Option<i64> {
    if let Ok(millis) = text.parse() {
        return Some(millis);
    }
    if let Ok(time) = Timestamp::parse(text) {
        return Some(time.millis());
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let instant = jiff::tz::Offset::UTC.to_timestamp(civil).ok()?;
    Some(instant.as_millisecond())
}
