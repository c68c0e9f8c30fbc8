//! What was found between an arm and the baseline, and between all arms.
//!
//! Invariant: a test that cannot be made has its reason in the place of its result.

use serde::Serialize;
use trialbook_stats::PValue;

use super::{Resampled, Span};

/// Whether several arms differ at all.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Omnibus {
    /// The result.
    Tested {
        /// The test.
        test: &'static str,
        /// F, of two degrees of freedom, or χ², of one.
        statistic: f64,
        /// The degrees of freedom.
        df: Vec<f64>,
        /// The p-value.
        p: f64,
        /// Its logarithm.
        ln_p: f64,
        /// The share of the arms in the variance of the values (η²); none of shares.
        #[serde(skip_serializing_if = "Option::is_none")]
        eta_squared: Option<f64>,
        /// The same of all that could have been drawn, less biased (ω²); negative where the arms explain nothing.
        #[serde(skip_serializing_if = "Option::is_none")]
        omega_squared: Option<f64>,
    },
    /// Why there is none.
    CannotTest {
        /// The word of the reason.
        cannot_test: &'static str,
        /// The reason.
        reason: String,
    },
}

/// One arm against the baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contrast {
    /// The arm.
    pub arm: String,
    /// The baseline.
    pub baseline: String,
    /// Values of both; of pairs their number twice.
    pub n: [u64; 2],
    /// Pairs, where pairs are compared.
    pub pairs: Option<Pairs>,
    /// The correlation within pairs; none where it cannot be computed.
    pub correlation: Option<f64>,
    /// The result.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Contrast {
    /// The values of the smaller side: what percentages are worth.
    pub fn smaller(&self) -> u64 {
        self.n[0].min(self.n[1])
    }
}

/// How values were paired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pairs {
    /// The key whose equal values make pairs.
    pub by: String,
    /// How many pairs.
    pub n: u64,
    /// Values without a partner, which stay out.
    pub unmatched: u64,
}

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// It was tested.
    Tested(Box<Tested>),
    /// It cannot be tested.
    CannotTest {
        /// The word of the reason.
        cannot_test: &'static str,
        /// The reason.
        reason: String,
        /// The difference of the means, where both have one.
        difference: Option<f64>,
        /// The chance that a value of the arm exceeds one of the baseline, ties counted half; none of pairs.
        #[serde(skip_serializing_if = "Option::is_none")]
        a12: Option<f64>,
    },
}

/// A tested difference: the arm less the baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tested {
    /// The test.
    pub test: &'static str,
    /// How its p was computed, where there are several ways.
    pub variant: Option<&'static str>,
    /// What the estimate is of: a difference of means or of shares, or a shift (Hodges and Lehmann).
    pub estimand: &'static str,
    /// The difference.
    pub difference: f64,
    /// The difference as a share of the baseline's mean, or of its median where the estimate is a shift; none where
    /// that is 0.
    pub relative: Option<f64>,
    /// Its interval; none of a shift where so few values reach the level with none.
    pub interval: Option<Span>,
    /// The bootstrap-t interval of a difference of means, where few values are skewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap_t: Option<Resampled>,
    /// The statistic; none of an exact test that has none.
    pub statistic: Option<f64>,
    /// Its degrees of freedom.
    pub df: Option<f64>,
    /// The p-value, two-sided.
    pub p: f64,
    /// Its natural logarithm.
    pub ln_p: f64,
    /// The p-value adjusted for the family.
    pub p_adjusted: f64,
    /// Whether the adjusted p is below alpha.
    pub differs: bool,
    /// Which is better where they differ: by the goal, or neither.
    pub better: Option<String>,
    /// Whether the ranks, which are tested, and the medians point in opposite directions: neither is better then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub medians_disagree: bool,
    /// The size of the effect.
    pub effect: Option<Effect>,
    /// The chance that a value of the arm exceeds one of the baseline, ties counted half (Vargha and Delaney's A12);
    /// none of pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a12: Option<f64>,
    /// Glass' Δ, in units of the baseline's sd, where the sds differ more than twofold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glass_delta: Option<f64>,
    /// The two-sided p of the exact sign-flip test, beside a paired t of few pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_sign_flip: Option<f64>,
    /// The two-sided p of Brunner and Munzel's test, beside Mann and Whitney's where the spreads differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_brunner_munzel: Option<f64>,
    /// What more trials would tell.
    pub power: Option<Power>,
}

impl Tested {
    /// A test with nothing beside it, not adjusted yet.
    pub(crate) fn of(
        (test, estimand): (&'static str, &'static str),
        difference: f64,
        (statistic, p): (Option<f64>, PValue),
    ) -> Self {
        Self {
            test,
            variant: None,
            estimand,
            difference,
            relative: None,
            interval: None,
            bootstrap_t: None,
            statistic,
            df: None,
            p: p.p,
            ln_p: p.ln_p,
            p_adjusted: p.p,
            differs: false,
            better: None,
            medians_disagree: false,
            effect: None,
            a12: None,
            glass_delta: None,
            p_sign_flip: None,
            p_brunner_munzel: None,
            power: None,
        }
    }
}

/// The size of an effect.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// Its name: `hedges_g`, `cohen_dz`, `cohen_h`, `rank_biserial`.
    pub name: &'static str,
    /// Its value.
    pub estimate: f64,
    /// Its interval.
    pub interval: Option<Span>,
    /// `negligible`, `small`, `medium`, `large`; none where no words are agreed on.
    pub word: Option<&'static str>,
}

impl Effect {
    /// That of the baseline against the arm.
    #[must_use]
    pub(crate) fn turned(self) -> Self {
        Self {
            estimate: -self.estimate,
            interval: self.interval.map(|span| Span {
                low: -span.high,
                high: -span.low,
                ..span
            }),
            ..self
        }
    }
}

/// What more trials would tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Power {
    /// The power that is aimed at.
    pub target: f64,
    /// Trials that each arm needs for a difference of the observed size.
    pub needed: Option<u64>,
    /// Where none is given because more than this are needed: how far the search went.
    pub needed_above: Option<u64>,
    /// Those that are still missing in the smaller arm; 0 where there are enough.
    pub more: Option<u64>,
    /// The smallest standardised difference that the present trials find with that power; none of shares.
    pub detectable: Option<f64>,
}
