//! The lists `metrics` and `success_criteria`.
//!
//! Not here: judging. Invariant: units of criteria are those of the metrics listed in the same config,
//! else assumed from the metric's name.

use super::document::Metric;
use super::keys;
use crate::criteria::{self, Condition, Criterion, CriterionError};
use crate::nearest::nearest;
use crate::record::Goal;
use crate::yaml::{Doubt, Fields, Node, Position, Problem, Reading, Shape, join};

pub(super) fn read(reading: &mut Reading<'_>, top: &Fields<'_>) -> Vec<Metric> {
    let Some(node) = top.get("metrics") else {
        return Vec::new();
    };
    let mut metrics: Vec<(Metric, Position)> = Vec::new();
    for (at, item) in reading
        .short_list(node, "metrics", "metrics")
        .iter()
        .enumerate()
    {
        let path = format!("metrics[{at}]");
        let Some(metric) = metric(reading, item, &path) else {
            continue;
        };
        match metrics.iter().find(|(other, _)| other.key == metric.key) {
            Some((_, first)) => {
                let (what, name, first) = ("metric", metric.key, *first);
                reading.error(item.at, &path, Problem::DuplicateName { what, name, first });
            }
            None => metrics.push((metric, item.at)),
        }
    }
    let mut primary = metrics.iter().filter(|(metric, _)| metric.primary);
    if let (Some((_, first)), Some((metric, at))) = (primary.next(), primary.next()) {
        let (what, name, first) = ("primary metric", metric.key.clone(), *first);
        reading.error(*at, "metrics", Problem::DuplicateName { what, name, first });
    }
    metrics.into_iter().map(|(metric, _)| metric).collect()
}

const GOALS: [(&str, Goal); 5] = [
    ("max", Goal::Max),
    ("min", Goal::Min),
    ("none", Goal::None),
    ("maximize", Goal::Max),
    ("minimize", Goal::Min),
];

fn metric(reading: &mut Reading<'_>, node: &Node, path: &str) -> Option<Metric> {
    if !matches!(node.shape, Shape::Map(_)) {
        return Some(Metric {
            key: reading.name(node, path)?,
            unit: None,
            goal: None,
            primary: false,
        });
    }
    let fields = reading.fields(node, path, keys::METRIC)?;
    if let (Some(_), Some(name)) = (fields.get("key"), fields.get("name")) {
        let (key, other) = ("name".to_owned(), "key".to_owned());
        reading.error(name.at, path, Problem::GivenTwice { key, other });
    }
    let unit = reading.optional_name(&fields, "unit");
    let goal = fields
        .get("goal")
        .and_then(|node| reading.one_of(node, &join(path, "goal"), &GOALS));
    let primary = fields
        .get("primary")
        .and_then(|node| reading.flag(node, &join(path, "primary")));
    let key = match fields.get("key") {
        Some(node) => node,
        None => reading.required(&fields, "name", "the metric's name")?,
    };
    Some(Metric {
        key: reading.name(key, path)?,
        unit,
        goal,
        primary: primary.unwrap_or(false),
    })
}

pub(super) fn criteria(
    reading: &mut Reading<'_>,
    top: &Fields<'_>,
    metrics: &[Metric],
) -> Vec<Criterion> {
    let Some(node) = top.get("success_criteria") else {
        return Vec::new();
    };
    let items = reading.short_list(node, "success_criteria", "criteria");
    let mut read = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let path = format!("success_criteria[{at}]");
        let Some((metric, condition)) = criterion(reading, item, &path) else {
            continue;
        };
        let listed = metrics.iter().find(|listed| listed.key == metric);
        if listed.is_none() && !metrics.is_empty() && reading.warns_more() {
            let names: Vec<&str> = metrics.iter().map(|metric| metric.key.as_str()).collect();
            let nearest = nearest(&metric, &names).map(str::to_owned);
            let metric = metric.clone();
            reading.warn(item.at, &path, Doubt::UnlistedMetric { metric, nearest });
        }
        let unit = listed.and_then(|listed| listed.unit.as_deref());
        match condition.for_metric(&metric, unit) {
            Ok(criterion) => read.push(criterion),
            Err(error) => reading.error(item.at, &path, Problem::Criterion(error)),
        }
    }
    read
}

fn criterion(reading: &mut Reading<'_>, node: &Node, path: &str) -> Option<(String, Condition)> {
    let result: Result<(String, Condition), CriterionError>;
    let at;
    if let Shape::Map(_) = node.shape {
        let fields = reading.fields(node, path, keys::CRITERION)?;
        let metric = reading.required(&fields, "metric", "a metric's name");
        let metric = metric.and_then(|node| reading.name(node, &join(path, "metric")));
        let expected = "a comparison such as `< 0.05`";
        let condition = reading.required(&fields, "condition", expected)?;
        let text = reading.text(condition, &join(path, "condition"))?;
        let metric = metric?;
        at = condition.at;
        result = Condition::parse(&text).map(|condition| (metric, condition));
    } else {
        let text = reading.text(node, path)?;
        at = node.at;
        result = criteria::parse(&text);
    }
    match result {
        Ok(read) => Some(read),
        Err(error) => {
            reading.error(at, path, Problem::Criterion(error));
            None
        }
    }
}
