//! Canonical JSON and its SHA-256: one text for one meaning, so that equal configs have equal hashes.
//!
//! The form is that of RFC 8785: no blanks, keys in the order of their UTF-16 code units, the shortest
//! escapes, numbers as ECMAScript prints them. One thing differs: a whole number is kept exactly
//! however long it is, where RFC 8785 rounds it to a double. Hence `1.0`, `1` and `1e0` are the same
//! text, and so are `-0` and `0`.
//!
//! Not here: what of a config belongs to its hash (that is the config's own rule).
//! Invariant: parsing a canonical text and writing it again gives the same text.

mod decimal;
pub mod legacy;

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub(crate) use decimal::Decimal;

/// How many hex digits of a hash are shown to people.
pub const SHOWN_DIGITS: usize = 12;

/// The canonical text of a JSON value.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

/// SHA-256 of the canonical text, as 64 lower-case hex digits.
pub fn hash(value: &Value) -> String {
    hex(&sha256(to_string(value).as_bytes()))
}

/// The canonical text of a number written in decimal, such as `3.10` → `3.1`; `None` when it is not one.
/// Exact: no number is too long or too large, so `1e400` stays `1e+400`.
pub fn number(text: &str) -> Option<String> {
    Decimal::parse(text).map(|decimal| decimal.to_string())
}

/// A number written in decimal as a JSON value. What JSON values cannot hold exactly (`1e400`, an
/// integer of 30 digits, NaN) becomes a text.
pub fn number_value(text: &str) -> Value {
    let Some(canonical) = number(text) else {
        return Value::String(text.to_ascii_lowercase());
    };
    match serde_json::from_str::<Value>(&canonical) {
        Ok(value) if to_string(&value) == canonical => value,
        Ok(_) | Err(_) => Value::String(canonical),
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|left, right| left.0.encode_utf16().cmp(right.0.encode_utf16()));
            out.push('{');
            for (at, (key, item)) in entries.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write_value(item, out);
            }
            out.push('}');
        }
    }
}

fn write_number(number: &serde_json::Number, out: &mut String) {
    let text = number.to_string();
    match Decimal::parse(&text) {
        Some(decimal) => {
            write!(out, "{decimal}").expect("writing to a text cannot fail");
        }
        None => out.push_str(&text),
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                write!(out, "\\u{:04x}", u32::from(control))
                    .expect("writing to a text cannot fail");
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
