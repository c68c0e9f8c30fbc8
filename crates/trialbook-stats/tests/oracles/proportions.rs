//! Proportions and tables.

use crate::args::Args;
use crate::found::Outcome;

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[
    "proportion_ci",
    "two_proportions",
    "fisher_exact_2x2",
    "chi2_independence",
    "chi2_goodness_of_fit",
    "mcnemar",
    "cochran_q",
];

/// Asks the crate.
pub(crate) fn ask(_function: &str, _args: &Args<'_>) -> Option<Outcome> {
    None
}
