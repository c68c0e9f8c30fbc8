//! What an analysis found: numbers with their n, interval, effect, test and correction, or the reason for none.
//!
//! Not here: words. Invariant: everything that a sentence about a result may say stands here; a test that
//! cannot be made has its reason in the place of its result.

mod contrast;
mod question;
mod warning;

use serde::Serialize;
use trialbook_model::criteria::ExperimentVerdict;

use crate::measure::Measure;
use crate::variations::Statuses;
pub use contrast::{Contrast, Effect, Omnibus, Outcome, Pairs, Power, Tested};
pub use question::{Question, Test};
pub use warning::Warning;

/// The name of Pearson's test, whose statistic is no t.
pub const CHI_SQUARED: &str = "chi-squared test";
/// What the estimate of a test of means is of.
pub const DIFFERENCE_OF_MEANS: &str = "difference of means";
/// What the estimate of a test of shares is of.
pub const DIFFERENCE_OF_SHARES: &str = "difference of shares";
/// Version of the document.
pub const SCHEMA: u32 = 2;

/// An analysis: the question, what it was asked of, the answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// The program that computed it.
    pub program: String,
    /// What was asked.
    pub question: Question,
    /// The experiment, as it is called.
    pub experiment: String,
    /// What it was asked of.
    pub inputs: Inputs,
    /// Which look at a growing experiment this is, from 1: data on which the same question was answered before count
    /// once each.
    pub look: u64,
    /// Which question about this experiment it is, from 1: other questions that were answered before count once each.
    pub question_no: u64,
    /// What makes the arms.
    pub division: Division,
    /// The arms.
    pub arms: Vec<ArmFinding>,
    /// Whether the arms differ in how often their trials complete; none where all do or none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<Success>,
    /// What the others are compared with; none where there is one arm.
    pub baseline: Option<Baseline>,
    /// What the trials of an arm are: whose variability an interval describes.
    pub varies_over: &'static str,
    /// The share of experiments in which an interval covers the truth.
    pub level: f64,
    /// The metrics.
    pub metrics: Vec<MetricFinding>,
    /// Metrics that were logged too and not looked at, or tell again what one that is looked at tells.
    pub not_looked_at: Vec<String>,
    /// The questions that the p-values are adjusted for.
    pub family: Option<Family>,
    /// The verdict on the success criteria.
    pub criteria: Option<ExperimentVerdict>,
    /// What to be careful about.
    pub warnings: Vec<Warning>,
}

/// What was analysed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inputs {
    /// SHA-256 of what counts: the ended runs with their arms, pairs and values, or how they ended without any.
    pub data: String,
    /// The runs that ended, by id, each with the SHA-256 of what was taken from it.
    pub runs: Vec<Input>,
}

/// One run that was analysed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Input {
    /// Its id.
    pub run: String,
    /// SHA-256 of what was taken from it.
    pub data: String,
}

/// What makes the arms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Division {
    /// Variations.
    Variations,
    /// The values of keys that were asked for.
    Keys {
        /// They.
        keys: Vec<String>,
    },
    /// The values of the one param that varies.
    OnlyParam {
        /// It.
        key: String,
    },
    /// Nothing varies.
    Whole,
}

/// How the trials of an arm stand.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmFinding {
    /// Its name.
    pub name: String,
    /// How its trials ended.
    #[serde(flatten)]
    pub statuses: Statuses,
    /// Trials that took more than one attempt.
    pub retried: u64,
    /// Attempts that a later one replaced.
    pub superseded: u64,
    /// Of the ended trials those that completed.
    pub success: Option<Rate>,
}

/// Whether arms differ in their success rates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Success {
    /// Whether they differ at all, where there are more than two.
    pub omnibus: Option<Omnibus>,
    /// Each other arm against the baseline.
    pub contrasts: Vec<Contrast>,
    /// Tests that were adjusted for together: these, and no others.
    pub family: u64,
}

/// A share with its interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    /// How many.
    pub hits: u64,
    /// Of how many.
    pub n: u64,
    /// The share.
    pub estimate: f64,
    /// Its interval.
    pub interval: Option<Span>,
}

/// An interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Span {
    /// The low end.
    pub low: f64,
    /// The high end.
    pub high: f64,
    /// How it was made.
    pub method: &'static str,
}

/// An interval out of resamples, and how to make it again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resampled {
    /// The low end.
    pub low: f64,
    /// The high end.
    pub high: f64,
    /// How it was made.
    pub method: &'static str,
    /// How many resamples.
    pub replicates: u32,
    /// Resamples that were left out, because no value of theirs varied.
    pub dropped: u32,
    /// The seed of their draws.
    pub seed: u64,
    /// The generator of their draws.
    pub engine: &'static str,
}

/// What the others are compared with, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Baseline {
    /// The arm.
    pub arm: String,
    /// Why it is this one.
    pub because: Because,
}

/// Why an arm is the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// It was asked for.
    Asked,
    /// It is marked.
    Marked,
    /// None is marked, and it is the first.
    First,
}

/// A metric of all arms.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricFinding {
    /// The metric.
    #[serde(flatten)]
    pub measure: Measure,
    /// Whether it is the primary one.
    pub primary: bool,
    /// Whether it is a share: all its values are 0 or 1, and no other test was asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rate: bool,
    /// What each arm has.
    pub arms: Vec<Sample>,
    /// Whether the arms differ at all, where there are more than two.
    pub omnibus: Option<Omnibus>,
    /// Each other arm against the baseline.
    pub contrasts: Vec<Contrast>,
}

/// The trials of one arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// The arm.
    pub arm: String,
    /// Values that count.
    pub n: u64,
    /// Completed trials without a value.
    pub missing: u64,
    /// Values that are NaN or infinite.
    pub not_finite: u64,
    /// What the values amount to; none where there are none.
    pub described: Option<Described>,
}

/// What values amount to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Described {
    /// Their mean.
    pub mean: f64,
    /// The sample standard deviation; none for one value.
    pub sd: Option<f64>,
    /// The standard error of the mean.
    pub sem: Option<f64>,
    /// The interval of the mean; none for one value.
    pub interval: Option<Span>,
    /// The bootstrap-t interval of the mean, where few values are skewed: it misses less often than t.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap_t: Option<Resampled>,
    /// The smallest value.
    pub min: f64,
    /// The median.
    pub median: f64,
    /// The greatest value.
    pub max: f64,
}

/// The questions that the p-values are adjusted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Family {
    /// The correction.
    pub correction: String,
    /// Tests in it.
    pub size: u64,
    /// Tests that cannot be made and are left out.
    pub undefined: u64,
    /// What is in it.
    pub of: FamilyOf,
}

/// What is in a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FamilyOf {
    /// Every arm with every metric.
    AllMetrics,
    /// Every arm with the primary metric; tests of other metrics are exploratory and a family of their own.
    Primary {
        /// The metric.
        metric: String,
        /// Tests in the family of the others.
        others: u64,
    },
}
