//! What a comparison of judged answers is asked and finds.
//!
//! Invariant: differences are the second side less the first.

use serde::Serialize;
use trialbook_store::nouns::RunRow;

use crate::finding::Span;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The score; without one the primary one of each item.
    pub score: Option<String>,
    /// The label whose equal values make clusters.
    pub cluster: Option<String>,
    /// The share of wrong alarms that is put up with, between 0 and 1.
    pub alpha: f64,
}

/// Why two sides cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum ItemsError<E: std::error::Error + 'static> {
    /// No item has the label that is to make clusters.
    #[error("no item has the label `{label}`")]
    NoSuchLabel {
        /// It.
        label: String,
        /// Labels that items have.
        known: Vec<String>,
    },
    /// The share of wrong alarms is none.
    #[error("alpha is `{alpha}`, which is not between 0 and 1")]
    Alpha {
        /// It.
        alpha: f64,
    },
    /// The book cannot be read.
    #[error(transparent)]
    Reading(#[from] E),
}

impl<E: std::error::Error> ItemsError<E> {
    /// What to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchLabel { known, .. } if known.is_empty() => {
                Some("`trialbook log item ID --label NAME=VALUE` records one".to_owned())
            }
            Self::NoSuchLabel { known, .. } => {
                Some(format!("their labels are `{}`", known.join("`, `")))
            }
            Self::Alpha { .. } | Self::Reading(_) => None,
        }
    }
}

/// What the scores of answers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Each answer is right or wrong: 1 or 0.
    RightWrong,
    /// Other numbers.
    Graded,
}

/// What was decided, and by which test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What.
    pub verdict: Verdict,
    /// The test that it rests on.
    pub by: By,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// p is below alpha.
    Differs,
    /// It is not.
    NoEvidence,
    /// There is no test.
    CannotTest,
}

/// The test that a decision rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// That of independent items.
    Items,
    /// That over clusters, which were asked for.
    Clusters,
}

/// One side.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// What it is called.
    pub title: String,
    /// The runs whose answers count.
    pub runs: Vec<RunRow>,
}

/// Two sides, item by item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// The name of the score; of several, with commas between them. The one asked for where no answer has it.
    pub score: String,
    /// What the scores say, before repeats are averaged.
    pub scale: Scale,
    /// The share of wrong alarms that is put up with.
    pub alpha: f64,
    /// What was decided.
    pub decision: Decision,
    /// Both sides, the first being the baseline.
    pub sides: [SideFinding; 2],
    /// Items that both answered.
    pub matched: u64,
    /// Items that only one of them answered.
    pub unmatched: [u64; 2],
    /// Whether several answers to an item were averaged.
    pub averaged: bool,
    /// The result.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The same over clusters of items.
    pub clusters: Option<Clusters>,
    /// Items right on one side and wrong on the other.
    pub flipped: Vec<Flipped>,
    /// What to be careful about.
    pub warnings: Vec<Caution>,
}

/// One side of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SideFinding {
    /// What it is called.
    pub title: String,
    /// Answers, the latest attempt of each repeat.
    pub answers: u64,
    /// Answers without the score.
    pub unscored: u64,
    /// Answers that ended in an error and count as wrong.
    pub errors: u64,
    /// Answers to items that both sides answered: the others stay out of mean and test.
    pub matched: u64,
    /// The mean over the matched items.
    pub mean: Option<f64>,
    /// Its interval: Wilson's of right and wrong, else t; of averaged right and wrong answers it ends at 0 and 1.
    pub interval: Option<Span>,
    /// How the variance of the matched items' scores is made up, where some were answered repeatedly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Repeats>,
}

/// How much of a variance comes from the items, and how much from answering each again (Miller 2024).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Repeats {
    /// The variance of the mean is (between + within / each) / n.
    Split {
        /// Answers to each item.
        each: u64,
        /// The variance between items without what the answers' own variance adds; may be negative.
        between: f64,
        /// The mean variance of the answers to one item.
        within: f64,
        /// The share of the mean's variance that comes from answering again; none where nothing varies.
        share_within: Option<f64>,
    },
    /// It cannot be split.
    CannotSplit {
        /// Why.
        reason: String,
    },
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// Every answer is right or wrong.
    RightWrong {
        /// Items that both have right.
        both: u64,
        /// Items that only the first has right.
        only_first: u64,
        /// Items that only the second has right.
        only_second: u64,
        /// Items that neither has right.
        neither: u64,
        /// The difference of the shares.
        difference: f64,
        /// Its interval (Newcombe, paired).
        interval: Span,
        /// McNemar's exact p, two-sided.
        p: f64,
        /// Its logarithm.
        ln_p: f64,
        /// The mid-p.
        mid_p: f64,
    },
    /// Scores.
    Scores {
        /// The difference of the means.
        difference: f64,
        /// Its interval; of averaged right and wrong answers it ends at -1 and 1.
        interval: Span,
        /// Student's t of the pairs.
        statistic: f64,
        /// Its degrees of freedom.
        df: f64,
        /// The p-value, two-sided.
        p: f64,
        /// Its logarithm.
        ln_p: f64,
        /// The correlation of the pairs.
        correlation: Option<f64>,
    },
    /// There is no test.
    CannotTest {
        /// The word of the reason.
        cannot_test: &'static str,
        /// The reason.
        reason: String,
    },
}

/// The result over clusters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clusters {
    /// The label.
    pub label: String,
    /// How many there are.
    pub n: u64,
    /// The standard error of the difference (CR1).
    pub se: Option<f64>,
    /// How many times the variance of independent items.
    pub design_effect: Option<f64>,
    /// The interval of the difference, with n − 1 degrees of freedom.
    pub interval: Option<Span>,
    /// The degrees of freedom.
    pub df: u64,
    /// The p-value, two-sided.
    pub p: Option<f64>,
    /// The word of the reason why there is none.
    pub cannot_test: Option<&'static str>,
}

/// An item right on one side and wrong on the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flipped {
    /// Its id.
    pub item: String,
    /// Whether the second is the one that is right.
    pub gained: bool,
}

/// What to be careful about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Caution {
    /// Items without a partner stay out.
    Unmatched {
        /// On the first and on the second side.
        items: [u64; 2],
    },
    /// Answers without the score stay out.
    Unscored {
        /// On the first and on the second side.
        answers: [u64; 2],
    },
    /// Few clusters.
    FewClusters {
        /// How many.
        clusters: u64,
    },
    /// Answers that count by different scores: each item's primary one.
    SeveralScores {
        /// Their names.
        scores: Vec<String>,
    },
    /// Items whose answers have different values of the label; the first one by its letters counts.
    Conflicting {
        /// How many.
        items: u64,
    },
    /// Items without the label, each a cluster of its own.
    Unlabelled {
        /// How many.
        items: u64,
    },
    /// Few items.
    FewItems {
        /// How many.
        items: u64,
    },
}
