//! The tree of a filter: what is asked of a run, whichever dialect it was written in.
//!
//! Not here: reading text ([`super::parse()`]) and judging a run ([`super::evaluate`]).
//! Invariant: printing a tree that the parser made and parsing it again gives the same tree.
//! Invariant: a tree says nothing that needs a clock or other runs; a row alone decides it.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::attribute::Attribute;
use super::print;

/// A condition on one run. A comparison with a missing value is false, so its `NOT` is true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// All of them; the empty list holds for every run.
    And(Vec<Expr>),
    /// At least one of them.
    Or(Vec<Expr>),
    /// Not it: true where the inner condition is false, be it for a missing value.
    Not(Box<Expr>),
    /// `key op value`; false where the value is missing, also for `!=`.
    Compare {
        /// Left side.
        key: Key,
        /// Operator.
        op: CompareOp,
        /// Right side.
        value: Literal,
    },
    /// `key [NOT] LIKE pattern`; false where the value is missing, also when negated.
    Like {
        /// Left side.
        key: Key,
        /// `%` stands for any text, `_` for one character; nothing escapes them.
        pattern: String,
        /// `LIKE` or `ILIKE`.
        case: Case,
        /// `NOT LIKE`.
        negated: bool,
    },
    /// `key [NOT] IN (…)`; false where the value is missing, also when negated.
    In {
        /// Left side.
        key: Key,
        /// The values, at least one.
        values: Vec<Literal>,
        /// `NOT IN`.
        negated: bool,
    },
    /// `key IS [NOT] NULL`.
    IsNull {
        /// What is looked at.
        key: Key,
        /// `IS NOT NULL`.
        negated: bool,
    },
}

impl Expr {
    /// The condition that holds for every run.
    pub const fn all() -> Self {
        Self::And(Vec::new())
    }

    /// All keys, from left to right, repeated ones repeated.
    pub fn keys(&self) -> Vec<&Key> {
        let mut keys = Vec::new();
        self.collect_keys(&mut keys);
        keys
    }

    fn collect_keys<'a>(&'a self, keys: &mut Vec<&'a Key>) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.collect_keys(keys);
                }
            }
            Self::Not(inner) => inner.collect_keys(keys),
            Self::Compare { key, .. }
            | Self::Like { key, .. }
            | Self::In { key, .. }
            | Self::IsNull { key, .. } => keys.push(key),
        }
    }
}

impl fmt::Display for Expr {
    /// The native text of the condition.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::expr(f, self)
    }
}

/// What a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyKind {
    /// A property that every run has, such as `status`; its name is [`Attribute::name`].
    Attribute,
    /// A metric, logged or derived (`derived.NAME` names the derived one for certain).
    Metric,
    /// A param.
    Param,
    /// A tag.
    Tag,
    /// A field of one of the run's datasets: `name`, `digest` or `context`. The condition holds when
    /// it holds for one of them.
    Dataset,
    /// A name alone that is no attribute: the run's metric of that name, and its param where the run
    /// has no such metric or where only text can be meant ([`Key::kinds`]).
    Bare,
}

/// Which number of a metric's series is meant.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum Aggregate {
    /// The last value: the greatest by (step, time, value).
    #[default]
    Last,
    /// The smallest finite value.
    Min,
    /// The greatest finite value.
    Max,
    /// The mean of the finite values.
    Mean,
    /// The smallest or greatest finite value, as the metric's goal says; without a goal the last.
    Best,
    /// How many values were logged, NaN and infinities among them.
    Count,
    /// How many of them are NaN.
    Nan,
}

impl Aggregate {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Last,
        Self::Min,
        Self::Max,
        Self::Mean,
        Self::Best,
        Self::Count,
        Self::Nan,
    ];

    /// The function's name in a filter: `min(metrics.loss)`. `last` may be left out.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Best => "best",
            Self::Count => "count",
            Self::Nan => "nan",
        }
    }
}

/// The left side of a condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What it names.
    pub kind: KeyKind,
    /// The name; of attributes the canonical one.
    pub name: String,
    /// Canonical JSON of the series' context; empty for the plain series and for all but metrics.
    pub context: String,
    /// Which number of the series; `Last` for all but metrics.
    pub aggregate: Aggregate,
}

/// What kind of value the other side of a key is, which decides what a bare key can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// A number, or only presence.
    Any,
    /// Text, which no metric can be.
    Text,
}

impl Key {
    /// A key without context, of the last value.
    pub fn new(kind: KeyKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            context: String::new(),
            aggregate: Aggregate::Last,
        }
    }

    /// The attribute it names, if it names one.
    pub fn attribute(&self) -> Option<Attribute> {
        match self.kind {
            KeyKind::Attribute => Attribute::named(&self.name),
            KeyKind::Metric | KeyKind::Param | KeyKind::Tag | KeyKind::Dataset | KeyKind::Bare => {
                None
            }
        }
    }

    /// Where the value is looked for in a run, in this order; the first place that has one holds.
    pub fn kinds(&self, wanted: Wanted) -> &'static [KeyKind] {
        match (self.kind, wanted) {
            (KeyKind::Attribute, Wanted::Any | Wanted::Text) => &[KeyKind::Attribute],
            (KeyKind::Metric, Wanted::Any | Wanted::Text) => &[KeyKind::Metric],
            (KeyKind::Param, Wanted::Any | Wanted::Text) | (KeyKind::Bare, Wanted::Text) => {
                &[KeyKind::Param]
            }
            (KeyKind::Tag, Wanted::Any | Wanted::Text) => &[KeyKind::Tag],
            (KeyKind::Dataset, Wanted::Any | Wanted::Text) => &[KeyKind::Dataset],
            (KeyKind::Bare, Wanted::Any) => &[KeyKind::Metric, KeyKind::Param],
        }
    }
}

impl fmt::Display for Key {
    /// The native text of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::key(f, self)
    }
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CompareOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

impl CompareOp {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessEqual,
        Self::Greater,
        Self::GreaterEqual,
    ];

    /// The sign.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }

    /// Whether it asks for more than equality, which text does not offer.
    pub const fn is_ordering(self) -> bool {
        match self {
            Self::Equal | Self::NotEqual => false,
            Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual => true,
        }
    }

    /// Whether `left op right` holds for numbers. NaN satisfies only `!=`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterEqual => left >= right,
        }
    }
}

/// Whether the case of letters counts in a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Case {
    /// `LIKE`.
    Sensitive,
    /// `ILIKE`.
    Insensitive,
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Literal {
    /// A number and its text as written.
    Number(f64, String),
    /// An instant for a time attribute, as whole milliseconds since 1970, and its text as written.
    Time(i64, String),
    /// A text. For the attributes `status`, `archived` and `deleted` it is the canonical word.
    Text(String),
}

impl Literal {
    /// What kind of value a key must have to be compared with it.
    pub const fn wanted(&self) -> Wanted {
        match self {
            Self::Number(..) | Self::Time(..) => Wanted::Any,
            Self::Text(_) => Wanted::Text,
        }
    }

    /// A number literal with the shortest text that reads back exactly.
    pub fn number(value: f64) -> Self {
        Self::Number(value, format!("{value:?}"))
    }
}

impl fmt::Display for Literal {
    /// The native text of the literal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::literal(f, self)
    }
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Greatest first.
    Descending,
}

/// How values of one sort key are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Collation {
    /// Numbers as numbers, then texts as texts.
    Natural,
    /// All params and tags as texts (MLflow's rule).
    Text,
}

/// One key of an order clause. Missing values come last in both directions, NaN just before them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderTerm {
    /// What is sorted by.
    pub key: Key,
    /// The direction, if the text names one; see [`OrderTerm::direction_for`].
    pub direction: Option<Direction>,
    /// How values are compared.
    pub collation: Collation,
}
