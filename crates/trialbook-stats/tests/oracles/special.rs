//! Distributions.

use crate::args::Args;
use crate::found::Outcome;

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[
    "norm",
    "norm_quantile",
    "student_t",
    "student_t_quantile",
    "chi2",
    "chi2_quantile",
    "f_dist",
    "f_quantile",
    "beta_dist",
    "beta_quantile",
    "noncentral_t",
    "noncentral_f",
    "noncentral_chi2",
    "studentized_range",
    "binomial",
];

/// Asks the crate.
pub(crate) fn ask(_function: &str, _args: &Args<'_>) -> Option<Outcome> {
    None
}
