//! What is asked of a book.

use serde::{Deserialize, Serialize};
use trialbook_model::filter::{Expr, OrderTerm};
use trialbook_model::id::{ExperimentNo, RunNo};
use trialbook_model::record::EntryKind;

use crate::nouns::Owner;

/// Which runs are looked at, by what was done to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Shown {
    /// Neither archived nor in the bin, nor of an experiment that is.
    #[default]
    Active,
    /// All but those in the bin.
    WithArchived,
    /// Only those in the bin.
    Bin,
    /// All.
    All,
}

/// Which entries of the register are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entries {
    /// All, those of which only the uid is known too.
    All,
    /// Those of a kind.
    Kind(EntryKind),
    /// Those of a kind that belong to something: the versions of a collection, the logged models of an experiment.
    Of(EntryKind, Owner),
}

/// A search for runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// The condition; [`Expr::all`] for all runs.
    pub filter: Expr,
    /// Only runs of these experiments; `None` for all.
    pub experiments: Option<Vec<ExperimentNo>>,
    /// Archived, deleted.
    pub shown: Shown,
    /// What the hits are sorted by. Ties, and everything without terms: the newest first (greatest number).
    pub order: Vec<OrderTerm>,
    /// Hits passed over.
    pub offset: usize,
    /// Hits wanted at most.
    pub limit: usize,
}

impl Query {
    /// All active runs, newest first.
    pub fn all() -> Self {
        Self {
            filter: Expr::all(),
            experiments: None,
            shown: Shown::Active,
            order: Vec::new(),
            offset: 0,
            limit: usize::MAX,
        }
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hits {
    /// The runs asked for, in order.
    pub runs: Vec<RunNo>,
    /// How many runs satisfy the condition in all.
    pub total: u64,
}

/// What is counted of a group of items.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ItemGroup {
    /// Values of the labels that were grouped by, in their order; `None` where an item lacks the label.
    pub labels: Vec<Option<String>>,
    /// Items.
    pub count: u64,
    /// Items with a primary score that is a number or right/wrong.
    pub scored: u64,
    /// The mean of the primary scores, right counting 1 and wrong 0.
    pub mean_score: Option<f64>,
    /// Items whose answer failed with an error.
    pub errors: u64,
    /// The mean latency in milliseconds, of those that have one.
    pub mean_latency_ms: Option<f64>,
    /// The sum of costs, of those that have one.
    pub cost: Option<f64>,
}
