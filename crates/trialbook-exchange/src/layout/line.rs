//! Lines of `metrics.jsonl`: points and events, as programs write them too (A-16).
//!
//! Not here: lines of others, which are read more freely. Invariant: a line that is written is read back to the
//! same record, to the microsecond and to the last bit.

use serde::Serialize;
use serde_json::{Map, Value};
use trialbook_model::canonical;
use trialbook_model::float::Float;
use trialbook_model::record::{Event, SeriesKey, Subject};
use trialbook_model::state::Point;
use trialbook_model::time::Timestamp;

/// Fields of an event line that are not its data.
const RESERVED: [&str; 8] = [
    "timestamp",
    "event",
    "step",
    "severity",
    "text",
    "data",
    "metric",
    "key",
];

/// What a line says.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    Point(SeriesKey, Point),
    Event(Timestamp, Event),
}

/// A time as a text where that is exact, else as microseconds.
pub(super) fn time(time: Timestamp) -> Value {
    let text = exact(time);
    match Timestamp::parse(&text) {
        Ok(back) if back == time => Value::String(text),
        Ok(_) | Err(_) => Value::from(time.0),
    }
}

/// RFC 3339 with as many digits as there are: milliseconds, or microseconds.
fn exact(time: Timestamp) -> String {
    let text = time.to_string();
    match (time.0.rem_euclid(1000), text.strip_suffix('Z')) {
        (0, _) | (_, None) => text,
        (rest, Some(text)) => format!("{text}{rest:03}Z"),
    }
}

fn time_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => Timestamp::parse(text).ok(),
        Value::Number(number) => number.as_i64().map(Timestamp),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The line of a point.
pub(super) fn of_point(key: &SeriesKey, point: Point) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Written<'a> {
        timestamp: Value,
        step: i64,
        metric: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<Value>,
        value: Float,
    }
    let context = (!key.context.is_empty()).then(|| {
        let parsed = serde_json::from_str::<Value>(&key.context).ok();
        let same = parsed.filter(|it| it.is_object() && canonical::to_string(it) == key.context);
        same.unwrap_or_else(|| Value::String(key.context.clone()))
    });
    serde_json::to_string(&Written {
        timestamp: time(point.time),
        step: point.step,
        metric: &key.key,
        context,
        value: Float(point.value),
    })
}

/// The line of an event. Its data stand beside its other fields where none of them has the same name.
pub(super) fn of_event(at: Timestamp, event: &Event) -> String {
    let mut map = Map::new();
    map.insert("timestamp".to_owned(), time(at));
    map.insert("event".to_owned(), Value::from(event.kind.as_str()));
    if let Some(step) = event.step {
        map.insert("step".to_owned(), Value::from(step));
    }
    if let Some(severity) = &event.severity {
        map.insert("severity".to_owned(), Value::from(severity.as_str()));
    }
    if !event.text.is_empty() {
        map.insert("text".to_owned(), Value::from(event.text.as_str()));
    }
    match &event.data {
        Value::Null => {}
        Value::Object(data)
            if !data.is_empty() && !data.keys().any(|key| RESERVED.contains(&key.as_str())) =>
        {
            map.extend(data.clone());
        }
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            map.insert("data".to_owned(), event.data.clone());
        }
    }
    Value::Object(map).to_string()
}

/// Reads a line that this module wrote; why not, where it is another.
pub(super) fn parse(text: &str, of: &Subject) -> Result<Line, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Value::Object(mut map) = value else {
        return Err("a JSON object was expected".to_owned());
    };
    let at = map.remove("timestamp").as_ref().and_then(time_of);
    let at = at.ok_or("`timestamp` is not a time such as `2026-01-21T10:00:12.345Z`")?;
    let step = match map.remove("step") {
        None => None,
        Some(step) => Some(step.as_i64().ok_or("`step` is not a whole number")?),
    };
    match (map.remove("event"), map.remove("metric")) {
        (Some(Value::String(kind)), None) => {
            let event = event(map, of, kind, step)?;
            Ok(Line::Event(at, event))
        }
        (None, Some(Value::String(metric))) => {
            let value = map.remove("value").ok_or("`value` is missing")?;
            let Float(value) =
                serde_json::from_value(value).map_err(|error| format!("`value`: {error}"))?;
            let context = match map.remove("context") {
                None => String::new(),
                Some(Value::String(text)) => text,
                Some(context) => canonical::to_string(&context),
            };
            if let Some(key) = map.keys().next() {
                return Err(format!("a metric has no field `{key}`"));
            }
            let key = SeriesKey {
                key: metric,
                context,
            };
            let step = step.ok_or("`step` is missing")?;
            let point = Point {
                step,
                time: at,
                value,
            };
            Ok(Line::Point(key, point))
        }
        _ => Err("expected either `event` or `metric`, a text".to_owned()),
    }
}

fn event(
    mut map: Map<String, Value>,
    of: &Subject,
    kind: String,
    step: Option<i64>,
) -> Result<Event, String> {
    let mut text_of = |key: &str| match map.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{key}` is not a text")),
    };
    let severity = text_of("severity")?;
    let text = text_of("text")?.unwrap_or_default();
    let data = match map.remove("data") {
        Some(data) => data,
        None if map.is_empty() => Value::Null,
        None => Value::Object(map),
    };
    Ok(Event {
        subject: of.clone(),
        kind,
        severity,
        text,
        data,
        step,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trialbook_model::id::{RunUid, Uid};

    use super::*;

    fn run() -> Subject {
        Subject::Run(RunUid(Uid([1; 16])))
    }

    #[test]
    fn points_come_back_to_the_last_bit() {
        let check = |context: &str, time: i64, value: f64, text: &str| {
            let key = SeriesKey {
                key: "loss".to_owned(),
                context: context.to_owned(),
            };
            let point = Point {
                step: -3,
                time: Timestamp(time),
                value,
            };
            let written = of_point(&key, point).unwrap();
            assert_eq!(written, text);
            let Line::Point(back, found) = parse(&written, &run()).unwrap() else {
                panic!("a point");
            };
            assert_eq!((back, found.time, found.step), (key, point.time, -3));
            assert_eq!(found.value.to_bits(), value.to_bits());
        };
        check(
            "",
            1_769_000_412_345_000,
            0.1,
            r#"{"timestamp":"2026-01-21T13:00:12.345Z","step":-3,"metric":"loss","value":0.1}"#,
        );
        check(
            r#"{"split":"test"}"#,
            -1,
            f64::NAN,
            r#"{"timestamp":"1969-12-31T23:59:59.999999Z","step":-3,"metric":"loss","context":{"split":"test"},"value":"NaN"}"#,
        );
        check(
            "odd",
            i64::MAX,
            -0.0,
            r#"{"timestamp":9223372036854775807,"step":-3,"metric":"loss","context":"odd","value":-0.0}"#,
        );
    }

    #[test]
    fn events_come_back_whatever_their_data() {
        for data in [
            json!(null),
            json!({}),
            json!({"task_id": 1}),
            json!({"text": "mine"}),
            json!([1]),
            json!("x"),
        ] {
            let event = Event {
                subject: run(),
                kind: "task_end".to_owned(),
                severity: Some("low".to_owned()),
                text: String::new(),
                data,
                step: Some(4),
            };
            let text = of_event(Timestamp(5), &event);
            assert_eq!(
                parse(&text, &run()),
                Ok(Line::Event(Timestamp(5), event)),
                "{text}"
            );
        }
    }

    #[test]
    fn other_lines_are_refused_with_what_was_expected() {
        let check = |text: &str, expected: &str| {
            let said = parse(text, &run()).unwrap_err();
            assert!(said.contains(expected), "{said}");
        };
        check("[]", "object");
        check("{\"event\":\"x\"}", "`timestamp`");
        check(
            "{\"timestamp\":1,\"metric\":\"a\",\"value\":1}",
            "`step` is missing",
        );
        check(
            "{\"timestamp\":1,\"step\":1,\"metric\":\"a\",\"value\":\"x\"}",
            "`value`",
        );
        check(
            "{\"timestamp\":1,\"step\":1.5,\"metric\":\"a\",\"value\":1}",
            "`step`",
        );
        check(
            "{\"timestamp\":1,\"step\":1,\"metric\":\"a\",\"value\":1,\"b\":2}",
            "`b`",
        );
    }
}
