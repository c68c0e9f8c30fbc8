//! Written pages: links between them hold, formats show bytes, decisions are listed.

use std::collections::BTreeSet;

use crate::tree::{self, Source};

/// What is wrong with the Markdown files.
pub(super) fn findings(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for page in sources.iter().filter(|source| source.ending() == "md") {
        findings.extend(dead_links(page));
        if page.path.starts_with("docs/format/") && !shows_bytes(&page.text) {
            findings.push(format!(
                "{}: a format without an example in hex: add a fenced block with the bytes",
                page.path
            ));
        }
    }
    findings.extend(unlisted_decisions(sources));
    findings
}

fn dead_links(page: &Source) -> impl Iterator<Item = String> {
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    links(&page.text)
        .filter(|link| !link.contains("://") && !link.starts_with(['#', '<']))
        .filter_map(|link| link.split('#').next())
        .filter(|file| !tree::root().join(folder).join(file).exists())
        .map(|file| format!("{}: the link to `{file}` leads nowhere", page.path))
        .collect::<Vec<_>>()
        .into_iter()
}

/// The targets of `[words](target)` outside fenced blocks.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines()
        .filter(move |line| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
        .flat_map(|line| {
            line.split("](")
                .skip(1)
                .filter_map(|rest| rest.split([')', ' ']).next())
        })
}

/// A page of bytes: some line of a fenced block has four pairs of hex digits one after the other.
fn shows_bytes(text: &str) -> bool {
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced && has_four_bytes(line) {
            return true;
        }
    }
    false
}

fn has_four_bytes(line: &str) -> bool {
    let mut run = 0;
    for word in line.split_whitespace() {
        let is_byte = word.len() == 2 && word.bytes().all(|digit| digit.is_ascii_hexdigit());
        run = if is_byte { run + 1 } else { 0 };
        if run == 4 {
            return true;
        }
    }
    false
}

/// Decisions that the list in `docs/adr/README.md` does not name.
fn unlisted_decisions(sources: &[Source]) -> Vec<String> {
    const LIST: &str = "docs/adr/README.md";
    let list = sources.iter().find(|source| source.path == LIST);
    let listed: BTreeSet<&str> =
        list.map_or_else(BTreeSet::new, |list| links(&list.text).collect());
    sources
        .iter()
        .filter_map(|source| source.path.strip_prefix("docs/adr/"))
        .filter(|name| name.starts_with(|first: char| first.is_ascii_digit()))
        .filter(|name| !listed.contains(name))
        .map(|name| format!("docs/adr/{name}: not listed in {LIST}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_format_shows_its_bytes() {
        assert!(shows_bytes("# A\n```\n0000  54 42 00 01  magic\n```\n"));
        assert!(!shows_bytes("# A\n54 42 00 01\n```\nno bytes\n```\n"));
        assert_eq!(findings(&[page("docs/format/a.md", "# A\n")]).len(), 1);
    }

    #[test]
    fn links_to_files_hold() {
        let text = "[a](Cargo.toml) [b](https://example.org/x) [c](#there) [d](no/such.md#x)\n";
        let findings = findings(&[page("README.md", text)]);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].contains("`no/such.md`"));
    }

    #[test]
    fn decisions_are_listed() {
        let decision = page("docs/adr/0099-a.md", "# A\n");
        assert_eq!(unlisted_decisions(std::slice::from_ref(&decision)).len(), 1);
        let list = page("docs/adr/README.md", "- [A](0099-a.md)\n");
        assert!(unlisted_decisions(&[decision, list]).is_empty());
    }
}
