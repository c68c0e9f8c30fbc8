//! Other spellings of verbs: those of agents that follow the document of slash commands, and `log -`.
//!
//! Not here: flags, which clap knows. Invariant: a spelling that is already ours passes unchanged.

use std::ffi::OsString;

/// A verb as others write it, and as we do.
const SPELLINGS: [(&str, &[&str]); 9] = [
    ("log-params", &["log", "param"]),
    ("log-metrics", &["log", "metric"]),
    ("artifact-download", &["artifact", "get"]),
    ("artifact-upload", &["artifact", "put"]),
    ("log-artifacts", &["log", "artifact"]),
    ("experiment-log-params", &["log", "param"]),
    ("experiment-log-metrics", &["log", "metric"]),
    ("experiment-log-artifacts", &["log", "artifact"]),
    ("experiment-search", &["search"]),
];

/// The arguments of the process with the verb in our spelling.
pub(crate) fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = given.collect();
    let Some(at) = verb(&words) else {
        return words;
    };
    let other = SPELLINGS.iter().find(|(other, _)| words[at] == **other);
    if let Some((_, ours)) = other {
        words.splice(at..=at, ours.iter().map(OsString::from));
    } else if words[at] == "log" && words.get(at + 1).is_some_and(|word| word == "-") {
        words[at + 1] = OsString::from("lines");
    }
    words
}

/// Where the verb stands: the first word that is neither an option nor the value of `--book`.
fn verb(words: &[OsString]) -> Option<usize> {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        if word == "--book" {
            at += 2;
        } else if word.as_encoded_bytes().starts_with(b"-") {
            at += 1;
        } else {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, ours: &str) {
        let words = given.split(' ').map(OsString::from);
        let expected: Vec<OsString> = ours.split(' ').map(OsString::from).collect();
        assert_eq!(arguments(words), expected, "{given}");
    }

    #[test]
    fn only_verbs_are_respelt() {
        check("t log-params --params {}", "t log param --params {}");
        check("t --book log-params start", "t --book log-params start");
        check("t --json log -", "t --json log lines");
        check("t log metric -", "t log metric -");
        check("t start --name log-params", "t start --name log-params");
        check("t", "t");
    }
}
