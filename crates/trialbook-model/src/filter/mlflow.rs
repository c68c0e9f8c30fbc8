//! MLflow's dialect, all of it: which keys, operators and values its server takes for runs.
//!
//! Not here: the grammar ([`mod@super::parse`], which refuses there what MLflow has no form for).
//! Where it is kinder: a doubled quote is one, every spelling of a status is understood, and prefixes
//! may be in capitals; none of it changes what a filter means that MLflow takes.
//! Invariant: params and tags are compared as texts, so a made condition on them has no number.

use super::ast::{Aggregate, Case, CompareOp, Expr, Key, KeyKind, Literal};
use super::attribute::{Attribute, AttributeType};
use super::error::{Slip, clipped};
use super::fault::{Fault, ValueForm};
use super::fit::{self, Fit, Form as _, misfit};
use super::lex;
use super::native::dataset_field;
use super::value::like_matches;
use super::written::{Condition, Predicate, Quotes, Value, WrittenKey};
use crate::status::RunStatus;

/// The attributes of a run by MLflow's names, letter by letter.
const ATTRIBUTES: [(&str, Attribute); 12] = [
    ("run_id", Attribute::Id),
    ("run_name", Attribute::Name),
    ("run name", Attribute::Name),
    ("Run name", Attribute::Name),
    ("Run Name", Attribute::Name),
    ("experiment_id", Attribute::ExperimentId),
    ("status", Attribute::Status),
    ("artifact_uri", Attribute::ArtifactUri),
    ("user_id", Attribute::Actor),
    ("start_time", Attribute::Started),
    ("end_time", Attribute::Ended),
    ("created", Attribute::Started),
];

/// MLflow's words for the states.
const STATUS_WORDS: [(&str, RunStatus); 5] = [
    ("SCHEDULED", RunStatus::Queued),
    ("RUNNING", RunStatus::Running),
    ("FINISHED", RunStatus::Completed),
    ("FAILED", RunStatus::Failed),
    ("KILLED", RunStatus::Cancelled),
];

/// What a key takes on its right side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Metric,
    ParamOrTag,
    Text,
    RunId,
    Status,
    Time,
    Dataset,
}

/// The key that is meant by a written one.
pub(super) fn key(written: WrittenKey) -> Result<Key, Slip> {
    let is_plain = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    if written.quotes == Quotes::Without && !written.name.chars().all(is_plain) {
        let name = clipped(&written.name);
        return Err(Slip::new(written.at, Fault::UnquotedName { name }));
    }
    let kind = written.kind.unwrap_or(KeyKind::Attribute);
    let name = match kind {
        KeyKind::Attribute => {
            let attribute = attribute(&written.name).ok_or_else(|| {
                let name = clipped(&written.name);
                Slip::new(written.at, Fault::UnknownMlflowAttribute { name })
            })?;
            attribute.name().to_owned()
        }
        KeyKind::Dataset => dataset_field(written.at, &written.name)?,
        KeyKind::Metric | KeyKind::Param | KeyKind::Tag | KeyKind::Bare => written.name,
    };
    Ok(Key {
        kind,
        name,
        context: String::new(),
        aggregate: Aggregate::Last,
    })
}

fn attribute(name: &str) -> Option<Attribute> {
    let known = ATTRIBUTES.iter().find(|(known, _)| *known == name);
    // The one name of MLflow's with a second spelling that differs in its first letter alone.
    let created = (name == "Created").then_some(Attribute::Started);
    known.map(|&(_, attribute)| attribute).or(created)
}

/// MLflow's name that is nearest to this one, for a hint.
pub(super) fn nearest_attribute(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    ATTRIBUTES
        .iter()
        .map(|&(known, _)| (strsim::damerau_levenshtein(known, &name), known))
        .filter(|&(distance, known)| distance <= 2 && distance * 3 <= known.len())
        .min()
        .map(|(_, known)| known)
}

/// The condition that is meant by a written one.
pub(super) fn meaning(condition: Condition) -> Result<Expr, Slip> {
    let fit = Fit::<Form>::of(condition, key)?;
    if fit.form == Form::Status {
        return status(fit.key, &fit.text, fit.predicate);
    }
    fit.expression()
}

impl fit::Form for Form {
    fn of(key: &Key) -> Self {
        match key.kind {
            KeyKind::Metric => Self::Metric,
            KeyKind::Param | KeyKind::Tag => Self::ParamOrTag,
            KeyKind::Dataset => Self::Dataset,
            KeyKind::Attribute | KeyKind::Bare => match key.attribute() {
                Some(Attribute::Id) => Self::RunId,
                Some(Attribute::Status) => Self::Status,
                Some(attribute) if attribute.value_type() == AttributeType::Time => Self::Time,
                Some(_) | None => Self::Text,
            },
        }
    }

    fn takes(self, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::Compare(op, _) => match self {
                Self::Metric | Self::Time => true,
                Self::ParamOrTag | Self::Text | Self::RunId | Self::Status | Self::Dataset => {
                    !op.is_ordering()
                }
            },
            Predicate::Like { negated, .. } => match self {
                Self::ParamOrTag | Self::Text | Self::RunId | Self::Status | Self::Dataset => {
                    !negated
                }
                Self::Metric | Self::Time => false,
            },
            Predicate::In { .. } => match self {
                Self::RunId | Self::Dataset => true,
                Self::Metric | Self::ParamOrTag | Self::Text | Self::Status | Self::Time => false,
            },
            Predicate::Null { .. } => match self {
                Self::ParamOrTag => true,
                Self::Metric
                | Self::Text
                | Self::RunId
                | Self::Status
                | Self::Time
                | Self::Dataset => false,
            },
        }
    }

    fn taken(self) -> &'static str {
        match self {
            Self::Metric | Self::Time => "=, !=, <, <=, >, >=",
            Self::ParamOrTag => "=, !=, LIKE, ILIKE, IS NULL, IS NOT NULL",
            Self::Text | Self::Status => "=, !=, LIKE, ILIKE",
            Self::RunId | Self::Dataset => "=, !=, LIKE, ILIKE, IN, NOT IN",
        }
    }

    fn literal(self, key: &str, value: Value) -> Result<Literal, Slip> {
        let bare = value.quotes == Quotes::Without;
        match self {
            Self::Metric => match lex::number(&value.text) {
                Some(number) if bare && number.is_finite() => {
                    Ok(Literal::Number(number, value.text))
                }
                Some(_) | None => Err(misfit(value.at, key, ValueForm::Number, &value.text)),
            },
            Self::Time => match value.text.parse() {
                Ok(millis) if bare => Ok(Literal::Time(millis, value.text)),
                Ok(_) | Err(_) => Err(misfit(value.at, key, ValueForm::Milliseconds, &value.text)),
            },
            Self::ParamOrTag | Self::Text | Self::RunId | Self::Status | Self::Dataset => {
                Self::quoted(key, value).map(Literal::Text)
            }
        }
    }

    fn quoted(key: &str, value: Value) -> Result<String, Slip> {
        match value.quotes {
            Quotes::With => Ok(value.text),
            Quotes::Without => Err(misfit(value.at, key, ValueForm::Text, &value.text)),
        }
    }
}

/// Conditions on MLflow's words of the states, said of ours.
fn status(key: Key, text: &str, predicate: Predicate) -> Result<Expr, Slip> {
    let (matching, negated) = match predicate {
        Predicate::Compare(op, value) => {
            let word = Form::quoted(text, value)?;
            if let Some(status) = RunStatus::parse(&word) {
                let value = Literal::Text(status.word().to_owned());
                return Ok(Expr::Compare { key, op, value });
            }
            (Vec::new(), op == CompareOp::NotEqual)
        }
        Predicate::Like {
            case,
            negated,
            pattern,
        } => (matching_words(&Form::quoted(text, pattern)?, case), negated),
        Predicate::In { negated, .. } | Predicate::Null { negated } => (Vec::new(), negated),
    };
    // Every run has a status: to have none never holds, to have one always.
    Ok(if matching.is_empty() {
        Expr::IsNull { key, negated }
    } else {
        Expr::In {
            key,
            values: matching,
            negated,
        }
    })
}

fn matching_words(pattern: &str, case: Case) -> Vec<Literal> {
    STATUS_WORDS
        .iter()
        .filter(|(word, _)| like_matches(pattern, case, word))
        .map(|(_, status)| Literal::Text(status.word().to_owned()))
        .collect()
}
