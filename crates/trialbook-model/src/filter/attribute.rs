//! The attributes of a run that a filter may name, with their types and their other spellings.
//!
//! Not here: where a run keeps them. Invariant: names and aliases are unique without regard to case.

/// What an attribute's values are, which decides the operators it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeType {
    /// Text: `=`, `!=`, `LIKE`, `ILIKE`, `IN`.
    Text,
    /// A number.
    Number,
    /// An instant, compared as whole milliseconds since 1970.
    Time,
    /// One of the five words of [`crate::status::RunStatus`], compared as text.
    Status,
    /// `true` or `false`, compared as text.
    Flag,
}

macro_rules! attributes {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $type:ident, [$($alias:literal),*];)*) => {
        /// A property that every run can have.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Attribute {
            $($(#[$doc])* $variant,)*
        }

        impl Attribute {
            /// All attributes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The canonical name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What its values are.
            pub const fn value_type(self) -> AttributeType {
                match self {
                    $(Self::$variant => AttributeType::$type,)*
                }
            }

            /// Other spellings that are understood.
            pub const fn aliases(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$($alias),*],)*
                }
            }
        }
    };
}

attributes! {
    /// The run's uid, 32 hex digits.
    Id, "id", Text, ["run_id", "uid", "run_uuid"];
    /// The run's dense number in the book.
    No, "no", Number, [];
    /// The run's name.
    Name, "name", Text, ["run_name", "run name"];
    /// `run-NNN`, the number alone.
    Number, "number", Number, ["run_number"];
    /// The human handle, `EXP-001/run-014`.
    Handle, "handle", Text, [];
    /// The experiment's name.
    Experiment, "experiment", Text, ["experiment_name"];
    /// The experiment's dense number, as text (MLflow's experiment id).
    ExperimentId, "experiment_id", Text, [];
    /// The project's name.
    Project, "project", Text, [];
    /// Where the run is in its life.
    Status, "status", Status, [];
    /// When it started.
    Started, "started", Time, ["start_time", "started_at", "created"];
    /// When it ended.
    Ended, "ended", Time, ["end_time", "ended_at"];
    /// From start to end, in milliseconds; missing while it has not ended.
    DurationMs, "duration_ms", Number, [];
    /// Last sign of life.
    Heartbeat, "heartbeat", Time, [];
    /// Work done, 0 to 1.
    Progress, "progress", Number, [];
    /// The variation it is a trial of.
    Variation, "variation", Text, [];
    /// Trial number.
    Trial, "trial", Number, [];
    /// Attempt number.
    Attempt, "attempt", Number, [];
    /// The seed given to the program.
    Seed, "seed", Number, ["random_seed"];
    /// Stable key of the planned run.
    RunKey, "run_key", Text, [];
    /// What kind of program started it.
    Source, "source", Text, [];
    /// The command line, joined by blanks.
    Command, "command", Text, [];
    /// Who started it.
    Actor, "actor", Text, ["user", "user_id"];
    /// The class of the error that ended it.
    ErrorKind, "error_kind", Text, ["error_type"];
    /// The message of the error that ended it.
    Error, "error", Text, ["error_message"];
    /// The process's exit code.
    ExitCode, "exit_code", Number, [];
    /// The free text about it.
    Notes, "notes", Text, [];
    /// Hidden from lists.
    Archived, "archived", Flag, [];
    /// In the bin.
    Deleted, "deleted", Flag, [];
    /// SHA-256 of the setup that it was started with: agents, workflow, tasks, dataset.
    ConfigHash, "config_hash", Text, [];
    /// The ids of the runs that it reproduces, joined by blanks.
    Reproduces, "reproduces", Text, [];
    /// Where its artifacts are.
    ArtifactUri, "artifact_uri", Text, [];
}

impl Attribute {
    /// The attribute of that name or alias, whatever the case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|attribute| {
            attribute.name().eq_ignore_ascii_case(name)
                || attribute
                    .aliases()
                    .iter()
                    .any(|alias| alias.eq_ignore_ascii_case(name))
        })
    }

    /// The spelling nearest to `name`, if one is near enough to be a slip of the fingers.
    pub fn nearest(name: &str) -> Option<&'static str> {
        let name = name.to_ascii_lowercase();
        Self::ALL
            .iter()
            .flat_map(|attribute| {
                std::iter::once(attribute.name()).chain(attribute.aliases().iter().copied())
            })
            .map(|candidate| (strsim::damerau_levenshtein(candidate, &name), candidate))
            .filter(|&(distance, candidate)| {
                distance <= 2 && distance * 3 <= candidate.len().max(name.len())
            })
            .min()
            .map(|(_, candidate)| candidate)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_spelling_names_one_attribute() {
        let mut seen = BTreeMap::new();
        for &attribute in Attribute::ALL {
            let spellings =
                std::iter::once(attribute.name()).chain(attribute.aliases().iter().copied());
            for spelling in spellings {
                assert_eq!(
                    Attribute::named(&spelling.to_ascii_uppercase()),
                    Some(attribute),
                    "{spelling}"
                );
                let other = seen.insert(spelling, attribute);
                assert_eq!(other, None, "{spelling} is given twice");
            }
        }
        assert_eq!(Attribute::named("loss"), None);
    }

    #[test]
    fn slips_of_the_fingers_find_their_attribute() {
        assert_eq!(Attribute::nearest("staus"), Some("status"));
        assert_eq!(Attribute::nearest("start_tiem"), Some("start_time"));
        assert_eq!(Attribute::nearest("loss"), None);
        assert_eq!(Attribute::nearest("x"), None);
    }
}
