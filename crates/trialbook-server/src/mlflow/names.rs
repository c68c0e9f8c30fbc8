//! Names of MLflow's that have a place of their own in the book, and the way there and back.
//!
//! Invariant: nothing is kept in two places; what has a field here is no tag in the book.

use trialbook_model::record::{Op, PutNote, SetField, SetTags, Subject};

/// The tag that is a run's name.
pub(in crate::mlflow) const RUN_NAME: &str = "mlflow.runName";
/// The tag that is the main note.
pub(in crate::mlflow) const NOTE: &str = "mlflow.note.content";
/// The tag that names the user.
pub(in crate::mlflow) const USER: &str = "mlflow.user";
/// The tag that names the run around a run.
pub(in crate::mlflow) const PARENT: &str = "mlflow.parentRunId";
/// The tag that names the program.
pub(in crate::mlflow) const SOURCE_NAME: &str = "mlflow.source.name";
/// The tag that says what kind of program it is.
pub(in crate::mlflow) const SOURCE_TYPE: &str = "mlflow.source.type";
/// The tag that tells of models of old clients.
pub(in crate::mlflow) const MODEL_HISTORY: &str = "mlflow.log-model.history";
/// The field for where an experiment's files are.
pub(in crate::mlflow) const ARTIFACT_LOCATION: &str = "artifact_location";
/// The field for where a run's files are.
pub(in crate::mlflow) const ARTIFACT_URI: &str = "artifact_uri";
/// The field for who runs a run.
pub(in crate::mlflow) const USER_FIELD: &str = "user";
/// What started a run, in its start.
pub(in crate::mlflow) const SOURCE: &str = "mlflow";

/// The main note of something.
pub(in crate::mlflow) fn note(subject: Subject, text: Option<String>) -> Op {
    Op::PutNote(PutNote {
        subject,
        key: String::new(),
        namespace: "default".to_owned(),
        text,
        tags: Vec::new(),
        data: serde_json::Value::Null,
    })
}

/// Tags of something; nothing where there are none.
pub(in crate::mlflow) fn tags(subject: Subject, tags: Vec<(String, Option<String>)>) -> Option<Op> {
    (!tags.is_empty()).then_some(Op::SetTags(SetTags { subject, tags }))
}

const ADJECTIVES: [&str; 48] = [
    "able", "amber", "apt", "bold", "brave", "brisk", "calm", "candid", "clear", "clever", "crisp",
    "deft", "eager", "early", "even", "fair", "fleet", "fond", "frank", "gentle", "glad", "grand",
    "hardy", "honest", "keen", "kind", "lively", "lucid", "mellow", "merry", "neat", "nimble",
    "noble", "patient", "placid", "plain", "proud", "quick", "quiet", "ready", "rustic", "sleek",
    "steady", "stout", "sunny", "swift", "tidy", "witty",
];

const NOUNS: [&str; 48] = [
    "alder", "ant", "badger", "beech", "birch", "bison", "carp", "cedar", "crane", "crow", "deer",
    "dove", "eagle", "elm", "falcon", "fern", "finch", "fox", "gull", "hare", "hawk", "heron",
    "ibis", "jay", "larch", "lark", "linden", "lynx", "maple", "marten", "mole", "moose", "moth",
    "newt", "oak", "otter", "owl", "pine", "plover", "quail", "raven", "robin", "seal", "stork",
    "swan", "tern", "toad", "wren",
];

/// A name for a run that was given none, such as `calm-otter-417`, chosen by random bytes.
pub(in crate::mlflow) fn readable(random: &[u8; 16]) -> String {
    let [a, b, c, d, ..] = random.map(usize::from);
    let adjective = ADJECTIVES[a % ADJECTIVES.len()];
    let noun = NOUNS[b % NOUNS.len()];
    let number = (c << 8 | d) % 1000;
    format!("{adjective}-{noun}-{number}")
}

/// One field of something.
pub(in crate::mlflow) fn field(
    subject: Subject,
    field: &str,
    value: impl Into<serde_json::Value>,
) -> Op {
    Op::SetField(SetField {
        subject,
        field: field.to_owned(),
        value: value.into(),
    })
}
