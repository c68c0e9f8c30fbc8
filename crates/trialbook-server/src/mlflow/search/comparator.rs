//! Operators of conditions, and which of them keys take.
//!
//! Not here: what they mean.

use trialbook_model::filter::CompareOp;

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
