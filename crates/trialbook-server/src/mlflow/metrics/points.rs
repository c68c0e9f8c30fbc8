//! Points that are to be logged: what they need to have, and how they become operations.
//!
//! Invariant: points that share step and time become one operation, in the order in which they were given.

use std::collections::BTreeMap;

use trialbook_model::record::{Op, Points, SeriesKey, Subject};
use trialbook_model::time::Timestamp;

use crate::desk::Draft;
use crate::mlflow::limits::{KEY_LENGTH, LimitError, check_length, check_name};
use crate::mlflow::logged_models::About;
use crate::mlflow::wire::{Real, Whole, WireError, message};

message! {
    /// A point of a batch. What model or dataset it speaks of is told to that model alone.
    pub(in crate::mlflow) struct Metric {
        key: Option<String>,
        value: Option<Real>,
        timestamp: Option<Whole>,
        step: Option<Whole>,
        model_id / "modelId": Option<String>,
        dataset_name / "datasetName": Option<String>,
        dataset_digest / "datasetDigest": Option<String>,
    }
}

/// A point that can be taken.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::mlflow) struct Said {
    /// The metric.
    pub key: String,
    /// The value.
    pub value: f64,
    /// In milliseconds.
    pub timestamp: i64,
    /// The step.
    pub step: i64,
}

/// Of what models the points of a batch speak.
pub(in crate::mlflow) fn about(given: &[Metric]) -> Vec<Option<About>> {
    let abouts = given.iter().map(|metric| {
        About::of(
            metric.model_id.clone(),
            metric.dataset_name.clone(),
            metric.dataset_digest.clone(),
        )
    });
    abouts.collect()
}

/// Points of a batch, each with all that it needs.
pub(in crate::mlflow) fn checked(given: Vec<Metric>) -> Result<Vec<Said>, crate::mlflow::Refusal> {
    let points = given.into_iter().enumerate();
    points
        .map(|(at, metric)| {
            let missing = |field: &str| WireError::missing(format!("metrics[{at}].{field}"));
            let key = metric.key.filter(|key| !key.is_empty());
            let said = Said {
                key: key.ok_or_else(|| missing("key"))?,
                value: metric.value.ok_or_else(|| missing("value"))?.0,
                timestamp: metric.timestamp.ok_or_else(|| missing("timestamp"))?.0,
                step: metric.step.map_or(0, |step| step.0),
            };
            // The path is put together only where something is wrong.
            if let Err(_refused) = said.check("") {
                said.check(&format!("metrics[{at}]."))?;
            }
            Ok(said)
        })
        .collect()
}

impl Said {
    /// Refuses what MLflow refuses; `place` is where it stands in the request.
    pub(in crate::mlflow) fn check(&self, place: &str) -> Result<(), LimitError> {
        if let Err(_refused) = check_name("name", &self.key) {
            check_name(&format!("{place}name"), &self.key)?;
        }
        if self.timestamp < 0 {
            return Err(LimitError::Time {
                path: format!("{place}timestamp"),
                time: self.timestamp,
                key: self.key.clone(),
                value: format!("{:?}", self.value),
            });
        }
        check_length("Metric name", &self.key, KEY_LENGTH)
    }
}

/// Says points.
pub(in crate::mlflow) fn say(draft: &mut Draft, subject: &Subject, points: Vec<Said>) {
    let mut calls: BTreeMap<(i64, i64), usize> = BTreeMap::new();
    let mut ops: Vec<Points> = Vec::new();
    for point in points {
        let value = (SeriesKey::plain(point.key), point.value);
        let place = (point.step, point.timestamp);
        let at = *calls.entry(place).or_insert(ops.len());
        match ops.get_mut(at) {
            Some(call) => call.values.push(value),
            None => ops.push(Points {
                subject: subject.clone(),
                step: point.step,
                time: Timestamp::from_millis(point.timestamp),
                set: true,
                values: vec![value],
            }),
        }
    }
    for op in ops {
        draft.say(Op::Points(op));
    }
}
