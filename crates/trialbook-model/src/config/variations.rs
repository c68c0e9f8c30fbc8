//! The list `variations`: named sets of params.
//!
//! Params stand under `params`, or flat beside the name (scalars only). Not here: the matrix.
//! Invariant: names differ; a key that looks like a misspelt `name`, `params` or `baseline` is an error
//! and never becomes a param.

use std::collections::BTreeMap;

use super::MOST_VARIATIONS;
use super::document::Variation;
use super::keys;
use super::matrix;
use super::params::Params;
use crate::nearest::distance;
use crate::yaml::{Doubt, Entry, Fields, Node, Position, Problem, Reading, Shape, join};

/// A variation with the place of its name.
pub(super) struct Placed {
    pub(super) variation: Variation,
    pub(super) at: Position,
}

/// The variations of a config, multiplied by its matrix; one named `default` when there are neither.
pub(super) fn read(reading: &mut Reading<'_>, top: &Fields<'_>) -> Option<Vec<Variation>> {
    let mut placed = Vec::new();
    if let Some(node) = top.get("variations") {
        let items = reading.list(node, "variations", "variations");
        if items.len() > MOST_VARIATIONS {
            let (what, limit) = ("too many variations", MOST_VARIATIONS as u64);
            reading.error(node.at, "variations", Problem::TooMuch { what, limit });
            return None;
        }
        for (at, item) in items.iter().enumerate() {
            placed.extend(one(reading, item, &format!("variations[{at}]")));
        }
        refuse_repeated(reading, &placed);
    }
    match top.get("matrix") {
        Some(node) => matrix::multiply(reading, node, placed),
        None if placed.is_empty() => Some(vec![unnamed()]),
        None => Some(placed.into_iter().map(|placed| placed.variation).collect()),
    }
}

/// The one variation of an experiment that varies nothing.
pub(super) fn unnamed() -> Variation {
    Variation {
        name: "default".to_owned(),
        params: Vec::new(),
        baseline: false,
    }
}

fn refuse_repeated(reading: &mut Reading<'_>, placed: &[Placed]) {
    let mut names: BTreeMap<&str, Position> = BTreeMap::new();
    let mut baseline: Option<Position> = None;
    for Placed { variation, at } in placed {
        if let Some(&first) = names.get(variation.name.as_str()) {
            let (what, name) = ("variation", variation.name.clone());
            reading.error(
                *at,
                "variations",
                Problem::DuplicateName { what, name, first },
            );
        } else {
            names.insert(&variation.name, *at);
        }
        if variation.baseline {
            match baseline {
                None => baseline = Some(*at),
                Some(first) => {
                    let (what, name) = ("baseline", variation.name.clone());
                    reading.error(
                        *at,
                        "variations",
                        Problem::DuplicateName { what, name, first },
                    );
                }
            }
        }
    }
}

fn one(reading: &mut Reading<'_>, node: &Node, path: &str) -> Option<Placed> {
    let fields = reading.any_fields(node, path)?;
    let Shape::Map(entries) = &node.shape else {
        return None;
    };
    let mut params = Vec::new();
    for entry in entries {
        if !keys::VARIATION.contains(&entry.key.as_str()) {
            if looks_misspelt(entry, &fields) {
                reading.unknown_key(entry, path, keys::VARIATION);
            } else {
                flat_param(reading, entry, path, &mut params);
            }
        }
    }
    if let Some(node) = fields.get("params") {
        collect(reading, node, (&join(path, "params"), ""), &mut params);
    }
    refuse_repeated_params(reading, &params, path);
    let baseline = fields
        .get("baseline")
        .and_then(|node| reading.flag(node, &join(path, "baseline")));
    let name = reading.required(&fields, "name", "the variation's name")?;
    Some(Placed {
        at: name.at,
        variation: Variation {
            name: reading.name(name, &join(path, "name"))?,
            params: params
                .into_iter()
                .map(|(name, param, _)| (name, param))
                .collect(),
            baseline: baseline.unwrap_or(false),
        },
    })
}

/// Whether an unknown key was probably meant as one of the known keys that are not there.
fn looks_misspelt(entry: &Entry, fields: &Fields<'_>) -> bool {
    const SYNONYMS: [(&str, &str); 4] = [
        ("param", "params"),
        ("parameters", "params"),
        ("parameter", "params"),
        ("label", "name"),
    ];
    let folded = entry.key.to_lowercase();
    keys::VARIATION.iter().any(|known| {
        if fields.entry(known).is_some() {
            return false;
        }
        let allowed = if known.len() < 5 { 1 } else { 2 };
        distance(&folded, known) <= allowed || SYNONYMS.contains(&(folded.as_str(), *known))
    })
}

type PlacedParam = (String, crate::record::Param, Position);

fn flat_param(reading: &mut Reading<'_>, entry: &Entry, path: &str, params: &mut Vec<PlacedParam>) {
    match &entry.value.shape {
        Shape::Scalar(param) => params.push((entry.key.clone(), param.clone(), entry.at)),
        Shape::List(_) | Shape::Map(_) => {
            let hint = "params that are maps stand under `params`";
            let path = join(path, &entry.key);
            reading.wrong_because(&entry.value, &path, "a single value", Some(hint));
        }
    }
}

/// Params of a map, nested ones flattened with dots.
pub(crate) fn flatten(reading: &mut Reading<'_>, node: &Node, path: &str) -> Params {
    let mut params = Vec::new();
    collect(reading, node, (path, ""), &mut params);
    refuse_repeated_params(reading, &params, path);
    params
        .into_iter()
        .map(|(name, param, _)| (name, param))
        .collect()
}

fn collect(
    reading: &mut Reading<'_>,
    node: &Node,
    (path, prefix): (&str, &str),
    params: &mut Vec<PlacedParam>,
) {
    let Shape::Map(entries) = &node.shape else {
        reading.wrong(node, path, "a map of names and values");
        return;
    };
    for entry in entries {
        let path = join(path, &entry.key);
        let name = join(prefix, &entry.key);
        match &entry.value.shape {
            _ if entry.key.is_empty() || entry.key.chars().any(char::is_control) => {
                reading.wrong(&entry.value, &path, "a name of one line before it");
            }
            Shape::Scalar(param) => params.push((name, param.clone(), entry.at)),
            Shape::Map(inner) if !inner.is_empty() => {
                collect(reading, &entry.value, (&path, &name), params);
            }
            Shape::Map(_) | Shape::List(_) => {
                let hint = "several values to try stand under `matrix`; as one text, quote it";
                reading.wrong_because(&entry.value, &path, "a single value", Some(hint));
            }
        }
    }
}

fn refuse_repeated_params(reading: &mut Reading<'_>, params: &[PlacedParam], path: &str) {
    let mut seen: BTreeMap<&str, Position> = BTreeMap::new();
    for (name, _, at) in params {
        if let Some(first) = seen.insert(name, *at) {
            let (what, name) = ("param", name.clone());
            reading.error(*at, path, Problem::DuplicateName { what, name, first });
        }
    }
}

/// Keeps the first of several baselines and says so.
pub(super) fn keep_one_baseline(
    reading: &mut Reading<'_>,
    variations: &mut [Variation],
    at: Position,
) {
    let mut marked = variations.iter_mut().filter(|variation| variation.baseline);
    let Some(first) = marked.next() else {
        return;
    };
    let mut others = 0;
    for variation in marked {
        variation.baseline = false;
        others += 1;
    }
    if others > 0 {
        let name = first.name.clone();
        reading.warn(at, "matrix", Doubt::SeveralBaselines { name });
    }
}
