//! The arms of an experiment: its variations, or its runs by the values of params, tags and attributes.
//!
//! Not here: what came out of them. Invariant: of several attempts at a trial one counts; arms and their trials
//! have an order that does not depend on the order in which runs were recorded.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use trialbook_model::config::Config;
use trialbook_model::filter::{Key, KeyKind, Row as _, Value};
use trialbook_model::state::ProjectState;
use trialbook_store::index::{ExperimentFacts, RunFacts, RunView};
use trialbook_store::nouns::{ExperimentRow, RunRow};
use trialbook_store::reading::Reading;

use crate::variations::{Group, Trials, config_of, trials};

/// One arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// Its name; unlike all others.
    pub name: String,
    /// The attempt that counts of each trial, by trial, start and id.
    pub runs: Vec<RunRow>,
    /// Attempts that a later one replaced.
    pub superseded: u64,
}

/// Why the arms are these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Division {
    /// By the keys that were asked for.
    Asked(Vec<String>),
    /// By variation.
    Variations,
    /// By the one param that varies.
    OnlyParam(String),
    /// Nothing varies: all runs are one arm.
    Whole,
}

/// The arms of an experiment.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the arms are what it holds")]
pub struct Arms {
    /// Why they are these.
    pub division: Division,
    /// The arms: variations in the order of the config, others by their values.
    pub arms: Vec<Arm>,
    /// Runs that belong to none: they lack a key, or belong to no variation.
    pub outside: u64,
    /// Archived runs, which are left out.
    pub archived: u64,
}

/// Why runs cannot be divided into arms.
#[derive(Debug, thiserror::Error)]
pub enum ArmsError<E: std::error::Error + 'static> {
    /// Several params vary and nothing says which of them makes the arms.
    #[error("{} params vary: `{}`", .params.len(), .params.join("`, `"))]
    SeveralVary {
        /// They.
        params: Vec<String>,
    },
    /// No run has the keys that were asked for.
    #[error("no run of the experiment has `{key}`")]
    NoSuchKey {
        /// The first key that no run has.
        key: String,
    },
    /// The book cannot be read.
    #[error(transparent)]
    Reading(#[from] E),
}

impl<E: std::error::Error> ArmsError<E> {
    /// What to do.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::SeveralVary { .. } => Some("name those that make the arms: `--by KEY[,KEY]`"),
            Self::NoSuchKey { .. } => Some(
                "`--by` takes params, tags (`tags.NAME`) and attributes; `trialbook show RUN` lists them",
            ),
            Self::Reading(_) => None,
        }
    }
}

/// What a run has under the keys that make arms and pairs.
pub(crate) struct Lookup {
    experiment: ExperimentFacts,
}

impl Lookup {
    pub(crate) fn new(experiment: &ExperimentRow, project: &ProjectState) -> Self {
        Self {
            experiment: ExperimentFacts::of(experiment, project),
        }
    }

    /// The value of a key as text; a name alone is an attribute, then a param, then a tag.
    pub(crate) fn text(&self, run: &RunRow, key: &Key) -> Option<String> {
        let facts = RunFacts::of(run);
        let view = RunView {
            run: &facts,
            experiment: &self.experiment,
        };
        let kinds: &[KeyKind] = match key.kind {
            KeyKind::Bare => &[KeyKind::Param, KeyKind::Tag],
            // Seeds and trials that nobody planned are params of the runs.
            KeyKind::Attribute => &[KeyKind::Attribute, KeyKind::Param, KeyKind::Tag],
            KeyKind::Metric => &[KeyKind::Metric],
            KeyKind::Param => &[KeyKind::Param],
            KeyKind::Tag => &[KeyKind::Tag],
            KeyKind::Dataset => &[],
        };
        let value = kinds.iter().find_map(|kind| view.value(*kind, key))?;
        Some(match value {
            Value::Number(number) => number.to_string(),
            Value::Time(millis) => millis.to_string(),
            Value::Text(text, Some(_)) => {
                trialbook_model::canonical::number(&text).unwrap_or_else(|| text.into_owned())
            }
            Value::Text(text, None) => text.into_owned(),
        })
    }
}

/// Divides the runs of an experiment: by keys, else by variation, else by the one param that varies.
///
/// # Errors
/// Where nothing says what makes the arms, or the reading fails.
pub fn arms<R: Reading>(
    reading: &R,
    experiment: &ExperimentRow,
    by: &[Key],
) -> Result<Arms, ArmsError<R::Error>> {
    let config = config_of(experiment);
    let Trials { groups, archived } = trials(reading, experiment.no, config.as_ref())?;
    let mut arms = if !by.is_empty() {
        let project = reading.project(experiment.state.project())?;
        let lookup = Lookup::new(experiment, &project);
        let titles: Vec<String> = by.iter().map(ToString::to_string).collect();
        let mut arms = divided(groups, by, &titles, &lookup)?;
        arms.division = Division::Asked(titles);
        arms
    } else if config.is_some() || groups.iter().any(|group| group.name.is_some()) {
        by_variation(groups, config.as_ref())
    } else {
        by_only_param(groups)?
    };
    arms.archived = archived;
    Ok(arms)
}

/// Divides some runs of an experiment by keys; each of them counts.
///
/// # Errors
/// Where none of them has a key, or the reading fails.
pub fn of_runs<R: Reading>(
    reading: &R,
    (experiment, runs): (&ExperimentRow, Vec<RunRow>),
    by: &[Key],
) -> Result<Arms, ArmsError<R::Error>> {
    let project = reading.project(experiment.state.project())?;
    let lookup = Lookup::new(experiment, &project);
    let titles: Vec<String> = by.iter().map(ToString::to_string).collect();
    let groups = vec![Group {
        name: None,
        runs,
        superseded: 0,
    }];
    let mut arms = divided(groups, by, &titles, &lookup)?;
    arms.division = Division::Asked(titles);
    Ok(arms)
}

fn by_variation(groups: Vec<Group>, config: Option<&Config>) -> Arms {
    let planned = config.map_or(0, |config| config.variations.len());
    let mut outside = 0;
    let mut arms = Vec::new();
    for group in groups {
        match group.name {
            Some(name) => arms.push(arm(name, group.runs, group.superseded)),
            None => outside += group.runs.len() as u64,
        }
    }
    let planned = planned.min(arms.len());
    arms[planned..].sort_by(|one, other| natural(&one.name, &other.name));
    Arms {
        division: Division::Variations,
        arms,
        outside,
        archived: 0,
    }
}

fn arm(name: String, mut runs: Vec<RunRow>, superseded: u64) -> Arm {
    // Neighbours in this order are looked at for likeness: without trials the order of time says who they are, where
    // that of ids says nothing.
    runs.sort_by_key(|run| {
        let trial = run.state.start().and_then(|start| start.trial);
        (trial, run.state.started(), run.uid)
    });
    Arm {
        name,
        runs,
        superseded,
    }
}

fn by_only_param<E: std::error::Error>(groups: Vec<Group>) -> Result<Arms, ArmsError<E>> {
    let mut values: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for run in groups.iter().flat_map(|group| &group.runs) {
        for (key, held) in &run.state.params {
            let text = &held.param().text;
            let text = trialbook_model::canonical::number(text).unwrap_or_else(|| text.clone());
            let known = values.entry(key.clone()).or_default();
            *known.entry(text).or_default() += 1;
        }
    }
    values.retain(|_, values| values.len() > 1);
    // What is another in every run makes no arms where something else does, nor does a seed, which repeats what is
    // compared.
    let mut repeated = values.clone();
    repeated.retain(|key, values| !is_seed(key) && values.values().any(|runs| *runs > 1));
    let varying = if repeated.is_empty() {
        values
    } else {
        repeated
    };
    let mut keys: Vec<String> = varying.into_keys().collect();
    match (keys.pop(), keys.is_empty()) {
        (None, _) => Ok(whole(groups)),
        (Some(only), true) => {
            let key = Key::new(KeyKind::Param, only.clone());
            let mut arms = divided_by_param(groups, &key);
            arms.division = Division::OnlyParam(only);
            Ok(arms)
        }
        (Some(last), false) => {
            keys.push(last);
            Err(ArmsError::SeveralVary { params: keys })
        }
    }
}

fn is_seed(key: &str) -> bool {
    let name = key.rsplit('.').next().unwrap_or(key);
    ["seed", "random_seed", "random_state"].contains(&name.to_ascii_lowercase().as_str())
}

fn whole(groups: Vec<Group>) -> Arms {
    let superseded = groups.iter().map(|group| group.superseded).sum();
    let runs: Vec<RunRow> = groups.into_iter().flat_map(|group| group.runs).collect();
    let arms = if runs.is_empty() {
        Vec::new()
    } else {
        vec![arm("all runs".to_owned(), runs, superseded)]
    };
    Arms {
        division: Division::Whole,
        arms,
        outside: 0,
        archived: 0,
    }
}

fn divided_by_param(groups: Vec<Group>, key: &Key) -> Arms {
    let text = |run: &RunRow| {
        let held = run.state.params.get(&key.name)?;
        let text = &held.param().text;
        Some(trialbook_model::canonical::number(text).unwrap_or_else(|| text.clone()))
    };
    let of = |run: &RunRow| text(run).map(|text| vec![text]);
    sorted_into(groups, std::slice::from_ref(&key.name), of)
}

fn divided<E: std::error::Error>(
    groups: Vec<Group>,
    by: &[Key],
    titles: &[String],
    lookup: &Lookup,
) -> Result<Arms, ArmsError<E>> {
    let runs = || groups.iter().flat_map(|group| &group.runs);
    for (key, title) in by.iter().zip(titles) {
        if runs().next().is_some() && !runs().any(|run| lookup.text(run, key).is_some()) {
            return Err(ArmsError::NoSuchKey { key: title.clone() });
        }
    }
    let values = |run: &RunRow| by.iter().map(|key| lookup.text(run, key)).collect();
    let names: Vec<String> = by.iter().map(|key| key.name.clone()).collect();
    Ok(sorted_into(groups, &names, values))
}

fn sorted_into(
    groups: Vec<Group>,
    keys: &[String],
    values: impl Fn(&RunRow) -> Option<Vec<String>>,
) -> Arms {
    let mut found: BTreeMap<Vec<String>, Vec<RunRow>> = BTreeMap::new();
    let mut outside = 0;
    for run in groups.into_iter().flat_map(|group| group.runs) {
        match values(&run) {
            Some(values) => found.entry(values).or_default().push(run),
            None => outside += 1,
        }
    }
    let mut found: Vec<(Vec<String>, Vec<RunRow>)> = found.into_iter().collect();
    found.sort_by(|(one, _), (other, _)| {
        let pairs = one.iter().zip(other);
        pairs.fold(Ordering::Equal, |order, (one, other)| {
            order.then_with(|| natural(one, other))
        })
    });
    let named = |(values, runs): (Vec<String>, Vec<RunRow>)| {
        let parts = keys.iter().zip(&values);
        let parts: Vec<String> = parts.map(|(key, value)| format!("{key}={value}")).collect();
        // Attempts replaced belong to trials, which these arms do not have: a retried run says so itself.
        arm(parts.join(", "), runs, 0)
    };
    Arms {
        division: Division::Whole,
        arms: found.into_iter().map(named).collect(),
        outside,
        archived: 0,
    }
}

/// Numbers by their size, before texts by their letters.
fn natural(one: &str, other: &str) -> Ordering {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| !number.is_nan());
    match (number(one), number(other)) {
        (Some(left), Some(right)) => left.total_cmp(&right).then_with(|| one.cmp(other)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => one.cmp(other),
    }
}

impl Arms {
    /// The names of the arms.
    pub fn names(&self) -> BTreeSet<&str> {
        self.arms.iter().map(|arm| arm.name.as_str()).collect()
    }
}
