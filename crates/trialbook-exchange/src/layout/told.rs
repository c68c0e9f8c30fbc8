//! Summaries of runs as others write them, entry by entry.
//!
//! Not here: what becomes of them. Invariant: an entry that is not what its key takes is refused by its key; secrets
//! are left out.

use serde_json::{Map, Value};
use trialbook_model::canonical;
use trialbook_model::float::Float;
use trialbook_model::id::RunUid;
use trialbook_model::record::{
    Event, LinkSnapshot, Op, Param, ParamKind, RunError, SetParams, SetStatus, Subject,
};
use trialbook_model::secret;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use crate::error::{ImportError, Place, Problem};

/// The entries of a summary that were not taken yet.
pub(super) struct Summary<'a> {
    map: Map<String, Value>,
    place: &'a Place,
}

impl<'a> Summary<'a> {
    pub(super) fn parse(text: &str, place: &'a Place) -> Result<Self, ImportError> {
        let parsed: serde_json::Result<Value> = trialbook_runner::protocol::json::parse(text);
        match parsed {
            Ok(Value::Object(map)) => Ok(Self { map, place }),
            Ok(_) => {
                let expected = "the summary of a run, a JSON object";
                Err(ImportError::at(place, Problem::Foreign { expected }))
            }
            Err(error) => {
                let at = Place {
                    line: error.line() as u64,
                    column: error.column() as u64,
                    ..place.clone()
                };
                let reason = error.to_string();
                let expected = "the summary of a run";
                Err(ImportError::at(
                    &at,
                    Problem::Malformed { expected, reason },
                ))
            }
        }
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.map.shift_remove(key).filter(|value| !value.is_null())
    }

    fn wrong(&self, key: &str, expected: &'static str) -> ImportError {
        let key = key.to_owned();
        ImportError::at(self.place, Problem::Value { key, expected })
    }

    pub(super) fn time(&mut self, key: &str) -> Result<Option<Timestamp>, ImportError> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let text = value.as_str();
        // Python's `isoformat` has no offset, and some add `Z` behind one.
        let read = text.and_then(|text| {
            let plain = text.strip_suffix("+00:00Z").map(|text| format!("{text}Z"));
            let candidates = [plain, Some(text.to_owned()), Some(format!("{text}Z"))];
            candidates
                .into_iter()
                .flatten()
                .find_map(|it| Timestamp::parse(&it).ok())
        });
        match read {
            Some(time) => Ok(Some(time)),
            None => Err(self.wrong(key, "a time such as `2026-01-21T10:00:12.345Z`")),
        }
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, ImportError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(key, "a text")),
        }
    }

    pub(super) fn whole(&mut self, key: &str) -> Result<Option<u64>, ImportError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(self.wrong(key, "a whole number from 0")),
            },
        }
    }

    pub(super) fn params(&mut self, run: RunUid) -> Result<Option<Op>, ImportError> {
        let map = match self.take("params") {
            None => return Ok(None),
            Some(Value::Object(map)) => map,
            Some(_) => return Err(self.wrong("params", "a map of names and values")),
        };
        let document = secret::json(Value::Object(map)).content;
        let mut params = Vec::new();
        flatten("", &document, &mut params);
        Ok(Some(Op::SetParams(SetParams { run, params })))
    }

    pub(super) fn environment(&mut self, run: RunUid) -> Option<Op> {
        let document = secret::json(self.take("environment")?).content;
        Some(Op::LinkSnapshot(LinkSnapshot {
            run,
            kind: "environment".to_owned(),
            sha256: canonical::hash(&document),
            document: Some(document),
        }))
    }

    pub(super) fn status(
        &mut self,
        run: RunUid,
        ended: Option<Timestamp>,
    ) -> Result<Option<Op>, ImportError> {
        let error = self.take("error").map(|error| {
            let text = error.as_str().map(str::to_owned);
            text.unwrap_or_else(|| error.to_string())
        });
        let Some(word) = self.text("status")? else {
            return Ok(None);
        };
        let Some(status) = RunStatus::parse(&word) else {
            return Err(self.wrong("status", "`success` or `failed`"));
        };
        let error = error.map(|text| RunError {
            kind: "error".to_owned(),
            message: secret::text(&text).content.into_owned(),
        });
        let ended = ended.filter(|_| status.is_final());
        Ok(Some(Op::SetStatus(SetStatus {
            run,
            status,
            started: None,
            ended,
            error,
            exit_code: None,
        })))
    }

    pub(super) fn metrics(&mut self) -> Result<Vec<(String, f64)>, ImportError> {
        let map = match self.take("metrics") {
            None => return Ok(Vec::new()),
            Some(Value::Object(map)) => map,
            Some(_) => return Err(self.wrong("metrics", "a map of names and numbers")),
        };
        let mut metrics = Vec::new();
        for (key, value) in map {
            let number = trialbook_runner::protocol::json::number(&value);
            let number = number.or_else(|| {
                let word: Option<Float> = serde_json::from_value(value.clone()).ok();
                word.map(|Float(number)| number)
            });
            match number {
                Some(number) => metrics.push((key, number)),
                None if value.is_null() => {}
                None => return Err(self.wrong(&format!("metrics.{key}"), "a number")),
            }
        }
        Ok(metrics)
    }

    /// Whether all of it was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// What has no place of its own.
    pub(super) fn rest(&mut self, run: RunUid) -> Op {
        let data = secret::json(Value::Object(std::mem::take(&mut self.map))).content;
        Op::Event(Event {
            subject: Subject::Run(run),
            kind: "summary_fields".to_owned(),
            severity: None,
            text: String::new(),
            data,
            step: None,
        })
    }
}

/// Params by their names with dots; lists as JSON.
pub(crate) fn flatten(above: &str, value: &Value, into: &mut Vec<(String, Param)>) {
    let kind = match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if above.is_empty() {
                    key.clone()
                } else {
                    format!("{above}.{key}")
                };
                flatten(&path, value, into);
            }
            return;
        }
        Value::String(text) => {
            into.push((above.to_owned(), Param::text(text)));
            return;
        }
        Value::Array(_) => ParamKind::Text,
        Value::Number(_) => ParamKind::Number,
        Value::Bool(_) => ParamKind::Bool,
        Value::Null => ParamKind::Null,
    };
    let text = value.to_string();
    into.push((above.to_owned(), Param { text, kind }));
}
