//! The secret filter (S-58): what is recorded of a program's surroundings passes through here first.
//!
//! Covered: environment variables by name; command lines, URLs, config values and diffs by name and by
//! what values look like; console output only by what values look like ([`text`]), so a secret of no known
//! form that a program prints is recorded. A PEM block that is cut over several pieces of output is
//! redacted in the piece that begins it. Not here: deciding what is recorded.
//! Invariant: what is reported as dropped is names and kinds, never a value or a part of one.
//! Invariant: a text in which nothing is found is returned as it is, not copied.

mod assign;
mod name;
mod option;
mod scan;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use assign::PlainValue;
pub use name::{is_secret_name, is_secret_variable};
use option::{is_source, is_user_option, password_of, takes_a_secret};
use scan::Hit;

/// What stands in the place of a secret.
pub const MARK: &str = "[redacted]";

/// Something without its secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct Redacted<T> {
    /// What may be recorded.
    pub content: T,
    /// Names of what was dropped: variables, options, paths of a config, kinds of keys. In the order met.
    pub dropped: Vec<String>,
}

/// Console output and other free text: by what values look like.
pub fn text(text: &str) -> Redacted<Cow<'_, str>> {
    redacted(text, scan::scan(text))
}

/// A diff or the text of a source or settings file: also by the names that values are given to.
pub fn diff(text: &str) -> Redacted<Cow<'_, str>> {
    let mut hits = scan::scan(text);
    hits.extend(assign::assignments(text, PlainValue::Line));
    redacted(text, hits)
}

/// A value of a config, a variable or a command line: also `name=value` inside it, as in connection strings, and
/// `--name value`, as in shell text.
pub fn value(text: &str) -> Redacted<Cow<'_, str>> {
    let mut hits = scan::scan(text);
    hits.extend(assign::assignments(text, PlainValue::Word));
    hits.extend(option::options(text));
    redacted(text, hits)
}

/// The value of a param or a tag, by its name, by that of a map that it stood in (`auth.token` in `auth`), and by what it
/// looks like. An empty text is no secret: it says that none was given.
pub fn named<'a>(name: &str, text: &'a str) -> Cow<'a, str> {
    let maps = name.match_indices('.').map(|(dot, _)| &name[..dot]);
    let is_secret = is_secret_name(name) || maps.into_iter().any(is_secret_name);
    if is_secret && !text.is_empty() {
        MARK.into()
    } else {
        value(text).content
    }
}

/// A URL: credentials in its user part, secrets in its parameters.
///
/// ```
/// let clean = trialbook_model::secret::url("https://me:hunter2@example.org/project.git");
/// assert_eq!(clean.content, "https://[redacted]@example.org/project.git");
/// assert_eq!(clean.dropped.len(), 1);
/// ```
pub fn url(text: &str) -> Redacted<Cow<'_, str>> {
    redacted(text, scan::scan(text))
}

/// Environment variables: those with a secret name are gone, others stay with their values filtered.
pub fn env(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Redacted<BTreeMap<String, String>> {
    let mut content = BTreeMap::new();
    let mut dropped = Vec::new();
    for (name, text) in variables {
        if is_secret_variable(&name) {
            dropped.push(name);
            continue;
        }
        let value = value(&text);
        if !value.dropped.is_empty() {
            dropped.push(name.clone());
        }
        content.insert(name, value.content.into_owned());
    }
    Redacted { content, dropped }
}

/// A command line, argument by argument.
pub fn argv(arguments: &[String]) -> Redacted<Vec<String>> {
    let mut content = Vec::with_capacity(arguments.len());
    let mut dropped = Vec::new();
    let mut option: Option<&str> = None;
    for argument in arguments {
        let taken = option.take();
        let plain = match taken {
            Some(name) if is_user_option(name) => after_colon(argument),
            Some(_) if !argument.starts_with("--") && !is_source(argument) => Some(MARK.to_owned()),
            Some(_) | None => None,
        };
        if let (Some(name), Some(plain)) = (taken, plain) {
            dropped.push(name.trim_start_matches('-').to_owned());
            content.push(plain);
            continue;
        }
        let (clean, names) = argument_alone(argument);
        content.push(clean);
        dropped.extend(names);
        if takes_a_secret(argument) {
            option = Some(argument);
        }
    }
    Redacted { content, dropped }
}

/// `name:[redacted]`, unless both sides are numbers (a user and group id).
fn after_colon(argument: &str) -> Option<String> {
    let password = password_of(argument)?;
    Some(format!("{}{MARK}", &argument[..password.start]))
}

fn argument_alone(argument: &str) -> (String, Vec<String>) {
    if argument.starts_with('-')
        && let Some((option, given)) = argument.split_once('=')
    {
        let name = option.trim_start_matches('-');
        let user = is_user_option(option).then(|| after_colon(given)).flatten();
        let is_secret = is_secret_name(name) && !given.is_empty() && !is_source(given);
        let secret = is_secret.then(|| MARK.to_owned());
        if let Some(clean) = user.or(secret) {
            return (format!("{option}={clean}"), vec![name.to_owned()]);
        }
        let (clean, dropped) = argument_alone(given);
        return (format!("{option}={clean}"), dropped);
    }
    if argument.trim_start().starts_with(['{', '['])
        && let Ok(document) = serde_json::from_str::<Value>(argument)
    {
        let clean = json(document);
        if clean.dropped.is_empty() {
            return (argument.to_owned(), Vec::new());
        }
        return (clean.content.to_string(), clean.dropped);
    }
    let clean = value(argument);
    (clean.content.into_owned(), clean.dropped)
}

/// A config or any other document: texts and numbers under secret names are replaced, other texts filtered.
pub fn json(document: Value) -> Redacted<Value> {
    let mut content = document;
    let mut dropped = Vec::new();
    redact_document(&mut content, "", Kind::Open, &mut dropped);
    Redacted { content, dropped }
}

/// Whether a name above says that everything below is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Secret,
}

fn redact_document(value: &mut Value, path: &str, kind: Kind, dropped: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(_) if kind == Kind::Open => {}
        Value::String(text) if kind == Kind::Open => {
            let clean = self::value(text);
            if !clean.dropped.is_empty() {
                let clean = clean.content.into_owned();
                dropped.push(path.to_owned());
                *text = clean;
            }
        }
        Value::Number(_) | Value::String(_) => {
            // An empty text is no secret, and says that none was given.
            if value.as_str() != Some("") {
                dropped.push(path.to_owned());
                *value = Value::String(MARK.to_owned());
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter_mut().enumerate() {
                redact_document(value, &format!("{path}[{at}]"), kind, dropped);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                let kind = if is_secret_name(name) {
                    Kind::Secret
                } else {
                    kind
                };
                redact_document(value, &path, kind, dropped);
            }
        }
    }
}

/// The text with each hit replaced; hits may overlap and stand in any order.
fn redacted(text: &str, mut hits: Vec<Hit>) -> Redacted<Cow<'_, str>> {
    if hits.is_empty() {
        return Redacted {
            content: Cow::Borrowed(text),
            dropped: Vec::new(),
        };
    }
    hits.sort_by_key(|hit| hit.range.start);
    let mut content = String::with_capacity(text.len());
    let mut dropped = Vec::with_capacity(hits.len());
    let mut at = 0;
    let mut hits = hits.into_iter().peekable();
    while let Some(hit) = hits.next() {
        let mut end = hit.range.end;
        while let Some(inside) = hits.next_if(|next| next.range.start < end) {
            end = end.max(inside.range.end);
        }
        content.push_str(&text[at..hit.range.start]);
        content.push_str(MARK);
        dropped.push(hit.what);
        at = end;
    }
    content.push_str(&text[at..]);
    Redacted {
        content: Cow::Owned(content),
        dropped,
    }
}

#[cfg(test)]
mod tests;
