//! The experiment config: YAML in, a checked document out, with every error at its place.
//!
//! Not here: reading files, drawing a seed, running anything. `docs/reference/config.md` describes the
//! format for people, `docs/reference/config.schema.json` for editors.
//! Invariant: no key of a config is ignored in silence; what cannot be carried out yet is refused.

mod checks;
mod command_line;
mod document;
mod experiment;
mod grid;
mod keys;
mod matrix;
mod metrics;
mod params;
mod task;
mod unsupported;
mod variations;
mod writing;

use std::collections::BTreeMap;
use std::fmt;

pub use crate::yaml::scalar::plain as plain_scalar;
pub use checks::BUILT_IN_NAMES;
pub use command_line::{SplitError, split as split_command};
pub use document::{Config, Experiment, Metric, Task, Variation};
pub use grid::{GridError, GridParts, axis, from_grid, with_grid};
pub use keys::all as known_keys;
pub use matrix::Axis;
pub(crate) use params::canonical as canonical_params;
pub use params::{Params, from_value as param_from_value, to_value as param_to_value};
pub(crate) use variations::flatten as flattened;

use crate::capture::Part;
use crate::seed::SeedPolicy;
use crate::yaml::{self, Doubt, Fields, FileError, Format, Node, Reading, Warning};

/// The most runs that one config may ask for.
pub const MOST_RUNS: u64 = 1_000_000;
/// The most variations of one config.
pub const MOST_VARIATIONS: usize = 10_000;

/// A config and what is odd about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The config.
    pub config: Config,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Warning>,
}

/// Everything wrong with a config, in the order of the file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct ConfigErrors {
    /// At least one error.
    pub errors: Vec<FileError>,
}

impl fmt::Display for ConfigErrors {
    /// One line an error, each followed by its hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        yaml::listed(&self.errors, f)
    }
}

static FORMAT: Format = Format {
    kind: "config",
    needs: "`experiment` and `task`",
    other_words: keys::OTHER_WORDS,
};

/// Reads the text of a config file; `file` is its name in errors.
pub fn parse(text: &str, file: &str) -> Result<Parsed, ConfigErrors> {
    let mut reading = Reading::new(file, &FORMAT);
    let root = reading.tree(text);
    let config = root.and_then(|root| whole(&mut reading, &root));
    match reading.finish(config) {
        Ok((config, warnings)) => Ok(Parsed { config, warnings }),
        Err(errors) => Err(ConfigErrors { errors }),
    }
}

fn whole(reading: &mut Reading<'_>, root: &Node) -> Option<Config> {
    if unsupported::refuse_study(reading, root) {
        return None;
    }
    let top = reading.fields(root, "", keys::TOP)?;
    unsupported::refuse_keys(reading, &top);
    let experiment = reading.required(&top, "experiment", "a map with the experiment's name");
    let experiment = experiment.and_then(|node| experiment::read(reading, node));
    let task = reading.required(&top, "task", "a map with a command or a type");
    let task = task.and_then(|node| task::read(reading, node, top.get("timeout")));
    let variations = variations::read(reading, &top);
    let trials = trials(reading, &top);
    let metrics = metrics::read(reading, &top);
    let success_criteria = metrics::criteria(reading, &top, &metrics);
    let environment = top.get("environment").map_or_else(Vec::new, |node| {
        variations::flatten(reading, node, "environment")
    });
    let (random_seed, seed_policy) = seed(reading, &top);
    let config = Config {
        experiment: experiment?,
        task: task?,
        variations: variations?,
        trials: trials?,
        metrics,
        success_criteria,
        environment,
        random_seed,
        seed_policy,
        capture: capture(reading, &top),
    };
    checks::whole(reading, &config, &top);
    Some(config)
}

fn trials(reading: &mut Reading<'_>, top: &Fields<'_>) -> Option<u32> {
    match top.get("trials") {
        None => Some(1),
        Some(node) => {
            let trials = reading.whole(node, "trials", 1..=MOST_RUNS)?;
            u32::try_from(trials).ok()
        }
    }
}

fn capture(reading: &mut Reading<'_>, top: &Fields<'_>) -> BTreeMap<Part, bool> {
    let fields = top
        .get("capture")
        .and_then(|node| reading.fields(node, "capture", keys::CAPTURE));
    let Some(fields) = fields else {
        return BTreeMap::new();
    };
    let part = |part: Part| {
        let node = fields.get(part.word())?;
        let is_on = reading.flag(node, &fields.path_of(part.word()))?;
        Some((part, is_on))
    };
    Part::ALL.into_iter().filter_map(part).collect()
}

fn seed(reading: &mut Reading<'_>, top: &Fields<'_>) -> (Option<u64>, SeedPolicy) {
    let base = top
        .get("random_seed")
        .and_then(|node| reading.whole(node, "random_seed", 0..=u64::MAX));
    let words = SeedPolicy::ALL.map(|policy| (policy.word(), policy));
    let policy = top
        .get("seed_policy")
        .and_then(|node| reading.one_of(node, "seed_policy", &words))
        .unwrap_or_default();
    if let (Some(seed), SeedPolicy::Fixed) = (base, policy)
        && seed > u64::from(u32::MAX)
    {
        reading.warn(
            top.at_key("random_seed"),
            "random_seed",
            Doubt::LargeSeed { seed },
        );
    }
    (base, policy)
}

#[cfg(test)]
mod tests;
