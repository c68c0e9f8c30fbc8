//! What MLflow takes as a name or value, and how much of it at once.
//!
//! Lengths are counted in characters. Values of params and tags that are longer than MLflow's limits are kept
//! whole: its server cuts them off, which loses what was logged.
//! Invariant: everything that MLflow's server accepts is accepted.

use serde_json::Value;

use super::wire::compact;

/// Metrics in one batch.
pub(in crate::mlflow) const METRICS_PER_BATCH: usize = 1000;
/// Params in one batch, and tags.
pub(in crate::mlflow) const PARAMS_PER_BATCH: usize = 100;
/// Metrics, params and tags of one batch in all.
pub(in crate::mlflow) const ENTITIES_PER_BATCH: usize = 1000;
/// Characters of a key.
pub(in crate::mlflow) const KEY_LENGTH: usize = 250;
/// Characters of an experiment's name.
pub(in crate::mlflow) const EXPERIMENT_NAME_LENGTH: usize = 500;
/// Characters of the value of an experiment's tag.
pub(in crate::mlflow) const EXPERIMENT_TAG_LENGTH: usize = 20_000;

/// Why a name, a value or their number is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::mlflow) enum LimitError {
    /// A character that names may not hold.
    #[error(
        "Invalid value {name} for parameter '{path}' supplied: Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
    )]
    Characters {
        /// The field.
        path: String,
        /// The name, as JSON.
        name: String,
    },
    /// A name that as a path would be another one.
    #[error(
        "Invalid value {name} for parameter '{path}' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '{resolved}'"
    )]
    Path {
        /// The field.
        path: String,
        /// The name, as JSON.
        name: String,
        /// The other one.
        resolved: String,
    },
    /// Too many characters.
    #[error("'{what}' exceeds the maximum length of {limit} characters")]
    Length {
        /// What has them.
        what: String,
        /// How many it may have.
        limit: usize,
    },
    /// A time before 1970.
    #[error(
        "Invalid value {time} for parameter '{path}' supplied: metric '{key}' (value={value}). Timestamp must be a nonnegative long (64-bit integer)"
    )]
    Time {
        /// The field.
        path: String,
        /// The time.
        time: i64,
        /// The metric.
        key: String,
        /// Its value.
        value: String,
    },
    /// More in one request than may be.
    #[error(
        "A batch logging request can contain at most {limit} {what}. Got {found} {what}. Please split up {what} across multiple requests and try again."
    )]
    Batch {
        /// More of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// A param twice in one batch.
    #[error(
        "Duplicate parameter keys have been submitted: [{keys}]. Please ensure the request contains only one param value per param key."
    )]
    Repeated {
        /// The keys, quoted.
        keys: String,
    },
    /// Not the id of a run.
    #[error("Invalid value {id} for parameter 'run_id' supplied.")]
    RunId {
        /// The id, as JSON.
        id: String,
    },
    /// An experiment without a name.
    #[error("Invalid experiment name: '{name}'")]
    ExperimentName {
        /// The name as given.
        name: String,
    },
}

/// Checks the name of a metric, param or tag; `path` is where it stands in the request.
pub(in crate::mlflow) fn check_name(path: &str, name: &str) -> Result<(), LimitError> {
    // The names that nearly all are.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(is_plain) {
        return Ok(());
    }
    let is_taken = |letter: char| letter.is_alphanumeric() || "/_.- :".contains(letter);
    if !name.chars().all(is_taken) {
        return Err(LimitError::Characters {
            path: path.to_owned(),
            name: json(name),
        });
    }
    let resolved = normal(name);
    if resolved != name || resolved == "." || name.starts_with("..") || name.starts_with('/') {
        return Err(LimitError::Path {
            path: path.to_owned(),
            name: json(name),
            resolved,
        });
    }
    Ok(())
}

/// Checks how long a text is.
pub(in crate::mlflow) fn check_length(
    what: &str,
    text: &str,
    limit: usize,
) -> Result<(), LimitError> {
    if text.len() <= limit || text.chars().count() <= limit {
        Ok(())
    } else {
        Err(LimitError::Length {
            what: what.to_owned(),
            limit,
        })
    }
}

/// Checks how many there are of something in one request.
pub(in crate::mlflow) fn check_count(
    what: &'static str,
    found: usize,
    limit: usize,
) -> Result<(), LimitError> {
    if found <= limit {
        Ok(())
    } else {
        Err(LimitError::Batch { what, limit, found })
    }
}

/// Checks that a text could be the id of a run.
pub(in crate::mlflow) fn check_run_id(id: &str) -> Result<(), LimitError> {
    let is_taken = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    let begins = id.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    if begins && id.chars().all(is_taken) && id.len() <= 256 {
        Ok(())
    } else {
        Err(LimitError::RunId { id: json(id) })
    }
}

/// Checks the name of an experiment.
pub(in crate::mlflow) fn check_experiment_name(name: &str) -> Result<(), LimitError> {
    if name.is_empty() {
        return Err(LimitError::ExperimentName {
            name: name.to_owned(),
        });
    }
    check_length("name", name, EXPERIMENT_NAME_LENGTH)
}

fn json(text: &str) -> String {
    compact(&Value::from(text))
}

/// What a name would be as a POSIX path, `.` and `..` and doubled slashes resolved.
pub(in crate::mlflow) fn normal(name: &str) -> String {
    // Two slashes at the beginning mean something of their own, three do not.
    let root = match name.len() - name.trim_start_matches('/').len() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    let path = format!("{root}{}", parts.join("/"));
    if path.is_empty() {
        ".".to_owned()
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_mlflow_takes() {
        for name in [
            "a",
            "a/b",
            "train loss:x",
            "größe",
            "a.b-c_d",
            "..a/b",
            "a/..b",
            "_",
            "-",
        ] {
            // Two dots at the beginning are refused whatever follows.
            let expected = !name.starts_with("..");
            assert_eq!(check_name("key", name).is_ok(), expected, "{name}");
        }
        for name in [
            "", ".", "..", "/a", "a/", "a//b", "a/./b", "a/../b", "a,b", "a\nb", "a@b", "a=b",
        ] {
            assert!(check_name("key", name).is_err(), "{name}");
        }
        let refused = check_name("metrics[0].name", "a/../b")
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("for parameter 'metrics[0].name'"),
            "{refused}"
        );
        assert!(refused.contains("would resolve to 'b'"), "{refused}");
    }

    #[test]
    fn paths_resolve_as_posix_has_it() {
        for (name, resolved) in [
            ("", "."),
            ("a/..", "."),
            ("../../a", "../../a"),
            ("a/../../b", "../b"),
            ("/../a", "/a"),
            ("//a", "//a"),
            ("///a", "/a"),
            ("a/b/", "a/b"),
        ] {
            assert_eq!(normal(name), resolved, "{name}");
        }
    }

    #[test]
    fn lengths_count_characters() {
        assert!(check_length("key", &"ä".repeat(250), KEY_LENGTH).is_ok());
        let refused = check_length("key", &"ä".repeat(251), KEY_LENGTH).unwrap_err();
        let message = "'key' exceeds the maximum length of 250 characters";
        assert_eq!(refused.to_string(), message);
    }

    #[test]
    fn ids_of_runs_have_mlflows_form() {
        for id in ["a", "0123456789abcdef0123456789abcdef", "run_1-x"] {
            assert!(check_run_id(id).is_ok(), "{id}");
        }
        for id in ["", "_a", "a/b", "a b", "..", &"a".repeat(257)] {
            assert!(check_run_id(id).is_err(), "{id}");
        }
    }
}
