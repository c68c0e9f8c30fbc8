//! Rank tests.

use crate::args::Args;
use crate::found::Outcome;

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[
    "mann_whitney_u",
    "wilcoxon_signed_rank",
    "kruskal_wallis",
    "friedman",
    "brunner_munzel",
    "sign_test",
    "ks_two_sample",
];

/// Asks the crate.
pub(crate) fn ask(_function: &str, _args: &Args<'_>) -> Option<Outcome> {
    None
}
