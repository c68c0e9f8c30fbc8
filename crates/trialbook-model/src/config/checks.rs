//! What can be wrong between the parts of a config: templates without values, too many runs.
//!
//! Not here: the parts themselves. Invariant: after these checks every template of the task can be
//! filled in for every variation.

use std::collections::{BTreeMap, BTreeSet};

use super::MOST_RUNS;
use super::document::{Config, Variation};
use crate::template::{self, TemplateError};
use crate::yaml::{Doubt, Fields, MOST_ERRORS, Position, Problem, Reading};

/// The names that templates know beside the params. A param of the same name wins. `data_path` has a
/// value only where the task gives one.
pub const BUILT_IN_NAMES: [&str; 8] = [
    "data_path",
    "experiment",
    "metrics_file",
    "result_file",
    "run_dir",
    "seed",
    "trial",
    "variation",
];

/// A template that cannot be filled in.
pub(super) struct Unfilled {
    pub(super) path: String,
    pub(super) error: TemplateError,
    /// The variation for which it fails; `None` when it fails for all.
    pub(super) variation: Option<String>,
}

pub(super) fn whole(reading: &mut Reading<'_>, config: &Config, top: &Fields<'_>) {
    if config.runs() > MOST_RUNS {
        let (what, limit) = ("too many runs, variations times trials", MOST_RUNS);
        let at = top.at_key("trials");
        reading.error(at, "trials", Problem::TooMuch { what, limit });
    }
    for unfilled in unfilled(config) {
        let at = reading.places.get(&unfilled.path).copied();
        let at = at.unwrap_or_else(|| top.at_key("task"));
        let problem = Problem::Template {
            error: unfilled.error,
            variation: unfilled.variation,
        };
        reading.error(at, &unfilled.path, problem);
    }
    warn_of_hidden(reading, config, top.at_key("variations"));
}

fn warn_of_hidden(reading: &mut Reading<'_>, config: &Config, at: Position) {
    let hidden: BTreeSet<&String> = config
        .variations
        .iter()
        .flat_map(|variation| &variation.params)
        .map(|(name, _)| name)
        .filter(|name| BUILT_IN_NAMES.contains(&name.as_str()))
        .collect();
    for name in hidden {
        let name = name.clone();
        reading.warn(at, "variations", Doubt::HidesBuiltIn { name });
    }
}

/// The templates that cannot be filled in, each once, as many as errors are collected.
pub(super) fn unfilled(config: &Config) -> Vec<Unfilled> {
    // How many variations have each name, built-in ones counting for all.
    let mut having: BTreeMap<&str, usize> = BTreeMap::new();
    for variation in &config.variations {
        for name in names_of(config, variation) {
            *having.entry(name).or_default() += 1;
        }
    }
    let mut unfilled = Vec::new();
    for (path, text) in config.task.templates() {
        if unfilled.len() >= MOST_ERRORS {
            break;
        }
        let names = match template::names(text) {
            Ok(names) => names,
            Err(error) => {
                let variation = None;
                unfilled.push(Unfilled {
                    path,
                    error,
                    variation,
                });
                continue;
            }
        };
        let count = |name: &str| having.get(name).copied().unwrap_or(0);
        let missing = names
            .into_iter()
            .find(|name| count(name) < config.variations.len());
        let Some(name) = missing else {
            continue;
        };
        let lacking = config
            .variations
            .iter()
            .find(|variation| !names_of(config, variation).contains(name));
        let Some(lacking) = lacking else {
            continue;
        };
        let known: Vec<&str> = names_of(config, lacking).into_iter().collect();
        if let Err(error) = template::check(text, &known) {
            unfilled.push(Unfilled {
                path,
                error,
                variation: (count(name) > 0).then(|| lacking.name.clone()),
            });
        }
    }
    unfilled
}

fn names_of<'c>(config: &'c Config, variation: &'c Variation) -> BTreeSet<&'c str> {
    let built_in = BUILT_IN_NAMES
        .into_iter()
        .filter(|name| *name != "data_path" || config.task.data_path.is_some());
    variation
        .params
        .iter()
        .map(|(name, _)| name.as_str())
        .chain(built_in)
        .collect()
}
