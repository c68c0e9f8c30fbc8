//! Analyses that are kept with their experiment: where, and how often a question was asked before.
//!
//! An analysis is a document of canonical form among the artifacts of its experiment, under
//! `analyses/QUESTION/DATA.json`, both 12 digits of a hash. So the same question on the same data is the same file, and
//! the files of one question are the looks at a growing experiment. Not here: writing them.
//! Invariant: the number of a look and that of a question do not change when
//! later ones are made.

use std::collections::BTreeSet;

use serde::Serialize;
use trialbook_store::nouns::ExperimentRow;

use crate::finding::{Analysis, Inputs, Question, SCHEMA};

/// The folder of all analyses among an experiment's artifacts.
pub const FOLDER: &str = "analyses";
/// The type of such an artifact.
pub const TYPE: &str = "analysis";
/// Digits of a hash in a path.
const DIGITS: usize = 12;

/// Where an analysis is kept among the artifacts of its experiment.
pub fn path(question: &Question, inputs: &Inputs) -> String {
    let data = &inputs.data[..DIGITS];
    format!("{}{data}.json", folder(question))
}

fn folder(question: &Question) -> String {
    let question = question.hash();
    format!("{FOLDER}/{}/", &question[..DIGITS])
}

/// The bytes of an analysis: JSON in the order of its fields behind the version, with a line feed at the end.
pub fn bytes(analysis: &Analysis) -> Vec<u8> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: u32,
        #[serde(flatten)]
        analysis: &'a Analysis,
    }
    let document = Document {
        schema: SCHEMA,
        analysis,
    };
    let mut text = serde_json::to_vec_pretty(&document).expect("texts and finite numbers are JSON");
    text.push(b'\n');
    text
}

/// The sum of what is kept of an analysis, if it is kept.
pub fn kept<'a>(experiment: &'a ExperimentRow, analysis: &Analysis) -> Option<&'a str> {
    let path = path(&analysis.question, &analysis.inputs);
    let versions = experiment.state.records.artifacts.get(&path)?;
    let last = versions.last().filter(|version| !version.value.removed)?;
    last.value.sha256.as_deref()
}

/// What was asked of an experiment before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Past {
    /// Which look this is, from 1: answers to the same question on other data that were kept before come first.
    pub(crate) look: u64,
    /// Which question this is, from 1: other questions that were answered before come first.
    pub(crate) question: u64,
}

/// What was asked of the experiment before this answer was kept first.
pub(crate) fn past(experiment: &ExperimentRow, question: &Question, inputs: &Inputs) -> Past {
    let (folder, own) = (folder(question), path(question, inputs));
    let artifacts = &experiment.state.records.artifacts;
    let first = |path: &str| Some(artifacts.get(path)?.first()?.stamp);
    let of_question = |folder: &str| {
        let paths = artifacts.keys().filter(|path| path.starts_with(folder));
        paths.filter_map(|path| first(path)).min()
    };
    let own_stamp = first(&own);
    let looks = artifacts
        .keys()
        .filter(|path| path.starts_with(&folder) && **path != own);
    let looks = looks.filter(|path| match (first(path), own_stamp) {
        (Some(other), Some(own)) => other < own,
        (Some(_), None) => true,
        (None, _) => false,
    });
    let asked_first = of_question(&folder);
    let folders: BTreeSet<&str> = artifacts
        .keys()
        .filter_map(|path| other_folder(path))
        .collect();
    let questions = folders.into_iter().filter(|other| {
        let earlier = match (of_question(other), asked_first) {
            (Some(other), Some(own)) => other < own,
            (Some(_), None) => true,
            (None, _) => false,
        };
        **other != *folder && earlier
    });
    Past {
        look: 1 + looks.count() as u64,
        question: 1 + questions.count() as u64,
    }
}

/// The folder of the question of a path, where an analysis is kept under it.
fn other_folder(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(FOLDER)?.strip_prefix('/')?;
    let (question, data) = rest.split_once('/')?;
    let is_ours = question.len() == DIGITS && data.strip_suffix(".json").is_some();
    is_ours.then(|| path.strip_suffix(data)).flatten()
}
