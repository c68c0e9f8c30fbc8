//! From a config to the runs it asks for, and from those to what is still to do.
//!
//! Not here: starting anything, numbering runs, looking whether a process lives.
//! Invariant: a run's key depends only on what the run does; words, order and number of variations and
//! trials, expected metrics and criteria do not change the keys of the other runs.

mod difference;
mod reconcile;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::canonical;
use crate::config::{Config, Params, Variation, canonical_params};
use crate::seed;
use crate::template;

pub use difference::{Change, difference};
pub use reconcile::{
    Action, Choice, Decision, Decisions, ExistingRun, ExistingState, INTERRUPTED, Mode, PlanError,
    Tally, Why, check_names, counting, reconcile,
};

/// One run that a config asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRun {
    /// The variation's name.
    pub variation: String,
    /// Its place in the config's list, from 0.
    pub variation_at: usize,
    /// The trial, from 1.
    pub trial: u32,
    /// The seed given to the program.
    pub seed: u64,
    /// What the run does, hashed: 32 hex digits.
    pub key: String,
}

/// All runs of a config: variation by variation, trials 1 to N of each. `base` is the config's
/// `random_seed`; where that is null, the number drawn and recorded by the caller.
pub fn expand(config: &Config, base: u64) -> Vec<PlannedRun> {
    let mut runs = Vec::new();
    for (variation_at, variation) in config.variations.iter().enumerate() {
        let deeds = deeds(config, variation);
        for trial in 1..=config.trials {
            let seed = seed::derive(base, &variation.name, trial, config.seed_policy);
            // A drawn seed is chance and not part of what was asked for: without one in the config a
            // run keeps its key whatever was drawn.
            let asked = config.random_seed.map(|_| seed);
            let key = key(&deeds, u64::from(trial), asked);
            runs.push(PlannedRun {
                variation: variation.name.clone(),
                variation_at,
                trial,
                seed,
                key,
            });
        }
    }
    runs
}

fn key(deeds: &str, trial: u64, asked: Option<u64>) -> String {
    let mut key = canonical::hash(&json!([deeds, trial, asked]));
    key.truncate(32);
    key
}

/// Whether a run of that key is what a trial of the variation would be in this config, whatever its seed is and
/// wherever that came from.
pub fn does_same(
    config: &Config,
    variation: &Variation,
    (trial, seed): (u64, Option<u64>),
    known: &str,
) -> bool {
    let deeds = deeds(config, variation);
    let asked = [None, seed];
    asked.iter().any(|seed| key(&deeds, trial, *seed) == known)
}

/// The hash of all that the runs of a variation do, apart from trial and seed.
fn deeds(config: &Config, variation: &Variation) -> String {
    let task = &config.task;
    let params = by_name(&variation.params);
    let value = |name: &str| {
        let own = params.get(name).map(|&text| text.to_owned());
        let known = own.or_else(|| constant(config, variation, name));
        // What differs from run to run stays open. NUL is in no text of a config, so an open place is
        // unlike all texts.
        Some(known.unwrap_or_else(|| format!("\0{name}\0")))
    };
    let filled =
        |text: &str| template::render(text, &value).unwrap_or_else(|_broken| format!("\0\0{text}"));
    let command: Vec<String> = task.command.iter().map(|word| filled(word)).collect();
    let env: Value = task
        .env
        .iter()
        .map(|(name, text)| (name.clone(), Value::String(filled(text))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    canonical::hash(&json!({
        "variation": variation.name,
        "params": canonical_params(&variation.params),
        "command": command,
        "cwd": task.cwd.as_deref().map(filled),
        "env": env,
        "data_path": task.data_path,
        // With a command the type is only a word.
        "type": if task.command.is_empty() { task.kind.as_deref() } else { None },
    }))
}

fn by_name(params: &Params) -> BTreeMap<&str, &str> {
    params
        .iter()
        .map(|(name, param)| (name.as_str(), param.text.as_str()))
        .collect()
}

/// The built-in values that are the same for all runs of a variation and matter to what they do.
fn constant(config: &Config, variation: &Variation, name: &str) -> Option<String> {
    match name {
        "variation" => Some(variation.name.clone()),
        "data_path" => config.task.data_path.clone(),
        _ => None,
    }
}

impl PlannedRun {
    /// The text for `{name}` in the task's templates: a param, or a built-in value that the plan knows.
    /// `None` for the others (`run_dir`, `metrics_file`, `result_file`), which whoever starts the run
    /// knows.
    pub fn value(&self, config: &Config, name: &str) -> Option<String> {
        let variation = config.variations.get(self.variation_at)?;
        let own = variation.params.iter().find(|(own, _)| own == name);
        if let Some((_, param)) = own {
            return Some(param.text.clone());
        }
        match name {
            "seed" => Some(self.seed.to_string()),
            "trial" => Some(self.trial.to_string()),
            "experiment" => Some(config.experiment.name.clone()),
            _ => constant(config, variation, name),
        }
    }
}

#[cfg(test)]
mod tests;
