//! Lines of the metrics file: plain metric lines and typed events.
//!
//! A line is one JSON object. Its form follows from its fields, in this order: `event` (a typed event),
//! `metric` or `key` with `value` (one metric), `metrics` (a map of metrics), else the numbers of a flat
//! object are metrics by their names. `step` and `timestamp` mean the same in all of them.
//! Invariant: fields that a metric line has beside its metrics are kept as an event.

use serde_json::{Map, Value};
use trialbook_model::record::{Item, Op, Progress};
use trialbook_model::time::Timestamp;

use super::{Reader, Timed, assignment, json};

/// How much of a text that could not be understood is kept in its event.
const KEPT_TEXT: usize = 64 * 1024;

/// Where a line stands, for events about it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Name of the file, as told to people.
    pub file: &'a str,
    /// Line number, from 1.
    pub line: u64,
}

/// Fields that say when something happened instead of what.
struct Moment {
    step: Option<i64>,
    time: Timestamp,
}

impl Reader {
    /// Reads one line of the metrics file; `now` is its time where it does not tell one.
    pub fn line(&mut self, place: Place<'_>, text: &str, now: Timestamp) -> Vec<Timed> {
        if text.trim().is_empty() {
            return Vec::new();
        }
        let mut object = match json::parse(text) {
            Ok(Value::Object(object)) => object,
            Ok(_other) => {
                return vec![self.refuse(place, text, "a JSON object was expected", now)];
            }
            Err(error) => {
                let reason = format!("a JSON object was expected: {error}");
                return vec![self.refuse(place, text, &reason, now)];
            }
        };
        let mut timed = Vec::new();
        let moment = self.moment(place, &mut object, now, &mut timed);
        match object.get("event") {
            Some(Value::String(kind)) => {
                let kind = kind.clone();
                object.remove("event");
                timed.push(self.typed_event(place, &kind, object, &moment));
            }
            Some(_) | None => timed.extend(self.metrics_of(place, text, object, &moment)),
        }
        timed
    }

    /// An event that keeps what could not be understood.
    pub(super) fn refuse(
        &mut self,
        place: Place<'_>,
        text: &str,
        reason: &str,
        now: Timestamp,
    ) -> Timed {
        let (bytes, text) = (text.len(), self.secrets.text(text).into_owned());
        let mut end = text.len().min(KEPT_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let data = serde_json::json!({
            "file": place.file,
            "line": place.line,
            "text": &text[..end],
            "bytes": bytes,
        });
        let message = format!("line {} of {}: {reason}", place.line, place.file);
        self.complain(now, message, data)
    }

    /// Takes `step` and `timestamp` out of the object. One that cannot be read stays in it, with a complaint.
    fn moment(
        &mut self,
        place: Place<'_>,
        object: &mut Map<String, Value>,
        now: Timestamp,
        complaints: &mut Vec<Timed>,
    ) -> Moment {
        let mut moment = Moment {
            step: None,
            time: now,
        };
        if let Some(value) = object.get("step").filter(|value| !value.is_null()) {
            moment.step = whole_number(value);
            if moment.step.is_none() {
                let reason =
                    format!("step {value} is not a whole number; the next free step is used");
                complaints.push(self.refuse(place, &value.to_string(), &reason, now));
            }
        }
        if let Some(value) = object.get("timestamp").filter(|value| !value.is_null()) {
            if let Some(time) = instant(value) {
                moment.time = time;
            } else {
                let reason = format!(
                    "timestamp {value} is neither seconds since 1970 nor a time such as \
                     `2026-01-21T10:00:12.345Z`; the time of reading is used"
                );
                complaints.push(self.refuse(place, &value.to_string(), &reason, now));
            }
        }
        object.remove("step");
        object.remove("timestamp");
        moment
    }

    fn typed_event(
        &mut self,
        place: Place<'_>,
        kind: &str,
        mut fields: Map<String, Value>,
        moment: &Moment,
    ) -> Timed {
        match kind {
            "progress" => {
                if let Some(progress) = self.progress(&fields) {
                    return (moment.time, Op::Progress(progress));
                }
            }
            "item" => return self.item(place, fields, moment),
            _ => {}
        }
        let severity = match fields.get("severity") {
            Some(Value::String(severity)) => Some(severity.clone()),
            Some(_) | None => None,
        };
        if severity.is_some() {
            fields.remove("severity");
        }
        let text = ["message", "text", "description", "error_message"]
            .iter()
            .find_map(|name| fields.get(*name).and_then(Value::as_str))
            .unwrap_or_default()
            .to_owned();
        let mut event = self.event(kind, text, Value::Object(fields));
        event.severity = severity;
        event.step = moment.step;
        (moment.time, Op::Event(event))
    }

    fn progress(&self, fields: &Map<String, Value>) -> Option<Progress> {
        let stage = fields.get("stage").and_then(Value::as_str);
        Some(Progress {
            run: self.run,
            done: fields.get("done").and_then(json::number)?,
            total: fields.get("total").and_then(json::number),
            stage: stage.map(str::to_owned),
        })
    }

    /// A judged item; its fields are those of the record.
    fn item(&mut self, place: Place<'_>, fields: Map<String, Value>, moment: &Moment) -> Timed {
        let mut record = fields.clone();
        record.insert("run".to_owned(), Value::String(self.run.to_string()));
        let reason = match serde_json::from_value::<Item>(Value::Object(record)) {
            Ok(item) if item.repeat == Some(0) => "not an item: repeats count from 1".to_owned(),
            Ok(item) if item.attempt == Some(0) => "not an item: attempts count from 1".to_owned(),
            Ok(item) => return (moment.time, Op::Item(Box::new(item))),
            Err(error) => format!("not an item: {error}"),
        };
        let text = Value::Object(fields).to_string();
        self.refuse(place, &text, &reason, moment.time)
    }

    fn metrics_of(
        &mut self,
        place: Place<'_>,
        text: &str,
        mut object: Map<String, Value>,
        moment: &Moment,
    ) -> Vec<Timed> {
        let mut found = Metrics::default();
        if let Some(name) = metric_name(&object) {
            object.remove("metric");
            object.remove("key");
            let value = object.remove("value").unwrap_or(Value::Null);
            found.take(&name, value);
        } else if let Some(Value::Object(metrics)) = object.get_mut("metrics") {
            let metrics = std::mem::take(metrics);
            object.remove("metrics");
            found.take_all(metrics);
        } else {
            found.take_all(std::mem::take(&mut object));
            object = std::mem::take(&mut found.other);
        }
        if found.values.is_empty() {
            let reason = "expected `event`, `metric` with a numeric `value`, or numbers by name";
            return vec![self.refuse(place, text, reason, moment.time)];
        }
        for (name, value) in std::mem::take(&mut found.other) {
            object.insert(name, value);
        }
        let mut timed = self.points(moment.time, moment.step, found.values);
        if !object.is_empty() {
            let mut event = self.event("metric_fields", String::new(), Value::Object(object));
            event.step = moment.step;
            timed.push((moment.time, Op::Event(event)));
        }
        timed
    }
}

/// Numbers found in a JSON map, and what else stood there.
#[derive(Default)]
pub(super) struct Metrics {
    pub(super) values: Vec<(String, f64)>,
    pub(super) other: Map<String, Value>,
}

impl Metrics {
    /// Takes every entry of a map.
    pub(super) fn take_all(&mut self, map: Map<String, Value>) {
        for (name, value) in map {
            self.take(&name, value);
        }
    }

    /// Takes one entry; maps inside are flattened with dots. Null is a missing value, not a metric.
    fn take(&mut self, name: &str, value: Value) {
        match (json::number(&value), value) {
            (Some(number), _) if !name.is_empty() => self.values.push((name.to_owned(), number)),
            (None, Value::Object(inner)) if !inner.is_empty() => {
                for (key, value) in inner {
                    self.take(&format!("{name}.{key}"), value);
                }
            }
            (_, value) => {
                self.other.insert(name.to_owned(), value);
            }
        }
    }
}

fn metric_name(object: &Map<String, Value>) -> Option<String> {
    let name = object.get("metric").or_else(|| object.get("key"))?;
    if !object.contains_key("value") {
        return None;
    }
    name.as_str()
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

fn whole_number(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_f64().and_then(assignment::whole))
}

/// Seconds since 1970 (with a fraction), milliseconds or microseconds where the number is too large for
/// seconds, or RFC 3339.
fn instant(value: &Value) -> Option<Timestamp> {
    // The year 5138 in seconds, 1973 in milliseconds: nothing real lies on the wrong side.
    const LARGEST_SECONDS: f64 = 1e11;
    const LARGEST_MILLISECONDS: f64 = 1e14;
    const LARGEST_MICROSECONDS: f64 = 1e17;
    if let Some(text) = value.as_str() {
        return Timestamp::parse(text).ok();
    }
    let number = value.as_f64()?;
    let micros = match number.abs() {
        size if size < LARGEST_SECONDS => number * 1e6,
        size if size < LARGEST_MILLISECONDS => number * 1e3,
        size if size < LARGEST_MICROSECONDS => number,
        _ => return None,
    };
    Some(Timestamp(micros.round() as i64))
}
