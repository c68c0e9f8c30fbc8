//! What a noun's filters may name: its attributes, what else it has, and which operators those take.
//!
//! Invariant: a key that stands in no grammar is refused, with those that do.

use trialbook_model::filter::CompareOp;

/// What a noun has that its filters may name.
#[derive(Debug, Clone, Copy)]
pub(in crate::mlflow) struct Grammar {
    /// Its attributes.
    pub attributes: &'static [Attribute],
    /// What else it has, behind prefixes.
    pub entities: &'static [Entity],
    /// The operators that texts behind prefixes (tags, params) take.
    pub texts: &'static [Comparator],
    /// Keys that it is sorted by.
    pub sorted_by: &'static [&'static str],
}

/// An attribute of a noun.
#[derive(Debug, Clone, Copy)]
pub(in crate::mlflow) struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// Whether it is compared with numbers.
    pub form: Form,
    /// The operators it takes.
    pub operators: &'static [Comparator],
}

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mlflow) enum Form {
    /// Quoted texts.
    Text,
    /// Numbers.
    Number,
}

/// What a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mlflow) enum Entity {
    /// A property that all have.
    Attribute,
    /// A tag.
    Tag,
    /// A param.
    Param,
    /// A metric.
    Metric,
}

impl Entity {
    /// MLflow's word.
    pub(in crate::mlflow) const fn word(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::Tag => "tag",
            Self::Param => "parameter",
            Self::Metric => "metric",
        }
    }

    /// Its prefixes.
    pub(super) const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Attribute => &["attribute", "attributes", "attr"],
            Self::Tag => &["tag", "tags"],
            Self::Param => &["parameter", "parameters", "param", "params"],
            Self::Metric => &["metric", "metrics"],
        }
    }
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mlflow) enum Comparator {
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`.
    Sign(CompareOp),
    /// `LIKE`.
    Like,
    /// `ILIKE`.
    Ilike,
    /// `IN`.
    In,
    /// `NOT IN`.
    NotIn,
    /// `IS NULL`.
    IsNull,
    /// `IS NOT NULL`.
    IsNotNull,
}

impl Comparator {
    /// The six signs.
    pub(in crate::mlflow) const NUMERIC: &'static [Self] = &[
        Self::Sign(CompareOp::Equal),
        Self::Sign(CompareOp::NotEqual),
        Self::Sign(CompareOp::Less),
        Self::Sign(CompareOp::LessEqual),
        Self::Sign(CompareOp::Greater),
        Self::Sign(CompareOp::GreaterEqual),
    ];
    /// What nearly all texts take.
    pub(in crate::mlflow) const TEXT: &'static [Self] = &[
        Self::Sign(CompareOp::Equal),
        Self::Sign(CompareOp::NotEqual),
        Self::Like,
        Self::Ilike,
    ];
    /// As [`Comparator::TEXT`], and whether it is one of several.
    pub(in crate::mlflow) const TEXT_OR_IN: &'static [Self] = &[
        Self::Sign(CompareOp::Equal),
        Self::Sign(CompareOp::NotEqual),
        Self::Like,
        Self::Ilike,
        Self::In,
        Self::NotIn,
    ];
    /// As [`Comparator::TEXT`], and whether there is one at all.
    pub(in crate::mlflow) const TEXT_OR_NULL: &'static [Self] = &[
        Self::Sign(CompareOp::Equal),
        Self::Sign(CompareOp::NotEqual),
        Self::Like,
        Self::Ilike,
        Self::IsNull,
        Self::IsNotNull,
    ];
    /// What ids take.
    pub(in crate::mlflow) const ID: &'static [Self] = &[
        Self::Sign(CompareOp::Equal),
        Self::Sign(CompareOp::NotEqual),
        Self::In,
        Self::NotIn,
    ];

    /// How it is written.
    pub(in crate::mlflow) const fn word(self) -> &'static str {
        match self {
            Self::Sign(op) => op.sign(),
            Self::Like => "LIKE",
            Self::Ilike => "ILIKE",
            Self::In => "IN",
            Self::NotIn => "NOT IN",
            Self::IsNull => "IS NULL",
            Self::IsNotNull => "IS NOT NULL",
        }
    }
}
