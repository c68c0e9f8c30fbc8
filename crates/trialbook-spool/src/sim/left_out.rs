//! What a test could not try because a right is missing here, told so that nobody counts it as passed.
//!
//! `cargo xtask test` and `cargo xtask faults` read the line, count the test as ignored and name it in their
//! summary. Invariant: the line stands by itself and is not captured, whatever the harness does with its output.

use std::io::Write as _;

/// How the line begins.
pub const NOT_EXERCISED: &str = "NOT EXERCISED: ";

/// Says that a test ends here without having tried `what`, and what it `needs`. Once a test.
pub fn not_exercised(what: &str, needs: &str) {
    let line = format!("\n{NOT_EXERCISED}{what} (needs {needs})\n");
    // Not through the macros, whose output the harness keeps to itself; a closed output is nobody's to hear.
    std::io::stdout().write_all(line.as_bytes()).ok();
}
