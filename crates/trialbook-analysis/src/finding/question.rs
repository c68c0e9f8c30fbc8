//! The question of an analysis.
//!
//! Invariant: two questions with equal fields are the same question, whoever asks and whenever.

use serde::Serialize;

use crate::measure::Agg;

/// What is asked, resolved: everything that the answer depends on beside the data, whether it was asked for or chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// The experiment's uid.
    pub experiment: String,
    /// The metrics that are looked at, by name.
    pub metrics: Vec<String>,
    /// The arms.
    pub arms: Vec<String>,
    /// The key whose equal values make pairs; empty for none.
    pub pair_by: String,
    /// The test of all metrics; [`Test::Auto`] where the values of each choose it.
    pub test: Test,
    /// How p-values are adjusted, by its word; `none` for not at all.
    pub correction: String,
    /// Which number of a series is a run's value.
    pub agg: Agg,
    /// The share of wrong alarms that is put up with.
    pub alpha: f64,
    /// The arm that the others are compared with; empty for none.
    pub baseline: String,
}

/// A test of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Paired t where the recorded design makes pairs, else Welch.
    #[default]
    Auto,
    /// Welch's t: unequal variances.
    Welch,
    /// Student's t: equal variances.
    Student,
    /// Paired t.
    Paired,
    /// Mann and Whitney's U.
    MannWhitney,
    /// Wilcoxon's signed ranks, of pairs.
    Wilcoxon,
}

impl Test {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Auto,
        Self::Welch,
        Self::Student,
        Self::Paired,
        Self::MannWhitney,
        Self::Wilcoxon,
    ];

    /// The word of the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Welch => "welch",
            Self::Student => "student",
            Self::Paired => "paired",
            Self::MannWhitney => "mann-whitney",
            Self::Wilcoxon => "wilcoxon",
        }
    }

    /// The test of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|test| test.word() == word)
    }

    /// Whether it needs pairs.
    pub const fn is_paired(self) -> bool {
        match self {
            Self::Paired | Self::Wilcoxon => true,
            Self::Auto | Self::Welch | Self::Student | Self::MannWhitney => false,
        }
    }
}
