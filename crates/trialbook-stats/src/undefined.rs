//! Why a statistic is not defined for its input.
//!
//! Invariant: where several reasons apply, the first in the order of the variants is given.

/// A reason, with a stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Undefined {
    /// A value is NaN or infinite.
    #[error("a value is not finite")]
    NonFiniteInput,
    /// There is no value.
    #[error("there is no value")]
    EmptyInput,
}

impl Undefined {
    /// The word used in results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NonFiniteInput => "non_finite_input",
            Self::EmptyInput => "empty_input",
        }
    }
}
