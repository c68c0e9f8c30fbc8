//! The oracles: every case of a procedure that this crate offers must agree to its tolerance.
//!
//! Reads every `stats-oracle/1` file in the folder that `TRIALBOOK_ORACLES` names (by default the files beside this
//! one) and prints, per family, the cases that passed, failed and are not offered. One module per family knows how
//! to ask the crate; a case is dispatched by its function's name, so that files may mix functions.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it has to be"
)]

mod anova;
mod args;
mod correlation;
mod descriptive;
mod effect_sizes;
mod evals;
mod found;
mod generators;
mod multiple_comparisons;
mod power;
mod proportions;
mod rank_tests;
mod resampling;
mod special;
mod t_tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use args::Args;
use found::{Found, Outcome};

/// How a family is asked, and what of it is not offered.
struct Family {
    name: &'static str,
    /// The answer to a function of this family, or `None` where it is not one of those that are offered.
    ask: fn(&str, &Args<'_>) -> Option<Outcome>,
    /// Functions, and single outputs as `function.output`, that this crate does not offer.
    not_offered: &'static [&'static str],
}

/// A line per family: its module is the only other place to change.
const FAMILIES: [Family; 13] = [
    family("anova", anova::ask, anova::NOT_OFFERED),
    family("correlation", correlation::ask, correlation::NOT_OFFERED),
    family("descriptive", descriptive::ask, descriptive::NOT_OFFERED),
    family("effect_sizes", effect_sizes::ask, effect_sizes::NOT_OFFERED),
    family("evals", evals::ask, evals::NOT_OFFERED),
    family("generators", generators::ask, generators::NOT_OFFERED),
    family(
        "multiple_comparisons",
        multiple_comparisons::ask,
        multiple_comparisons::NOT_OFFERED,
    ),
    family("power", power::ask, power::NOT_OFFERED),
    family("proportions", proportions::ask, proportions::NOT_OFFERED),
    family("rank_tests", rank_tests::ask, rank_tests::NOT_OFFERED),
    family("resampling", resampling::ask, resampling::NOT_OFFERED),
    family("special", special::ask, special::NOT_OFFERED),
    family("t_tests", t_tests::ask, t_tests::NOT_OFFERED),
];

/// The family of certified values, whose cases ask the functions of the others.
const CERTIFIED: &str = "nist";

const fn family(
    name: &'static str,
    ask: fn(&str, &Args<'_>) -> Option<Outcome>,
    not_offered: &'static [&'static str],
) -> Family {
    Family {
        name,
        ask,
        not_offered,
    }
}

/// What became of a file's cases.
#[derive(Default)]
struct Tally {
    passed: usize,
    not_offered: usize,
    failures: Vec<String>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the folder of the oracles is this test's only input"
)]
fn folder() -> PathBuf {
    std::env::var("TRIALBOOK_ORACLES").map_or_else(|_| own_folder(), PathBuf::from)
}

/// The folder whose files are all there; another one may hold some of them.
fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles")
}

/// The documents of the schema in a folder, by name.
fn documents(folder: &Path) -> Vec<(String, Value)> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let document: Value =
                serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            (document["schema"] == "stats-oracle/1").then_some((name, document))
        })
        .collect()
}

fn not_offered(name: &str) -> bool {
    FAMILIES
        .iter()
        .any(|family| family.not_offered.contains(&name))
}

fn judge(case: &Value, family: &str, tally: &mut Tally) {
    let (id, function) = (case["id"].as_str().unwrap(), case["fn"].as_str().unwrap());
    let args = Args::of(&case["args"]);
    let Some(answer) = FAMILIES
        .iter()
        .find_map(|family| (family.ask)(function, &args))
    else {
        tally.not_offered += 1;
        let promised = FAMILIES.iter().any(|ours| ours.name == family) || family == CERTIFIED;
        if promised && !not_offered(function) {
            tally
                .failures
                .push(format!("{id}: `{function}` is not offered"));
        }
        return;
    };
    if not_offered(function) {
        let failure = format!("{id}: `{function}` is offered: take it off the list");
        tally.failures.push(failure);
    }
    let found = answer.unwrap_or_else(Found::Undefined);
    let differences = found::differences(case, &found, not_offered);
    if differences.is_empty() {
        tally.passed += 1;
    }
    tally.failures.extend(differences);
}

#[test]
fn every_offered_case_agrees() {
    let folder = folder();
    let documents = documents(&folder);
    assert!(!documents.is_empty(), "no oracles in {}", folder.display());
    if folder == own_folder() {
        let families = documents.iter().map(|(_, document)| &document["family"]);
        let found: BTreeSet<&str> = families.map(|name| name.as_str().unwrap()).collect();
        let ours = FAMILIES.iter().map(|family| family.name);
        let expected: BTreeSet<&str> = ours.chain([CERTIFIED]).collect();
        assert_eq!(found, expected, "a family is without its oracles");
    }
    println!(
        "{:<24}{:>8}{:>8}{:>13}",
        "family", "passed", "failed", "not offered"
    );
    let mut failures = Vec::new();
    for (name, document) in &documents {
        let cases = document["cases"].as_array().unwrap();
        assert_eq!(Some(cases.len() as u64), document["n_cases"].as_u64());
        let family = document["family"].as_str().unwrap();
        let mut tally = Tally::default();
        for case in cases {
            judge(case, family, &mut tally);
        }
        let failed = cases.len() - tally.passed - tally.not_offered;
        println!(
            "{name:<24}{:>8}{failed:>8}{:>13}",
            tally.passed, tally.not_offered
        );
        failures.extend(
            tally
                .failures
                .into_iter()
                .map(|line| format!("{name}: {line}")),
        );
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
