//! Budgets of files: a file that outgrows its budget holds more than one thing.
//!
//! Functions have their budget in clippy (`too-many-lines-threshold`).

use crate::tree::Source;

/// Lines of a file without its tests.
const BUDGET: usize = 400;

/// Lines of a file with its tests; nothing is above this but files of tests alone.
const HARD: usize = 800;

/// Files that may stand between the two budgets, each with the reason.
const LONG: [(&str, &str); 1] = [(
    "crates/trialbook-model/src/record.rs",
    "one list: the operations that frames carry, each field with its meaning",
)];

/// Files over their budget.
pub(super) fn findings(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| counts(source)) {
        let whole = source.text.lines().count();
        let code = lines_without_tests(&source.text);
        let excused = LONG.iter().any(|(path, _reason)| *path == source.path);
        if whole > HARD {
            findings.push(format!(
                "{}: {whole} lines, more than {HARD}: split it, or move its tests to a file `tests.rs`",
                source.path
            ));
        } else if code > BUDGET && !excused {
            findings.push(format!(
                "{}: {code} lines without tests, more than {BUDGET}: split it by what its parts are for",
                source.path
            ));
        }
    }
    findings
}

fn counts(source: &Source) -> bool {
    let name = source.file_name();
    let is_test = name == "tests.rs"
        || name.starts_with("test_")
        || source.path.contains("/tests/")
        || source.path.starts_with("tests/");
    matches!(source.ending(), "rs" | "py") && !is_test
}

/// Lines outside `#[cfg(test)] mod … { … }`, as rustfmt lays them out: the closing brace stands alone
/// at the left margin.
fn lines_without_tests(text: &str) -> usize {
    let mut code = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let opens_tests = line == "#[cfg(test)]"
            && lines
                .peek()
                .is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
        if opens_tests {
            for inside in lines.by_ref() {
                if inside == "}" {
                    break;
                }
            }
        } else {
            code += 1;
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, code: usize, tests: usize) -> Source {
        let mut text = "let x = 1;\n".repeat(code);
        if tests > 0 {
            text.push_str("#[cfg(test)]\nmod tests {\n");
            text.push_str(&"    let y = 1;\n".repeat(tests));
            text.push_str("}\n");
        }
        Source {
            path: path.to_owned(),
            text,
        }
    }

    #[test]
    fn tests_are_not_counted_below_the_hard_budget() {
        assert_eq!(lines_without_tests(&source("a.rs", 7, 30).text), 7);
        assert!(findings(&[source("a.rs", 400, 300)]).is_empty());
        assert_eq!(findings(&[source("a.rs", 401, 0)]).len(), 1);
        assert_eq!(findings(&[source("a.rs", 10, 800)]).len(), 1);
        assert!(findings(&[source("crates/a/tests/b.rs", 1000, 0)]).is_empty());
        assert!(findings(&[source("crates/a/src/b/tests.rs", 1000, 0)]).is_empty());
        assert!(findings(&[source("docs/a.md", 1000, 0)]).is_empty());
    }
}
