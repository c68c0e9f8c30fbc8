//! Resampling.

use crate::args::Args;
use crate::found::Outcome;

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[
    "bootstrap_full_enumeration",
    "bootstrap_interval_from_replicates",
    "permutation_mean_difference",
    "permutation_paired_mean",
    "monte_carlo_p_value",
];

/// Asks the crate.
pub(crate) fn ask(_function: &str, _args: &Args<'_>) -> Option<Outcome> {
    None
}
