//! What a config says of its surroundings, or what they were before, held against what is found.
//!
//! Invariant: what could not be found out, or is not looked for, is no difference; what a config says of it is told
//! as unchecked.

use serde_json::{Map, Value};
use trialbook_model::record::{Param, ParamKind};

use crate::environment::Environment;

/// A declared or earlier value that is not what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key, such as `python_version`.
    pub key: String,
    /// What the config says, or what was found before.
    pub declared: String,
    /// What was found.
    pub found: String,
}

/// All differences, in the order of the config.
pub fn differences(declared: &[(String, Param)], found: &Environment) -> Vec<Difference> {
    let document = found.document();
    declared
        .iter()
        .filter(|(_, param)| param.kind != ParamKind::Null)
        .filter_map(|(key, param)| {
            let found = text_of(&document, key)?;
            let agrees = agree(key, &param.text, &found);
            (!agrees).then(|| Difference {
                key: key.clone(),
                declared: param.text.clone(),
                found,
            })
        })
        .collect()
}

/// What the config says of something that was not found out, or that is not looked for, in the order of the config.
pub fn unchecked(declared: &[(String, Param)], found: &Environment) -> Vec<(String, String)> {
    let document = found.document();
    declared
        .iter()
        .filter(|(key, param)| param.kind != ParamKind::Null && text_of(&document, key).is_none())
        .map(|(key, param)| (key.clone(), param.text.clone()))
        .collect()
}

/// What has changed since an earlier capture, as far as it may change results.
pub fn changes(before: &Value, found: &Environment) -> Vec<Difference> {
    let now = found.document();
    let mut changes: Vec<Difference> = [
        "git_commit",
        "git_dirty",
        "git_diff",
        "python_version",
        "platform",
        "hostname",
    ]
    .into_iter()
    .filter_map(|key| {
        let (declared, found) = (text_of(before, key)?, text_of(&now, key)?);
        (declared != found).then(|| Difference {
            key: key.to_owned(),
            declared,
            found,
        })
    })
    .collect();
    for (map, word) in [("packages", "package"), ("lock_files", "lock file")] {
        if let (Some(before), Some(now)) = (before[map].as_object(), now[map].as_object()) {
            changes.extend(changes_of(word, before, now));
        }
    }
    changes
}

/// Entries that differ, are gone or are new.
fn changes_of<'a>(
    word: &'a str,
    before: &'a Map<String, Value>,
    now: &'a Map<String, Value>,
) -> impl Iterator<Item = Difference> + 'a {
    let new = now.keys().filter(|name| !before.contains_key(*name));
    let text = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str);
        text.map_or_else(|| "not there".to_owned(), str::to_owned)
    };
    before.keys().chain(new).filter_map(move |name| {
        let (declared, found) = (text(before.get(name)), text(now.get(name)));
        (declared != found).then(|| Difference {
            key: format!("{word} {name}"),
            declared,
            found,
        })
    })
}

/// A value of a snapshot as text; `None` where it was not found out. `packages.numpy` is an entry of a map.
fn text_of(document: &Value, key: &str) -> Option<String> {
    let value = match key.split_once('.') {
        Some((map, name)) => document.get(map)?.get(name),
        None => document.get(key),
    };
    let value = value.filter(|value| !value.is_null() && !value.is_object())?;
    Some(
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    )
}

fn agree(key: &str, declared: &str, found: &str) -> bool {
    match key {
        // `3.11` means any 3.11.
        "python_version" => found
            .strip_prefix(declared)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        "git_commit" => declared.len() >= 4 && found.starts_with(&declared.to_ascii_lowercase()),
        _ => declared == found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::{Captured, Place};
    use trialbook_model::capture::Parts;

    fn captured() -> Environment {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            directory: folder.path(),
            python: "no-such-python",
        };
        Captured::of(place, &Parts::all()).environment.unwrap()
    }

    fn param(key: &str, text: &str) -> (String, Param) {
        (key.to_owned(), Param::text(text))
    }

    #[test]
    fn only_what_was_found_otherwise_differs() {
        let mut found = captured();
        let declared = [
            param("python_version", "3.1"),
            param("claude_code_version", "1.0"),
            param("git_commit", "1A2B"),
            param("hostname", "elsewhere.invalid"),
        ];
        let keys = |found: &Environment| -> Vec<String> {
            let differences = differences(&declared, found).into_iter();
            differences.map(|difference| difference.key).collect()
        };
        assert_eq!(keys(&found), ["hostname"]);
        let silent = |found: &Environment| -> Vec<String> {
            let unchecked = unchecked(&declared, found).into_iter();
            unchecked.map(|(key, _)| key).collect()
        };
        found.git_commit = None;
        assert_eq!(
            silent(&found),
            ["python_version", "claude_code_version", "git_commit"]
        );
        found.python_version = Some("3.11.2".to_owned());
        found.git_commit = Some("1a2bcd".to_owned());
        assert_eq!(keys(&found), ["python_version", "hostname"]);
        assert_eq!(silent(&found), ["claude_code_version"]);
        found.python_version = Some("3.1.9".to_owned());
        found.git_commit = Some("ffff".to_owned());
        assert_eq!(keys(&found), ["git_commit", "hostname"]);
        let before = found.document();
        assert_eq!(changes(&before, &found), []);
        found.git_dirty = Some(true);
        assert_eq!(changes(&before, &found), [], "unknown before");
        found.git_commit = Some("eeee".to_owned());
        assert_eq!(changes(&before, &found)[0].declared, "ffff");
    }

    #[test]
    fn packages_differ_one_by_one() {
        let mut found = captured();
        let packages = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            let pairs = pairs.map(|(name, version)| ((*name).to_owned(), (*version).to_owned()));
            Some(pairs.collect())
        };
        found.packages = packages(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let before = found.document();
        found.packages = packages(&[("a", "1"), ("b", "2"), ("d", "1")]);
        let told: Vec<String> = changes(&before, &found)
            .into_iter()
            .map(|it| format!("{}: {} {}", it.key, it.declared, it.found))
            .collect();
        assert_eq!(
            told,
            [
                "package b: 1 2",
                "package c: 1 not there",
                "package d: not there 1"
            ]
        );
        let declared = [param("packages.b", "2"), param("packages.d", "7")];
        assert_eq!(differences(&declared, &found)[0].key, "packages.d");
    }
}
