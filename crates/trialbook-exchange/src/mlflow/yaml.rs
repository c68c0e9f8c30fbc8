//! The YAML that MLflow writes: a map of scalars, with maps and lists below.
//!
//! Not here: what the keys mean. Invariant: a scalar keeps its text; only an unquoted `null` is no value.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

use crate::error::{ImportError, Place, Problem};

/// What a file was expected to be.
const EXPECTED: &str = "YAML with a map, as MLflow writes it";

/// How deep maps may stand in each other.
const DEEPEST: usize = 32;

/// A map or list that is still open.
enum Open {
    Map(Map<String, Value>, Option<String>),
    List(Vec<Value>),
}

/// Reads a map.
pub(super) fn read(text: &str, place: &Place) -> Result<Map<String, Value>, ImportError> {
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for item in Parser::new_from_str(text) {
        let (event, span) = item.map_err(|error| {
            let mark = *error.marker();
            let line = mark.line() as u64;
            malformed(&place.line(line), error.info().to_owned())
        })?;
        let at = || place.line(span.start.line() as u64);
        let value = match event {
            Event::Scalar(text, style, ..) => Some(scalar(&text, style)),
            Event::MappingStart(..) => {
                open.push(Open::Map(Map::new(), None));
                None
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                None
            }
            Event::MappingEnd | Event::SequenceEnd => open.pop().map(|done| match done {
                Open::Map(map, _) => Value::Object(map),
                Open::List(list) => Value::Array(list),
            }),
            Event::Alias(_) => return Err(malformed(&at(), "an alias".to_owned())),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => None,
        };
        if open.len() > DEEPEST {
            return Err(malformed(&at(), "maps are nested too deep".to_owned()));
        }
        if let Some(value) = value {
            match open.last_mut() {
                Some(open) => open.add(value).map_err(|reason| malformed(&at(), reason))?,
                None => root = Some(value),
            }
        }
    }
    match root {
        Some(Value::Object(map)) => Ok(map),
        Some(_) | None => Err(malformed(place, "it holds no map".to_owned())),
    }
}

impl Open {
    fn add(&mut self, value: Value) -> Result<(), String> {
        match self {
            Self::List(list) => list.push(value),
            Self::Map(map, key) => match (key.take(), value) {
                (Some(key), value) => {
                    map.insert(key, value);
                }
                (None, Value::String(text)) => *key = Some(text),
                (None, Value::Null) => *key = Some("null".to_owned()),
                (None, _) => return Err("a key that is no text".to_owned()),
            },
        }
        Ok(())
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    let is_null = style == ScalarStyle::Plain && matches!(text, "" | "~" | "null");
    if is_null {
        Value::Null
    } else {
        Value::String(text.to_owned())
    }
}

fn malformed(place: &Place, reason: String) -> ImportError {
    let expected = EXPECTED;
    ImportError::at(place, Problem::Malformed { expected, reason })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    fn map(text: &str) -> Value {
        Value::Object(read(text, &Place::file(Path::new("meta.yaml"))).unwrap())
    }

    #[test]
    fn texts_of_all_styles_are_read() {
        let text = "a: '0'\nb: null\nc: ''\nd: 'two\n\n  lines'\ne: \"\\xE4 tab\\t\"\nf: {}\ng:\n- x\n- 'y'\nh: 17\n";
        let expected = json!({
            "a": "0", "b": null, "c": "", "d": "two\nlines", "e": "ä tab\t", "f": {}, "g": ["x", "y"], "h": "17",
        });
        assert_eq!(map(text), expected);
    }

    #[test]
    fn what_is_no_map_is_refused_by_its_line() {
        let place = Place::file(Path::new("meta.yaml"));
        for text in ["", "just text", "- a", "a: [", "a: b\nc: 'open"] {
            let error = read(text, &place).unwrap_err().to_string();
            assert!(error.starts_with("meta.yaml"), "{text}: {error}");
        }
    }
}
