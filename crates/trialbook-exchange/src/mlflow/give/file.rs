//! Files and folders as MLflow writes them.
//!
//! Invariant: nothing is written outside the folder, and no file in the place of another.

use std::fmt::{Arguments, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::ExportError;

/// A folder that is there.
pub(super) struct Folder {
    pub(super) path: PathBuf,
}

impl Folder {
    /// Makes a folder, and those above it.
    pub(super) fn make(path: &Path) -> Result<Self, ExportError> {
        fs::create_dir_all(path).map_err(|source| writing(path, source))?;
        let path = path.to_owned();
        Ok(Self { path })
    }

    /// A folder in it.
    pub(super) fn folder(&self, name: &str) -> Result<Self, ExportError> {
        Self::make(&self.path.join(name))
    }

    /// Whether a file may have a name: nothing has it, and none of the folders above it is a file.
    pub(super) fn is_free(&self, name: &str) -> bool {
        let path = self.path.join(name);
        let above = path
            .ancestors()
            .skip(1)
            .take_while(|above| **above != self.path);
        !path.exists() && above.into_iter().all(|above| !above.is_file())
    }

    /// Writes a file.
    pub(super) fn text(&self, name: &str, text: &str) -> Result<(), ExportError> {
        let path = self.path.join(name);
        if let Some(above) = path.parent() {
            Self::make(above)?;
        }
        fs::write(&path, text).map_err(|source| writing(&path, source))
    }
}

pub(super) fn writing(path: &Path, source: std::io::Error) -> ExportError {
    let path = path.to_owned();
    ExportError::Write { path, source }
}

/// A name that MLflow takes for a key: letters, digits, `_ - . space : /`, and no path that leads elsewhere.
pub(super) fn name(key: &str) -> String {
    let plain = |letter: char| {
        if letter.is_alphanumeric() || "_-. :".contains(letter) {
            letter
        } else {
            '_'
        }
    };
    let part = |part: &str| {
        let part: String = part.chars().map(plain).collect();
        match part.as_str() {
            "" | "." | ".." => "_".repeat(part.len().max(1)),
            _ => part,
        }
    };
    key.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// A map of scalars as YAML.
pub(super) fn yaml(entries: &[(&str, Value)]) -> String {
    let mut text = String::new();
    for (key, value) in entries {
        text.push_str(key);
        text.push_str(": ");
        scalar(value, &mut text);
        text.push('\n');
    }
    text
}

fn scalar(value: &Value, text: &mut String) {
    match value {
        Value::String(string) => quoted(string, text),
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                text.push_str("\n  ");
                quoted(key, text);
                text.push_str(": ");
                scalar(value, text);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            text.push_str(&value.to_string());
        }
    }
}

/// Appends what is formatted.
pub(super) fn write(text: &mut String, what: Arguments<'_>) {
    text.write_fmt(what)
        .expect("a text takes whatever is written to it");
}

/// A text in double quotes: what YAML does not print is written by its number.
fn quoted(string: &str, text: &mut String) {
    text.push('"');
    for letter in string.chars() {
        match letter {
            '"' | '\\' => {
                text.push('\\');
                text.push(letter);
            }
            '\n' => text.push_str("\\n"),
            ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{10000}'.. => {
                text.push(letter);
            }
            other => write(text, format_args!("\\u{:04X}", u32::from(other))),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Place;
    use crate::mlflow::yaml::read;

    proptest! {
        #[test]
        fn any_text_is_read_back(text in any::<String>()) {
            let document = yaml(&[("a", text.clone().into()), ("b", serde_json::json!({"c": text}))]);
            let map = read(&document, &Place::file(Path::new("meta.yaml"))).unwrap();
            prop_assert_eq!(map["a"].as_str(), Some(text.as_str()));
            prop_assert_eq!(map["b"]["c"].as_str(), Some(text.as_str()));
        }

        #[test]
        fn any_name_stays_inside(key in any::<String>()) {
            let name = name(&key);
            prop_assert!(name.split('/').all(|part| !matches!(part, "" | "." | "..")));
        }
    }

    #[test]
    fn plain_names_stay() {
        for key in ["loss", "train/loss", "a b", "a-b_c.d", "a:b", "räder"] {
            assert_eq!(name(key), key);
        }
        assert_eq!(name("../x@y//"), "__/x_y/_/_");
    }
}
