//! The map `matrix`: every combination of the values of several params.
//!
//! With named variations each of them is combined with each point of the grid. `exclude` leaves out
//! combinations. Not here: reading values from a command line.
//! Invariant: names of points tell all their values (`agents=5 model=polling`) and differ; of a secret they
//! tell the beginning of its hash (`api_key#1a2b3c`).

use std::collections::BTreeSet;

use serde_json::json;

use super::MOST_VARIATIONS;
use super::document::Variation;
use super::params::Params;
use super::variations::{Placed, keep_one_baseline};
use crate::canonical;
use crate::record::{Param, ParamKind};
use crate::secret;
use crate::yaml::{Doubt, Entry, Node, Problem, Reading, Shape, join};

/// A param and the values it takes.
pub type Axis = (String, Vec<Param>);

/// The most params of a grid.
const MOST_AXES: usize = 100;

/// How much of the hash of a secret stands in a name: it tells values apart and says nothing of them that the
/// keys of their runs do not say.
const HASH: usize = 6;

/// The key of the matrix that is no param.
const EXCLUDE: &str = "exclude";

/// Combines the named variations, if any, with the points of the grid.
pub(super) fn multiply(
    reading: &mut Reading<'_>,
    node: &Node,
    named: Vec<Placed>,
) -> Option<Vec<Variation>> {
    let axes = read_axes(reading, node)?;
    if axes.len() > MOST_AXES {
        let (what, limit) = ("too many params", MOST_AXES as u64);
        reading.error(node.at, "matrix", Problem::TooMuch { what, limit });
        return None;
    }
    refuse_clashes(reading, node, &axes, &named);
    let named: Vec<Variation> = named.into_iter().map(|placed| placed.variation).collect();
    let (what, limit) = ("too many combinations", MOST_VARIATIONS as u64);
    let Some(points) = points(&axes, named.len().max(1)) else {
        reading.error(node.at, "matrix", Problem::TooMuch { what, limit });
        return None;
    };
    let all = combine(&named, &points);
    let mut left = exclude(reading, node, &axes, all)?;
    if left.is_empty() {
        let expected = "at least one combination that is not excluded";
        reading.wrong(node, "matrix", expected);
        return None;
    }
    if let Some(name) = repeated(&left) {
        let (what, first) = ("combination", node.at);
        reading.error(
            node.at,
            "matrix",
            Problem::DuplicateName { what, name, first },
        );
    }
    keep_one_baseline(reading, &mut left, node.at);
    Some(left)
}

fn read_axes(reading: &mut Reading<'_>, node: &Node) -> Option<Vec<Axis>> {
    let Shape::Map(entries) = &node.shape else {
        reading.wrong(node, "matrix", "a map of params and lists of values");
        return None;
    };
    let mut axes = Vec::new();
    let own = entries.iter().filter(|entry| entry.key != EXCLUDE);
    for entry in own {
        axis(reading, entry, ("matrix", ""), &mut axes);
    }
    if axes.is_empty() && reading.is_clean() {
        reading.wrong(node, "matrix", "at least one param with its values");
    }
    (!axes.is_empty()).then_some(axes)
}

fn axis(
    reading: &mut Reading<'_>,
    entry: &Entry,
    (path, prefix): (&str, &str),
    axes: &mut Vec<Axis>,
) {
    let (path, name) = (join(path, &entry.key), join(prefix, &entry.key));
    let values = match &entry.value.shape {
        Shape::Map(inner) => {
            for entry in inner {
                axis(reading, entry, (&path, &name), axes);
            }
            return;
        }
        Shape::Scalar(param) => vec![param.clone()],
        Shape::List(items) => {
            let mut values = Vec::new();
            for (at, item) in items.iter().enumerate() {
                match &item.shape {
                    Shape::Scalar(param) => values.push(param.clone()),
                    Shape::List(_) | Shape::Map(_) => {
                        reading.wrong(item, &format!("{path}[{at}]"), "a single value");
                    }
                }
            }
            values
        }
    };
    if axes.len() > MOST_AXES {
        // One too many is enough to be refused.
    } else if values.is_empty() {
        reading.wrong(&entry.value, &path, "at least one value");
    } else if axes.iter().any(|(other, _)| *other == name) {
        let (key, first) = (name, entry.at);
        reading.error(entry.at, &path, Problem::DuplicateKey { key, first });
    } else {
        axes.push((name, values));
    }
}

fn refuse_clashes(reading: &mut Reading<'_>, node: &Node, axes: &[Axis], named: &[Placed]) {
    for (name, _) in axes {
        let clash = named
            .iter()
            .find(|placed| placed.variation.params.iter().any(|(own, _)| own == name));
        if let Some(placed) = clash {
            let key = name.clone();
            let other = format!("a param of the variation `{}`", placed.variation.name);
            let path = join("matrix", name);
            reading.error(node.at, &path, Problem::GivenTwice { key, other });
        }
    }
}

/// The points of a grid, the last axis fastest; `None` when there are too many, each taken `times`.
pub(super) fn points(axes: &[Axis], times: usize) -> Option<Vec<Params>> {
    let count = axes
        .iter()
        .try_fold(times, |count, (_, values)| count.checked_mul(values.len()))?;
    if count > MOST_VARIATIONS || axes.len() > MOST_AXES {
        return None;
    }
    let mut points: Vec<Params> = vec![Vec::new()];
    for (name, values) in axes {
        points = points
            .iter()
            .flat_map(|point| {
                values.iter().map(|value| {
                    let mut longer = point.clone();
                    longer.push((name.clone(), value.clone()));
                    longer
                })
            })
            .collect();
    }
    Some(points)
}

/// Each named variation at each point; the points alone when none is named.
pub(super) fn combine(named: &[Variation], points: &[Params]) -> Vec<Variation> {
    let point_alone = |point: &Params| Variation {
        name: point_name(point),
        params: point.clone(),
        baseline: false,
    };
    if named.is_empty() {
        return points.iter().map(point_alone).collect();
    }
    let with_point = |variation: &Variation, point: &Params| Variation {
        name: format!("{} {}", variation.name, point_name(point)),
        params: [variation.params.clone(), point.clone()].concat(),
        baseline: variation.baseline,
    };
    named
        .iter()
        .flat_map(|variation| points.iter().map(move |point| with_point(variation, point)))
        .collect()
}

/// The first name that two variations share.
pub(super) fn repeated(variations: &[Variation]) -> Option<String> {
    let mut names = BTreeSet::new();
    let twice = variations
        .iter()
        .find(|variation| !names.insert(&variation.name));
    twice.map(|variation| variation.name.clone())
}

/// `agents=5 model="gpt 4"`: values with blanks, quotes or nothing in them are quoted.
fn point_name(point: &Params) -> String {
    let parts: Vec<String> = point
        .iter()
        .map(|(name, param)| {
            let text = &param.text;
            if secret::is_secret_name(name) || !secret::value(text).dropped.is_empty() {
                let hash = canonical::hash(&json!([name, text]));
                return format!("{name}#{}", &hash[..HASH]);
            }
            let odd = |letter: char| {
                letter.is_whitespace() || letter.is_control() || matches!(letter, '"' | '=')
            };
            if text.is_empty() || text.contains(odd) {
                format!("{name}={text:?}")
            } else {
                format!("{name}={text}")
            }
        })
        .collect();
    parts.join(" ")
}

/// Leaves out the combinations that have all the values of one entry of `exclude`.
fn exclude(
    reading: &mut Reading<'_>,
    node: &Node,
    axes: &[Axis],
    mut all: Vec<Variation>,
) -> Option<Vec<Variation>> {
    let Shape::Map(entries) = &node.shape else {
        return None;
    };
    let Some(excluded) = entries.iter().find(|entry| entry.key == EXCLUDE) else {
        return Some(all);
    };
    let known: Vec<&str> = axes.iter().map(|(name, _)| name.as_str()).collect();
    let items = reading.short_list(
        &excluded.value,
        "matrix.exclude",
        "maps of params and values",
    );
    for (at, item) in items.iter().enumerate() {
        let path = format!("matrix.exclude[{at}]");
        reading.fields(item, &path, &known)?;
        let Shape::Map(wanted) = &item.shape else {
            return None;
        };
        let wanted: Vec<(&str, Vec<&Param>)> = wanted
            .iter()
            .map(|entry| (entry.key.as_str(), values_like(axes, entry)))
            .collect();
        let before = all.len();
        all.retain(|variation| !has_all(variation, &wanted));
        if all.len() == before {
            reading.warn(item.at, &path, Doubt::NoEffect { key: path.clone() });
        }
    }
    Some(all)
}

/// The values of the axis that the entry names and that equal the entry's value.
fn values_like<'a>(axes: &'a [Axis], entry: &Entry) -> Vec<&'a Param> {
    let Shape::Scalar(wanted) = &entry.value.shape else {
        return Vec::new();
    };
    let own_axis = axes.iter().filter(|(name, _)| *name == entry.key);
    own_axis
        .flat_map(|(_, values)| values)
        .filter(|value| same(value, wanted))
        .collect()
}

fn has_all(variation: &Variation, wanted: &[(&str, Vec<&Param>)]) -> bool {
    !wanted.is_empty()
        && wanted.iter().all(|(key, values)| {
            let own = variation.params.iter().find(|(name, _)| name == key);
            own.is_some_and(|(_, own)| values.contains(&own))
        })
}

fn same(left: &Param, right: &Param) -> bool {
    let both_numbers = left.kind == ParamKind::Number && right.kind == ParamKind::Number;
    if both_numbers {
        canonical::number_value(&left.text) == canonical::number_value(&right.text)
    } else {
        left == right
    }
}
