//! An error in a filter's text: the place, what is shown of it, and what would help.
//!
//! Not here: the faults themselves ([`super::fault`]) and the rules they break ([`super::parse()`]).
//! Invariant: a place lies inside the text or at its end, on a boundary of characters.

use unicode_width::UnicodeWidthChar as _;

use super::ast::Aggregate;
use super::attribute::Attribute;
use super::fault::{Construct, Expected, Fault, ValueForm};
use super::lex;
use super::mlflow;
use crate::status::RunStatus;

/// How many characters of a found word a message repeats.
const FOUND_CHARACTERS: usize = 40;
/// How many characters [`FilterError::render`] shows on either side of the place.
const SHOWN_CHARACTERS: usize = 60;

/// Why a text is not a filter or an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}, at character {}", place.character + 1)]
pub struct FilterError {
    /// Where.
    pub place: Place,
    /// What is wrong there.
    pub fault: Fault,
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// How many bytes stand before it.
    pub byte: usize,
    /// How many characters stand before it.
    pub character: usize,
}

/// A fault and the byte it is at, before the text is at hand to count characters.
#[derive(Debug)]
pub(super) struct Slip {
    pub(super) at: usize,
    pub(super) fault: Fault,
}

impl Slip {
    pub(super) fn new(at: usize, fault: Fault) -> Self {
        Self { at, fault }
    }

    pub(super) fn placed(self, text: &str) -> FilterError {
        FilterError {
            place: Place {
                byte: self.at,
                character: text[..self.at].chars().count(),
            },
            fault: self.fault,
        }
    }
}

impl FilterError {
    /// What would help, if that can be said.
    pub fn hint(&self) -> Option<String> {
        match &self.fault {
            Fault::Expected { expected, found } => expected_hint(*expected, found.as_deref()?),
            Fault::UnknownAttribute { name } => {
                Attribute::nearest(name).map(|near| format!("did you mean `{near}`?"))
            }
            Fault::UnknownMlflowAttribute { name } => Some(match mlflow::nearest_attribute(name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "metrics, params and tags stand behind `metrics.`, `params.`, `tags.`"
                    .to_owned(),
            }),
            Fault::UnknownDatasetField { name } => near(name, ["name", "digest", "context"])
                .map(|near| format!("did you mean `{near}`?")),
            Fault::UnknownStatus { word } => Some(status_hint(word)),
            Fault::UnknownAggregate { name } => {
                Some(match near(name, Aggregate::ALL.map(Aggregate::word)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("put backticks around the name of a metric: `{name}`"),
                })
            }
            Fault::UnknownOperator { sign } => operator_hint(sign),
            Fault::Value { wanted, found, .. } => value_hint(*wanted, found),
            Fault::Unquoted { text } => Some(format!("quote it: '{}'", text.replace('\'', "''"))),
            Fault::MetricsOnly { key, .. } => {
                Some(format!("write metrics.`{key}` if the metric is meant"))
            }
            Fault::Context => Some("write it like metrics.loss{\"split\":\"test\"}".to_owned()),
            Fault::NotInMlflow { construct } => Some(match construct {
                Construct::DoubleEquals => "write `=`".to_owned(),
                Construct::Or
                | Construct::Not
                | Construct::Parentheses
                | Construct::Aggregate
                | Construct::Context => "Trialbook's own dialect has them".to_owned(),
            }),
            Fault::UnquotedName { name } => Some(format!("quote it: `{name}`")),
            Fault::TooLong { .. }
            | Fault::TooDeep { .. }
            | Fault::Unclosed { .. }
            | Fault::Operator { .. }
            | Fault::Unsortable { .. }
            | Fault::Repeated { .. } => None,
        }
    }

    /// The line of `text` that the place is in and a caret below the place, without a line end. A long
    /// line is cut on both sides. Characters that would move the cursor show as blanks.
    pub fn render(&self, text: &str) -> String {
        let mut byte = self.place.byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let (before, after) = text.split_at(byte);
        let before = before.rsplit('\n').next().unwrap_or_default();
        let after = after.split('\n').next().unwrap_or_default();
        let cut_before = before.chars().count().saturating_sub(SHOWN_CHARACTERS);
        let mut line = String::new();
        if cut_before > 0 {
            line.push('…');
        }
        line.extend(before.chars().skip(cut_before).map(harmless));
        let indent: usize = line.chars().map(|letter| letter.width().unwrap_or(0)).sum();
        line.extend(after.chars().take(SHOWN_CHARACTERS).map(harmless));
        if after.chars().nth(SHOWN_CHARACTERS).is_some() {
            line.push('…');
        }
        format!("{line}\n{:indent$}^", "")
    }
}

fn harmless(letter: char) -> char {
    if letter.width().is_none() {
        ' '
    } else {
        letter
    }
}

/// What was found, clipped, for a message.
pub(super) fn clipped(text: &str) -> String {
    match text.char_indices().nth(FOUND_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The candidate that `word` differs from by a slip of the fingers.
fn near<const N: usize>(word: &str, candidates: [&'static str; N]) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(candidate, &word), candidate))
        .filter(|&(distance, candidate)| {
            distance > 0 && distance <= 2 && distance < candidate.len()
        })
        .min()
        .map(|(_, candidate)| candidate)
}

fn expected_hint(expected: Expected, found: &str) -> Option<String> {
    let candidate = match expected {
        Expected::Connective | Expected::Closing => match found {
            "&" | "&&" => Some("and"),
            "|" | "||" => Some("or"),
            _ => near(found, ["and", "or"]),
        },
        Expected::Operator | Expected::NegatedOperator => match found {
            "~" => Some("like"),
            _ => near(found, ["like", "ilike", "in", "is", "not"]),
        },
        Expected::Null => near(found, ["null", "not"]),
        Expected::Direction => near(found, ["asc", "desc"]),
        Expected::Condition | Expected::Key | Expected::Name if lex::is_keyword(found) => {
            return Some(format!(
                "put backticks around a name that is a keyword: `{found}`"
            ));
        }
        Expected::Condition if found.starts_with('!') => Some("not"),
        Expected::Value if found.starts_with('`') => {
            return Some("values stand in single quotes, names in backticks".to_owned());
        }
        Expected::Condition
        | Expected::Key
        | Expected::Name
        | Expected::Value
        | Expected::List
        | Expected::ListGoesOn
        | Expected::AggregateClosing
        | Expected::End => None,
    };
    candidate.map(|word| format!("did you mean {}?", word.to_ascii_uppercase()))
}

fn status_hint(word: &str) -> String {
    match near(word, RunStatus::ALL.map(RunStatus::word)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "queued, running, completed, failed, cancelled".to_owned(),
    }
}

fn operator_hint(sign: &str) -> Option<String> {
    let meant = match sign {
        "<>" | "=!" | "!==" => "!=",
        "===" => "=",
        "=<" => "<=",
        "=>" => ">=",
        "~" | "=~" => "LIKE",
        _ => return None,
    };
    Some(format!("did you mean `{meant}`?"))
}

fn value_hint(wanted: ValueForm, found: &str) -> Option<String> {
    match wanted {
        ValueForm::Number | ValueForm::OrderedNumber | ValueForm::Milliseconds => {
            if found.eq_ignore_ascii_case("nan") {
                return Some("nan(metrics.loss) > 0 finds runs that logged NaN".to_owned());
            }
            lex::number(found).map(|_| "write the number without quotes".to_owned())
        }
        ValueForm::Text => Some(format!("quote it: '{}'", found.replace('\'', "''"))),
        ValueForm::Time | ValueForm::Flag => None,
    }
}
