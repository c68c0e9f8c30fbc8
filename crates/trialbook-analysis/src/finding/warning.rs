//! Warnings of an analysis.
//!
//! Not here: words. Invariant: a warning carries the numbers that it rests on.

use serde::Serialize;

/// What to be careful about: what was found, with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Warning {
    /// The question was asked before, of other data.
    Peeked {
        /// Which look it is.
        look: u64,
    },
    /// Other questions were asked of the experiment before.
    OtherQuestions {
        /// Which question it is.
        question: u64,
    },
    /// Arms of few trials.
    FewTrials {
        /// Arms and their completed trials.
        arms: Vec<(String, u64)>,
        /// What would be enough not to be warned of.
        enough: u64,
    },
    /// Trials that gave no values.
    Excluded {
        /// The arm.
        arm: String,
        /// Failed trials.
        failed: u64,
        /// Cancelled trials.
        cancelled: u64,
        /// Trials that have not ended.
        open: u64,
    },
    /// Completed trials without the metric.
    Missing {
        /// The metric.
        metric: String,
        /// Arms and trials without it.
        arms: Vec<(String, u64)>,
    },
    /// Values that are not finite and stay out.
    NotFinite {
        /// The metric.
        metric: String,
        /// Arms and values.
        arms: Vec<(String, u64)>,
    },
    /// All values of an arm are equal.
    Identical {
        /// The metric.
        metric: String,
        /// The arms.
        arms: Vec<String>,
    },
    /// Shares of which none or all are hits.
    AllOrNone {
        /// The metric.
        metric: String,
        /// Arms, hits and values.
        arms: Vec<(String, u64, u64)>,
    },
    /// Shares of few values.
    FewForRate {
        /// The metric.
        metric: String,
        /// Arms and their values.
        arms: Vec<(String, u64)>,
        /// What would be enough not to be warned of.
        enough: u64,
    },
    /// The variances of two arms differ much, and so do their numbers.
    UnequalVariance {
        /// The metric.
        metric: String,
        /// The arm.
        arm: String,
        /// The greater variance over the smaller.
        ratio: f64,
    },
    /// Values are skewed and few.
    Skewed {
        /// The metric.
        metric: String,
        /// Arms and their skewness.
        arms: Vec<(String, f64)>,
    },
    /// Neighbouring trials resemble each other.
    Autocorrelated {
        /// The metric.
        metric: String,
        /// The arm.
        arm: String,
        /// The correlation of neighbours.
        correlation: f64,
    },
    /// Pairs that vary against each other: pairing costs precision.
    NegativePairs {
        /// The metric.
        metric: String,
        /// The arm.
        arm: String,
        /// The correlation within pairs.
        correlation: f64,
    },
    /// Values without a partner.
    Unmatched {
        /// The metric.
        metric: String,
        /// The arm.
        arm: String,
        /// How many.
        values: u64,
    },
    /// Trials that took more than one attempt.
    Retried {
        /// Arms and trials.
        arms: Vec<(String, u64)>,
    },
    /// The surroundings of the trials differ.
    ChangedEnvironment {
        /// Different surroundings.
        different: u64,
        /// The keys that differ.
        keys: Vec<String>,
        /// Whether arms differ in them, so that arm and surroundings cannot be told apart.
        between_arms: bool,
    },
    /// Runs outside of every arm.
    Outside {
        /// How many.
        runs: u64,
    },
    /// Archived runs, which are left out.
    Archived {
        /// How many.
        runs: u64,
    },
    /// The best value of a series was chosen by looking.
    BestOfSeries,
    /// Ranks that are tied for the most part.
    Tied {
        /// The metric.
        metric: String,
        /// The arm.
        arm: String,
        /// The share of the values that are equal to another.
        share: f64,
    },
    /// A p of ranks by the normal distribution, of few values.
    NormalRanks {
        /// The metric.
        metric: String,
        /// The arm.
        arm: String,
        /// Values of the smaller side.
        n: u64,
    },
    /// Student's t was asked for although the variances differ.
    PooledVariance {
        /// The metric.
        metric: String,
        /// The arm.
        arm: String,
        /// The greater variance over the smaller.
        ratio: f64,
    },
}
