//! Power and sample size.

use crate::args::Args;
use crate::found::Outcome;

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[
    "power_t_test",
    "sample_size_t_test",
    "minimum_detectable_effect_t",
    "power_two_proportions",
    "sample_size_two_proportions",
    "power_anova",
    "sample_size_anova",
    "power_chi2",
];

/// Asks the crate.
pub(crate) fn ask(_function: &str, _args: &Args<'_>) -> Option<Outcome> {
    None
}
