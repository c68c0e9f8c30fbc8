//! Numbers of tests, read from the lines that cargo's and Python's test runners print.

/// Numbers of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Passed.
    pub(crate) passed: u64,
    /// Failed.
    pub(crate) failed: u64,
    /// Marked as ignored.
    pub(crate) ignored: u64,
}

impl Counts {
    /// Adds another's numbers.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
pub(crate) fn of_rust(line: &str) -> Option<Counts> {
    let (_verdict, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = Counts::default();
    for part in numbers.split("; ") {
        let Some((number, word)) = part.trim().split_once(' ') else {
            continue;
        };
        let slot = match word {
            "passed" => &mut counts.passed,
            "failed" => &mut counts.failed,
            "ignored" => &mut counts.ignored,
            _ => continue,
        };
        *slot = number.parse().ok()?;
    }
    Some(counts)
}

/// How a test says that it ends without having tried something; what it is follows.
const NOT_EXERCISED: &str = "NOT EXERCISED: ";

/// Reads what a test could not try for want of a right.
pub(crate) fn left_out(line: &str) -> Option<&str> {
    line.strip_prefix(NOT_EXERCISED)
}

/// What the summary says of tests that were left out: each thing once, and how often.
pub(crate) fn note_of(mut left_out: Vec<String>) -> Option<String> {
    left_out.sort();
    let told = left_out.chunk_by(|one, other| one == other);
    let told: Vec<String> = told
        .map(|alike| match alike.len() {
            1 => alike[0].clone(),
            many => format!("{}, {many} tests", alike[0]),
        })
        .collect();
    (!told.is_empty()).then(|| format!("{NOT_EXERCISED}{}", told.join("; ")))
}

/// Reads `Ran 3 tests in 0.001s`.
pub(crate) fn python_ran(line: &str) -> Option<u64> {
    line.strip_prefix("Ran ")?.split(' ').next()?.parse().ok()
}

/// Reads `FAILED (failures=1, errors=2)`.
pub(crate) fn python_failed(line: &str) -> Option<u64> {
    let parts = line.strip_prefix("FAILED (")?.strip_suffix(')')?;
    Some(
        parts
            .split(", ")
            .filter_map(|part| part.split_once('='))
            .filter(|(word, _)| matches!(*word, "failures" | "errors"))
            .filter_map(|(_, number)| number.parse::<u64>().ok())
            .sum(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_tried_is_read_and_told() {
        let lines = [
            "NOT EXERCISED: a full disk (needs root)",
            "test some::name ... ok",
        ];
        let found = lines.iter().filter_map(|line| left_out(line));
        let mut all: Vec<String> = found.map(str::to_owned).collect();
        assert_eq!(all, ["a full disk (needs root)"]);
        all.extend(["b".to_owned(), all[0].clone()]);
        let note = note_of(all).unwrap_or_default();
        assert_eq!(note, "NOT EXERCISED: a full disk (needs root), 2 tests; b");
        assert_eq!(note_of(Vec::new()), None);
    }

    #[test]
    fn counts_are_read_from_the_lines_that_test_runners_print() {
        let line = "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s";
        let expected = Counts {
            passed: 12,
            failed: 2,
            ignored: 1,
        };
        assert_eq!(of_rust(line), Some(expected));
        assert_eq!(of_rust("test some::name ... ok"), None);
        assert_eq!(python_ran("Ran 31 tests in 0.120s"), Some(31));
        assert_eq!(
            python_failed("FAILED (failures=1, errors=2, skipped=4)"),
            Some(3)
        );
        assert_eq!(python_failed("OK"), None);
    }
}
