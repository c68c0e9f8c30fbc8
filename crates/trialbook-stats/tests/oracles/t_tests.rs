//! t tests.

use crate::args::Args;
use crate::found::Outcome;

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[
    "t_test_student",
    "t_test_welch",
    "t_test_paired",
    "t_test_one_sample",
    "tost_student",
    "tost_welch",
];

/// Asks the crate.
pub(crate) fn ask(_function: &str, _args: &Args<'_>) -> Option<Outcome> {
    None
}
