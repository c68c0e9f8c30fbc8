//! What every text has to keep: modules say what they are for, and nothing points to the disk of the
//! machine on which it was written.

use crate::tree::Source;

/// Beginnings of paths that exist on one machine only. In pieces, so that this file does not find itself.
const LOCAL_PATHS: [&str; 5] = [
    concat!("/", "work/"),
    concat!("/", "root/"),
    concat!("/", "home/"),
    concat!("/", "Users/"),
    concat!("..", "/shared/"),
];

/// Endings of files that are read as text here.
const TEXT_ENDINGS: [&str; 13] = [
    "rs", "py", "md", "toml", "yaml", "yml", "sh", "sql", "json", "jsonl", "run", "txt", "csv",
];

/// Modules without a charter and paths of one machine.
pub(super) fn findings(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        if source.ending() == "rs" && !has_charter(source) {
            findings.push(format!(
                "{}: opens without `//!`: say what the module is for, what it is not, and its invariants",
                source.path
            ));
        }
        if source.ending() == "rs" && ignores_without_reason(&source.text) {
            findings.push(format!(
                "{}: a test is ignored without a reason: `#[ignore = \"why\"]`",
                source.path
            ));
        }
        if is_text(source) {
            findings.extend(local_paths(source));
        }
    }
    findings
}

/// A file `tests.rs` says by its name and place what it is for.
fn has_charter(source: &Source) -> bool {
    source.file_name() == "tests.rs" || source.text.trim_start().starts_with("//!")
}

fn ignores_without_reason(text: &str) -> bool {
    text.lines().any(|line| line.trim() == "#[ignore]")
}

fn is_text(source: &Source) -> bool {
    TEXT_ENDINGS.contains(&source.ending()) || source.path == ".ci/run"
}

fn local_paths(source: &Source) -> impl Iterator<Item = String> {
    source.text.lines().enumerate().flat_map(move |(at, line)| {
        LOCAL_PATHS
            .iter()
            .filter(|path| names_path(line, path))
            .map(move |path| {
                format!(
                    "{}:{}: `{path}` exists on one machine only",
                    source.path,
                    at + 1
                )
            })
    })
}

/// Whether `path` stands in `line` as the beginning of a path, not inside another one such as
/// `target/work/x`.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "_-.~}*".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        findings(&[Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }])
    }

    #[test]
    fn a_module_says_what_it_is_for() {
        assert_eq!(found("a.rs", "use std::fmt;\n").len(), 1);
        assert!(found("a.rs", "//! About a.\n").is_empty());
        assert!(found("src/a/tests.rs", "use super::*;\n").is_empty());
    }

    #[test]
    fn paths_of_one_machine_are_found_with_their_line() {
        let local = LOCAL_PATHS[0];
        let findings = found("a.md", &format!("one\nsee `{local}a`\n"));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("a.md:2: "), "{findings:?}");
        assert!(found("a.md", &format!("target{local}a\n")).is_empty());
        assert_eq!(found(".ci/run", &format!("cd {local}\n")).len(), 1);
    }

    #[test]
    fn an_ignored_test_needs_a_reason() {
        assert_eq!(found("a.rs", "//! A.\n    #[ignore]\n").len(), 1);
        assert!(found("a.rs", "//! A.\n#[ignore = \"why\"]\n").is_empty());
    }
}
