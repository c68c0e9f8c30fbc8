//! What can be wrong with a filter's text, where, and what would help.
//!
//! Not here: which rule was broken by what ([`super::native`] and [`super::mlflow`] decide).
//! Invariant: a place lies inside the text or at its end, on a boundary of characters.

use std::fmt;

use unicode_width::UnicodeWidthChar as _;

use super::attribute::Attribute;
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

/// What is wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The text is longer than any that is read.
    #[error("{bytes} bytes are more than the {limit} a filter may have")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The greatest length.
        limit: usize,
    },
    /// Parentheses and `NOT` stand inside each other too often.
    #[error("conditions stand more than {limit} deep inside each other")]
    TooDeep {
        /// The greatest depth.
        limit: usize,
    },
    /// Something else belongs here.
    #[error("expected {expected}, found {}", Shown(found.as_deref()))]
    Expected {
        /// What belongs here.
        expected: Expected,
        /// What stands here; nothing at the end.
        found: Option<String>,
    },
    /// A quote that nothing closes.
    #[error("nothing closes the `{opening}`")]
    Unclosed {
        /// The quote.
        opening: char,
    },
    /// No attribute has this name.
    #[error("`{name}` is not an attribute of runs")]
    UnknownAttribute {
        /// The name.
        name: String,
    },
    /// MLflow gives runs no attribute of this name.
    #[error("`{name}` is not an attribute of runs in MLflow")]
    UnknownMlflowAttribute {
        /// The name.
        name: String,
    },
    /// Datasets have no such field.
    #[error("datasets have `name`, `digest` and `context`, not `{name}`")]
    UnknownDatasetField {
        /// The name.
        name: String,
    },
    /// No status has this word.
    #[error("`{word}` is not a status")]
    UnknownStatus {
        /// The word.
        word: String,
    },
    /// No aggregate has this name.
    #[error("`{name}` is not one of last, min, max, mean, best, count, nan")]
    UnknownAggregate {
        /// The name.
        name: String,
    },
    /// No operator is written so.
    #[error("`{sign}` is not an operator")]
    UnknownOperator {
        /// The sign.
        sign: String,
    },
    /// The operator does not go with the key.
    #[error("`{key}` does not take {operator}, only {allowed}")]
    Operator {
        /// The key as written.
        key: String,
        /// The operator.
        operator: &'static str,
        /// Those that it takes.
        allowed: &'static str,
    },
    /// The value does not go with the key.
    #[error("`{key}` is compared with {wanted}, not `{found}`")]
    Value {
        /// The key as written.
        key: String,
        /// What it is compared with.
        wanted: ValueForm,
        /// The value as written.
        found: String,
    },
    /// A text without quotes.
    #[error("the text `{text}` needs quotes")]
    Unquoted {
        /// The text.
        text: String,
    },
    /// A context or an aggregate of something that is no metric.
    #[error("only metrics have {part}, `{key}` has none")]
    MetricsOnly {
        /// Which of the two.
        part: MetricPart,
        /// The key's name.
        key: String,
    },
    /// What stands in braces is no JSON map.
    #[error("the context in braces is not a JSON map")]
    Context,
    /// The native dialect has it, MLflow's has not.
    #[error("MLflow's filters have no {construct}")]
    NotInMlflow {
        /// What they lack.
        construct: Construct,
    },
    /// A name that MLflow reads between quotes alone.
    #[error("MLflow reads the name `{name}` between backticks alone")]
    UnquotedName {
        /// The name.
        name: String,
    },
    /// Runs are not sorted by what they can have several of.
    #[error("runs cannot be sorted by `{key}`, of which one run has several")]
    Unsortable {
        /// The key.
        key: String,
    },
    /// An order names a key a second time.
    #[error("`{key}` is sorted by twice")]
    Repeated {
        /// The key.
        key: String,
    },
}

/// What belongs at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expected {
    /// The left side of a condition, or `NOT` or a parenthesis.
    Condition,
    /// A key alone.
    Key,
    /// The name behind a prefix such as `metrics.`.
    Name,
    /// An operator.
    Operator,
    /// `LIKE`, `ILIKE` or `IN` behind `NOT`.
    NegatedOperator,
    /// `NULL` or `NOT NULL` behind `IS`.
    Null,
    /// The right side of a condition.
    Value,
    /// A list in parentheses.
    List,
    /// `,` or `)` in a list.
    ListGoesOn,
    /// `)`, or `AND` or `OR`.
    Closing,
    /// The `)` of an aggregate.
    AggregateClosing,
    /// `AND`, `OR` or the end.
    Connective,
    /// `ASC`, `DESC`, a comma or the end.
    Direction,
    /// The end of a single sort key.
    End,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Condition => "a condition such as `metrics.loss < 0.5`",
            Self::Key => "a key such as `metrics.loss`",
            Self::Name => "a name behind the dot",
            Self::Operator => "an operator (=, !=, <, <=, >, >=, LIKE, ILIKE, IN, NOT IN, IS NULL)",
            Self::NegatedOperator => "LIKE, ILIKE or IN behind NOT",
            Self::Null => "NULL or NOT NULL behind IS",
            Self::Value => "a number or a quoted text",
            Self::List => "a list such as `('a', 'b')`",
            Self::ListGoesOn => "`,` or `)`",
            Self::Closing => "AND, OR or `)`",
            Self::AggregateClosing => "`)`",
            Self::Connective => "AND, OR or the end",
            Self::Direction => "ASC, DESC, a comma or the end",
            Self::End => "the end",
        })
    }
}

/// What a key is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueForm {
    /// A number.
    Number,
    /// A number, since the operator asks for an order, which texts do not have.
    OrderedNumber,
    /// A text in quotes.
    Text,
    /// An instant.
    Time,
    /// `true` or `false`.
    Flag,
    /// Whole milliseconds since 1970 (MLflow).
    Milliseconds,
}

impl fmt::Display for ValueForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "a number",
            Self::OrderedNumber => "a number by <, <=, > and >=",
            Self::Text => "a text in quotes",
            Self::Time => {
                "a time (`2026-01-21`, `2026-01-21T10:00:12Z` or milliseconds since 1970)"
            }
            Self::Flag => "true or false",
            Self::Milliseconds => "milliseconds since 1970",
        })
    }
}

/// What only metrics have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricPart {
    /// `{"split":"test"}`.
    Context,
    /// `min(…)`.
    Aggregate,
}

impl fmt::Display for MetricPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Context => "a context",
            Self::Aggregate => "aggregates",
        })
    }
}

/// What MLflow's filters lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Construct {
    /// `OR`.
    Or,
    /// `NOT` before a condition.
    Not,
    /// Parentheses around conditions.
    Parentheses,
    /// `min(…)`.
    Aggregate,
    /// `{"split":"test"}`.
    Context,
    /// `==`.
    DoubleEquals,
}

impl fmt::Display for Construct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Or => "OR",
            Self::Not => "NOT before a condition",
            Self::Parentheses => "parentheses around conditions",
            Self::Aggregate => "aggregates",
            Self::Context => "contexts",
            Self::DoubleEquals => "`==`",
        })
    }
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
            Fault::UnknownAggregate { name } => Some(format!(
                "quote the name with backticks if it is a metric: `` `{name}` ``"
            )),
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

struct Shown<'a>(Option<&'a str>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(found) => write!(f, "`{found}`"),
            None => f.write_str("the end"),
        }
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
