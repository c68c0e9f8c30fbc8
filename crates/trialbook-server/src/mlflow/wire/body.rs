//! Reading the body of a request, also where it is not what a strict parser takes.
//!
//! Old clients send their JSON encoded twice, Python's `json` writes a bare `NaN`, and a body that is no JSON
//! counts as an empty message, so that the refusal names what is missing.
//! Invariant: a well-formed body is read in one pass, straight into its struct.

use serde_json::{Map, Value};

use super::refusal::{self, WireError};
use super::{Form, Message};

/// Reads a body.
pub(in crate::mlflow) fn read_body<M: Message>(body: &[u8]) -> Result<M, WireError> {
    // A list would be taken for the fields in order.
    if body.trim_ascii_start().first() == Some(&b'{')
        && let Ok(message) = serde_json::from_slice(body)
    {
        return Ok(message);
    }
    read_map(object(body))
}

/// Reads the fields of a message that has come as a map.
pub(super) fn read_map<M: Message>(map: Map<String, Value>) -> Result<M, WireError> {
    refusal::check_spellings(&map, M::FIELDS)?;
    let value = Value::Object(map);
    match M::deserialize(&value) {
        Ok(message) => Ok(message),
        Err(reason) => Err(refusal::explain(&value, M::FIELDS, &reason)),
    }
}

/// The map that a body holds; the empty one where it holds none.
fn object(body: &[u8]) -> Map<String, Value> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Map::new();
    };
    match value(text) {
        Some(Value::Object(map)) => map,
        Some(Value::String(inner)) => match value(&inner) {
            Some(Value::Object(map)) => map,
            Some(_) | None => Map::new(),
        },
        Some(_) | None => Map::new(),
    }
}

fn value(text: &str) -> Option<Value> {
    serde_json::from_str(text)
        .or_else(|_reason| serde_json::from_str(&quoted(text)))
        .ok()
}

/// Puts quotes around the bare words `NaN`, `Infinity` and `-Infinity`, as [`super::Real`] reads them.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let taken = if letter == '"' {
            length_of_string(rest)
        } else if let Some(word) = ["NaN", "Infinity", "-Infinity"]
            .into_iter()
            .find(|word| rest.starts_with(word))
        {
            out.push('"');
            out.push_str(word);
            out.push('"');
            rest = &rest[word.len()..];
            continue;
        } else {
            letter.len_utf8()
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

/// How many bytes the string has that the text begins with, its quotes counted.
fn length_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// What a query's text is as the value of a field.
pub(super) fn text_as(form: Form, text: String) -> Value {
    match form {
        Form::Flag if text.eq_ignore_ascii_case("true") => Value::Bool(true),
        Form::Flag if text.eq_ignore_ascii_case("false") => Value::Bool(false),
        Form::Text
        | Form::Whole
        | Form::Number
        | Form::Flag
        | Form::Word
        | Form::Texts
        | Form::One(_)
        | Form::Many(_)
        | Form::Any => Value::String(text),
    }
}
