//! The one door for what xtask itself says.
//!
//! A closed pipe is no error of the work at hand, so a failed write is left at that.

use std::io::Write as _;

/// Prints a line on standard output.
pub(crate) fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Prints a line on standard error.
pub(crate) fn complain(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}
