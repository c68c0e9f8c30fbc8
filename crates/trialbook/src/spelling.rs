//! Other spellings of verbs: those of agents that follow the document of slash commands, and `log -`.
//!
//! Not here: flags, which clap knows. Invariant: a spelling that is already ours passes unchanged.

use std::ffi::OsString;

/// A verb as others write it, and as we do.
const SPELLINGS: &[(&str, &[&str])] = &[
    ("validate-config", &["validate"]),
    ("log-params", &["log", "param"]),
    ("log-metrics", &["log", "metric"]),
    ("log-artifacts", &["log", "artifact"]),
    ("experiment-log-params", &["log", "param"]),
    ("experiment-log-metrics", &["log", "metric"]),
    ("experiment-log-artifacts", &["log", "artifact"]),
    ("experiment-create", &["create"]),
    ("experiment-search", &["search"]),
    ("experiment-compare", &["compare"]),
    ("experiment-visualize", &["visualize"]),
    ("experiment-reproduce", &["reproduce"]),
    ("experiment-tag", &["tag"]),
    ("experiment-archive", &["archive"]),
    ("experiment-list", &["list"]),
    ("artifact-download", &["artifact", "get"]),
    ("artifact-upload", &["artifact", "put"]),
    ("run-create", &["start"]),
    ("run-log", &["log", "metric"]),
    ("run-compare", &["compare"]),
];

/// The arguments of the process with the verb in our spelling.
pub(crate) fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = given.collect();
    let Some(at) = verb(&words) else {
        return words;
    };
    // Agents know the commands with a slash before them.
    let slashed = words[at].to_str().and_then(|word| word.strip_prefix('/'));
    let word = slashed.map_or_else(|| words[at].clone(), OsString::from);
    let other = SPELLINGS.iter().find(|(other, _)| word == **other);
    if let Some((_, ours)) = other {
        words.splice(at..=at, ours.iter().map(OsString::from));
    } else if words[at] == "log" && words.get(at + 1).is_some_and(|word| word == "-") {
        words[at + 1] = OsString::from("lines");
    } else if words[at] == "baseline"
        && words.len() == at + 4
        && words[at + 1] == "set"
        && !words[at + 2].as_encoded_bytes().starts_with(b"-")
    {
        let (name, run) = (words[at + 2].clone(), words[at + 3].clone());
        words.splice(at + 1.., [run, OsString::from("--name"), name]);
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
        check("t /experiment-create --name a", "t create --name a");
        check("t baseline set text run-a", "t baseline run-a --name text");
        check("t baseline set --remove x", "t baseline set --remove x");
        check("t artifact-upload --files a", "t artifact put --files a");
        check("t start --name log-params", "t start --name log-params");
        check("t", "t");
    }
}
