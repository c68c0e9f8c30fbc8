//! Conditions as they are written, before a dialect gives them their meaning.
//!
//! Not here: how they are read ([`mod@super::parse`]). Invariant: every part keeps its place in the text.

use super::ast::{Aggregate, Case, CompareOp, KeyKind};

/// A condition as written.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) key: WrittenKey,
    /// Where the operator stands.
    pub(super) operator_at: usize,
    pub(super) predicate: Predicate,
}

/// A key as written.
#[derive(Debug)]
pub(super) struct WrittenKey {
    pub(super) at: usize,
    /// What the prefix says.
    pub(super) kind: Option<KeyKind>,
    pub(super) name: String,
    pub(super) quotes: Quotes,
    /// Canonical JSON, empty without context.
    pub(super) context: String,
    pub(super) aggregate: Option<Aggregate>,
    /// The whole of it, clipped for messages.
    pub(super) text: String,
}

/// Whether something stands between quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    With,
    Without,
}

/// A value as written, without its quotes.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) at: usize,
    pub(super) text: String,
    pub(super) quotes: Quotes,
}

/// An operator and its right side as written; `negated` means that `NOT` belongs to the operator.
#[derive(Debug)]
pub(super) enum Predicate {
    Compare(CompareOp, Value),
    Like {
        case: Case,
        negated: bool,
        pattern: Value,
    },
    /// At least one value.
    In {
        negated: bool,
        values: Vec<Value>,
    },
    Null {
        negated: bool,
    },
}

impl Predicate {
    /// How a message calls the operator.
    pub(super) const fn operator(&self) -> &'static str {
        match self {
            Self::Compare(op, _) => op.sign(),
            Self::Like { case, negated, .. } => match (case, *negated) {
                (Case::Sensitive, false) => "LIKE",
                (Case::Sensitive, true) => "NOT LIKE",
                (Case::Insensitive, false) => "ILIKE",
                (Case::Insensitive, true) => "NOT ILIKE",
            },
            Self::In { negated: false, .. } => "IN",
            Self::In { negated: true, .. } => "NOT IN",
            Self::Null { negated: false } => "IS NULL",
            Self::Null { negated: true } => "IS NOT NULL",
        }
    }
}
