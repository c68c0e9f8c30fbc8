//! Error bars of evaluations: judged items, in clusters, answered several times, by two.
//!
//! Items are a sample of the questions that could be asked: the mean's error bar is over items, or over clusters of
//! items that share a source; answers to the same items are compared as pairs.
//!
//! Not here: which score is meant, what counts as right. Invariant: repeated answers to an item are averaged before
//! anything else, so that they do not pass for more items.

mod error;
mod items;
mod pass;
mod plan;
mod quantile;
mod ratio;
#[cfg(test)]
mod tests;

pub use error::{
    Clustered, MeanError, PairedError, RepeatedError, mean_error, paired_error, repeated_error,
};
pub use items::{
    ItemComparison, ItemTest, ItemValue, MatchedItem, MatchedItems, compare_items, match_items,
};
pub use pass::{PassRates, pass_rates};
pub use plan::{EvalPlan, EvalSize, eval_sample_size};
pub use quantile::{QuantileInterval, quantile_interval};
pub use ratio::{RatioOfMeans, ratio_of_means};
