//! JSON as programs really write it: with `NaN`, `Infinity` and `-Infinity` as bare words, as Python's
//! `json.dumps` does.
//!
//! Invariant: a text that is valid JSON is read exactly as JSON says; the bare words are understood
//! only where strict reading fails, and never inside strings. A map with a name twice is refused: one of the
//! two values would be lost.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a text as JSON; the error is the parser's own words with line and column.
pub fn parse(text: &str) -> Result<Value, serde_json::Error> {
    match serde_json::from_str(text) {
        Ok(Unique(value)) => Ok(value),
        Err(error) => {
            if text.contains("NaN") || text.contains("Infinity") {
                serde_json::from_str(&quote_bare_words(text)).map(|Unique(value)| value)
            } else {
                Err(error)
            }
        }
    }
}

/// A value in whose maps no name stands twice.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Unique(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if values.contains_key(&name) {
                let twice = format!("`{name}` stands twice in one map");
                return Err(de::Error::custom(twice));
            }
            let Unique(value) = map.next_value()?;
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}

/// The number that a value means: a JSON number, a boolean (1 or 0), or the words for the values that
/// JSON has no number for. Other text is not a number, even if it looks like one.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "nan" => Some(f64::NAN),
            "inf" | "+inf" | "infinity" | "+infinity" => Some(f64::INFINITY),
            "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn quote_bare_words(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if next == '"' {
            let end = end_of_string(rest);
            quoted.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let word = ["-Infinity", "Infinity", "NaN"]
            .into_iter()
            .find(|word| rest.starts_with(word));
        let taken = if let Some(word) = word {
            quoted.push('"');
            quoted.push_str(word);
            quoted.push('"');
            word.len()
        } else {
            quoted.push(next);
            next.len_utf8()
        };
        rest = &rest[taken..];
    }
    quoted
}

/// The position after a string's closing quote, or the end of the text where there is none.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn bare_words_of_python_are_numbers() {
        let value =
            parse(r#"{"a": NaN, "b": [-Infinity, Infinity], "NaN \" Infinity": 1}"#).unwrap();
        assert!(number(&value["a"]).unwrap().is_nan());
        assert_eq!(number(&value["b"][0]), Some(f64::NEG_INFINITY));
        assert_eq!(number(&value["b"][1]), Some(f64::INFINITY));
        assert_eq!(value["NaN \" Infinity"], 1);
    }

    #[test]
    fn what_is_no_number_is_none() {
        for value in [
            json!(null),
            json!("12"),
            json!("nano"),
            json!([1]),
            json!({}),
        ] {
            assert_eq!(number(&value), None, "{value}");
        }
        assert_eq!(number(&json!(true)), Some(1.0));
        assert_eq!(
            number(&json!(-0.0)).map(f64::to_bits),
            Some((-0.0_f64).to_bits())
        );
    }

    #[test]
    fn broken_text_keeps_its_position() {
        let error = parse("{\"a\": NaN, }").unwrap_err();
        assert_eq!(error.line(), 1);
        assert!(parse("NaNs").is_err());
    }

    #[test]
    fn a_name_that_stands_twice_is_named() {
        for (text, twice) in [
            (
                r#"{"loss": 1, "loss": 1}"#,
                "`loss` stands twice in one map at line 1 column",
            ),
            (r#"[{"a": {"b": NaN, "b": 2}}]"#, "`b`"),
            (r#"{"a": 1, "\u0061": 2}"#, "`a`"),
        ] {
            let told = parse(text).unwrap_err().to_string();
            assert!(told.contains(twice), "{told}");
        }
        assert!(parse(r#"{"a": {"a": 1}, "b": {"a": 1}}"#).is_ok());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("\\PC{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn valid_json_is_read_as_it_is(value in value()) {
            prop_assert_eq!(parse(&value.to_string()).unwrap(), value);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[{}\\[\\]\",:NaIfinity\\\\ 0-9-]{0,40}") {
            let ours = parse(&text);
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                match ours {
                    Ok(ours) => prop_assert_eq!(ours, value),
                    Err(error) => prop_assert!(error.to_string().contains("twice"), "{}", error),
                }
            }
        }
    }
}
