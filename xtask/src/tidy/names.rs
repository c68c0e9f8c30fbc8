//! Names of files and modules: words that say nothing about what is inside are refused.

use crate::tree::Source;

/// Names that gather whatever has no home.
const FORBIDDEN: [&str; 10] = [
    "util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "base", "shared",
];

/// Files, folders and modules with a forbidden name.
pub(super) fn findings(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        if !matches!(source.ending(), "rs" | "py" | "sql" | "toml") {
            continue;
        }
        let parts = source.path.split('/');
        for part in parts.map(|part| part.split('.').next().unwrap_or(part)) {
            if FORBIDDEN.contains(&part) {
                findings.push(format!(
                    "{}: `{part}` says nothing: name it after what it holds",
                    source.path
                ));
            }
        }
        for name in source.text.lines().filter_map(module) {
            if FORBIDDEN.contains(&name) {
                findings.push(format!(
                    "{}: module `{name}` says nothing: name it after what it holds",
                    source.path
                ));
            }
        }
    }
    findings
}

/// The name in `mod name;` or `pub(crate) mod name {`.
fn module(line: &str) -> Option<&str> {
    let mut line = line.trim_start();
    if let Some(rest) = line.strip_prefix("pub") {
        line = rest.strip_prefix("(crate)").unwrap_or(rest);
        line = line.strip_prefix("(super)").unwrap_or(line).trim_start();
    }
    let name = line.strip_prefix("mod ")?;
    name.split([';', ' ', '{']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        findings(&[Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }])
        .len()
    }

    #[test]
    fn empty_names_are_found_in_paths_and_modules() {
        assert_eq!(found("crates/a/src/utils.rs", ""), 1);
        assert_eq!(found("crates/a/tests/common/mod.rs", ""), 1);
        assert_eq!(found("crates/a/src/lib.rs", "pub(crate) mod helpers;\n"), 1);
        assert_eq!(found("crates/a/src/lib.rs", "    mod base {\n"), 1);
        assert_eq!(found("crates/a/src/lib.rs", "pub mod baseline;\n"), 0);
        assert_eq!(found("docs/common.md", ""), 0);
    }
}
