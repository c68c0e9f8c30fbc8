//! Reading a message from the query of a GET: each field by its name, lists by repeating it.
//!
//! Invariant: names that the message does not have are passed over, as in bodies.

use serde_json::{Map, Value};

use super::body::{read_map, text_as};
use super::{Message, WireError};

/// Reads a query; `None` and the empty one are the empty message.
pub(in crate::mlflow) fn read_query<M: Message>(query: Option<&str>) -> Result<M, WireError> {
    let mut map = Map::new();
    for (name, text) in pairs(query) {
        let Some(field) = M::FIELDS.iter().find(|field| field.name == name) else {
            continue;
        };
        if field.form.is_list() {
            let list = map
                .entry(field.name)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(Value::String(text));
            }
        } else if !map.contains_key(field.name) {
            map.insert(field.name.to_owned(), text_as(field.form, text));
        }
    }
    read_map(map)
}

/// The names and values of a query, decoded.
pub(in crate::mlflow) fn pairs(query: Option<&str>) -> impl Iterator<Item = (String, String)> {
    let parts = query.unwrap_or_default().split('&');
    parts.filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name), decoded(value))
    })
}

/// A text without its escapes.
pub(in crate::mlflow) fn unescaped(text: &str) -> String {
    decoded(text)
}

/// A part of a query without its escapes: `+` is a blank, `%41` is `A`; what is no escape stays.
fn decoded(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        let escape = match behind {
            [high, low, ..] if *first == b'%' => nibble(*high).zip(nibble(*low)),
            _ => None,
        };
        bytes.push(match (escape, first) {
            (Some((high, low)), _) => {
                rest = &behind[2..];
                high << 4 | low
            }
            (None, b'+') => b' ',
            (None, other) => *other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn nibble(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}
