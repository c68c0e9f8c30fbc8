use proptest::prelude::*;
use serde_json::{Value, json};
use trialbook_model::id::Uid;
use trialbook_model::record::Score;

use super::line::Place;
use super::*;

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

fn reader() -> Reader {
    Reader::new(RunUid(Uid([7; 16])))
}

fn read(reader: &mut Reader, text: &str) -> Vec<Timed> {
    let place = Place {
        file: "metrics.jsonl",
        line: 3,
    };
    reader.line(place, text, NOW)
}

/// The points of some operations as (key, step, value).
fn points(timed: &[Timed]) -> Vec<(String, i64, f64)> {
    timed
        .iter()
        .filter_map(|(_, op)| {
            if let Op::Points(points) = op {
                Some(points)
            } else {
                None
            }
        })
        .flat_map(|points| {
            points
                .values
                .iter()
                .map(|(series, value)| (series.key.clone(), points.step, *value))
        })
        .collect()
}

fn event(timed: &Timed) -> &Event {
    let Op::Event(event) = &timed.1 else {
        panic!("{timed:?} is not an event")
    };
    event
}

fn owned(expected: &[(&str, i64, f64)]) -> Vec<(String, i64, f64)> {
    expected
        .iter()
        .map(|(key, step, value)| ((*key).to_owned(), *step, *value))
        .collect()
}

#[test]
fn plain_metric_lines_have_four_forms() {
    for text in [
        r#"{"metric": "loss", "value": 0.5, "step": 4}"#,
        r#"{"key": "loss", "value": 0.5, "step": 4.0}"#,
        r#"{"metrics": {"loss": 0.5}, "step": 4}"#,
        r#"{"loss": 0.5, "step": 4}"#,
    ] {
        let timed = read(&mut reader(), text);
        assert_eq!(points(&timed), owned(&[("loss", 4, 0.5)]), "{text}");
        assert_eq!(timed.len(), 1, "{text}");
    }
}

#[test]
fn timestamps_are_read_in_every_usual_unit() {
    for (text, micros) in [
        ("1700000001.5", 1_700_000_001_500_000),
        ("1700000001500", 1_700_000_001_500_000),
        ("1700000001500000", 1_700_000_001_500_000),
        ("\"2023-11-14T22:13:21.500Z\"", 1_700_000_001_500_000),
        ("null", NOW.0),
    ] {
        let line = format!(r#"{{"metric": "a", "value": 1, "timestamp": {text}}}"#);
        let timed = read(&mut reader(), &line);
        assert_eq!(timed.len(), 1, "{text}");
        assert_eq!(timed[0].0, Timestamp(micros), "{text}");
    }
}

#[test]
fn values_without_a_step_continue_their_own_series() {
    let mut reader = reader();
    let mut timed = read(&mut reader, r#"{"a": 1, "b": 1}"#);
    timed.extend(read(&mut reader, r#"{"a": 2}"#));
    timed.extend(read(&mut reader, r#"{"a": 3, "step": 10}"#));
    timed.extend(read(&mut reader, r#"{"a": 4, "b": 2}"#));
    let mut found = points(&timed);
    found.sort_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
    let expected = [
        ("a", 0, 1.0),
        ("a", 1, 2.0),
        ("a", 10, 3.0),
        ("a", 11, 4.0),
        ("b", 0, 1.0),
        ("b", 1, 2.0),
    ];
    assert_eq!(found, owned(&expected));
    let latest: Vec<_> = reader.latest().collect();
    assert_eq!(latest, [("a", 4.0), ("b", 2.0)]);
}

#[test]
fn typed_events_keep_all_their_fields() {
    let line = r#"{"event": "task_end", "timestamp": 1700000002, "task_id": "t1", "duration_ms": 12,
        "status": "success", "step": 3, "severity": "low", "message": "done"}"#;
    let timed = read(&mut reader(), line);
    let found = event(&timed[0]);
    assert_eq!(timed[0].0, Timestamp(1_700_000_002_000_000));
    assert_eq!(
        (found.kind.as_str(), found.text.as_str()),
        ("task_end", "done")
    );
    assert_eq!(
        (found.step, found.severity.as_deref()),
        (Some(3), Some("low"))
    );
    assert_eq!(found.data["task_id"], "t1");
    assert_eq!(found.data["duration_ms"], 12);
}

#[test]
fn unknown_events_are_stored() {
    let timed = read(&mut reader(), r#"{"event": "never seen", "x": {"y": [1]}}"#);
    assert_eq!(event(&timed[0]).kind, "never seen");
    assert_eq!(event(&timed[0]).data, json!({"x": {"y": [1]}}));
}

#[test]
fn progress_and_items_become_their_own_records() {
    let timed = read(
        &mut reader(),
        r#"{"event": "progress", "done": 3, "total": 10, "stage": "map"}"#,
    );
    let Op::Progress(progress) = &timed[0].1 else {
        panic!("{timed:?}")
    };
    assert_eq!((progress.done, progress.total), (3.0, Some(10.0)));
    let timed = read(
        &mut reader(),
        r#"{"event": "item", "id": "q1", "labels": {"model": "m"}, "scores": {"correct": true}}"#,
    );
    let Op::Item(item) = &timed[0].1 else {
        panic!("{timed:?}")
    };
    assert_eq!(item.id, "q1");
    assert_eq!(item.scores["correct"], Score::Bool(true));
    let timed = read(&mut reader(), r#"{"event": "item", "labels": 3}"#);
    assert_eq!(event(&timed[0]).kind, NOT_UNDERSTOOD);
}

#[test]
fn what_cannot_be_understood_is_kept_with_its_place() {
    for text in [
        "not json",
        "[1, 2]",
        "7",
        r#"{"metric": "a"}"#,
        r#"{"metric": "a", "value": "fast"}"#,
        r#"{"metric": "a", "value": null}"#,
        r#"{"note": "text"}"#,
        "{}",
        r#"{"a": 1"#,
    ] {
        let mut reader = reader();
        let timed = read(&mut reader, text);
        let found = event(&timed[0]);
        assert_eq!(found.kind, NOT_UNDERSTOOD, "{text}");
        assert!(
            found.text.starts_with("line 3 of metrics.jsonl: "),
            "{}",
            found.text
        );
        assert_eq!(found.data["text"], text);
        assert_eq!(reader.not_understood(), 1);
    }
}

#[test]
fn a_bad_step_or_timestamp_costs_no_value() {
    let timed = read(
        &mut reader(),
        r#"{"metric": "a", "value": 1, "step": "two", "timestamp": "noon"}"#,
    );
    assert_eq!(points(&timed), owned(&[("a", 0, 1.0)]));
    assert_eq!(timed.len(), 3);
    assert!(
        event(&timed[0])
            .text
            .contains("step \"two\" is not a whole number")
    );
    assert!(event(&timed[1]).text.contains("timestamp \"noon\""));
}

#[test]
fn fields_beside_a_metric_are_kept() {
    let timed = read(
        &mut reader(),
        r#"{"metric": "a", "value": 1, "agent": "x", "n": 2}"#,
    );
    assert_eq!(points(&timed), owned(&[("a", 0, 1.0)]));
    assert_eq!(event(&timed[1]).data, json!({"agent": "x", "n": 2}));
    let timed = read(
        &mut reader(),
        r#"{"loss": 1, "phase": "warm-up", "sub": {"x": 2, "y": null}}"#,
    );
    assert_eq!(
        points(&timed),
        owned(&[("loss", 0, 1.0), ("sub.x", 0, 2.0)])
    );
    assert_eq!(
        event(&timed[1]).data,
        json!({"phase": "warm-up", "sub.y": null})
    );
}

#[test]
fn a_result_file_has_two_forms() {
    for text in [
        r#"{"metrics": {"loss": NaN, "n": 3, "gone": null}}"#,
        r#"{"loss": NaN, "n": 3, "gone": null}"#,
    ] {
        let mut reader = reader();
        let outcome = reader.result("result.json", text, NOW);
        let found = points(&outcome.operations);
        assert_eq!((found[0].0.as_str(), found[1].2), ("loss", 3.0), "{text}");
        assert!(found[0].2.is_nan());
        assert_eq!(outcome.operations.len(), 1, "{text}");
        assert!(reader.latest().all(|(name, _)| name != "gone"));
    }
}

#[test]
fn a_final_value_comes_after_the_steps_that_were_told() {
    let mut reader = reader();
    read(&mut reader, r#"{"loss": 0.9, "step": 100}"#);
    let outcome = reader.result("result.json", r#"{"loss": 0.1, "new": 1}"#, NOW);
    let found = points(&outcome.operations);
    assert_eq!(found, owned(&[("new", 0, 1.0), ("loss", 101, 0.1)]));
}

#[test]
fn errors_of_a_result_file_are_told_apart_from_a_metric_of_that_name() {
    let mut reader = reader();
    let outcome = reader.result("r", r#"{"metrics": {}, "error": "went wrong"}"#, NOW);
    assert_eq!(outcome.error.unwrap().message, "went wrong");
    let outcome = reader.result(
        "r",
        r#"{"error": {"type": "ValueError", "message": "no data"}, "note": 1}"#,
        NOW,
    );
    let error = outcome.error.unwrap();
    assert_eq!(
        (error.kind.as_str(), error.message.as_str()),
        ("ValueError", "no data")
    );
    let outcome = reader.result("r", r#"{"error": 0.25}"#, NOW);
    assert!(outcome.error.is_none());
    assert_eq!(points(&outcome.operations), owned(&[("error", 0, 0.25)]));
}

#[test]
fn a_broken_result_file_is_kept_as_an_event() {
    let mut reader = reader();
    for text in ["", "[]", "{\"metrics\": "] {
        let outcome = reader.result("result.json", text, NOW);
        let found = event(&outcome.operations[0]);
        assert_eq!(found.kind, NOT_UNDERSTOOD);
        assert!(
            found.text.starts_with("line 1 of result.json"),
            "{}",
            found.text
        );
    }
    let outcome = reader.result("result.json", r#"{"metrics": [1], "note": "x"}"#, NOW);
    assert_eq!(
        event(&outcome.operations[0]).data,
        json!({"metrics": [1], "note": "x"})
    );
}

proptest! {
    /// Whatever a line is, each number in it is told as a point or kept in an event.
    #[test]
    fn any_line_gives_something_unless_blank(text in "\\PC{0,80}") {
        let timed = read(&mut reader(), &text);
        prop_assert_eq!(timed.is_empty(), text.trim().is_empty());
    }

    #[test]
    fn metrics_of_a_flat_line_are_all_told(
        values in proptest::collection::btree_map("[a-d/_ é]{1,8}", any::<f64>(), 1..8),
        step in proptest::option::of(any::<i64>()),
    ) {
        let mut object = serde_json::Map::new();
        for (key, value) in &values {
            let json = serde_json::Number::from_f64(*value)
                .map_or_else(|| json!(value.to_string()), Value::Number);
            object.insert(key.clone(), json);
        }
        object.insert("step".to_owned(), json!(step));
        let timed = read(&mut reader(), &Value::Object(object).to_string());
        let found = points(&timed);
        prop_assert_eq!(found.len(), values.len());
        for (key, at, value) in found {
            prop_assert_eq!(at, step.unwrap_or(0));
            let expected = values[&key];
            prop_assert!(value.to_bits() == expected.to_bits() || value.is_nan() && expected.is_nan());
        }
    }
}
