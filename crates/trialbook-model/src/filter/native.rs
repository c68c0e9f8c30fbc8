//! The native dialect: what a key means, and which operators and values it takes.
//!
//! Not here: the grammar ([`mod@super::parse`]) and MLflow's rules ([`super::mlflow`]).
//! Invariant: a literal of a made condition has the type that its key is compared by.

use super::ast::{Aggregate, Expr, Key, KeyKind, Literal};
use super::attribute::{Attribute, AttributeType};
use super::error::{Slip, clipped};
use super::fault::{Fault, MetricPart, ValueForm};
use super::fit::{self, Fit, misfit};
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
    Fit::<Form>::of(condition, key)?.expression()
}

impl fit::Form for Form {
    fn of(key: &Key) -> Self {
        match key.kind {
            KeyKind::Metric => Self::Number,
            KeyKind::Param | KeyKind::Tag | KeyKind::Bare => Self::NumberOrText,
            KeyKind::Dataset => Self::Text,
            KeyKind::Attribute => match key.attribute().map(Attribute::value_type) {
                Some(AttributeType::Number) => Self::Number,
                Some(AttributeType::Time) => Self::Time,
                Some(AttributeType::Status) => Self::Status,
                Some(AttributeType::Flag) => Self::Flag,
                Some(AttributeType::Text) | None => Self::Text,
            },
        }
    }

    fn takes(self, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::Null { .. } | Predicate::In { .. } => true,
            Predicate::Like { .. } => match self {
                Self::Text | Self::NumberOrText | Self::Status => true,
                Self::Number | Self::Time | Self::Flag => false,
            },
            Predicate::Compare(op, _) => match self {
                Self::Number | Self::NumberOrText | Self::Time => true,
                Self::Text | Self::Status | Self::Flag => !op.is_ordering(),
            },
        }
    }

    fn taken(self) -> &'static str {
        match self {
            Self::Number | Self::Time => "=, !=, <, <=, >, >=, IN, NOT IN, IS NULL, IS NOT NULL",
            Self::Text | Self::Status => "=, !=, LIKE, ILIKE, IN, IS NULL and their negations",
            Self::NumberOrText => {
                "=, !=, <, <=, >, >=, LIKE, ILIKE, IN, IS NULL and their negations"
            }
            Self::Flag => "=, !=, IN, NOT IN, IS NULL, IS NOT NULL",
        }
    }

    fn literal(self, key: &str, value: Value) -> Result<Literal, Slip> {
        let unfit = |wanted| misfit(value.at, key, wanted, &value.text);
        let bare_number = || match value.quotes {
            Quotes::With => None,
            Quotes::Without => lex::number(&value.text),
        };
        match self {
            Self::Number => {
                let number = bare_number().ok_or_else(|| unfit(ValueForm::Number))?;
                Ok(Literal::Number(number, value.text))
            }
            Self::NumberOrText => match bare_number() {
                Some(number) => Ok(Literal::Number(number, value.text)),
                None => Self::quoted(key, value).map(Literal::Text),
            },
            Self::Text => Self::quoted(key, value).map(Literal::Text),
            Self::Time => {
                let millis = milliseconds(&value.text).ok_or_else(|| unfit(ValueForm::Time))?;
                Ok(Literal::Time(millis, value.text))
            }
            Self::Status => {
                let unknown = || {
                    let word = clipped(&value.text);
                    Slip::new(value.at, Fault::UnknownStatus { word })
                };
                let status = RunStatus::parse(&value.text).ok_or_else(unknown)?;
                Ok(Literal::Text(status.word().to_owned()))
            }
            Self::Flag => {
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
