//! Values as people write them: `key=value` pairs, JSON maps, and the checks of names.
//!
//! Not here: recording them. Invariant: what is refused names the key; nothing is guessed in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use trialbook_model::handle;
use trialbook_model::record::{Param, ParamKind, SeriesKey};
use trialbook_runner::protocol::json;

use crate::failure::Failure;

/// Names longer than this are refused: they would stand in every index.
const LONGEST_NAME: usize = 8 * 1024;
/// The same for names of experiments, runs and aliases, which stand in every table; so long may they be in a config.
const LONGEST_TITLE: usize = 500;

/// Maps deeper than this inside each other are kept as text.
const DEEPEST: usize = 64;

/// Refuses names that cannot be shown or found again.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Failure> {
    let refuse = |expected| {
        let shown: String = name.chars().take(40).collect();
        Err(Failure::Value {
            what: format!("the name of {what}"),
            value: shown,
            expected,
        })
    };
    if name.trim().is_empty() {
        refuse("a name: it is empty")
    } else if name.contains('\0') {
        refuse("a name: it holds the byte 0x00")
    } else if name.len() > LONGEST_NAME {
        refuse("a name: it is longer than 8 KiB")
    } else {
        Ok(())
    }
}

/// Refuses a name of a run or an experiment, or an alias, that would mean something else, or that no table holds.
pub(crate) fn refuse_reserved(what: &str, name: &str) -> Result<(), Failure> {
    if name.len() > LONGEST_TITLE {
        let shown: String = name.chars().take(40).collect();
        return Err(Failure::Value {
            what: format!("the name of {what}"),
            value: format!("{shown}…"),
            expected: "a name of at most 500 bytes",
        });
    }
    if handle::is_reserved(name) {
        return Err(Failure::Value {
            what: format!("the name of {what}"),
            value: name.to_owned(),
            expected: "a name that can be used: `latest` means the newest run",
        });
    }
    Ok(())
}

/// Splits `KEY=VALUE …`, or `KEY VALUE` where there are two words and no `=` in the first.
pub(crate) fn pairs(words: &[String], what: &str) -> Result<Vec<(String, String)>, Failure> {
    if let [key, value] = words
        && !key.contains('=')
    {
        return Ok(vec![(key.clone(), value.clone())]);
    }
    let pair = |word: &String| match word.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(Failure::Usage {
            problem: format!("`{word}` is not a {what} with a value"),
            hint: format!("write `{word}=VALUE`"),
        }),
    };
    words.iter().map(pair).collect()
}

/// Params of `KEY=VALUE` words: numbers, `true` and `false` are read as such, everything else is text.
pub(crate) fn params(words: &[String]) -> Result<Vec<(String, Param)>, Failure> {
    let pairs = pairs(words, "param")?;
    let read = |(key, text): (String, String)| {
        check_name("a param", &key)?;
        Ok((key, param(text)))
    };
    pairs.into_iter().map(read).collect()
}

/// A param as its text says.
fn param(text: String) -> Param {
    let kind = match text.as_str() {
        "true" | "false" => ParamKind::Bool,
        other if is_decimal(other) => ParamKind::Number,
        _ => ParamKind::Text,
    };
    Param { text, kind }
}

/// Whether it is a number that is written with digits.
fn is_decimal(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    text.bytes().all(plain) && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Params of a JSON map, flattened with dots (T-2); numbers keep their text.
pub(crate) fn params_of_json(text: &str) -> Result<Vec<(String, Param)>, Failure> {
    let Pairs(map) = serde_json::from_str(text).map_err(|error| not_a_map("--params", &error))?;
    let mut params = Vec::new();
    for (key, value) in map {
        flatten(key, value.get(), DEEPEST, &mut params)?;
    }
    refuse_twice("--params", &params)?;
    Ok(params)
}

/// A JSON map as its pairs stand in it: also those whose name stands twice.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor<'a>(PhantomData<&'a RawValue>);
        impl<'de: 'a, 'a> Visitor<'de> for PairsVisitor<'a> {
            type Value = Pairs<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'a>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

/// Refuses a name that was given twice: one of its values would be lost.
fn refuse_twice<T>(what: &str, pairs: &[(String, T)]) -> Result<(), Failure> {
    let mut names = BTreeSet::new();
    let twice = pairs.iter().find(|(name, _)| !names.insert(name));
    match twice {
        Some((name, _)) => Err(Failure::Usage {
            problem: format!("`{name}` stands twice in {what}"),
            hint: "give each name once".to_owned(),
        }),
        None => Ok(()),
    }
}

fn flatten(
    key: String,
    raw: &str,
    depth: usize,
    params: &mut Vec<(String, Param)>,
) -> Result<(), Failure> {
    check_name("a param", &key)?;
    if raw.starts_with('{') && depth > 0 && !is_empty_map(raw) {
        let Pairs(map) = serde_json::from_str(raw).map_err(|error| not_a_map(&key, &error))?;
        for (inner, value) in map {
            flatten(format!("{key}.{inner}"), value.get(), depth - 1, params)?;
        }
        return Ok(());
    }
    let param = Param::of_json(raw).map_err(|error| not_a_map(&key, &error))?;
    params.push((key, param));
    Ok(())
}

fn is_empty_map(raw: &str) -> bool {
    raw.trim_matches(['{', '}', ' ', '\n', '\t', '\r'])
        .is_empty()
}

fn not_a_map(what: &str, error: &serde_json::Error) -> Failure {
    Failure::Usage {
        problem: format!("{what} cannot be read as a JSON map: {error}"),
        hint: "write it as '{\"lr\": 0.1, \"model\": \"bert\"}'".to_owned(),
    }
}

/// A metric's value: a number, `NaN` and infinities in the usual spellings.
pub(crate) fn metric(key: &str, text: &str) -> Result<f64, Failure> {
    let refuse = |expected| Failure::Value {
        what: format!("the value of metric `{key}`:"),
        value: text.to_owned(),
        expected,
    };
    let number: f64 = text
        .trim()
        .parse()
        .map_err(|_not_a_number| refuse("a number"))?;
    // Written with digits it was meant as a number; infinities are written as words.
    if number.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) {
        return Err(refuse("a number within the range of 64-bit floats"));
    }
    Ok(number)
}

/// Metrics of `KEY=VALUE` words.
pub(crate) fn metrics(words: &[String]) -> Result<Vec<(String, f64)>, Failure> {
    let pairs = pairs(words, "metric")?;
    let read = |(key, text): (String, String)| {
        check_name("a metric", &key)?;
        let value = metric(&key, &text)?;
        Ok((key, value))
    };
    pairs.into_iter().map(read).collect()
}

/// Metrics of a JSON map (T-3), which may hold the bare words `NaN` and `Infinity`; maps inside are
/// flattened with dots.
pub(crate) fn metrics_of_json(text: &str) -> Result<Vec<(String, f64)>, Failure> {
    let value = json::parse(text).map_err(|error| not_a_map("--metrics", &error))?;
    let serde_json::Value::Object(map) = value else {
        return Err(Failure::Usage {
            problem: "--metrics is not a JSON map".to_owned(),
            hint: "write it as '{\"loss\": 0.3, \"accuracy\": 0.9}'".to_owned(),
        });
    };
    let mut metrics = Vec::new();
    for (key, value) in map {
        metric_of_json(key, value, &mut metrics)?;
    }
    refuse_twice("--metrics", &metrics)?;
    Ok(metrics)
}

fn metric_of_json(
    key: String,
    value: serde_json::Value,
    metrics: &mut Vec<(String, f64)>,
) -> Result<(), Failure> {
    check_name("a metric", &key)?;
    if let serde_json::Value::Object(map) = value {
        for (inner, value) in map {
            metric_of_json(format!("{key}.{inner}"), value, metrics)?;
        }
        return Ok(());
    }
    match json::number(&value) {
        Some(number) => metrics.push((key, number)),
        None => {
            return Err(Failure::Value {
                what: format!("the value of metric `{key}`:"),
                value: value.to_string(),
                expected: "a number",
            });
        }
    }
    Ok(())
}

/// A context as canonical JSON: `split=test,rank=0` or a JSON map.
pub(crate) fn context(text: &str) -> Result<String, Failure> {
    let trimmed = text.trim();
    let mut map: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    if trimmed.starts_with('{') {
        let value = json::parse(trimmed).map_err(|error| not_a_map("--context", &error))?;
        if let serde_json::Value::Object(object) = value {
            map.extend(object);
        }
    } else {
        for part in trimmed.split(',').filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(Failure::Usage {
                    problem: format!("`{part}` is no part of a context"),
                    hint: "write --context split=test".to_owned(),
                });
            };
            if map.insert(key.to_owned(), value.into()).is_some() {
                return Err(Failure::Usage {
                    problem: format!("`{key}` stands twice in --context"),
                    hint: "give each name once".to_owned(),
                });
            }
        }
    }
    if map.is_empty() {
        return Ok(String::new());
    }
    serde_json::to_string(&map).map_err(|error| not_a_map("--context", &error))
}

/// The series of a metric in a context.
pub(crate) fn series_key(key: &str, context: &str) -> SeriesKey {
    SeriesKey {
        key: key.to_owned(),
        context: context.to_owned(),
    }
}

/// Tags of `KEY=VALUE` or `KEY` words and of comma lists (T-1).
pub(crate) fn tags(words: &[String]) -> Result<Vec<(String, Option<String>)>, Failure> {
    let mut tags = Vec::new();
    for word in words.iter().flat_map(|word| word.split(',')) {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        check_name("a tag", key)?;
        tags.push((key.to_owned(), Some(value.to_owned())));
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn kinds_of_params_follow_from_their_text() {
        use ParamKind::{Bool, Number, Text};
        let params = params(&words("lr=3.10 model=bert on=true n=1e5 odd=inf eq=a=b")).unwrap();
        let kinds: Vec<ParamKind> = params.iter().map(|(_, param)| param.kind).collect();
        assert_eq!(kinds, [Number, Text, Bool, Number, Text, Text]);
        assert_eq!(params[0].1.text, "3.10");
        assert_eq!(params[5].1.text, "a=b");
    }

    #[test]
    fn json_params_are_flattened_and_keep_their_text() {
        let text = r#"{"a": {"b": 3.10, "c": {"d": null}}, "e": [1, 2], "f": {}, "g": "x\"y"}"#;
        let params = params_of_json(text).unwrap();
        let flat: Vec<(&str, &str)> = params
            .iter()
            .map(|(key, param)| (key.as_str(), param.text.as_str()))
            .collect();
        let expected = [
            ("a.b", "3.10"),
            ("a.c.d", "null"),
            ("e", "[1, 2]"),
            ("f", "{}"),
            ("g", "x\"y"),
        ];
        assert_eq!(flat, expected);
        assert!(params_of_json("[1]").is_err());
        for (text, twice) in [
            (
                r#"{"lr": 1, "m": 2, "lr": 1}"#,
                "`lr` stands twice in --params",
            ),
            (
                r#"{"a": {"b": 1, "b": 2}}"#,
                "`a.b` stands twice in --params",
            ),
            (
                r#"{"a": {"b": 1}, "a.b": 2}"#,
                "`a.b` stands twice in --params",
            ),
        ] {
            assert_eq!(params_of_json(text).unwrap_err().to_string(), twice);
        }
        let twice_and_whole = r#"{"a": {"b": 1}, "a": {"c": 2}}"#;
        assert_eq!(params_of_json(twice_and_whole).unwrap().len(), 2);
        assert!(
            params_of_json(r#"{"a\u0000": 1}"#)
                .unwrap_err()
                .to_string()
                .contains("0x00")
        );
    }

    #[test]
    fn metrics_are_numbers_and_nan_is_one() {
        assert_eq!(
            metrics(&words("loss 0.3")).unwrap(),
            [("loss".to_owned(), 0.3)]
        );
        let many = metrics(&words("a=1 b=-inf c=NaN")).unwrap();
        assert!(many[2].1.is_nan() && many[1].1 == f64::NEG_INFINITY);
        let refused = metrics(&words("a=1 loss=low")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the value of metric `loss`: `low` is not a number"
        );
        assert!(metrics(&words("loss")).is_err());
        for beyond in ["a=1e999", "a=-1e400"] {
            let refused = metrics(&words(beyond)).unwrap_err().to_string();
            assert!(refused.contains("the range of 64-bit"), "{refused}");
        }
        for twice in [r#"{"a": 1, "a": 2}"#, r#"{"a": {"b": 1}, "a.b": 2}"#] {
            let refused = metrics_of_json(twice).unwrap_err().to_string();
            assert!(
                refused.contains("twice") && refused.contains("`a"),
                "{refused}"
            );
        }
        let json = metrics_of_json(r#"{"a": NaN, "b": {"c": 2}}"#).unwrap();
        assert_eq!(json[1], ("b.c".to_owned(), 2.0));
        assert!(
            metrics_of_json(r#"{"a": "low"}"#)
                .unwrap_err()
                .to_string()
                .contains("`a`")
        );
    }

    #[test]
    fn contexts_are_canonical() {
        assert_eq!(
            context("split=test,rank=0").unwrap(),
            r#"{"rank":"0","split":"test"}"#
        );
        assert_eq!(context(r#"{"b": 1, "a": 2}"#).unwrap(), r#"{"a":2,"b":1}"#);
        assert_eq!(context("").unwrap(), "");
        assert!(context("test").is_err());
        assert!(context("a=1,a=2").is_err());
        assert!(context(r#"{"a": 1, "a": 2}"#).is_err());
    }
}
