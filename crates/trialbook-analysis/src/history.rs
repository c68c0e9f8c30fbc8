//! Analyses that are kept with their experiment: where, and how often a question was asked before.
//!
//! An analysis is a document of canonical form among the artifacts of its experiment, under
//! `analyses/QUESTION/DATA.json`, both 12 digits of a hash. So the same question on the same data is the same file, and
//! the files of one question are the looks at a growing experiment. Not here: writing them.
//! Invariant: the number of a look does not change when later ones are made.

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

/// Which look at these data is, from 1: answers on other data that were kept before come first.
pub(crate) fn look(experiment: &ExperimentRow, question: &Question, inputs: &Inputs) -> u64 {
    let (folder, own) = (folder(question), path(question, inputs));
    let artifacts = &experiment.state.records.artifacts;
    let first = |path: &str| artifacts.get(path)?.first().map(|version| version.stamp);
    let own_stamp = first(&own);
    let others = artifacts
        .keys()
        .filter(|path| path.starts_with(&folder) && **path != own);
    let earlier = others.filter(|path| match (first(path), own_stamp) {
        (Some(other), Some(own)) => other < own,
        (Some(_), None) => true,
        (None, _) => false,
    });
    1 + earlier.count() as u64
}
