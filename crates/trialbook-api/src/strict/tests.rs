use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    filter: Option<String>,
    #[serde(default)]
    limit: u32,
    #[serde(default)]
    cols: Vec<String>,
    #[serde(default)]
    kinds: Vec<Kind>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Metric,
    Param,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    name: String,
    #[serde(default)]
    params: BTreeMap<String, Box<RawValue>>,
    #[serde(default)]
    notes: Vec<Note>,
    kind: Option<Kind>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    text: String,
}

fn query(text: &str) -> Result<Asked, Unreadable> {
    read_query(text)
}

fn body(text: &str) -> Result<Sent, Unreadable> {
    read_body(text.as_bytes())
}

/// The field, the hint and the message of what is refused.
fn told<T: fmt::Debug>(read: Result<T, Unreadable>) -> (String, String, String) {
    let error = read.unwrap_err();
    let field = error.field().unwrap_or_default().to_owned();
    (field, error.hint().unwrap_or_default(), error.to_string())
}

#[test]
fn a_query_is_read_by_the_kinds_of_its_fields() {
    let asked = query("filter=loss+%3C%200.5&limit=7&cols=a,b&cols=c&kinds=metric,param").unwrap();
    assert_eq!(asked.filter.as_deref(), Some("loss < 0.5"));
    assert_eq!((asked.limit, asked.cols.len()), (7, 3));
    assert_eq!(asked.kinds, [Kind::Metric, Kind::Param]);
    assert!(query("").unwrap().filter.is_none());
    // A number that is asked for as text stays text.
    assert_eq!(query("filter=12").unwrap().filter.as_deref(), Some("12"));
}

#[test]
fn what_is_not_known_in_a_query_is_refused_with_its_name() {
    let (field, hint, message) = told(query("limti=7"));
    assert_eq!(
        (field.as_str(), hint.as_str()),
        ("limti", "nearest: `limit`")
    );
    assert_eq!(message, "there is nothing called `limti` here");
    let (field, hint, _) = told(query("nonsense=7"));
    assert_eq!(field, "nonsense");
    assert_eq!(hint, "known: filter, limit, cols, kinds");
    let (field, _, message) = told(query("limit=many"));
    assert_eq!(
        (field.as_str(), message.as_str()),
        ("limit", "`many` is not a whole number from 0")
    );
    let (field, hint, _) = told(query("kinds=metrics"));
    assert_eq!(
        (field.as_str(), hint.as_str()),
        ("kinds", "nearest: `metric`")
    );
    assert_eq!(told(query("limit=1&limit=2")).2, "`limit` is given twice");
    assert_eq!(
        told(query("filter=%zz")).2,
        "the query holds `%zz`, which stands for no text"
    );
}

#[test]
fn a_body_keeps_the_text_of_raw_values() {
    let sent = body(r#"{"name":"a","params":{"lr":3.10,"deep":[1]},"kind":"param"}"#).unwrap();
    assert_eq!(sent.params["lr"].get(), "3.10");
    assert_eq!((sent.name.as_str(), sent.kind), ("a", Some(Kind::Param)));
    assert!(body(r#"{"name":"a","kind":null}"#).unwrap().kind.is_none());
}

#[test]
fn what_is_wrong_in_a_body_is_named_with_its_place() {
    let (field, hint, _) = told(body(r#"{"name":"a","notes":[{"text":"x"},{"txt":"y"}]}"#));
    assert_eq!(
        (field.as_str(), hint.as_str()),
        ("notes.1.txt", "nearest: `text`")
    );
    let (field, _, message) = told(body(r#"{"name":7}"#));
    assert_eq!(field, "name");
    assert_eq!(message, "invalid type: integer `7`, expected a string");
    assert_eq!(told(body("")).0, "name");
    assert_eq!(
        told(body(r#"{"name":"a","name":"b"}"#)).2,
        "`name` is given twice"
    );
    assert_eq!(
        told(body(r#"{"name":"a","params":{"p":1,"p":2}}"#)).0,
        "params.p"
    );
    assert_eq!(told(body(r#"{"name":"a","notes":[{}]}"#)).0, "notes.0.text");
    assert_eq!(
        told(body(r#"{"name":"a","kind":"Metric"}"#)).1,
        "nearest: `metric`"
    );
    assert_eq!(told(body(r#"["name"]"#)).2, "expected an object");
    let read = body(r#"{"name":"a","notes":[{"text":"x"}]}"#).unwrap();
    assert_eq!(read.notes[0].text, "x");
}

#[test]
fn broken_json_is_told_with_its_position() {
    let broken = body("{\"name\":\n \"a\" oops}").unwrap_err();
    assert_eq!(broken.position(), Some(14));
    assert!(broken.field().is_none());
    let deep = format!(r#"{{"name":"a","notes":{}"#, "[".repeat(100_000));
    assert!(body(&deep).is_err());
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let deep = format!(r#"{{"name":"a","params":{{"p":{deep}}}}}"#);
    assert!(body(&deep).is_ok(), "raw text is not read");
    let value = read_body::<serde_json::Value>("[".repeat(99).as_bytes());
    assert!(matches!(value, Err(Unreadable::Json { .. })));
    let closed = "[".repeat(99) + &"]".repeat(99);
    assert!(read_body::<serde_json::Value>(closed.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,64}") {
        query(&text).ok();
        body(&text).ok();
    }

    #[test]
    fn any_text_is_read_back_from_a_query(text in ".{1,32}") {
        let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let written = format!("filter={}", bytes.concat());
        prop_assert_eq!(query(&written).unwrap().filter, Some(text));
    }
}
