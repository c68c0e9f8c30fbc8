//! Correlation.

use crate::args::Args;
use crate::found::Outcome;

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &["pearson", "spearman", "kendall"];

/// Asks the crate.
pub(crate) fn ask(_function: &str, _args: &Args<'_>) -> Option<Outcome> {
    None
}
