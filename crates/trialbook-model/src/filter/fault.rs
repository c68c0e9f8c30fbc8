//! The faults that a filter's text can have, as data, and how a message says them.
//!
//! Not here: where a fault is and what helps against it ([`super::error`]).
//! Invariant: a fault alone gives its message; what was found is clipped before it comes here.

use std::fmt;

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

struct Shown<'a>(Option<&'a str>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(found) => write!(f, "`{found}`"),
            None => f.write_str("the end"),
        }
    }
}
