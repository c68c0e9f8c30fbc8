//! JSON as programs really write it: with `NaN`, `Infinity` and `-Infinity` as bare words, as Python's
//! `json.dumps` does.
//!
//! Invariant: a text that is valid JSON is read exactly as JSON says; the bare words are understood
//! only where strict reading fails, and never inside strings.

use serde_json::Value;

/// Reads a text as JSON; the error is the parser's own words with line and column.
pub fn parse(text: &str) -> Result<Value, serde_json::Error> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(error) => {
            if text.contains("NaN") || text.contains("Infinity") {
                serde_json::from_str(&quote_bare_words(text))
            } else {
                Err(error)
            }
        }
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

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[{}\\[\\]\",:NaIfinity\\\\ 0-9-]{0,40}") {
            let ours = parse(&text);
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(ours.unwrap(), value);
            }
        }
    }
}
