//! Tests of ranks: whether values tend to be greater, whatever their distribution.
//!
//! Not here: correlations of ranks. Invariant: every variant is computed and named, and `preferred` says which one
//! is meant where nobody chose; ranks, their sums and ties are integers, so that no variant loses a tie.

mod brunner_munzel;
mod friedman;
mod kolmogorov;
mod kruskal;
mod mann_whitney;
mod shift;
mod sign;
mod signed_rank;
#[cfg(test)]
mod tests;

pub use brunner_munzel::{BrunnerMunzel, brunner_munzel};
pub use friedman::{Friedman, ImanDavenport, friedman};
pub use kolmogorov::{KolmogorovSmirnov, kolmogorov_smirnov};
pub use kruskal::{KruskalWallis, kruskal_wallis};
pub use mann_whitney::{MannWhitney, mann_whitney};
pub use shift::{Shift, paired_shift, shift};
pub use sign::{SignTest, sign_test};
pub use signed_rank::{SignedRank, Zeros, signed_rank};

use crate::counting::Extremes;
use crate::probability::{PValue, PValues};
use crate::special::{normal, normal_two_sided};

/// The distribution that a p-value of ranks comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RankVariant {
    /// All arrangements of untied ranks.
    Exact,
    /// All arrangements of the observed ranks, ties included.
    ExactConditional,
    /// The normal distribution.
    Normal,
    /// The normal distribution with a continuity correction of ½.
    NormalCorrected,
}

impl RankVariant {
    /// The word used in results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::ExactConditional => "exact_conditional",
            Self::Normal => "asymptotic",
            Self::NormalCorrected => "asymptotic_cc",
        }
    }
}

/// A statistic that is taken to be normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Approximation {
    /// The standardised statistic.
    pub z: f64,
    /// Its p-values.
    pub p: PValues,
}

impl Approximation {
    /// Of a statistic's distance from its mean and its variance, without and with the continuity correction.
    fn both(distance: f64, variance: f64) -> (Self, Self) {
        let sd = variance.sqrt();
        let plain = Self {
            z: distance / sd,
            p: PValues::of_normal(distance / sd),
        };
        let nearer = (distance.abs() - 0.5).max(0.0) / sd;
        let z = if distance < 0.0 { -nearer } else { nearer };
        let (p, ln_p) = normal_two_sided(z);
        let (below, above) = (normal((distance + 0.5) / sd), normal((distance - 0.5) / sd));
        let corrected = Self {
            z,
            p: PValues {
                two_sided: PValue::new(p, ln_p),
                less: PValue::new(below.lower, below.ln_lower),
                greater: PValue::new(above.upper, above.ln_upper),
            },
        };
        (plain, corrected)
    }
}

impl Extremes {
    /// The p-values: two-sided is twice the smaller tail, at most 1.
    pub(crate) fn p_values(self) -> PValues {
        PValues {
            two_sided: PValue::of(2.0 * self.at_most.min(self.at_least)),
            less: PValue::of(self.at_most),
            greater: PValue::of(self.at_least),
        }
    }
}

/// Tests that give the same question's answer by several distributions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankPValues {
    /// By the normal distribution.
    pub normal: Approximation,
    /// By the normal distribution with continuity correction.
    pub normal_corrected: Approximation,
    /// By all arrangements, where no values are tied and the samples are small enough.
    pub exact: Option<PValues>,
    /// By all arrangements of the tied ranks, where values are tied and the samples are small enough.
    pub exact_conditional: Option<PValues>,
}

impl RankPValues {
    /// The exact p-values where there are some, else the corrected normal ones.
    pub fn preferred(&self) -> (RankVariant, PValues) {
        if let Some(exact) = self.exact {
            (RankVariant::Exact, exact)
        } else if let Some(exact) = self.exact_conditional {
            (RankVariant::ExactConditional, exact)
        } else {
            (RankVariant::NormalCorrected, self.normal_corrected.p)
        }
    }
}
