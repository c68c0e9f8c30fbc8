//! A config from the parts of a command line: `--set key=a,b … --trials N -- CMD…`.
//!
//! Not here: reading arguments. Invariant: the result obeys the same rules as a config from a file.

use std::collections::BTreeMap;

use super::checks;
use super::document::{Config, Experiment, Task, Variation};
use super::matrix::{self, Axis};
use super::params::Params;
use super::variations::unnamed;
use super::{MOST_RUNS, MOST_VARIATIONS};
use crate::record::Param;
use crate::seed::SeedPolicy;
use crate::template::{self, TemplateError};
use crate::yaml::scalar;

/// What a command line says about an experiment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GridParts {
    /// The experiment's name.
    pub name: String,
    /// Program and arguments; `{param}` is filled in, braces around anything else stand for themselves.
    pub command: Vec<String>,
    /// Params and their values, each pair from [`axis`].
    pub axes: Vec<(String, Vec<Param>)>,
    /// Runs of each combination.
    pub trials: u32,
    /// The base of all seeds.
    pub random_seed: Option<u64>,
    /// How trials get their seeds.
    pub seed_policy: SeedPolicy,
    /// The longest time of one run, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// Where the data is.
    pub data_path: Option<String>,
}

/// Why the parts make no config.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// Not of the form `key=value,value`.
    #[error("`{text}` is not of the form `key=value` or `key=value,value`")]
    NotAnAxis {
        /// The text.
        text: String,
    },
    /// A quote without its partner.
    #[error("a quote in `{text}` is not closed")]
    UnclosedQuote {
        /// The text.
        text: String,
    },
    /// A param set twice.
    #[error("`{key}` is set twice")]
    SetTwice {
        /// The param.
        key: String,
    },
    /// A value given twice.
    #[error("the combination `{name}` is there twice")]
    Repeated {
        /// The combination.
        name: String,
    },
    /// No trials.
    #[error("there have to be from 1 to {MOST_RUNS} trials")]
    Trials,
    /// Too many combinations or runs.
    #[error("these are more than {MOST_VARIATIONS} combinations or {MOST_RUNS} runs")]
    TooMany,
    /// There is no command.
    #[error("there is no command to run")]
    NoCommand,
    /// A template that cannot be filled in.
    #[error(transparent)]
    Template(TemplateError),
}

impl GridError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotAnAxis { .. } => Some("for example `--set agents=5,10`".to_owned()),
            Self::UnclosedQuote { .. } => Some("close it, or leave the quotes out".to_owned()),
            Self::SetTwice { key } => Some(format!("write `--set {key}=a,b`")),
            Self::Repeated { .. } => Some("give each value once".to_owned()),
            Self::Trials | Self::TooMany => None,
            Self::NoCommand => Some("give it after `--`".to_owned()),
            Self::Template(error) => error.hint(),
        }
    }
}

/// Reads `key=a,b`. Values mean what they mean in YAML; a value in double quotes is text and may hold
/// commas.
pub fn axis(text: &str) -> Result<(String, Vec<Param>), GridError> {
    let refuse = || GridError::NotAnAxis {
        text: text.to_owned(),
    };
    let (key, mut rest) = text.split_once('=').ok_or_else(refuse)?;
    let key = key.trim();
    if key.is_empty() || key.chars().any(char::is_control) || rest.contains('\0') {
        return Err(refuse());
    }
    let mut values = Vec::new();
    loop {
        let (value, after) = if let Some(quoted) = rest.strip_prefix('"') {
            let unclosed = || GridError::UnclosedQuote {
                text: text.to_owned(),
            };
            let (value, after) = quoted.split_once('"').ok_or_else(unclosed)?;
            (Param::text(value), after)
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            (plain_or_empty(&rest[..end]), &rest[end..])
        };
        values.push(value);
        rest = match after.strip_prefix(',') {
            Some(next) => next,
            None if after.is_empty() => return Ok((key.to_owned(), values)),
            None => return Err(refuse()),
        };
    }
}

/// On a command line, nothing means the empty text and not null.
fn plain_or_empty(text: &str) -> Param {
    if text.is_empty() {
        Param::text("")
    } else {
        scalar::plain(text)
    }
}

/// Makes a config of the parts.
pub fn from_grid(parts: GridParts) -> Result<Config, GridError> {
    if parts.command.is_empty() {
        return Err(GridError::NoCommand);
    }
    if !(1..=MOST_RUNS).contains(&u64::from(parts.trials)) {
        return Err(GridError::Trials);
    }
    let variations = if parts.axes.is_empty() {
        vec![unnamed()]
    } else {
        refuse_set_twice(&parts.axes)?;
        let points: Vec<Params> = matrix::points(&parts.axes, 1).ok_or(GridError::TooMany)?;
        matrix::combine(&[], &points)
    };
    if let Some(name) = matrix::repeated(&variations) {
        return Err(GridError::Repeated { name });
    }
    let known: Vec<&str> = parts
        .axes
        .iter()
        .map(|(key, _)| key.as_str())
        .chain(checks::BUILT_IN_NAMES)
        .filter(|name| *name != "data_path" || parts.data_path.is_some())
        .collect();
    let command = parts
        .command
        .iter()
        .map(|word| template::lenient(word, &known))
        .collect();
    let config = Config {
        experiment: Experiment {
            name: parts.name,
            ..Experiment::default()
        },
        task: Task {
            command,
            data_path: parts.data_path,
            timeout_ms: parts.timeout_ms,
            ..Task::default()
        },
        variations,
        trials: parts.trials,
        metrics: Vec::new(),
        success_criteria: Vec::new(),
        environment: Vec::new(),
        random_seed: parts.random_seed,
        seed_policy: parts.seed_policy,
        capture: BTreeMap::new(),
    };
    if config.runs() > MOST_RUNS {
        return Err(GridError::TooMany);
    }
    match checks::unfilled(&config).into_iter().next() {
        Some(unfilled) => Err(GridError::Template(unfilled.error)),
        None => Ok(config),
    }
}

/// Multiplies the variations of a config by a grid. A param of the grid takes the place of the config's, and
/// its value stands in the variation's name.
pub fn with_grid(config: &Config, axes: &[Axis]) -> Result<Config, GridError> {
    refuse_set_twice(axes)?;
    let points = matrix::points(axes, config.variations.len()).ok_or(GridError::TooMany)?;
    let is_set = |name: &str| axes.iter().any(|(key, _)| key == name);
    let bare = config.variations.iter().map(|variation| Variation {
        params: variation
            .params
            .iter()
            .filter(|(name, _)| !is_set(name))
            .cloned()
            .collect(),
        ..variation.clone()
    });
    let bare: Vec<Variation> = bare.collect();
    let grid = Config {
        variations: matrix::combine(&bare, &points),
        ..config.clone()
    };
    if let Some(name) = matrix::repeated(&grid.variations) {
        return Err(GridError::Repeated { name });
    }
    if grid.runs() > MOST_RUNS {
        return Err(GridError::TooMany);
    }
    match checks::unfilled(&grid).into_iter().next() {
        Some(unfilled) => Err(GridError::Template(unfilled.error)),
        None => Ok(grid),
    }
}

fn refuse_set_twice(axes: &[Axis]) -> Result<(), GridError> {
    for (at, (key, _)) in axes.iter().enumerate() {
        if axes[..at].iter().any(|(earlier, _)| earlier == key) {
            return Err(GridError::SetTwice { key: key.clone() });
        }
    }
    Ok(())
}
