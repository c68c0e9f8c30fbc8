//! Proportions: one, two, in tables, and of the same items answered twice.
//!
//! The interval of one proportion is Wilson's, that of a difference Newcombe's; the same items are compared by
//! McNemar's exact test and Newcombe's paired interval.
//!
//! Invariant: counts are integers up to the last step, so that a difference of proportions never cancels.

mod chi_squared;
mod fisher;
mod one;
mod paired;
#[cfg(test)]
mod tests;
mod two;

pub use chi_squared::{ChiSquaredTest, Independence, chi_squared_fit, chi_squared_independence};
pub use fisher::{FisherExact, fisher_exact};
pub use one::{ProportionMethod, proportion_interval};
pub use paired::{
    CochranQ, McNemar, PairedProportions, PairedTable, cochran_q, mcnemar, paired_proportions,
};
pub use two::{RatioInterval, TwoProportions, two_proportions};

use crate::probability::Level;
use crate::special::{Tail, normal_quantile};
use crate::undefined::Undefined;

/// Successes among trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many succeeded.
    pub successes: u64,
    /// How many there are.
    pub trials: u64,
}

impl Rate {
    /// Successes among trials.
    pub const fn new(successes: u64, trials: u64) -> Self {
        Self { successes, trials }
    }

    /// The share of successes; NaN without trials.
    pub fn share(self) -> f64 {
        self.successes as f64 / self.trials as f64
    }

    /// How many did not succeed; 0 where the successes exceed the trials.
    pub const fn failures(self) -> u64 {
        self.trials.saturating_sub(self.successes)
    }

    /// At most this many trials: their products of four fit into the integers that are used.
    const MOST: u64 = 1 << 40;

    fn check(self) -> Result<(), Undefined> {
        if self.successes > self.trials || self.trials > Self::MOST {
            Err(Undefined::DomainError)
        } else if self.trials == 0 {
            Err(Undefined::EmptyInput)
        } else {
            Ok(())
        }
    }
}

/// The normal quantile that leaves half of what is outside a level on either side.
fn quantile_of(level: Level) -> f64 {
    normal_quantile(Tail::Upper(level.outside() / 2.0))
}
