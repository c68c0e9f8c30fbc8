//! What MLflow's words and numbers mean here, and back.
//!
//! Invariant: every id follows from the store's own.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use trialbook_model::id::{EntryUid, ExperimentUid, RunUid, Uid};
use trialbook_model::record::{Param, ParamKind};
use trialbook_model::state::{DEFAULT_EXPERIMENT, MODEL, PROMPT};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

use super::store::{Collection, Experiment};

/// The tag that repeats a run's name.
pub(super) const RUN_NAME: &str = "mlflow.runName";
/// The tag that names the run above.
pub(super) const PARENT: &str = "mlflow.parentRunId";

/// The tag that is the main note.
pub(super) const NOTE: &str = "mlflow.note.content";
/// The tag that says what a dataset was used for.
const CONTEXT: &str = "mlflow.data.context";
/// The tag of prompts among registered models.
const IS_PROMPT: &str = "mlflow.prompt.is_prompt";

/// The workspace of everything that names none.
pub(super) const DEFAULT_WORKSPACE: &str = "default";

/// The states by their numbers, from 1, and their words.
const STATES: [(&str, RunStatus); 5] = [
    ("RUNNING", RunStatus::Running),
    ("SCHEDULED", RunStatus::Queued),
    ("FINISHED", RunStatus::Completed),
    ("FAILED", RunStatus::Failed),
    ("KILLED", RunStatus::Cancelled),
];

/// A state by its word, or by its number as files have it.
pub(super) fn status(text: &str) -> Option<RunStatus> {
    let by_number = |number: usize| STATES.get(number.checked_sub(1)?);
    let state = match text.parse() {
        Ok(number) => by_number(number),
        Err(_) => STATES.iter().find(|(word, _)| *word == text),
    };
    state.map(|(_, status)| *status)
}

/// The word of a state.
pub(super) fn status_word(status: RunStatus) -> &'static str {
    let state = STATES.iter().find(|(_, state)| *state == status);
    state.map_or("RUNNING", |(word, _)| word)
}

/// The words of states of logged models, by their numbers.
const MODEL_STATES: [&str; 4] = ["unspecified", "pending", "ready", "failed"];

/// The word of the state of a logged model or a version, from MLflow's word or number.
pub(super) fn entry_status(text: &str) -> String {
    let number = text.parse::<usize>().ok();
    let word = number.and_then(|number| MODEL_STATES.get(number));
    let plain = || {
        text.trim_start_matches("LOGGED_MODEL_")
            .to_ascii_lowercase()
    };
    word.map_or_else(plain, |word| (*word).to_owned())
}

/// The number of a state.
pub(super) fn status_number(status: RunStatus) -> u64 {
    let at = STATES.iter().position(|(_, state)| *state == status);
    at.unwrap_or_default() as u64 + 1
}

/// The number of the state of a logged model, from its word.
pub(super) fn model_status(word: Option<&str>) -> u64 {
    let at = MODEL_STATES.iter().position(|state| Some(*state) == word);
    at.unwrap_or_default() as u64
}

/// The id of a logged model.
pub(super) fn model_id(uid: EntryUid) -> String {
    format!("m-{uid}")
}

/// A tag of the use of a dataset, as MLflow calls it.
pub(super) fn told_use_tag(key: &str) -> String {
    if key == "context" { CONTEXT } else { key }.to_owned()
}

/// The tags of the use of a dataset.
pub(super) fn use_tags(tags: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let plain = |key: String| {
        if key == CONTEXT {
            "context".to_owned()
        } else {
            key
        }
    };
    tags.into_iter()
        .map(|(key, text)| (plain(key), text))
        .collect()
}

/// What kind of collection registered models with such tags are.
pub(super) fn collection_kind(tags: &BTreeMap<String, String>) -> &'static str {
    let told = tags.get(IS_PROMPT);
    if told.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        PROMPT
    } else {
        MODEL
    }
}

/// Milliseconds since 1970 as a time.
pub(super) fn time(millis: i64) -> Timestamp {
    Timestamp(millis.saturating_mul(1000))
}

/// A param as its text says: MLflow keeps texts alone.
pub(super) fn param(text: &str) -> Param {
    let digits = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let is_number =
        |text: &str| text.bytes().all(digits) && text.parse::<f64>().is_ok_and(f64::is_finite);
    let kind = match text {
        "true" | "false" => ParamKind::Bool,
        text if is_number(text) => ParamKind::Number,
        _ => ParamKind::Text,
    };
    let text = text.to_owned();
    Param { text, kind }
}

fn uid(parts: &[&str]) -> Uid {
    let mut hash = Sha256::new();
    for part in ["mlflow"].iter().chain(parts) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut uid = [0; 16];
    uid.copy_from_slice(&hash.finalize()[..16]);
    Uid(uid)
}

/// The uid of a run: its own id, which has that form in all but odd stores.
pub(super) fn run_uid(id: &str) -> RunUid {
    RunUid(id.parse().unwrap_or_else(|_| uid(&["run", id])))
}

/// The uid of a logged model: the digits of its id, which has that form in all but odd stores.
pub(super) fn model_uid(id: &str) -> EntryUid {
    let digits = id.strip_prefix("m-").unwrap_or(id);
    EntryUid(digits.parse().unwrap_or_else(|_| uid(&["model", id])))
}

/// The uid of a registered model, which its name is known by while it lives.
pub(super) fn collection_uid(collection: &Collection) -> EntryUid {
    let created = collection.created.unwrap_or_default().to_string();
    EntryUid(uid(&[
        "collection",
        &collection.workspace,
        &created,
        &collection.name,
    ]))
}

/// The uid of a version.
pub(super) fn version_uid(collection: EntryUid, number: u64) -> EntryUid {
    EntryUid(uid(&[
        "version",
        &collection.to_string(),
        &number.to_string(),
    ]))
}

/// The uid of an experiment. Small numbers are the same in every store, so the time of creation tells them
/// apart, or the name where that time is not known.
pub(super) fn experiment_uid(experiment: &Experiment) -> ExperimentUid {
    if is_default(experiment) {
        return ExperimentUid::default();
    }
    let made = match experiment.created {
        Some(created) => created.to_string(),
        None => experiment.name.clone(),
    };
    ExperimentUid(uid(&[
        "experiment",
        &experiment.workspace,
        &experiment.id,
        &made,
    ]))
}

/// Whether it is the experiment of everything that names none.
pub(super) fn is_default(experiment: &Experiment) -> bool {
    experiment.id == "0"
        && experiment.name == DEFAULT_EXPERIMENT
        && experiment.workspace == DEFAULT_WORKSPACE
}

/// Whether an id of an experiment can be meant only by the store that gave it: numbers of databases begin at 1.
pub(super) fn is_telling(id: &str) -> bool {
    id.len() >= 12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_words_and_numbers() {
        for (at, (word, state)) in STATES.iter().enumerate() {
            assert_eq!(status(word), Some(*state));
            assert_eq!(status(&(at + 1).to_string()), Some(*state));
            assert_eq!(status_word(*state), *word);
        }
        for odd in ["", "0", "6", "-1", "running", "DONE"] {
            assert_eq!(status(odd), None, "{odd}");
        }
    }

    #[test]
    fn params_keep_their_text() {
        use ParamKind::{Bool, Number, Text};
        for (text, kind) in [
            ("0.10", Number),
            ("-1e-3", Number),
            ("true", Bool),
            ("True", Text),
            ("None", Text),
            ("nan", Text),
            ("1e999", Text),
            ("", Text),
            ("1.2.3", Text),
        ] {
            assert_eq!(
                param(text),
                Param {
                    text: text.to_owned(),
                    kind
                },
                "{text}"
            );
        }
    }

    #[test]
    fn run_ids_stay_and_odd_ones_follow_from_themselves() {
        let id = "00ff10a07b3c4d5e6f708192a3b4c5d6";
        assert_eq!(run_uid(id).to_string(), id);
        assert_eq!(run_uid("odd"), run_uid("odd"));
        assert_ne!(run_uid("odd"), run_uid("even"));
    }
}
