use proptest::prelude::*;
use serde_json::json;

use super::*;

message! {
    /// One point, as far as these tests need it.
    pub(in crate::mlflow) struct Point {
        run_id / "runId": Option<String>,
        value: Option<Real>,
        timestamp: Option<Whole>,
        is_last / "isLast": Option<bool>,
        keys: List<String>,
        parts: List<Part>,
        part: Option<Part>,
        stage: Option<Word>,
    }

    /// A part of it.
    pub(in crate::mlflow) struct Part {
        part_key / "partKey": Option<String>,
        step: Option<Whole>,
    }
}

fn read(body: &str) -> Result<Point, WireError> {
    read_body(body.as_bytes())
}

#[track_caller]
fn check_refused(body: &str, expected: &str) {
    let message = read(body).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn presence_is_kept_and_null_is_absence() {
    let point = read(r#"{"run_id":"","timestamp":0,"value":null,"keys":null,"odd":[1]}"#).unwrap();
    assert_eq!(point.run_id.as_deref(), Some(""));
    assert_eq!(point.timestamp, Some(Whole(0)));
    assert_eq!((point.value, point.keys.len()), (None, 0));
    assert!(point.part.is_none());
}

#[test]
fn numbers_come_as_numbers_or_texts() {
    let whole = |text: &str| read(&format!("{{\"timestamp\":{text}}}")).map(|it| it.timestamp);
    for text in ["1700000000001", "\"1700000000001\"", "1700000000001.0"] {
        assert_eq!(whole(text).unwrap(), Some(Whole(1_700_000_000_001)));
    }
    for text in [
        "1.5",
        "\"\"",
        "\"1.0\"",
        "true",
        "9223372036854775808",
        "1e19",
    ] {
        assert!(whole(text).is_err(), "{text}");
    }
    let real = |text: &str| {
        read(&format!("{{\"value\":{text}}}"))
            .unwrap()
            .value
            .unwrap()
            .0
    };
    for text in ["NaN", "\"NaN\""] {
        assert!(real(text).is_nan());
    }
    assert_eq!(real("\"-Infinity\""), f64::NEG_INFINITY);
    assert_eq!(real("-Infinity"), f64::NEG_INFINITY);
    assert_eq!(real("Infinity"), f64::INFINITY);
    assert_eq!(real("5"), 5.0);
}

#[test]
fn bare_words_inside_of_texts_stay() {
    let point = read(r#"{"run_id":"a \"NaN\" b","value":NaN,"keys":["-Infinity"]}"#).unwrap();
    assert_eq!(point.run_id.as_deref(), Some("a \"NaN\" b"));
    assert_eq!(point.keys.0, ["-Infinity"]);
}

#[test]
fn both_spellings_are_read_and_refused_together() {
    assert_eq!(
        read(r#"{"runId":"a"}"#).unwrap().run_id.as_deref(),
        Some("a")
    );
    let both = "Request specifies both 'run_id' and 'runId'; provide only one of them.";
    check_refused(r#"{"runId":"a","run_id":"a"}"#, both);
    check_refused(
        r#"{"parts":[{"partKey":"a","part_key":"b"}]}"#,
        "'part_key' and 'partKey'",
    );
    // The same spelling twice: the last one holds, as in Python.
    assert_eq!(
        read(r#"{"run_id":"a","run_id":"b"}"#)
            .unwrap()
            .run_id
            .as_deref(),
        Some("b")
    );
}

#[test]
fn what_is_no_message_counts_as_an_empty_one() {
    for body in [
        "", "no json", "[1]", "[\"a\"]", "5", "null", "\"{\"", "\"text\"", "{", "\u{0}",
    ] {
        assert!(read(body).unwrap().run_id.is_none(), "{body}");
    }
    assert!(read_body::<Point>(&[0xff, 0xfe]).unwrap().run_id.is_none());
    let twice = json!(json!({"run_id": "a"}).to_string()).to_string();
    assert_eq!(read(&twice).unwrap().run_id.as_deref(), Some("a"));
}

#[test]
fn a_refusal_names_the_field_and_what_it_holds() {
    check_refused(
        r#"{"run_id":5}"#,
        "Invalid value 5 for parameter 'run_id' supplied:  Hint: Value was of type 'int'. See the API docs",
    );
    check_refused(
        r#"{"keys":"a"}"#,
        "Invalid value \"a\" for parameter 'keys'",
    );
    check_refused(
        r#"{"keys":["a",1]}"#,
        "for parameter 'keys' supplied:  Hint: Value was of type 'list'",
    );
    check_refused(
        r#"{"parts":[{},{"step":"x"}]}"#,
        "Invalid value \"x\" for parameter 'parts[1].step'",
    );
    check_refused(r#"{"part":7}"#, "for parameter 'part'");
    check_refused(r#"{"is_last":"yes"}"#, "for parameter 'is_last'");
    assert_eq!(
        read(r#"{"stage":2}"#).unwrap().stage,
        Some(Word("2".to_owned()))
    );
}

#[test]
fn queries_repeat_lists_and_write_flags_in_any_case() {
    let query = "run_id=a%2Fb+c%&keys=x&keys=y&timestamp=5&is_last=TRUE&odd=1&value=NaN";
    let point: Point = read_query(Some(query)).unwrap();
    assert_eq!(point.run_id.as_deref(), Some("a/b c%"));
    assert_eq!(point.keys.0, ["x", "y"]);
    assert_eq!(
        (point.timestamp, point.is_last),
        (Some(Whole(5)), Some(true))
    );
    assert!(read_query::<Point>(Some("is_last=maybe")).is_err());
    assert!(read_query::<Point>(None).unwrap().run_id.is_none());
}

proptest! {
    #[test]
    fn integers_are_exact_in_both_forms(number: i64) {
        for text in [format!("{number}"), format!("\"{number}\"")] {
            let point = read(&format!("{{\"timestamp\":{text}}}")).unwrap();
            prop_assert_eq!(point.timestamp, Some(Whole(number)));
        }
    }

    #[test]
    fn doubles_come_back_to_the_last_bit(value: f64) {
        let text = serde_json::to_string(&Double(value)).unwrap();
        let back = read(&format!("{{\"value\":{text}}}")).unwrap().value.unwrap().0;
        if value.is_nan() {
            prop_assert!(back.is_nan());
        } else {
            prop_assert_eq!(back.to_bits(), value.clamp(f64::MIN, f64::MAX).to_bits());
            // A double is never taken for an integer by a reader.
            prop_assert!(text.contains(['.', 'e']));
        }
    }

    #[test]
    fn no_body_and_no_query_is_fatal(body: Vec<u8>, query: String) {
        read_body::<Point>(&body).ok();
        read_query::<Point>(Some(&query)).ok();
    }

    #[test]
    fn texts_survive_the_search_for_bare_words(text: String) {
        let body = json!({ "run_id": text, "value": 1 }).to_string().replace(":1}", ":NaN}");
        let point = read(&body).unwrap();
        prop_assert_eq!(point.run_id, Some(text));
        prop_assert!(point.value.unwrap().0.is_nan());
    }
}
