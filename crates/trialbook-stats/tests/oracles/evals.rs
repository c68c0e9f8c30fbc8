//! Error bars of evaluations.

use crate::args::Args;
use crate::found::Outcome;

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[
    "eval_mean_se",
    "eval_paired_difference",
    "eval_variance_decomposition",
    "eval_sample_size",
    "pass_at_k",
    "ratio_of_means",
    "quantile_ci_order_statistics",
];

/// Asks the crate.
pub(crate) fn ask(_function: &str, _args: &Args<'_>) -> Option<Outcome> {
    None
}
