//! Why a statistic is not defined for its input.
//!
//! Invariant: where several reasons apply, the first in the order of the variants is given.

/// A reason, with a stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Undefined {
    /// A value is NaN or infinite.
    #[error("a value is not finite")]
    NonFiniteInput,
    /// A value or a parameter lies outside the domain of the procedure.
    #[error("a value lies outside the domain of the procedure")]
    DomainError,
    /// There is no value.
    #[error("there is no value")]
    EmptyInput,
    /// Values that belong together are not equally many.
    #[error("the samples differ in length")]
    LengthMismatch,
    /// There are fewer values than the procedure needs.
    #[error("there are too few values")]
    TooFewObservations,
    /// There are fewer groups than the procedure needs.
    #[error("there are too few groups")]
    TooFewGroups,
    /// The values (or their differences) are all equal, so that there is no spread to compare with.
    #[error("the values do not vary")]
    ZeroVariance,
    /// The ranks are all equal, so that nothing can be told from them.
    #[error("all values are tied")]
    AllTies,
    /// The replicates or the jackknife do not vary, so that the interval has no correction.
    #[error("the bootstrap has no spread to correct with")]
    DegenerateBootstrap,
    /// The denominator of a ratio is not told apart from zero, so that the ratio's interval is unbounded.
    #[error("the denominator cannot be told from zero")]
    DenominatorNotSignificant,
}

impl Undefined {
    /// The word used in results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NonFiniteInput => "non_finite_input",
            Self::DomainError => "domain_error",
            Self::EmptyInput => "empty_input",
            Self::LengthMismatch => "length_mismatch",
            Self::TooFewObservations => "too_few_observations",
            Self::TooFewGroups => "too_few_groups",
            Self::ZeroVariance => "zero_variance",
            Self::AllTies => "all_ties",
            Self::DegenerateBootstrap => "degenerate_bootstrap",
            Self::DenominatorNotSignificant => "denominator_not_significant",
        }
    }
}
