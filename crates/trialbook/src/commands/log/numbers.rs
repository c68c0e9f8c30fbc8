//! The short way for lines of numbers: one pass, no tree.
//!
//! Not here: lines of any other form, which the task protocol's reader takes.
//! Invariant: a line that is read here means what that reader would have made of it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer as _, MapAccess, Visitor};

/// Names that make a line something else than numbers by name.
const RESERVED: [&str; 8] = [
    "event",
    "metrics",
    "params",
    "timestamp",
    "key",
    "metric",
    "value",
    "step",
];

/// A line of numbers.
#[derive(Debug, PartialEq)]
pub(super) struct Numbers<'a> {
    /// The step, if the line says one.
    pub(super) step: Option<i64>,
    values: Vec<(Cow<'a, str>, f64)>,
}

impl Numbers<'_> {
    /// Keys and values.
    pub(super) fn values(&self) -> impl Iterator<Item = (&str, f64)> {
        self.values
            .iter()
            .map(|(key, value)| (key.as_ref(), *value))
    }
}

/// Reads a line of the forms `{"step": 3, "loss": 0.3, …}` and `{"metric": "loss", "value": 0.3, "step": 3}`;
/// `None` for every other line.
pub(super) fn read(text: &str) -> Option<Numbers<'_>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let numbers = deserializer.deserialize_map(Line).ok()?;
    deserializer.end().ok()?;
    Some(numbers)
}

struct Line;

impl<'de> Visitor<'de> for Line {
    type Value = Numbers<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Numbers<'de>, A::Error> {
        let mut numbers = Numbers {
            step: None,
            values: Vec::new(),
        };
        let mut metric: Option<Cow<'de, str>> = None;
        let mut value: Option<f64> = None;
        while let Some(Text(key)) = map.next_key()? {
            match key.as_ref() {
                "step" if numbers.step.is_none() => numbers.step = Some(map.next_value()?),
                "metric" if metric.is_none() => metric = Some(map.next_value::<Text<'de>>()?.0),
                "value" if value.is_none() => value = Some(map.next_value()?),
                name if name.is_empty() || RESERVED.contains(&name) => {
                    return Err(de::Error::custom("another form"));
                }
                _ => numbers.values.push((key, map.next_value()?)),
            }
        }
        match (metric, value) {
            (Some(metric), Some(value)) if numbers.values.is_empty() && !metric.is_empty() => {
                numbers.values.push((metric, value));
            }
            (None, None) if !numbers.values.is_empty() => {}
            _ => return Err(de::Error::custom("another form")),
        }
        if has_twice(&numbers.values) || numbers.values.iter().any(|(key, _)| key.contains('\0')) {
            return Err(de::Error::custom("another form"));
        }
        Ok(numbers)
    }
}

/// Whether a key stands twice, which the reader refuses.
fn has_twice(values: &[(Cow<'_, str>, f64)]) -> bool {
    let mut rest = values;
    while let Some(((key, _), others)) = rest.split_first() {
        // Long lines are rare: their keys are not compared one by one here.
        if values.len() > 64 || others.iter().any(|(other, _)| other == key) {
            return true;
        }
        rest = others;
    }
    false
}

/// A text, borrowed where nothing in it is escaped.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (Option<i64>, Vec<(String, f64)>);

    fn values(text: &str) -> Option<Read> {
        let numbers = read(text)?;
        let values = numbers.values().map(|(key, value)| (key.to_owned(), value));
        Some((numbers.step, values.collect()))
    }

    #[test]
    fn lines_of_numbers_are_read() {
        let loss = |value| ("loss".to_owned(), value);
        assert_eq!(
            values(r#"{"step": 3, "loss": 0.5, "a\"b": -1e3}"#),
            Some((Some(3), vec![loss(0.5), ("a\"b".to_owned(), -1e3)]))
        );
        assert_eq!(
            values(r#"{"metric": "loss", "value": 2, "step": -1}"#),
            Some((Some(-1), vec![loss(2.0)]))
        );
        assert_eq!(values(r#"{"loss": 1}"#), Some((None, vec![loss(1.0)])));
    }

    #[test]
    fn other_lines_are_left_to_the_reader() {
        for other in [
            "",
            "{}",
            "[1]",
            r#"{"step": 1}"#,
            r#"{"step": 1.5, "loss": 1}"#,
            r#"{"step": null, "loss": 1}"#,
            r#"{"loss": "1"}"#,
            r#"{"loss": true}"#,
            r#"{"loss": NaN}"#,
            r#"{"loss": 1, "loss": 2}"#,
            r#"{"loss": {"a": 1}}"#,
            r#"{"metrics": {"a": 1}}"#,
            r#"{"metric": "a", "value": 1, "b": 2}"#,
            r#"{"metric": 1}"#,
            r#"{"value": 1}"#,
            r#"{"key": "a", "value": 1}"#,
            r#"{"event": "x"}"#,
            r#"{"timestamp": 1, "a": 1}"#,
            r#"{"a": 1} x"#,
            r#"{"": 1}"#,
        ] {
            assert_eq!(values(other), None, "{other}");
        }
    }
}
