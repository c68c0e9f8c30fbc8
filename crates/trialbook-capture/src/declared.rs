//! What a config says of its surroundings, or what they were before, held against what is found.
//!
//! Invariant: what could not be found out, or is not looked for, is no difference.

use serde_json::Value;
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

/// What has changed since an earlier capture, as far as it may change results.
pub fn changes(before: &Value, found: &Environment) -> Vec<Difference> {
    let now = found.document();
    [
        "git_commit",
        "git_dirty",
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
    .collect()
}

/// A value of a snapshot as text; `None` where it was not found out.
fn text_of(document: &Value, key: &str) -> Option<String> {
    let value = document.get(key).filter(|value| !value.is_null())?;
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
    use crate::environment::Place;

    #[test]
    fn only_what_was_found_otherwise_differs() {
        let folder = tempfile::tempdir().unwrap();
        let mut found = Environment::capture(Place {
            directory: folder.path(),
            python: "no-such-python",
        });
        let param = |key: &str, text: &str| (key.to_owned(), Param::text(text));
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
        found.python_version = Some("3.11.2".to_owned());
        found.git_commit = Some("1a2bcd".to_owned());
        assert_eq!(keys(&found), ["python_version", "hostname"]);
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
}
