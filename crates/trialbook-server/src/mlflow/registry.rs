//! What registered models, versions and prompts share: finding them, their names, refusals.
//!
//! A registered model is a collection of the project `default`; a prompt is one, too. Not here: answers, routes.
//! Invariant: what is in the bin is not there for MLflow's clients; its name is free, its numbers are not.

use trialbook_model::id::EntryUid;
use trialbook_model::record::{EntryKind, Op, SetField, Subject};
use trialbook_model::state::{DEFAULT_PROJECT, EntryState, MODEL, PROMPT};
use trialbook_store::nouns::{EntryRow, Owner};
use trialbook_store::query::Entries;
use trialbook_store::reading::Reading as _;

use super::error::{Code, Refusal};
use super::limits::{LimitError, check_length, check_name, normal};
use super::wire::{WireError, message};
use crate::desk::{Draft, Look};

/// The tag that tells a prompt from a model.
pub(in crate::mlflow) const IS_PROMPT: &str = "mlflow.prompt.is_prompt";
/// The tag of a prompt's version that is its text.
pub(in crate::mlflow) const PROMPT_TEXT: &str = "mlflow.prompt.text";
/// The field of a version for a prompt's text.
pub(in crate::mlflow) const TEXT: &str = "text";
/// Characters of a tag's key.
const TAG_KEY_LENGTH: usize = 250;
/// Characters of a tag's value.
const TAG_LENGTH: usize = 100_000;

message! {
    /// A tag of a registered model, a version or a logged model.
    pub(in crate::mlflow) struct Tag {
        key: Option<String>,
        value: Option<String>,
    }
}

/// Why something cannot be done in the registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::mlflow) enum RegistryError {
    /// There is no such model.
    #[error("Registered Model with name={name} not found")]
    UnknownModel {
        /// The name.
        name: String,
    },
    /// There is no such version.
    #[error("Model Version (name={name}, version={version}) not found")]
    UnknownVersion {
        /// The model.
        name: String,
        /// The version as given.
        version: String,
    },
    /// The alias leads nowhere.
    #[error("Registered model alias {alias} not found.")]
    UnknownAlias {
        /// The alias.
        alias: String,
    },
    /// The model has no version at all.
    #[error("Latest version not found for model {name}.")]
    NoVersion {
        /// The model.
        name: String,
    },
    /// The name is taken by one of the same kind.
    #[error("{kind} (name={name}) already exists.")]
    Taken {
        /// What it is.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// The name is taken by one of the other kind.
    #[error(
        "Tried to create a {wanted} with name '{name}', but the name is already taken by a {held}. MLflow does not allow creating a model and a prompt with the same name."
    )]
    TakenByOther {
        /// What was to be created.
        wanted: &'static str,
        /// What has the name.
        held: &'static str,
        /// The name.
        name: String,
    },
    /// Not a name of a model.
    #[error("Invalid model name '{name}'. Names cannot contain '/' or ':'.")]
    ModelName {
        /// The name.
        name: String,
    },
    /// Not a number.
    #[error("Parameter 'version' must be an integer, got '{version}'.")]
    VersionNumber {
        /// The version as given.
        version: String,
    },
    /// Not a name of an alias.
    #[error(
        "Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
    )]
    AliasName {
        /// The alias.
        alias: String,
    },
    /// An alias that means something already.
    #[error("{}", reserved(.alias))]
    AliasReserved {
        /// The alias.
        alias: String,
    },
    /// Not a stage.
    #[error(
        "Invalid Model Version stage: {stage}. Value must be one of None, Staging, Production, Archived."
    )]
    Stage {
        /// The stage as given.
        stage: String,
    },
    /// Only versions of a stage in use are archived for another one.
    #[error(
        "Model version transition cannot archive existing model versions because '{stage}' is not an Active stage. Valid stages are ['Staging', 'Production']"
    )]
    Archive {
        /// The stage as given.
        stage: String,
    },
    /// A version cannot come from there.
    #[error("Invalid model version source: '{from}'. {reason}")]
    Source {
        /// The source as given.
        from: String,
        /// Why not.
        reason: &'static str,
    },
    /// A prompt has no files.
    #[error("Invalid prompt source: '{from}'. Prompt sources must use an MLflow placeholder.")]
    PromptSource {
        /// The source as given.
        from: String,
    },
}

fn reserved(alias: &str) -> String {
    if alias.eq_ignore_ascii_case(LATEST) {
        "'latest' alias name (case insensitive) is reserved.".to_owned()
    } else {
        format!("Version alias name '{alias}' is reserved.")
    }
}

impl RegistryError {
    /// MLflow's code.
    pub(in crate::mlflow) const fn code(&self) -> Code {
        match self {
            Self::UnknownModel { .. } | Self::UnknownVersion { .. } | Self::NoVersion { .. } => {
                Code::ResourceDoesNotExist
            }
            Self::Taken { .. } | Self::TakenByOther { .. } => Code::ResourceAlreadyExists,
            Self::UnknownAlias { .. }
            | Self::ModelName { .. }
            | Self::VersionNumber { .. }
            | Self::AliasName { .. }
            | Self::AliasReserved { .. }
            | Self::Stage { .. }
            | Self::Archive { .. }
            | Self::Source { .. }
            | Self::PromptSource { .. } => Code::InvalidParameterValue,
        }
    }
}

/// The alias that every model has: its greatest version.
pub(in crate::mlflow) const LATEST: &str = "latest";

/// Checks the name of a model; `field` is where it stands.
pub(in crate::mlflow) fn check_model_name(field: &'static str, name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        return Err(WireError::missing(field).into());
    }
    if name.contains(['/', ':']) {
        let name = name.to_owned();
        return Err(RegistryError::ModelName { name }.into());
    }
    let resolved = normal(name);
    if resolved != name || resolved == "." || name.starts_with("..") {
        let (path, name) = (field.to_owned(), format!("\"{name}\""));
        return Err(LimitError::Path {
            path,
            name,
            resolved,
        }
        .into());
    }
    Ok(())
}

/// Checks the name of an alias.
pub(in crate::mlflow) fn check_alias(alias: &str) -> Result<(), Refusal> {
    let is_taken = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    if alias.is_empty() || !alias.chars().all(is_taken) {
        let alias = alias.to_owned();
        return Err(RegistryError::AliasName { alias }.into());
    }
    Ok(check_length("Registered model alias name", alias, 255)?)
}

/// Refuses an alias that means something already.
pub(in crate::mlflow) fn check_alias_is_free(alias: &str) -> Result<(), RegistryError> {
    let digits = alias.strip_prefix(['v', 'V']);
    let is_version = digits.is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    if is_version || alias.eq_ignore_ascii_case(LATEST) {
        let alias = alias.to_owned();
        return Err(RegistryError::AliasReserved { alias });
    }
    Ok(())
}

/// Tags whose keys and values are taken; of one key the last value.
pub(in crate::mlflow) fn checked_tags(tags: Vec<Tag>) -> Result<Vec<(String, String)>, Refusal> {
    let mut checked: Vec<(String, String)> = Vec::with_capacity(tags.len());
    for tag in tags {
        let (key, value) = (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
        check_tag(&key, &value)?;
        checked.retain(|(known, _)| *known != key);
        checked.push((key, value));
    }
    Ok(checked)
}

/// Checks a tag.
pub(in crate::mlflow) fn check_tag(key: &str, value: &str) -> Result<(), LimitError> {
    check_name("key", key)?;
    check_length("key", key, TAG_KEY_LENGTH)?;
    check_length("value", value, TAG_LENGTH)
}

/// Whether tags say that what they are of is a prompt.
pub(in crate::mlflow) fn say_prompt(tags: &[(String, String)]) -> bool {
    let tag = tags.iter().find(|(key, _)| key == IS_PROMPT);
    tag.is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"))
}

/// The kind of a collection.
pub(in crate::mlflow) const fn kind(is_prompt: IsPrompt) -> &'static str {
    match is_prompt {
        IsPrompt::Yes => PROMPT,
        IsPrompt::No => MODEL,
    }
}

/// Whether something is a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mlflow) enum IsPrompt {
    /// It is.
    Yes,
    /// It is a model.
    No,
}

impl IsPrompt {
    /// What tags say.
    pub(in crate::mlflow) fn by(tags: &[(String, String)]) -> Self {
        if say_prompt(tags) {
            Self::Yes
        } else {
            Self::No
        }
    }

    /// Of a collection.
    pub(in crate::mlflow) fn of(state: &EntryState) -> Self {
        if state.is_prompt() {
            Self::Yes
        } else {
            Self::No
        }
    }
}

/// The uid by which operations speak of an entry.
pub(in crate::mlflow) fn uid_of(row: &EntryRow) -> EntryUid {
    row.state.uids.first().copied().unwrap_or(row.uid)
}

/// What operations speak of.
pub(in crate::mlflow) fn subject(row: &EntryRow) -> Subject {
    Subject::Entry(uid_of(row))
}

/// Says a field of an entry.
pub(in crate::mlflow) fn say_field(
    draft: &mut Draft,
    row: &EntryRow,
    field: &str,
    value: impl Into<serde_json::Value>,
) {
    draft.say(Op::SetField(SetField {
        subject: subject(row),
        field: field.to_owned(),
        value: value.into(),
    }));
}

/// The registered model of a name.
pub(in crate::mlflow) fn find_model(look: &Look<'_>, name: &str) -> Result<EntryRow, Refusal> {
    check_model_name("name", name)?;
    let row = match look.collection(DEFAULT_PROJECT, name)? {
        Some(no) => look.entry(no)?,
        None => None,
    };
    let unknown = || RegistryError::UnknownModel {
        name: name.to_owned(),
    };
    Ok(row.ok_or_else(unknown)?)
}

/// All versions of a model by number, those in the bin too.
pub(in crate::mlflow) fn all_versions(
    look: &Look<'_>,
    model: &EntryRow,
) -> Result<Vec<EntryRow>, Refusal> {
    let of = Entries::Of(EntryKind::Version, Owner::Entry(model.no));
    let mut rows = look.entries(&of)?;
    rows.sort_by_key(|row| row.number);
    Ok(rows)
}

/// A version of a model.
pub(in crate::mlflow) fn find_version(
    look: &Look<'_>,
    name: &str,
    version: &str,
) -> Result<(EntryRow, EntryRow), Refusal> {
    check_model_name("name", name)?;
    let number = version_number(version)?;
    let unknown = || RegistryError::UnknownVersion {
        name: name.to_owned(),
        version: version.to_owned(),
    };
    let Some(no) = look.collection(DEFAULT_PROJECT, name)? else {
        return Err(unknown().into());
    };
    let model = look.entry(no)?.ok_or_else(unknown)?;
    let mut rows = all_versions(look, &model)?.into_iter();
    let found = rows.find(|row| row.number == Some(number) && !row.state.is_deleted());
    Ok((model, found.ok_or_else(unknown)?))
}

/// The number in the text of a version.
pub(in crate::mlflow) fn version_number(version: &str) -> Result<u64, RegistryError> {
    let number = version.trim().parse();
    number.map_err(|_reason| RegistryError::VersionNumber {
        version: version.to_owned(),
    })
}

/// A stage as it is written, whatever the case in which it was given.
pub(in crate::mlflow) fn stage(given: &str) -> Result<&'static str, RegistryError> {
    let mut known = STAGES.into_iter();
    let found = known.find(|stage| stage.eq_ignore_ascii_case(given));
    found.ok_or_else(|| RegistryError::Stage {
        stage: given.to_owned(),
    })
}

/// The stages of versions.
pub(in crate::mlflow) const STAGES: [&str; 4] = [NO_STAGE, "Staging", "Production", ARCHIVED];

/// The stage of a version that was given none.
pub(in crate::mlflow) const NO_STAGE: &str = "None";

/// The stage of versions that others took the place of.
pub(in crate::mlflow) const ARCHIVED: &str = "Archived";

/// When the latest of some fields of an entry was set, in milliseconds.
pub(in crate::mlflow) fn set_at(state: &EntryState, fields: &[&str]) -> Option<i64> {
    let held = &state.annotations.fields;
    let times = fields
        .iter()
        .filter_map(|field| Some(held.get(*field)?.stamp.time.millis()));
    times.max()
}

/// When an entry was made, in milliseconds.
pub(in crate::mlflow) fn made_at(state: &EntryState) -> i64 {
    state.created().map_or(0, |time| time.millis())
}
