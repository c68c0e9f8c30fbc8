//! What runs were given: params and config snapshots, key by key, and where they differ.
//!
//! Not here: what came out of them. Invariant: equality is that of params (`1` and `1.0` agree), a key that a
//! subject lacks is missing, not empty.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;
use trialbook_model::id::ExperimentNo;
use trialbook_model::record::Param;
use trialbook_model::setup::SETUP_SNAPSHOT;
use trialbook_store::nouns::ExperimentRow;
use trialbook_store::reading::Reading;

use super::Subject;

/// The kind under which a run keeps its config.
const CONFIG: &str = "config";
/// Maps deeper than this inside each other are one value.
const DEEPEST: usize = 32;
/// Parts of an experiment's config that are shown elsewhere: its words, and the params of its runs.
const SHOWN_ELSEWHERE: [&str; 2] = ["experiment", "variations"];

/// Where a setting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A param.
    Param,
    /// A key of the setup, else of the config snapshot, else of the experiment's config; nested ones with dots.
    Config,
}

/// What a subject has under a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Held {
    /// The value, the same in all of its runs that have one.
    One(String),
    /// Its runs have different values: so many.
    Several {
        /// How many.
        different: usize,
    },
    /// Nothing.
    Missing,
}

/// A setting of all subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Where it stands.
    pub source: Source,
    /// Its key.
    pub key: String,
    /// What each subject has.
    pub values: Vec<Held>,
    /// Whether the subjects differ in it.
    pub differs: bool,
}

/// All settings: those that differ first, params before configs, by key.
pub(super) fn settings<R: Reading>(
    reading: &R,
    subjects: &[Subject],
    experiments: &BTreeMap<ExperimentNo, ExperimentRow>,
) -> Result<Vec<Setting>, R::Error> {
    let mut rows = params(subjects);
    rows.extend(configs(reading, subjects, experiments)?);
    rows.sort_by(|one, other| {
        let place = |row: &Setting| (!row.differs, row.source, row.key.clone());
        place(one).cmp(&place(other))
    });
    Ok(rows)
}

fn params(subjects: &[Subject]) -> Vec<Setting> {
    let mut table: BTreeMap<&str, Vec<Vec<&Param>>> = BTreeMap::new();
    for (at, subject) in subjects.iter().enumerate() {
        for run in &subject.runs {
            for (key, held) in &run.state.params {
                let cells = table
                    .entry(key)
                    .or_insert_with(|| vec![Vec::new(); subjects.len()]);
                let known = &mut cells[at];
                if !known.iter().any(|param| param.same(held.param())) {
                    known.push(held.param());
                }
            }
        }
    }
    let setting = |(key, cells): (&str, Vec<Vec<&Param>>)| {
        let first = &cells[0];
        let same = |cell: &Vec<&Param>| match (&cell[..], &first[..]) {
            ([one], [other]) => one.same(other),
            ([], []) => true,
            (_, _) => false,
        };
        let differs = !cells.iter().all(same);
        let held = |cell: &Vec<&Param>| match &cell[..] {
            [] => Held::Missing,
            [one] => Held::One(one.text.clone()),
            several => Held::Several {
                different: several.len(),
            },
        };
        Setting {
            source: Source::Param,
            key: key.to_owned(),
            values: cells.iter().map(held).collect(),
            differs,
        }
    };
    table.into_iter().map(setting).collect()
}

type Flat = Rc<BTreeMap<String, String>>;

fn configs<R: Reading>(
    reading: &R,
    subjects: &[Subject],
    experiments: &BTreeMap<ExperimentNo, ExperimentRow>,
) -> Result<Vec<Setting>, R::Error> {
    let mut snapshots: BTreeMap<String, Flat> = BTreeMap::new();
    let mut documents: BTreeMap<ExperimentNo, Flat> = BTreeMap::new();
    let mut of_subjects: Vec<Vec<Flat>> = Vec::new();
    for subject in subjects {
        let mut found: Vec<Flat> = Vec::new();
        for run in &subject.runs {
            let kept = &run.state.snapshots;
            // What the run's own user says of it goes before the config that it was planned by.
            let kept = kept.get(SETUP_SNAPSHOT).or_else(|| kept.get(CONFIG));
            let flat = if let Some(sum) = kept {
                if !snapshots.contains_key(&sum.value) {
                    let document = reading.snapshot(&sum.value)?.unwrap_or(Value::Null);
                    let flat = flattened(&without_shown(document));
                    snapshots.insert(sum.value.clone(), Rc::new(flat));
                }
                Rc::clone(&snapshots[&sum.value])
            } else {
                let of_experiment = || Rc::new(of_experiment(experiments.get(&run.experiment)));
                let known = documents.entry(run.experiment);
                Rc::clone(known.or_insert_with(of_experiment))
            };
            if !found.iter().any(|known| Rc::ptr_eq(known, &flat)) {
                found.push(flat);
            }
        }
        of_subjects.push(found);
    }
    let all = || of_subjects.iter().flatten();
    let keys: BTreeSet<&String> = all().flat_map(|flat| flat.keys()).collect();
    let row = |key: &String| setting_of(key, &of_subjects);
    Ok(keys.into_iter().map(row).collect())
}

fn setting_of(key: &str, of_subjects: &[Vec<Flat>]) -> Setting {
    let held = |flats: &Vec<Flat>| {
        let values: BTreeSet<Option<&String>> = flats.iter().map(|flat| flat.get(key)).collect();
        let mut several = values.iter().flatten();
        match (values.len(), several.next()) {
            (_, None) => Held::Missing,
            (1, Some(one)) => Held::One((*one).clone()),
            (different, Some(_)) => Held::Several { different },
        }
    };
    let values: Vec<Held> = of_subjects.iter().map(held).collect();
    let is_plain = |value: &Held| match value {
        Held::One(_) | Held::Missing => true,
        Held::Several { .. } => false,
    };
    let differs = !values
        .iter()
        .all(|value| is_plain(value) && *value == values[0]);
    Setting {
        source: Source::Config,
        key: key.to_owned(),
        values,
        differs,
    }
}

fn of_experiment(experiment: Option<&ExperimentRow>) -> BTreeMap<String, String> {
    let config = experiment.and_then(|row| row.state.config());
    let document = config.map_or(Value::Null, |config| config.document.clone());
    flattened(&without_shown(document))
}

/// The config of an experiment without what is shown elsewhere; other documents as they are.
fn without_shown(mut document: Value) -> Value {
    if let Some(map) = document.as_object_mut()
        && map.contains_key("task")
    {
        for key in SHOWN_ELSEWHERE {
            map.remove(key);
        }
    }
    document
}

/// The leaves of a document by their paths: `agents.planner.model`. The elements of a list are called by
/// their `name` (else `key`, else `metric`) where each has one of its own, else by their place.
pub fn flattened(document: &Value) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    flatten(String::new(), document, DEEPEST, &mut leaves);
    leaves
}

fn flatten(path: String, value: &Value, depth: usize, leaves: &mut BTreeMap<String, String>) {
    let below = |key: &str| match path.as_str() {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    };
    match value {
        Value::Object(map) if depth > 0 && !map.is_empty() => {
            for (key, inner) in map {
                flatten(below(key), inner, depth - 1, leaves);
            }
        }
        Value::Array(list) if depth > 0 && !list.is_empty() => {
            let names = ["name", "key", "metric"]
                .iter()
                .find_map(|word| names_of(list, word));
            for (at, inner) in list.iter().enumerate() {
                let path = match &names {
                    Some(names) => below(names[at]),
                    None => format!("{path}[{at}]"),
                };
                flatten(path, inner, depth - 1, leaves);
            }
        }
        Value::Null if path.is_empty() => {}
        Value::String(text) => {
            leaves.insert(path, text.clone());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            leaves.insert(path, trialbook_model::canonical::to_string(value));
        }
    }
}

/// What the elements of a list say under a key, where each says something of its own.
fn names_of<'a>(list: &'a [Value], key: &str) -> Option<Vec<&'a str>> {
    let names: Option<Vec<&str>> = list.iter().map(|it| it[key].as_str()).collect();
    let names = names?;
    let distinct: BTreeSet<&&str> = names.iter().collect();
    (distinct.len() == names.len()).then_some(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_keys_are_paths_and_named_elements_keep_their_names() {
        let leaves = flattened(&json!({
            "agents": [{"name": "planner", "model": {"id": "a", "t": 0.0}}, {"name": "critic"}],
            "steps": [1, "two"],
            "none": null,
            "empty": {},
        }));
        let expected = [
            ("agents.critic.name", "critic"),
            ("agents.planner.model.id", "a"),
            ("agents.planner.model.t", "0"),
            ("agents.planner.name", "planner"),
            ("empty", "{}"),
            ("none", "null"),
            ("steps[0]", "1"),
            ("steps[1]", "two"),
        ];
        let leaves: Vec<(&str, &str)> = leaves
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(leaves, expected);
        assert!(flattened(&Value::Null).is_empty());
    }
}
